import Diagnostics
import TileIR
import TritonLowering

/// A tensor as the host sees it: element type, shape and strides, no contents.
public struct TensorShape: Hashable, Sendable {
  public var element: ElementType
  public var shape: [Int]
  /// In elements.
  public var strides: [Int]
  /// Which storage it views; two tensors with one id may overlap.
  public var storage: Int
  /// In elements from the storage's start.
  public var offset: Int

  public init(
    element: ElementType, shape: [Int], strides: [Int]? = nil, storage: Int = -1, offset: Int = 0
  ) {
    self.element = element
    self.shape = shape
    self.strides = strides ?? TensorShape.contiguousStrides(shape)
    self.storage = storage
    self.offset = offset
  }

  /// Row-major strides; saturates instead of overflowing.
  public static func contiguousStrides(_ shape: [Int]) -> [Int] {
    var strides = Array(repeating: 1, count: shape.count)
    for axis in stride(from: shape.count - 2, through: 0, by: -1) {
      let (product, overflow) = strides[axis + 1].multipliedReportingOverflow(
        by: max(1, shape[axis + 1]))
      strides[axis] = overflow ? Int.max : product
    }
    return strides
  }
}

/// The value of one kernel argument at a launch.
public indirect enum ArgumentValue: Hashable, Sendable {
  case tensor(TensorShape)
  case int(Int)
  case float(Double)
  case bool(Bool)
  case none
  case string(String)
  case dtype(ElementType)
  case tuple([ArgumentValue])
  /// A `@triton.jit` function handed over as an argument.
  case function(String)
  /// A host-side `TensorDescriptor`.
  case tensorDescriptor(TensorShape, block: [Int])
}

/// Where an argument's value comes from: what one may assume when specialising it.
public enum ValueOrigin: Int, Comparable, Hashable, Sendable {
  /// A literal or a constant of the module's code.
  case literal
  /// Fixed by the model's construction (`nn.Conv2d(stride=4)`, a weight's shape).
  case module
  /// Follows from the shapes of `forward`'s inputs.
  case inputShape
  /// Depends on tensor contents or could not be traced.
  case unknown

  public static func < (left: ValueOrigin, right: ValueOrigin) -> Bool {
    left.rawValue < right.rawValue
  }
}

public struct LaunchArgument: Sendable {
  /// The kernel parameter it binds to.
  public var name: String
  public var value: ArgumentValue
  public var origin: ValueOrigin
  /// The value as a formula over input dimensions ("N*OH*OW"), where it is one.
  public var formula: SymbolicInt?
  /// The argument's expression at the call; nil when it comes from a config, heuristic or default.
  public var range: SourceRange?

  public init(
    name: String, value: ArgumentValue, origin: ValueOrigin, formula: SymbolicInt? = nil,
    range: SourceRange? = nil
  ) {
    self.name = name
    self.value = value
    self.origin = origin
    self.formula = formula
    self.range = range
  }
}

/// One config of a launch: from `@triton.autotune`, or the launch's own keywords.
public struct LaunchConfig: Hashable, Sendable {
  /// The constexpr values it sets, BLOCK sizes first of all.
  public var constants: [String: ConstexprValue]
  public var numWarps: Int
  public var numStages: Int
  public var numCTAs: Int
  public var maxRegisters: Int?
  /// True where `num_warps` / `num_stages` stand in the source rather than being Triton's default (4, 3).
  public var statesNumWarps: Bool
  public var statesNumStages: Bool
  /// The `triton.Config(…)` expression; nil for a launch without autotune.
  public var range: SourceRange?
  /// Blocks that the config's `pre_hook` gives tensor descriptors, by argument.
  public var descriptorBlocks: [String: [Int]] = [:]

  public init(
    constants: [String: ConstexprValue] = [:], numWarps: Int = 4, numStages: Int = 3,
    numCTAs: Int = 1, maxRegisters: Int? = nil, statesNumWarps: Bool = false,
    statesNumStages: Bool = false, range: SourceRange? = nil
  ) {
    self.constants = constants
    self.numWarps = numWarps
    self.numStages = numStages
    self.numCTAs = numCTAs
    self.maxRegisters = maxRegisters
    self.statesNumWarps = statesNumWarps
    self.statesNumStages = statesNumStages
    self.range = range
  }
}

/// One execution of `kernel[grid](…)`.
public struct Launch: Sendable {
  public var kernel: String
  /// Arguments bound to parameters, in the order of the signature, without those a config sets.
  public var arguments: [LaunchArgument]
  /// Each config with its grid (1 to 3 axes), in source order; one entry without autotune.
  public var configs: [(config: LaunchConfig, grid: [Int])]
  /// The grid as a formula per axis, over input dimensions and config constants, where it is one.
  public var gridFormulas: [SymbolicInt]?
  public var isAutotuned: Bool
  /// `key=` of `@triton.autotune`.
  public var autotuneKey: [String]
  /// The whole call expression `kernel[grid](…)` and the grid expression inside it.
  public var callRange: SourceRange
  public var gridRange: SourceRange
  /// How many times in a row an identical launch ran (loops in `forward`); at least 1.
  public var repetitions: Int

  public init(
    kernel: String, arguments: [LaunchArgument], configs: [(config: LaunchConfig, grid: [Int])],
    gridFormulas: [SymbolicInt]? = nil, isAutotuned: Bool = false, autotuneKey: [String] = [],
    callRange: SourceRange, gridRange: SourceRange, repetitions: Int = 1
  ) {
    self.kernel = kernel
    self.arguments = arguments
    self.configs = configs
    self.gridFormulas = gridFormulas
    self.isAutotuned = isAutotuned
    self.autotuneKey = autotuneKey
    self.callRange = callRange
    self.gridRange = gridRange
    self.repetitions = repetitions
  }
}
