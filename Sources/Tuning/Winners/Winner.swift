import Analysis
import Diagnostics
import HostProgram
import TritonLowering

/// What a winner belongs to. Nothing else may use it, and what uses it checks it again.
public struct WinnerKey: Codable, Hashable, Sendable {
  /// The GPU's name: "NVIDIA H200"; for predictions the target's.
  public var device: String
  /// The versions it was measured with; nil where nothing was run (predictions).
  public var driver: String?
  public var triton: String?
  public var torch: String?
  /// The kernel's name in its module, for people.
  public var kernel: String
  /// Hash of the kernel's text with all that it calls and reads: ``KernelFingerprint/content(of:)``.
  public var content: String
  /// The launches' shapes, as far as compilation and time depend on them: ``ShapeClass``.
  public var shape: String

  public init(
    device: String, driver: String? = nil, triton: String? = nil, torch: String? = nil,
    kernel: String, content: String, shape: String
  ) {
    self.device = device
    self.driver = driver
    self.triton = triton
    self.torch = torch
    self.kernel = kernel
    self.content = content
    self.shape = shape
  }

  /// Whether a stored winner answers this key. Versions that the asker does not know match any.
  func matches(_ stored: WinnerKey) -> Bool {
    func agrees(_ mine: String?, _ theirs: String?) -> Bool { mine == nil || mine == theirs }
    return content == stored.content && shape == stored.shape && device == stored.device
      && agrees(driver, stored.driver) && agrees(triton, stored.triton)
      && agrees(torch, stored.torch)
  }
}

/// The best that was found for a kernel on a device at a shape: configs, rewrites, and what says so.
public struct Winner: Codable, Hashable, Sendable {
  /// One launch config.
  public struct Config: Codable, Hashable, Sendable {
    public var constants: [String: Constant]
    public var numWarps: Int
    public var numStages: Int
    public var numCTAs: Int
    public var maxRegisters: Int?

    /// Nil where a constant has no form that a file can hold.
    public init?(_ config: LaunchConfig) {
      var constants: [String: Constant] = [:]
      for (name, value) in config.constants {
        guard let constant = Constant(value) else { return nil }
        constants[name] = constant
      }
      self.constants = constants
      numWarps = config.numWarps
      numStages = config.numStages
      numCTAs = config.numCTAs
      maxRegisters = config.maxRegisters
    }

    public var launchConfig: LaunchConfig {
      LaunchConfig(
        constants: constants.mapValues(\.value), numWarps: numWarps, numStages: numStages,
        numCTAs: numCTAs, maxRegisters: maxRegisters, statesNumWarps: true, statesNumStages: true)
    }
  }

  /// A constexpr value that JSON holds as itself.
  public enum Constant: Codable, Hashable, Sendable {
    case int(Int)
    case bool(Bool)
    case float(Double)
    case string(String)

    init?(_ value: ConstexprValue) {
      switch value {
      case .int(let number): self = .int(number)
      case .bool(let flag): self = .bool(flag)
      case .float(let number) where number.isFinite: self = .float(number)
      case .string(let text): self = .string(text)
      default: return nil
      }
    }

    public var value: ConstexprValue {
      switch self {
      case .int(let number): .int(number)
      case .bool(let flag): .bool(flag)
      case .float(let number): .float(number)
      case .string(let text): .string(text)
      }
    }

    public init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let flag = try? container.decode(Bool.self) {
        self = .bool(flag)
      } else if let number = try? container.decode(Int.self) {
        self = .int(number)
      } else if let number = try? container.decode(Double.self) {
        self = .float(number)
      } else {
        self = .string(try container.decode(String.self))
      }
    }

    public func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .int(let number): try container.encode(number)
      case .bool(let flag): try container.encode(flag)
      case .float(let number): try container.encode(number)
      case .string(let text): try container.encode(text)
      }
    }
  }

  /// One rewrite of the schedule that led to it, in words that find its place again.
  public struct Step: Codable, Hashable, Sendable {
    public var rewrite: String
    public var what: String
    public var names: [String]

    public init(rewrite: String, what: String, names: [String]) {
      self.rewrite = rewrite
      self.what = what
      self.names = names
    }
  }

  public var key: WinnerKey
  /// The values of the autotune key's arguments at each launch, by name: exact, where ``WinnerKey``
  /// holds a class.
  public var keyArguments: [[String: Int]]
  /// The configs to emit, the best first.
  public var configs: [Config]
  /// The rewrites of the body, in order; configs are not among them.
  public var steps: [Step]
  public var level: EvidenceLevel
  /// Time before and after: of the whole forward where it was measured, else of the kernel's launches.
  public var microsecondsBefore: Double
  public var microsecondsAfter: Double
  /// The ratio's 95 % interval, where it was measured.
  public var lower: Double?
  public var upper: Double?
  /// When it was found: `2026-11-21T16:40:00Z`.
  public var date: String
  /// The version of Hone.
  public var tool: String

  public init(
    key: WinnerKey, keyArguments: [[String: Int]] = [], configs: [Config], steps: [Step] = [],
    level: EvidenceLevel, microsecondsBefore: Double, microsecondsAfter: Double,
    lower: Double? = nil, upper: Double? = nil, date: String, tool: String
  ) {
    self.key = key
    self.keyArguments = keyArguments
    self.configs = configs
    self.steps = steps
    self.level = level
    self.microsecondsBefore = microsecondsBefore
    self.microsecondsAfter = microsecondsAfter
    self.lower = lower
    self.upper = upper
    self.date = date
    self.tool = tool
  }

  /// Before over after; above 1 is faster.
  public var speedup: Double {
    microsecondsAfter > 0 ? microsecondsBefore / microsecondsAfter : 0
  }

  /// Whether it may take another's place: better evidence, or as good and newer.
  func replaces(_ other: Winner) -> Bool { level.rank >= other.level.rank }
}

extension EvidenceLevel {
  /// Measured beats compiled beats predicted.
  var rank: Int {
    switch self {
    case .predicted: 0
    case .compiled: 1
    case .measured: 2
    }
  }
}
