import HostProgram

/// A size at which both modules are run.
public struct CheckProblem: Sendable, Hashable {
  public enum Sizes: Sendable, Hashable {
    /// `get_inputs()` as it is, with some module-level integers of the problem file replaced.
    case constants([String: Int])
    /// Other shapes of `forward`'s inputs, by parameter name.
    case shapes([String: [Int]])
    /// Given shapes of `forward`'s inputs, without a problem file.
    case tensors([String: TensorShape])
    /// No problem is known: stand-ins.
    case standIns
  }
  public var sizes: Sizes
  /// Module-level integers of the problem file to replace where `sizes` gives shapes.
  public var constants: [String: Int] = [:]
  /// Other arguments of the constructor, other layouts of the inputs.
  public var variation = ProblemVariation()
  /// In words: "batch_size = 2, features = 33".
  public var label: String
  /// Whether one axis has the given length, or nearly: what fails here fails there.
  var isStretched = false
  /// The same problem without tails, where there is one: what is right there fails for its sizes.
  /// One at most; an array because a value cannot hold its like.
  var plain: [CheckProblem] = []
  /// Seconds for one run, by counted work; nil where nobody asked.
  var price: Double?

  public init(sizes: Sizes, label: String) {
    self.sizes = sizes
    self.label = label
  }

  /// Whether the two are the same runs, whatever they are called.
  func isSame(as other: CheckProblem) -> Bool {
    sizes == other.sizes && constants == other.constants && variation == other.variation
  }

  /// Whether nobody promised that the original takes this: it must be right here to be a yardstick.
  var isUnpromised: Bool { variation != ProblemVariation() }

  /// The same sizes with a variation, named.
  func varied(_ variation: ProblemVariation, _ words: String) -> CheckProblem {
    var changed = self
    changed.variation = variation
    changed.label += ", " + words
    changed.isStretched = false
    return changed
  }

  /// The host run of a module, or of the problem's `Model`, at this size.
  func run(_ host: HostProgram, calls: Int = 1, isReference: Bool = false) throws -> HostRun {
    func run(_ inputs: HostProgram.Inputs, _ constants: [String: Int] = [:]) throws -> HostRun {
      isReference
        ? try host.runReference(inputs, constants: constants, calls: calls, variation: variation)
        : try host.run(inputs, constants: constants, calls: calls, variation: variation)
    }
    switch sizes {
    case .constants(let constants): return try run(.fromProblem, constants)
    case .shapes(let shapes): return try run(.resized(shapes), constants)
    case .tensors(let shapes): return try isReference ? run(.fromProblem) : run(.tensors(shapes))
    case .standIns: return try isReference ? run(.fromProblem) : run(.unknown)
    }
  }
}

/// What the inputs of a run hold.
public enum InputSetting: Hashable, Sendable, CustomStringConvertible {
  /// As `get_inputs()` makes them, from a seed.
  case asGiven(seed: UInt64)
  /// The same, floating inputs multiplied by 2^exponent.
  case scaled(exponent: Int)
  /// The same plus 6: a mean far from 0, next to which the spread is small.
  case shifted
  case zeros
  /// Ones and minus ones and large numbers in turn: sums cancel.
  case cancelling
  /// As given plus 4 and minus 4 in turn, 64 numbers each: sums grow before they shrink.
  case waves
  /// As given, a half of the numbers negated in inputs that have none or nothing else: `torch.rand`
  /// draws no negative ones.
  case mirrored(seed: UInt64)
  /// One NaN and one infinity of each sign in each input.
  case special
  /// As given, with integers that the original compares an input with in some of its elements.
  case marked([String: [Int]], seed: UInt64)

  public var description: String {
    switch self {
    case .asGiven(let seed): "seed \(seed)"
    case .scaled(let exponent): "inputs × 2^\(exponent)"
    case .shifted: "inputs + 6"
    case .zeros: "inputs all 0"
    case .cancelling: "inputs that cancel"
    case .waves: "inputs in waves"
    case .mirrored(let seed): "inputs of both signs, seed \(seed)"
    case .special: "inputs with NaN and infinities"
    case .marked(let values, let seed):
      values.sorted { $0.key < $1.key }.map { "\($0.value) in '\($0.key)'" }
        .joined(separator: ", ") + ", seed \(seed)"
    }
  }

  var seed: UInt64 {
    switch self {
    case .asGiven(let seed), .marked(_, let seed), .mirrored(let seed): seed
    default: 1
    }
  }

  /// Whether the problem's own inputs are never like that: the original must be right there to be a
  /// yardstick.
  var isUnpromised: Bool {
    switch self {
    case .marked, .mirrored: true
    default: false
    }
  }
}
