import Diagnostics
import PythonSyntax
import TileIR

/// One lowering: walks a kernel as Triton's front end does and builds tile IR.
///
/// Internally errors are thrown as `Diagnostic` or, without a place, as ``EvaluationError``; only
/// ``lower(_:for:source:)`` lets them out, as diagnostics.
final class Lowerer {
  let specialization: Specialization
  let builder: IRBuilder
  /// Whether assertions are lowered: Triton's debug mode.
  var keepsAssertions = false
  /// The module the kernel stands in: the one that ranges point into.
  let rootScope: ModuleScope
  var frames: [Frame] = []
  /// The node being lowered, in the current frame's module.
  var here: SourceRange
  var unrolledLoops: [UnrolledLoop] = []
  var unrollPath: [UnrollStep] = []
  var callSites: [SourceRange] = []
  private var steps = 0
  private var depth = 0
  /// Iterations unrolled so far.
  var unrolledIterations = 0
  var unrolledLoopIndices: [UnrolledLoopKey: Int] = [:]
  /// Globals by module and name, as far as they were read.
  var globals: [ObjectIdentifier: [String: ModuleScope.Global]] = [:]

  struct UnrolledLoopKey: Hashable {
    var range: SourceRange
    var callSites: [SourceRange]
    var tripCount: Int
  }

  init(_ specialization: Specialization, scope: ModuleScope, at range: SourceRange) {
    self.specialization = specialization
    rootScope = scope
    here = range
    builder = IRBuilder(location: OpLocation(range))
  }

  // MARK: Errors

  func failure(_ id: String, _ message: String, at range: SourceRange? = nil) -> Diagnostic {
    // A callee of another module has no place in the kernel's file: its call site stands for it.
    let range = frame.isForeign ? (callSites.last ?? here) : (range ?? here)
    return Diagnostic(id: id, message, source: rootScope.source, range: range)
  }

  func typeError(_ message: String) -> Diagnostic { failure("triton-type-error", message) }
  func valueError(_ message: String) -> Diagnostic { failure("triton-value-error", message) }
  func unsupported(_ id: String, _ message: String) -> Diagnostic {
    failure("unsupported-\(id)", message)
  }

  /// Gives errors of compile-time evaluation their place.
  func located<Result>(_ work: () throws -> Result) throws -> Result {
    do {
      return try work()
    } catch let error as EvaluationError {
      throw failure(error.id, error.message)
    }
  }

  // MARK: Frames and limits

  /// The innermost function being lowered.
  var frame: Frame { frames[frames.count - 1] }

  final class Frame {
    let reference: JITReference
    /// Triton's `lscope`: what each local name holds.
    var locals: [String: PyValue] = [:]
    /// Triton's `local_defs`: what the current region assigned.
    var definitions: [String: PyValue] = [:]
    /// Run-time loops around the current statement.
    var loopDepth = 0
    /// The types `return` statements gave so far.
    var returnType: String?
    /// Where each name was assigned last, for messages.
    var assignments: [String: SourceRange] = [:]
    /// Arguments as text, to tell recursion from a call with other constants.
    let signature: String
    /// Whether the function stands in another file than the kernel.
    let isForeign: Bool

    init(reference: JITReference, signature: String, isForeign: Bool) {
      self.reference = reference
      self.signature = signature
      self.isForeign = isForeign
    }
  }

  func enterNode(_ range: SourceRange) throws {
    steps += 1
    if steps > Limits.steps {
      throw failure("unsupported-size", "the kernel takes too many steps to lower", at: range)
    }
    if builder.operationCount > Limits.operations {
      throw failure(
        "unsupported-size", "the kernel lowers to more than \(Limits.operations) operations",
        at: range)
    }
    here = range
    if !frame.isForeign { updateLocation(range) }
  }

  private func updateLocation(_ range: SourceRange) {
    if builder.location.range != range || builder.location.callSites != callSites
      || builder.location.unrollPath != unrollPath
    {
      builder.location = OpLocation(range, callSites: callSites, unrollPath: unrollPath)
    }
  }

  /// Runs `work` one level deeper; refuses what nests beyond the limit.
  func nested<Result>(_ range: SourceRange, _ work: () throws -> Result) throws -> Result {
    guard depth < Limits.depth else {
      throw failure("unsupported-nesting", "the code nests too deeply", at: range)
    }
    depth += 1
    let outer = here
    defer {
      depth -= 1
      here = outer
      if !frames.isEmpty, !frame.isForeign { updateLocation(outer) }
    }
    try enterNode(range)
    return try work()
  }

  // MARK: Entry

  static func lower(
    _ kernel: JITReference, for specialization: Specialization, source: SourceText,
    keepsAssertions: Bool = false
  ) -> Result<Function, Diagnostic> {
    let definition = kernel.function.definition
    let lowerer = Lowerer(specialization, scope: kernel.scope, at: definition.nameRange)
    lowerer.keepsAssertions = keepsAssertions
    do {
      return .success(try lowerer.lowerKernel(kernel, source: source))
    } catch let diagnostic as Diagnostic {
      return .failure(diagnostic)
    } catch let error as EvaluationError {
      return .failure(
        Diagnostic(id: error.id, error.message, source: source, range: lowerer.here))
    } catch {
      return .failure(
        Diagnostic(id: "unsupported-error", "\(error)", source: source, range: lowerer.here))
    }
  }

  private func lowerKernel(_ kernel: JITReference, source: SourceText) throws -> Function {
    let function = kernel.function
    frames = [Frame(reference: kernel, signature: "kernel", isForeign: false)]
    try checkParameters(function)
    var parameters: [FunctionParameter] = []
    for (index, parameter) in function.parameters.enumerated() {
      here = parameter.syntax.range
      builder.location = OpLocation(here)
      let value = try bindParameter(parameter, index: index, into: &parameters)
      frame.locals[parameter.name] = value
      frame.definitions[parameter.name] = value
    }
    let known = Set(function.parameters.map(\.name))
    for name in specialization.arguments.keys.sorted() where !known.contains(name) {
      let nearest = Spelling.nearest(to: name, in: known)
      throw failure(
        "unknown-parameter",
        "kernel '\(function.name)' has no parameter '\(name)'"
          + (nearest.map { "; did you mean '\($0)'?" } ?? ""), at: function.definition.nameRange)
    }
    _ = try execute(function.definition.body[...])
    return builder.finish(
      name: function.name, source: source, parameters: parameters, unrolledLoops: unrolledLoops)
  }

  /// What Triton checks of a signature before it looks at the body.
  func checkParameters(_ function: JITFunction) throws {
    for parameter in function.parameters {
      switch parameter.syntax.kind {
      case .variadic where frames.count == 1, .keywordVariadic:
        throw failure(
          "triton-unsupported-syntax", "a kernel cannot take '*' or '**' parameters",
          at: parameter.syntax.range)
      default: break
      }
      if let annotation = parameter.syntax.annotation, !parameter.isConstexpr {
        here = annotation.range
        _ = try evaluate(annotation)
      }
      if parameter.isConstexpr && parameter.isNotSpecialized {
        throw failure(
          "triton-value-error",
          "'\(parameter.name)' is marked as constexpr and listed in do_not_specialize",
          at: parameter.syntax.range)
      }
    }
  }

  private func bindParameter(
    _ parameter: JITParameter, index: Int, into parameters: inout [FunctionParameter]
  ) throws -> PyValue {
    if let type = specialization.tiles[parameter.name] {
      let value = builder.makeValue(.tile(type), name: parameter.name)
      parameters.append(
        FunctionParameter(
          name: parameter.name, value: value, index: index, isDivisibleBy16: false))
      return .tensor(Tensor(value, type))
    }
    guard let argument = specialization.arguments[parameter.name] else {
      if let initial = parameter.syntax.defaultValue {
        return try defaultValue(initial, parameter: parameter, index: index, into: &parameters)
      }
      throw failure(
        "missing-argument", "no type or value is given for parameter '\(parameter.name)'",
        at: parameter.syntax.range)
    }
    return try bind(argument, name: parameter.name, index: index, into: &parameters)
  }

  private func defaultValue(
    _ initial: Expr, parameter: JITParameter, index: Int,
    into parameters: inout [FunctionParameter]
  ) throws -> PyValue {
    var evaluator = CompileTimeEvaluator(scope: frame.reference.scope)
    let value = try located { try evaluator.evaluate(initial) }
    if parameter.isConstexpr { return value }
    // The launcher passes a default as it passes any argument.
    switch value {
    case .int(let number) where number != 1:
      let type: ElementType = Int32(exactly: number) != nil ? .int32 : .int64
      let argument = ArgumentSpecialization.scalar(type, isDivisibleBy16: number % 16 == 0)
      return try bind(argument, name: parameter.name, index: index, into: &parameters)
    case .float:
      return try bind(
        .scalar(.fp32, isDivisibleBy16: false), name: parameter.name, index: index,
        into: &parameters)
    case .bool:
      return try bind(
        .scalar(.int1, isDivisibleBy16: false), name: parameter.name, index: index,
        into: &parameters)
    default: return value
    }
  }

  private func bind(
    _ argument: ArgumentSpecialization, name: String, index: Int,
    into parameters: inout [FunctionParameter]
  ) throws -> PyValue {
    func parameter(_ type: ValueType, _ name: String, divisible: Bool) -> Value {
      let value = builder.makeValue(type, name: name)
      parameters.append(
        FunctionParameter(name: name, value: value, index: index, isDivisibleBy16: divisible))
      return value
    }
    switch argument {
    case .constexpr(let value): return PyValue(value, scope: frame.reference.scope)
    case .pointer(let pointee, let divisible):
      let type = TileType(.pointer(to: pointee))
      return .tensor(Tensor(parameter(.tile(type), name, divisible: divisible), type))
    case .scalar(let element, let divisible):
      let type = TileType(element)
      return .tensor(Tensor(parameter(.tile(type), name, divisible: divisible), type))
    case .tensorDescriptor(let element, let block):
      let handle = parameter(
        .tensorDescriptor(element: element, block: block), name, divisible: false)
      var shape: [Tensor] = []
      var strides: [Tensor] = []
      for axis in block.indices {
        let size = parameter(.tile(TileType(.int32)), "\(name).shape.\(axis)", divisible: false)
        shape.append(Tensor(size, TileType(.int32)))
      }
      for axis in block.indices {
        let size = parameter(.tile(TileType(.int64)), "\(name).strides.\(axis)", divisible: false)
        strides.append(Tensor(size, TileType(.int64)))
      }
      return .descriptor(
        DescriptorValue(
          value: handle, element: element, block: block, shape: shape, strides: strides))
    case .tuple(let elements):
      var values: [PyValue] = []
      for (position, element) in elements.enumerated() {
        values.append(
          try bind(element, name: "\(name).\(position)", index: index, into: &parameters))
      }
      return .tuple(TupleValue(values))
    }
  }
}
