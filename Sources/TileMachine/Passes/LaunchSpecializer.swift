import Diagnostics
import TileIR

/// Replaces scalar parameters by the launch's values, folds, merges equal operations, and moves
/// what does not change in a loop out of it.
enum LaunchSpecializer {
  static func specialize(
    _ function: Function, arguments: [String: MachineArgument]
  ) throws(Diagnostic) -> (function: Function, pointers: [Value: Int]) {
    var rewriter = LaunchRewriter(function)
    var pointers: [Value: Int] = [:]
    for parameter in function.parameters {
      guard let argument = arguments[parameter.name] else {
        throw Diagnostic(
          id: "missing-argument", "no argument for parameter '\(parameter.name)'",
          source: function.source)
      }
      let element = function.values[parameter.value.index].type.tile?.element ?? .int64
      switch argument {
      case .pointer(let allocation, let byteOffset):
        pointers[parameter.value] = DeviceMemory.base(of: allocation.index) &+ byteOffset
      case .int(let number):
        if element.isPointer {
          pointers[parameter.value] = number
        } else {
          rewriter.define(
            parameter.value,
            element.isFloat ? .float(Double(number)) : .int(element.wrap(number)))
        }
      case .float(let number):
        guard element.isFloat else {
          throw Diagnostic(
            id: "invalid-launch", "parameter '\(parameter.name)' is \(element), not a float",
            source: function.source)
        }
        rewriter.define(parameter.value, .float(number))
      case .descriptor:
        throw Diagnostic(
          id: "invalid-launch", "parameter '\(parameter.name)' is no tensor descriptor",
          source: function.source)
      }
    }
    return (rewriter.rewrite(), pointers)
  }
}

/// One walk over a function that builds it anew.
struct LaunchRewriter {
  private var function: Function
  /// What each old value has become.
  private var replacement: [Value]
  private var constants: [ConstantValue?]
  /// The depth of the region in which each value is defined; parameters 0.
  private var depths: [Int]
  private var scopes: [Scope] = []

  /// A region under construction.
  private struct Scope {
    var operations: [Operation] = []
    /// Pure operations seen, for merging equal ones.
    var known: [Key: [Value]] = [:]
    /// Whether operations may move out of it into the region around.
    var isLoop: Bool
  }

  private struct Key: Hashable {
    var kind: Operation.Kind
    var operands: [Value]
    var types: [ValueType]
  }

  init(_ function: Function) {
    self.function = function
    replacement = function.values.indices.map { Value(index: $0) }
    constants = Array(repeating: nil, count: function.values.count)
    depths = Array(repeating: 0, count: function.values.count)
  }

  mutating func define(_ parameter: Value, _ constant: ConstantValue) {
    pending.append((parameter, constant))
  }
  private var pending: [(Value, ConstantValue)] = []

  mutating func rewrite() -> Function {
    scopes = [Scope(isLoop: false)]
    for (value, constant) in pending {
      let operation = Operation(
        .constant(constant), results: [value], at: OpLocation(function.values[value.index].range))
      constants[value.index] = constant
      scopes[0].operations.append(operation)
    }
    let defined = Set(pending.map(\.0))
    function.parameters.removeAll { defined.contains($0.value) }
    walk(function.body)
    var result = function
    result.body.operations = scopes[0].operations
    result.removeDeadOperations()
    return result
  }

  private mutating func walk(_ region: Region) {
    for operation in region.operations { visit(operation) }
  }

  private mutating func visit(_ old: Operation) {
    var operation = old
    operation.operands = old.operands.map { replacement[$0.index] }
    if !operation.regions.isEmpty {
      let isLoop: Bool
      switch operation.kind {
      case .forLoop: isLoop = true
      default: isLoop = false
      }
      if case .ifElse = operation.kind, case .int(let bit)? = constants[operation.operands[0].index]
      {
        inline(operation, region: bit != 0 ? 0 : 1)
        return
      }
      for index in operation.regions.indices {
        for argument in operation.regions[index].arguments {
          depths[argument.index] = scopes.count
        }
        scopes.append(Scope(isLoop: isLoop))
        walk(operation.regions[index])
        operation.regions[index].operations = scopes.removeLast().operations
      }
      for result in operation.results { depths[result.index] = scopes.count - 1 }
      scopes[scopes.count - 1].operations.append(operation)
      return
    }
    guard operation.kind.isPure, operation.results.count == 1, isMovable(operation) else {
      for result in operation.results { depths[result.index] = scopes.count - 1 }
      scopes[scopes.count - 1].operations.append(operation)
      return
    }
    let result = operation.results[0]
    if let same = simplified(operation) {
      replacement[result.index] = same
      return
    }
    if let constant = folded(operation) {
      if operation.operands.count == 1, function.values[result.index].name == nil {
        // A parameter stays known by its name when it is spread over a tile.
        function.values[result.index].name = function.values[operation.operands[0].index].name
      }
      operation.kind = .constant(constant)
      operation.operands = []
    }
    if case .constant(let value) = operation.kind { constants[result.index] = value }
    // The outermost place where everything it needs is there, not leaving branches.
    var place = scopes.count - 1
    let needed = operation.operands.map { depths[$0.index] }.max() ?? 0
    while place > needed, scopes[place].isLoop { place -= 1 }
    let key = Key(
      kind: operation.kind, operands: operation.operands,
      types: [function.values[result.index].type])
    for scope in scopes.indices.reversed() {
      if let known = scopes[scope].known[key] {
        replacement[result.index] = known[0]
        return
      }
    }
    scopes[place].known[key] = operation.results
    scopes[place].operations.append(operation)
    depths[result.index] = place
  }

  /// A branch that is always taken.
  private mutating func inline(_ operation: Operation, region: Int) {
    guard operation.regions.indices.contains(region) else { return }
    for inner in operation.regions[region].operations {
      if inner.kind == .yield {
        for (result, value) in zip(operation.results, inner.operands) {
          let target = replacement[value.index]
          replacement[result.index] = target
          constants[result.index] = constants[target.index]
        }
        return
      }
      visit(inner)
    }
  }

  private func isMovable(_ operation: Operation) -> Bool {
    switch operation.kind {
    case .binary(.idiv), .binary(.rem):
      if function.values[operation.operands[0].index].type.tile?.element.isFloat == true {
        return true
      }
      // Might divide by zero where the loop would not have run.
      guard case .int(let divisor)? = constants[operation.operands[1].index] else { return false }
      return divisor != 0
    case .gather, .histogram, .hint, .external, .inlineAssembly: return false
    default: return true
    }
  }

  /// The constant an integer operation always gives.
  private func folded(_ operation: Operation) -> ConstantValue? {
    let operands = operation.operands.map { constants[$0.index] }
    guard let tile = function.values[operation.results[0].index].type.tile else { return nil }
    switch operation.kind {
    case .binary(let op):
      // What wraps stays, so that addresses made of it are checked.
      if tile.element == .int32, wraps(op, operands[0], operands[1]) { return nil }
      return Folding.binary(op, operands[0], operands[1], tile.element)
    case .compare(let predicate):
      guard let element = function.values[operation.operands[0].index].type.tile?.element else {
        return nil
      }
      return Folding.compare(predicate, operands[0], operands[1], element)
    case .splat, .broadcast, .expandDims, .reshape, .trans: return operands[0]
    case .cast(.convert(nil)):
      guard let known = operands[0],
        let source = function.values[operation.operands[0].index].type.tile?.element
      else { return nil }
      return Folding.convert(known, from: source, to: tile.element)
    default: return nil
    }
  }

  private func wraps(_ op: BinaryOp, _ a: ConstantValue?, _ b: ConstantValue?) -> Bool {
    guard case .int(let x)? = a, case .int(let y)? = b else { return false }
    let exact: Int
    switch op {
    case .add: exact = x &+ y
    case .sub: exact = x &- y
    case .mul: exact = x &* y
    case .shl: exact = (0..<31).contains(y) ? x &<< y : 0
    default: return false
    }
    return Int32(exactly: exact) == nil
  }

  /// An operand that the result always equals.
  private func simplified(_ operation: Operation) -> Value? {
    guard case .binary(let op) = operation.kind,
      function.values[operation.results[0].index].type.tile?.element.isInteger == true
    else {
      if case .select = operation.kind, case .int(let bit)? = constants[operation.operands[0].index]
      {
        return operation.operands[bit != 0 ? 1 : 2]
      }
      if case .addPointer = operation.kind, constants[operation.operands[1].index] == .int(0) {
        return operation.operands[0]
      }
      return nil
    }
    let (a, b) = (constants[operation.operands[0].index], constants[operation.operands[1].index])
    switch op {
    case .add:
      return b == .int(0) ? operation.operands[0] : (a == .int(0) ? operation.operands[1] : nil)
    case .sub, .shl, .shr: return b == .int(0) ? operation.operands[0] : nil
    case .mul:
      if b == .int(1) || a == .int(0) { return operation.operands[0] }
      if a == .int(1) || b == .int(0) { return operation.operands[1] }
      return nil
    case .idiv: return b == .int(1) ? operation.operands[0] : nil
    default: return nil
    }
  }
}
