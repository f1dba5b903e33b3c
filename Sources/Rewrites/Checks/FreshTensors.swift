import Diagnostics
import PythonSyntax

/// The local names of the function around a launch that hold a tensor allocated there.
struct FreshTensors {
  private var fresh: Set<String> = []

  private static let allocators: Set<String> = [
    "empty", "empty_like", "zeros", "zeros_like", "ones", "ones_like", "full", "full_like",
    "new_empty", "new_zeros", "new_ones", "new_full", "empty_strided", "clone",
  ]

  init(in tree: ModuleTree, around range: SourceRange) {
    var enclosing: FunctionDef?
    tree.body.forEachStatement { statement in
      if case .function(let function) = statement.kind,
        function.fullRange.lower <= range.lower, range.upper <= function.fullRange.upper
      {
        enclosing = function
      }
    }
    guard let enclosing else { return }
    var bound: [String: [Bool]] = [:]
    enclosing.body.forEachStatement { statement in
      if case .assign(let targets, let value) = statement.kind, targets.count == 1,
        let name = targets[0].bareName
      {
        var isFresh = false
        if case .call(let callee, _, _) = value.kind,
          case .attribute(_, let method, _) = callee.kind
        {
          isFresh = Self.allocators.contains(method)
        }
        bound[name, default: []].append(isFresh)
      } else {
        for (name, _) in statement.boundNames { bound[name, default: []].append(false) }
      }
    }
    fresh = Set(bound.filter { $0.value.allSatisfy { $0 } }.keys)
  }

  func contains(_ name: String) -> Bool { fresh.contains(name) }
}
