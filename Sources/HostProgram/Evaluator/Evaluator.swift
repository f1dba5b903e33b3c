import Diagnostics
import PythonSyntax
import TileIR

/// What ends an evaluation early.
enum Unwind: Error {
  /// A Python exception; `try` may catch it.
  case raised(RaisedException)
  /// Something not modelled, or a limit; nothing catches it.
  case refused(Diagnostic)
}

/// `Error` demands `Sendable`; an exception never leaves the one thread of its evaluation.
final class RaisedException: @unchecked Sendable {
  let value: InstanceObject
  let range: SourceRange
  let unit: SourceUnit?
  /// What should have held of the sizes, where that is known.
  let condition: Condition?

  init(_ value: InstanceObject, range: SourceRange, unit: SourceUnit?, condition: Condition?) {
    self.value = value
    self.range = range
    self.unit = unit
    self.condition = condition
  }
}

/// What one evaluation may use up before it is refused.
struct EvaluationLimits: Sendable {
  /// Statements and expressions.
  var steps = 5_000_000
  /// Nested Python calls.
  var calls = 220
  /// Nested statements and expressions.
  var nesting = 4_000
  /// Items of one container, bytes of one string.
  var size = 4_000_000
  var launches = 100_000
}

/// One evaluation of host Python: the state shared by all its parts.
///
/// An evaluator runs on one thread and is used once.
final class Evaluator {
  let limits: EvaluationLimits
  let gpu: HostGPU
  var steps = 0
  var callDepth = 0
  var nesting = 0
  /// The expression or statement at work, for errors.
  var here = SourceRange(0, 0)
  var unit: SourceUnit?

  var nextStorage = 0
  var modules: [String: ModuleObject] = [:]
  var nativeClasses: [String: ClassObject] = [:]
  var builtinCache: [String: Value] = [:]
  var exceptionStack: [RaisedException] = []
  /// Above zero inside a `try` that handles a failing import.
  var guardedImports = 0
  var isGuardedImport: Bool { guardedImports > 0 }
  /// Whether `tl.constexpr(…)` ran on the host: its values stand for themselves, and have `.value`.
  var makesConstexprs = false
  /// The files imported so far, by their source.
  var importedFiles: [ObjectIdentifier: ModuleObject] = [:]
  var importDepth = 0
  /// Inside an imported file: the place in the module that led there.
  var importSite = SourceRange(0, 0)

  /// True while `forward` runs: torch operators and launches are recorded.
  var isRecording = false
  /// Above zero inside a torch operator, whose own parts are not recorded again.
  var operatorDepth = 0
  var launches: [Launch] = []
  var launchSignatures: [LaunchSignature] = []
  var operators: [(name: String, range: SourceRange)] = []
  /// What was done to tensors so far.
  var trace = TraceRecorder()
  /// Set by an operator's body for its own record.
  var restated: Restatement?
  /// The element type of the parameters that the layer under construction makes.
  var parameterElement = ElementType.fp32
  var notes: [Diagnostic] = []
  private var noted: Set<String> = []
  /// Decisions that sizes made, in order.
  var decisions: [Decision] = []
  /// Equalities that asserts and operators state between a dimension and a fixed value.
  var facts: [String: Int] = [:]
  /// The names that the module gives to dimensions: "x.shape[0]" to "N".
  var dimensionNames: [String: String] = [:]
  var takenNames: Set<String> = []
  /// Inputs whose rank nothing has told yet.
  var guessedRanks: Set<String> = []
  /// The value of each named unknown in this evaluation.
  var unknowns: [String: Int] = [:]

  /// Computes a tensor's elements from the steps so far; nil where nobody does.
  var computesContents: ((TensorShape) -> [Double]?)?

  init(gpu: HostGPU, limits: EvaluationLimits = EvaluationLimits()) {
    self.gpu = gpu
    self.limits = limits
  }

  struct Decision {
    var condition: Condition
    var outcome: Bool
    var range: SourceRange
    var unit: SourceUnit?
    /// What the module insists on: true for an assert, false for a branch that only raises.
    var expected: Bool?

    /// The module insists on what came out.
    var isKeptRequirement: Bool { expected == outcome }
  }

  // MARK: Errors

  /// A Python exception of a built-in type.
  func raise(_ type: String, _ message: String, condition: Condition? = nil) -> Unwind {
    let object = InstanceObject(nativeClass(type))
    object["args"] = .makeTuple([.string(message)])
    return .raised(RaisedException(object, range: here, unit: unit, condition: condition))
  }

  func refuse(_ message: String, at range: SourceRange? = nil, id: String = "not-modelled")
    -> Unwind
  {
    .refused(
      Diagnostic(id: id, message, source: unit?.source, range: range ?? here))
  }

  func refuse(_ object: OpaqueObject) -> Unwind {
    refuse("\(object.what) is not modelled, and its value is needed here")
  }

  /// Adds a note once per id and place.
  func note(_ id: String, _ message: String, at range: SourceRange? = nil) {
    let place = range ?? here
    if id == "assumed-content" { traceGap(message, at: place) }
    guard notes.count < 500, noted.insert("\(id)@\(place.lower)@\(message)").inserted else {
      return
    }
    notes.append(
      Diagnostic(id: id, severity: .note, message, source: unit?.source, range: place))
  }

  // MARK: Limits

  @inline(__always)
  func step() throws {
    steps &+= 1
    if steps > limits.steps {
      throw refuse("the host program runs past \(limits.steps) steps", id: "host-limit")
    }
  }

  func checkSize(_ count: Int) throws {
    if count > limits.size {
      throw refuse("a value with \(count) items is past the limit", id: "host-limit")
    }
  }

  // MARK: Conversions used everywhere

  /// An integer argument; a float or a sequence is a `TypeError`, as in Python.
  func integer(_ value: Value, _ what: @autoclosure () -> String) throws -> SymInt {
    if let number = value.asInt { return number }
    switch value {
    case .tensor(let tensor) where tensor.count == 1:
      if let known = readFill(tensor)?.asInt { return SymInt(known.value) }
      if let known = readContents(tensor)?.first?.asInt { return known }
      traceGap("this integer depends on tensor contents")
      return SymInt(1, origin: .unknown)
    case .instance(let object):
      if let method = object.type.lookup("__index__") {
        return try integer(call(method, Arguments([value], range: here)), what())
      }
    case .opaque(let object): throw refuse(object)
    default: break
    }
    throw raise("TypeError", "\(what()) must be int, not \(value.typeName)")
  }

  func integers(_ value: Value, count: Int, _ what: @autoclosure () -> String) throws -> [SymInt] {
    if let single = value.asInt { return Array(repeating: single, count: count) }
    let values = try items(value)
    if values.count == 1, count > 1 {
      return Array(repeating: try integer(values[0], what()), count: count)
    }
    guard values.count == count else {
      var condition: Condition?
      if case .tuple(let tuple) = value, let source = tuple.rankSource {
        condition = .compare(.dim(Self.rankName(source)), .equal, .constant(count))
      }
      throw raise(
        "RuntimeError", "\(what()) must hold \(count) ints, not \(values.count)",
        condition: condition)
    }
    return try values.map { try integer($0, what()) }
  }

  /// Python's truth of a value; a branch on sizes is recorded.
  func truth(_ value: Value, expecting expected: Bool? = nil) throws -> Bool {
    switch value {
    case .none: return false
    case .boolean(let flag):
      if let condition = flag.condition {
        record(condition, flag.value, expected)
      } else if flag.origin == .unknown {
        note("assumed-content", "this depends on tensor contents; assumed \(flag.value)")
      }
      return flag.value
    case .integer(let number):
      if let formula = number.formula {
        record(.compare(formula, .notEqual, .constant(0)), number.value != 0, expected)
      }
      return number.value != 0
    case .float(let number): return number.value != 0
    case .string(let text): return !text.isEmpty
    case .bytes(let bytes): return !bytes.isEmpty
    case .tuple(let tuple): return !tuple.items.isEmpty
    case .list(let list): return !list.items.isEmpty
    case .dict(let dict): return dict.count > 0
    case .set(let set): return set.count > 0
    case .range(let range): return range.count > 0
    case .tensor(let tensor):
      guard tensor.count == 1 else {
        throw raise(
          "RuntimeError", "Boolean value of Tensor with more than one value is ambiguous")
      }
      if let fill = readFill(tensor) ?? readContents(tensor)?.first { return try truth(fill) }
      note("assumed-content", "this depends on tensor contents; assumed true")
      return true
    case .instance(let object):
      if let method = object.type.lookup("__bool__") ?? object.type.lookup("__len__") {
        return try truth(call(method, Arguments([value], range: here)))
      }
      return true
    case .opaque(let object): throw refuse(object)
    default: return true
    }
  }

  private func record(_ condition: Condition, _ outcome: Bool, _ expected: Bool?) {
    guard decisions.count < 4096 else { return }
    decisions.append(
      Decision(
        condition: condition, outcome: outcome, range: here, unit: unit,
        expected: expected))
  }

  func newStorage() -> Int {
    nextStorage += 1
    return nextStorage - 1
  }
}
