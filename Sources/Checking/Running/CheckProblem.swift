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
  /// In words: "batch_size = 2, features = 33".
  public var label: String
  /// Whether one axis has the given length, or nearly: what fails here fails there.
  var isStretched = false

  public init(sizes: Sizes, label: String) {
    self.sizes = sizes
    self.label = label
  }

  /// The host run of a module at this size.
  func run(_ host: HostProgram, calls: Int = 1) throws -> HostRun {
    switch sizes {
    case .constants(let constants):
      try host.run(.fromProblem, constants: constants, calls: calls)
    case .shapes(let shapes): try host.run(.resized(shapes), calls: calls)
    case .tensors(let shapes): try host.run(.tensors(shapes), calls: calls)
    case .standIns: try host.run(.unknown, calls: calls)
    }
  }

  /// The host run of the problem's `Model` at this size.
  func runReference(_ host: HostProgram, calls: Int = 1) throws -> HostRun {
    switch sizes {
    case .constants(let constants):
      try host.runReference(.fromProblem, constants: constants, calls: calls)
    case .shapes(let shapes): try host.runReference(.resized(shapes), calls: calls)
    case .tensors, .standIns: try host.runReference(calls: calls)
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
  /// One NaN and one infinity of each sign in each input.
  case special

  public var description: String {
    switch self {
    case .asGiven(let seed): "seed \(seed)"
    case .scaled(let exponent): "inputs × 2^\(exponent)"
    case .shifted: "inputs + 6"
    case .zeros: "inputs all 0"
    case .cancelling: "inputs that cancel"
    case .special: "inputs with NaN and infinities"
    }
  }

  var seed: UInt64 {
    if case .asGiven(let seed) = self { return seed }
    return 1
  }
}
