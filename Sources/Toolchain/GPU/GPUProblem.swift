import Diagnostics
import HostProgram
import TileIR

/// A module to check or to time. What is measured is exactly this text.
public struct GPUModule: Sendable, Hashable {
  /// A short name for tables and file names: letters, digits and `_`.
  public var name: String
  public var text: String

  public init(name: String, text: String) {
    self.name = name
    self.text = text
  }

  /// What Python's `hashlib.sha256` must give for the file that the worker imports.
  public var hash: ContentHash { ContentHash(of: text) }
}

/// An input of `forward` where no problem file makes it.
public struct GPUInput: Sendable, Hashable, Encodable {
  public enum Value: Sendable, Hashable {
    /// Torch's name of the type (`float16`) and the sizes.
    case tensor(type: String, shape: [Int])
    case int(Int)
    case float(Double)
    case bool(Bool)
  }
  public var name: String
  public var value: Value

  public init(name: String, value: Value) {
    self.name = name
    self.value = value
  }

  /// A tensor.
  ///
  /// - Throws: a `Diagnostic` for an element type that torch does not have.
  public init(name: String, element: ElementType, shape: [Int]) throws(Diagnostic) {
    guard let type = element.torchName else {
      throw Diagnostic(id: "no-torch-type", "torch has no type for '\(name)', \(element)")
    }
    self.init(name: name, value: .tensor(type: type, shape: shape))
  }

  private enum Key: String, CodingKey { case name, dtype, shape, value }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(name, forKey: .name)
    switch value {
    case .tensor(let type, let shape):
      try container.encode(type, forKey: .dtype)
      try container.encode(shape, forKey: .shape)
    case .int(let number): try container.encode(number, forKey: .value)
    case .float(let number): try container.encode(number, forKey: .value)
    case .bool(let flag): try container.encode(flag, forKey: .value)
    }
  }
}

/// What modules are measured on: the same numbers for all of them.
public struct GPUProblem: Sendable, Hashable {
  /// A file with `get_inputs`, `get_init_inputs` and, as the fp64 judge, `Model`.
  public var text: String?
  /// Inputs by name, where the file has no `get_inputs`.
  public var inputs: [GPUInput] = []
  /// The class that every module defines.
  public var entry = "ModelNew"
  /// `cuda`, or `cpu` in tests: there nothing is poisoned but what the module allocates, and times
  /// are those of a clock.
  public var device = "cuda"

  public init(text: String?, inputs: [GPUInput] = []) {
    self.text = text
    self.inputs = inputs
  }
}
