import Diagnostics
import PythonSyntax

/// What `@triton.autotune` restores around its trial runs.
///
/// No stage forbids to restore more: that changes no launch, only what trial runs leave behind. To
/// restore less than the original makes the first result of a kernel that updates in place wrong.
enum TuningSafety {
  /// The arguments that the original restores and a candidate with several configs no longer does.
  static func removed(_ candidate: FunctionDef, from original: FunctionDef) -> [String] {
    guard let before = restored(original), let now = restored(candidate), !now.hasHooks else {
      return []
    }
    return before.names.subtracting(now.names).sorted()
  }

  /// The names in `restore_value` and `reset_to_zero`; nil without autotune.
  private static func restored(_ function: FunctionDef) -> (names: Set<String>, hasHooks: Bool)? {
    for decorator in function.decorators {
      guard case .call(let callee, _, let keywords) = decorator.kind,
        AutotuneDecorator.isAutotune(callee)
      else { continue }
      var names: Set<String> = []
      var hasHooks = false
      for keyword in keywords {
        switch keyword.name {
        case "restore_value", "reset_to_zero":
          keyword.value.walk { inner in
            if case .constant(.string(let literal)) = inner.kind { names.insert(literal.value) }
            return .visitChildren
          }
        case "pre_hook", "post_hook": hasHooks = true
        default: break
        }
      }
      return (names, hasHooks)
    }
    return nil
  }
}
