import Diagnostics
import HostProgram
import PythonSyntax
import TritonLowering

/// Whether an argument holds zeros whenever a kernel is launched, so that setting it to zero again
/// gives back what was there.
///
/// Both the run and the text must say so: the run, that the last step which wrote to the tensor
/// filled it with zeros; the text, that this is so on every way to the launch.
struct ZeroedArgument {
  let holds: Bool

  init(_ parameter: String, of function: JITFunction, in subject: RewriteSubject) {
    guard let run = subject.run, Self.isZeroInEveryLaunch(parameter, of: function.name, in: run)
    else {
      holds = false
      return
    }
    let sites = LaunchSites(of: function.name, in: subject.module).sites
    holds =
      !sites.isEmpty
      && sites.allSatisfy { site in
        guard let name = site.argument(for: parameter, of: function.definition)?.bareName else {
          return false
        }
        return ZeroFill.dominates(site.call.range, of: name, in: subject.module)
      }
  }

  // MARK: The run

  private static let fills: Set<String> = ["zeros", "zeros_like", "new_zeros", "zero"]

  private static func isZeroInEveryLaunch(
    _ parameter: String, of kernel: String, in run: HostRun
  ) -> Bool {
    guard run.trace.gap == nil else { return false }
    var launches = 0
    for index in run.trace.forward.indices {
      guard let launch = run.launch(at: index), launch.kernel == kernel else { continue }
      let argument = launch.arguments.first { $0.name == parameter }
      guard case .tensor(let tensor)? = argument?.value, isZero(tensor, before: index, in: run)
      else { return false }
      launches += 1
    }
    return launches > 0
  }

  /// Whether the last step before `index` that may write to the tensor filled it with zeros.
  private static func isZero(_ tensor: TensorShape, before index: Int, in run: HostRun) -> Bool {
    for step in run.trace.forward[..<index].indices.reversed() {
      if let launch = run.launch(at: step) {
        if launch.arguments.contains(where: { $0.value.touches(tensor.storage) }) { return false }
      } else if case .operation(let operation) = run.trace.forward[step],
        let result = operation.results.first(where: { $0.storage == tensor.storage })
      {
        return fills.contains(operation.name) && StorageSpans.covers(result, tensor)
      }
    }
    return false
  }
}

extension ArgumentValue {
  fileprivate func touches(_ storage: Int) -> Bool {
    switch self {
    case .tensor(let tensor), .tensorDescriptor(let tensor, _): tensor.storage == storage
    case .tuple(let parts): parts.contains { $0.touches(storage) }
    default: false
    }
  }
}

/// The text's side of ``ZeroedArgument``.
enum ZeroFill {
  private static let zeroAllocators: Set<String> = ["zeros", "zeros_like", "new_zeros"]
  /// What may be asked of a tensor without changing it.
  private static let queries: Set<String> = [
    "shape", "stride", "size", "numel", "dtype", "device", "ndim", "dim", "element_size",
    "is_contiguous", "data_ptr", "is_cuda",
  ]

  /// Whether a local name is filled with zeros on every way to `range`, and untouched in between.
  static func dominates(_ range: SourceRange, of name: String, in tree: ModuleTree) -> Bool {
    guard let function = enclosingFunction(of: range, in: tree) else { return false }
    let path = Self.path(to: range, in: function.body)
    guard !path.isEmpty, isBoundOnce(name, in: function) else { return false }
    // The latest statement on the way that fills it.
    var fill: (level: Int, range: SourceRange)?
    for (level, step) in path.enumerated() {
      for statement in step.block[..<step.index] where fills(statement, name) {
        fill = (level, statement.fullRange)
      }
    }
    guard let fill else { return false }
    // A loop between the two would launch again without filling again.
    let isLooped = path[fill.level..<(path.count - 1)].contains { step in
      switch step.block[step.index].kind {
      case .for, .while: true
      default: false
      }
    }
    return !isLooped && isUntouched(name, from: fill.range.upper, to: range.lower, in: function)
  }

  private static func enclosingFunction(of range: SourceRange, in tree: ModuleTree) -> FunctionDef?
  {
    var found: FunctionDef?
    tree.body.forEachStatement { statement in
      if case .function(let function) = statement.kind,
        function.fullRange.lower <= range.lower, range.upper <= function.fullRange.upper
      {
        found = function
      }
    }
    return found
  }

  /// The blocks around a range, outermost first, each with the statement that holds it.
  private static func path(to range: SourceRange, in body: [Stmt]) -> [(block: [Stmt], index: Int)]
  {
    var path: [(block: [Stmt], index: Int)] = []
    var block: [Stmt]? = body
    while let current = block {
      block = nil
      guard
        let index = current.firstIndex(where: {
          $0.fullRange.lower <= range.lower && range.upper <= $0.fullRange.upper
        })
      else { break }
      path.append((current, index))
      block = current[index].blocks.first { inner in
        inner.contains { $0.fullRange.lower <= range.lower && range.upper <= $0.fullRange.upper }
      }
    }
    return path
  }

  private static func isBoundOnce(_ name: String, in function: FunctionDef) -> Bool {
    var count = function.parameters.all.contains { $0.name == name } ? 2 : 0
    function.body.forEachStatement { statement in
      count += statement.boundNames.count { $0.name == name }
    }
    return count == 1
  }

  /// `name = torch.zeros(…)`, `name.zero_()`.
  private static func fills(_ statement: Stmt, _ name: String) -> Bool {
    switch statement.kind {
    case .assign(let targets, let value):
      guard targets.count == 1, targets[0].bareName == name,
        case .call(let callee, _, _) = value.kind,
        case .attribute(_, let method, _) = callee.kind
      else { return false }
      return zeroAllocators.contains(method)
    case .expression(let expression):
      guard case .call(let callee, let arguments, _) = expression.kind, arguments.isEmpty,
        case .attribute(let base, "zero_", _) = callee.kind
      else { return false }
      return base.bareName == name
    default: return false
    }
  }

  private static func isUntouched(
    _ name: String, from lower: Int, to upper: Int, in function: FunctionDef
  ) -> Bool {
    var asked: Set<Int> = []
    var isUntouched = true
    function.body.forEachExpression { expression in
      guard expression.range.lower >= lower, expression.range.upper <= upper else { return }
      switch expression.kind {
      case .attribute(let base, let member, _) where base.bareName == name:
        if queries.contains(member) { asked.insert(base.range.lower) }
      case .name(name):
        if !asked.contains(expression.range.lower) { isUntouched = false }
      default: break
      }
    }
    return isUntouched
  }
}
