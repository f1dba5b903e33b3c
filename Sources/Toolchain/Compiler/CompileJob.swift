import DeviceModel
import HostProgram
import TileIR
import TritonLowering

/// One kernel to compile: what Triton's launcher would hand to its compiler for one launch under one
/// config. Two equal jobs on equal sources give equal code.
public struct CompileJob: Sendable, Hashable {
  public var kernel: String
  /// By parameter; one that is missing has its default.
  public var arguments: [String: CompileArgument]
  public var options: CompileOptions
  public var target: ComputeCapability

  public init(
    kernel: String, arguments: [String: CompileArgument], options: CompileOptions,
    target: ComputeCapability
  ) {
    self.kernel = kernel
    self.arguments = arguments
    self.options = options
    self.target = target
  }

  /// The job of one launch under one of its configs.
  public init(
    launch: Launch, config: LaunchConfig, kernel: JITFunction, target: ComputeCapability
  ) {
    let known = launch.specialization(
      config: config, kernel: kernel, computeCapability: target.major * 10 + target.minor)
    self.init(
      kernel: kernel.name, arguments: known.arguments.mapValues(CompileArgument.init),
      options: CompileOptions(config), target: target)
  }
}

/// What the compiler knows of one argument, in Triton's own words.
public indirect enum CompileArgument: Sendable, Hashable {
  /// `*fp32`, `i32`: a run-time value; `isDivisible` means by 16.
  case typed(String, isDivisible: Bool)
  case constant(ConstexprValue)
  case tuple([CompileArgument])

  public init(_ argument: ArgumentSpecialization) {
    switch argument {
    case .pointer(let element, let isDivisible):
      self = .typed("*" + Self.word(element), isDivisible: isDivisible)
    case .scalar(let element, let isDivisible):
      self = .typed(Self.word(element), isDivisible: isDivisible)
    case .constexpr(let value): self = .constant(value)
    case .tensorDescriptor(let element, let block):
      // As Triton's `mangle_type` writes it: tensordesc<fp16[64, 32]>.
      self = .typed("tensordesc<\(Self.word(element))\(block)>", isDivisible: false)
    case .tuple(let items): self = .tuple(items.map(CompileArgument.init))
    }
  }

  /// `i32`, `u8`, `fp16`; `u1` for a flag.
  private static func word(_ type: ElementType) -> String {
    type == .int1
      ? "u1" : type.description.replacing("uint", with: "u").replacing("int", with: "i")
  }
}

/// The launch options that change the code.
public struct CompileOptions: Sendable, Hashable, Codable {
  public var numWarps: Int
  public var numStages: Int
  public var numCTAs: Int
  /// `maxnreg`; nil leaves it to ptxas.
  public var maxRegisters: Int?

  public init(numWarps: Int = 4, numStages: Int = 3, numCTAs: Int = 1, maxRegisters: Int? = nil) {
    self.numWarps = numWarps
    self.numStages = numStages
    self.numCTAs = numCTAs
    self.maxRegisters = maxRegisters
  }

  public init(_ config: LaunchConfig) {
    self.init(
      numWarps: config.numWarps, numStages: config.numStages, numCTAs: config.numCTAs,
      maxRegisters: config.maxRegisters)
  }

  private enum CodingKeys: String, CodingKey {
    case numWarps = "num_warps"
    case numStages = "num_stages"
    case numCTAs = "num_ctas"
    case maxRegisters = "maxnreg"
  }
}

extension CompileArgument: Encodable {
  private enum Key: String, CodingKey { case type, divisible, value, items }

  public func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    switch self {
    case .typed(let type, let isDivisible):
      try object.encode(type, forKey: .type)
      try object.encode(isDivisible, forKey: .divisible)
    case .constant(let value): try object.encode(Constant(value: value), forKey: .value)
    case .tuple(let items): try object.encode(items, forKey: .items)
    }
  }

  /// JSON has one kind of number and no NaN: floats say that they are floats.
  private struct Constant: Encodable {
    var value: ConstexprValue
    private enum Key: String, CodingKey { case float }

    func encode(to encoder: any Encoder) throws {
      try value.encode(to: encoder) { number, encoder in
        var object = encoder.container(keyedBy: Key.self)
        // The shortest text that reads back as the same number, in Python too.
        try object.encode("\(number)", forKey: .float)
      }
    }
  }
}
