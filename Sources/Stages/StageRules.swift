import Diagnostics
import PythonSyntax

/// Checks of a stage's rules on the emitted text.
public enum StageRules {
  /// The functions with a `jit` decorator, in source order.
  public static func kernels(in tree: ModuleTree) -> [FunctionDef] {
    tree.functions.filter(isKernel)
  }

  /// Whether a decorator of the function is `jit`: `@triton.jit`, `@jit`, `@triton.jit(…)`.
  public static func isKernel(_ function: FunctionDef) -> Bool {
    function.decorators.contains { decorator in
      switch decorator.kind {
      case .name(let name): name == "jit"
      case .attribute(_, let name, _): name == "jit"
      case .call(let callee, _, _):
        switch callee.kind {
        case .name(let name): name == "jit"
        case .attribute(_, let name, _): name == "jit"
        default: false
        }
      default: false
      }
    }
  }
}
