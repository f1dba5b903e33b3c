import Foundation
import TileIR

/// What a layer's constructor fills a parameter or buffer with.
enum Initialization {
  /// Evenly between -bound and bound.
  case uniform(Double)
  case normal
  case constant(Double)

  /// Torch's default for the weights and biases of `Linear` and convolutions:
  /// `kaiming_uniform_(a=√5)` and its bias come to 1/√fan_in.
  static func fanIn(_ weight: [SymInt]) -> Initialization {
    let fan = weight.dropFirst().reduce(1) { $0.multipliedSaturating(by: $1.value) }
    return .uniform(fan > 0 ? 1 / Double(fan).squareRoot() : 0)
  }
}

extension Evaluator {
  /// A parameter of a layer; its sizes count as fixed by the module where they are plain numbers.
  func makeParameter(_ dims: [SymInt], _ initialization: Initialization) throws -> Value {
    let tensor = try makeTensor(parameterElement, dims.map { $0.raised(to: .module) })
    tensor.isParameter = true
    tensor.requiresGrad = true
    initialize(tensor, initialization)
    return .tensor(tensor)
  }

  func makeBuffer(_ dims: [SymInt], _ value: Double, _ element: ElementType? = nil) throws -> Value
  {
    let tensor = try makeTensor(
      element ?? parameterElement, dims.map { $0.raised(to: .module) })
    initialize(tensor, .constant(value))
    return .tensor(tensor)
  }

  func initialize(_ tensor: TensorObject, _ initialization: Initialization) {
    switch initialization {
    case .uniform(let bound): fill(tensor, uniform: -bound, bound)
    case .normal: fill(tensor, normal: 0, 1)
    case .constant(let value):
      noteWrite(tensor)
      trace("init.constant", ["value": .double(value)], [tensor])
    }
  }

  fileprivate func fill(_ tensor: TensorObject, uniform low: Double, _ high: Double) {
    noteWrite(tensor)
    trace("init.uniform", ["low": .double(low), "high": .double(high)], [tensor])
  }

  fileprivate func fill(_ tensor: TensorObject, normal mean: Double, _ std: Double) {
    noteWrite(tensor)
    trace("init.normal", ["mean": .double(mean), "std": .double(std)], [tensor])
  }
}

/// `torch.nn.init`, the formulas of `torch/nn/init.py`.
enum InitFunctions {
  /// The parameters of each function after the tensor.
  private static let parameters: [String: String] = [
    "uniform_": "a b", "normal_": "mean std", "constant_": "val", "ones_": "", "zeros_": "",
    "trunc_normal_": "mean std a b", "xavier_uniform_": "gain", "xavier_normal_": "gain",
    "kaiming_uniform_": "a mode nonlinearity", "kaiming_normal_": "a mode nonlinearity",
    "orthogonal_": "gain", "eye_": "", "dirac_": "groups", "sparse_": "sparsity std",
  ]

  static func function(_ name: String) -> NativeFunction {
    NativeFunction(name) { ev, arguments in
      switch name {
      case "_calculate_fan_in_and_fan_out", "_calculate_correct_fan":
        guard case .tensor(let tensor)? = arguments.positional.first else { return .none }
        let (input, output) = try fans(ev, tensor)
        if name == "_calculate_correct_fan" {
          let mode = arguments.positional.dropFirst().first ?? arguments.keyword("mode")
          return .integer(isFanOut(mode) ? output : input)
        }
        return .makeTuple([.integer(input), .integer(output)])
      case "calculate_gain":
        return .double(
          gain(
            arguments.positional.first ?? arguments.keyword("nonlinearity"),
            (arguments.positional.dropFirst().first ?? arguments.keyword("param"))?.asDouble))
      default: return try initialize(ev, name, arguments)
      }
    }
  }

  private static func initialize(_ ev: Evaluator, _ name: String, _ arguments: Arguments) throws
    -> Value
  {
    guard let names = parameters[name] else { throw ev.refuse("'nn.init.\(name)' is not modelled") }
    let bound = try Bound(
      ev, name, ["tensor"] + names.split(separator: " ").map(String.init), arguments)
    let tensor = try bound.tensor("tensor")
    func number(_ name: String, _ fallback: Double) -> Double { bound[name]?.asDouble ?? fallback }
    switch name {
    case "uniform_": ev.fill(tensor, uniform: number("a", 0), number("b", 1))
    case "normal_": ev.fill(tensor, normal: number("mean", 0), number("std", 1))
    case "constant_": ev.initialize(tensor, .constant(number("val", 0)))
    case "ones_": ev.initialize(tensor, .constant(1))
    case "zeros_": ev.initialize(tensor, .constant(0))
    case "xavier_uniform_", "xavier_normal_":
      let (input, output) = try fans(ev, tensor)
      let std =
        number("gain", 1) * (2 / Double(max(1, input.value &+ output.value))).squareRoot()
      if name == "xavier_normal_" {
        ev.fill(tensor, normal: 0, std)
      } else {
        ev.fill(tensor, uniform: -std * 3.0.squareRoot(), std * 3.0.squareRoot())
      }
    case "kaiming_uniform_", "kaiming_normal_":
      let (input, output) = try fans(ev, tensor)
      let fan = max(1, (isFanOut(bound["mode"]) ? output : input).value)
      let std =
        gain(bound["nonlinearity"] ?? .string("leaky_relu"), number("a", 0))
        / Double(fan).squareRoot()
      if name == "kaiming_normal_" {
        ev.fill(tensor, normal: 0, std)
      } else {
        ev.fill(tensor, uniform: -std * 3.0.squareRoot(), std * 3.0.squareRoot())
      }
    default:
      ev.noteWrite(tensor)
      var arguments: [String: Value] = [:]
      for (parameter, value) in zip(bound.names, bound.values).dropFirst() {
        if let value { arguments[parameter] = value }
      }
      ev.trace("init.\(name.dropLast())", arguments, [tensor])
    }
    return .tensor(tensor)
  }

  private static func isFanOut(_ mode: Value?) -> Bool {
    if case .string("fan_out")? = mode { true } else { false }
  }

  /// `_calculate_fan_in_and_fan_out`.
  private static func fans(_ ev: Evaluator, _ tensor: TensorObject) throws -> (SymInt, SymInt) {
    guard tensor.rank >= 2 else {
      throw ev.raise(
        "ValueError",
        "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    }
    let field = tensor.dims.dropFirst(2).reduce(SymInt(1)) { $0 * $1 }
    return (tensor.dims[1] * field, tensor.dims[0] * field)
  }

  /// `calculate_gain`.
  private static func gain(_ nonlinearity: Value?, _ parameter: Double?) -> Double {
    guard case .string(let name)? = nonlinearity else { return 1 }
    switch name {
    case "tanh": return 5.0 / 3
    case "relu": return 2.0.squareRoot()
    case "leaky_relu":
      let slope = parameter ?? 0.01
      return (2 / (1 + slope * slope)).squareRoot()
    case "selu": return 0.75
    default: return 1
    }
  }
}
