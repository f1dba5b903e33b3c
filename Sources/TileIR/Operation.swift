import Diagnostics

/// An SSA value of a ``Function``: an index into its `values`.
public struct Value: Hashable, Sendable, CustomStringConvertible {
  public var index: Int
  public init(index: Int) { self.index = index }
  public var description: String { "%\(index)" }
}

/// What is known about a value besides its definition.
public struct ValueInfo: Sendable {
  public var type: ValueType
  /// The Python name it was bound to first, if any; for messages only.
  public var name: String?
  /// Where it was made, in the kernel's module.
  public var range: SourceRange

  public init(type: ValueType, name: String? = nil, range: SourceRange) {
    self.type = type
    self.name = name
    self.range = range
  }
}

/// One operation. Operands and results are SSA values; regions hold structured control flow.
public struct Operation: Sendable {
  public var kind: Kind
  public var operands: [Value]
  public var results: [Value]
  public var regions: [Region]
  public var location: OpLocation

  public init(
    _ kind: Kind, operands: [Value] = [], results: [Value] = [], regions: [Region] = [],
    at location: OpLocation
  ) {
    self.kind = kind
    self.operands = operands
    self.results = results
    self.regions = regions
    self.location = location
  }

  /// Operation kinds with their attributes. Operand order is given per case; `mask` and `other`
  /// are present when the flag says so, in that order, after the fixed operands.
  public enum Kind: Sendable, Hashable {
    // Values
    /// A scalar or splat constant of the result's type.
    case constant(ConstantValue)
    case programID(axis: Int)
    case numPrograms(axis: Int)
    /// `tl.arange(start, end)`: int32 of shape [end - start].
    case makeRange(start: Int, end: Int)

    // Shape
    case splat  // scalar → tile
    case broadcast  // to the result's shape, same rank
    case expandDims(axis: Int)
    case reshape(canReorder: Bool)
    case trans(order: [Int])
    case join  // two tiles → new innermost axis of 2
    case split  // one tile with innermost axis 2 → two results
    case cat  // may reorder, as Triton's
    case gather(axis: Int)  // source, indices

    // Elementwise; operands already have one type unless stated
    case unary(UnaryOp)
    case binary(BinaryOp)
    case compare(ComparePredicate)
    case select  // condition, then, else
    case fma  // a, b, c
    case clamp(propagateNaN: Bool)  // x, low, high
    case cast(CastKind)
    /// Pointer plus integer offset, counted in elements.
    case addPointer
    /// A call into libdevice or inline PTX with elementwise meaning; `symbol` as in Triton.
    case external(symbol: String, isPure: Bool)

    // Memory
    /// pointer, [mask], [other]
    case load(LoadAttributes)
    /// pointer, value, [mask]
    case store(StoreAttributes)
    /// pointer, value, [mask] → the old value
    case atomicRMW(AtomicOp, semantics: String, scope: String, hasMask: Bool)
    /// pointer, expected, new → the old value
    case atomicCAS(semantics: String, scope: String)
    /// base, shape…, strides…, offsets… (each `rank` values); `order` innermost first
    case makeBlockPointer(order: [Int])
    /// block pointer, offsets…
    case advance
    /// block pointer → tile
    case blockLoad(boundaryCheck: [Int], padding: String?, LoadAttributes)
    /// block pointer, value
    case blockStore(boundaryCheck: [Int], StoreAttributes)
    /// base, shape…, strides…
    case makeTensorDescriptor(padding: String?)
    /// descriptor, offsets…
    case descriptorLoad(LoadAttributes)
    /// descriptor, value, offsets…; a nil reduction is a plain store
    case descriptorStore(reduction: AtomicOp?)
    case descriptorGather  // descriptor, x offsets, y offset
    case descriptorScatter  // descriptor, value, x offsets, y offset

    // Compute
    /// a [.., M, K], b [.., K, N], accumulator [.., M, N]
    case dot(InputPrecision, maxNumImpreciseAcc: Int?)
    /// a, a scale?, b, b scale?, accumulator; formats as Triton's strings
    case dotScaled(
      lhsFormat: String, rhsFormat: String, hasLHSScale: Bool, hasRHSScale: Bool, fastMath: Bool,
      lhsKPack: Bool, rhsKPack: Bool)
    /// n tiles → n tiles without `axis` (nil: all axes). `combine` names a built-in; for
    /// `.custom` region 0 takes 2n scalars (left…, right…) and yields n.
    case reduce(axis: Int?, combine: CombineKind, keepDims: Bool)
    /// n tiles → n tiles of the same shape.
    case scan(axis: Int, combine: CombineKind, reverse: Bool)
    case histogram(bins: Int, hasMask: Bool)

    // Control flow
    /// operands: lower, upper, step, initial values of the carried variables; region 0 takes
    /// the induction variable and the carried ones and yields the latter; results: final values.
    case forLoop(LoopAttributes)
    /// operands: initial values; region 0 ("before") takes them and ends in `.condition`;
    /// region 1 ("after") takes them and yields the next.
    case whileLoop
    /// operand: condition; regions then, else, each yields the results.
    case ifElse
    case yield
    /// condition, carried values: ends a while loop's "before" region.
    case condition

    // Effects and facts
    case deviceAssert(message: String)
    case devicePrint(prefix: String)
    case assume
    /// `tl.multiple_of`, `tl.max_contiguous`, `tl.max_constancy` on operand 0, one per axis; result is the operand with the fact attached.
    case hint(HintKind, [Int])
    case barrier
    /// `tl.inline_asm_elementwise`.
    case inlineAssembly(text: String, constraints: String, isPure: Bool, pack: Int)
  }
}

/// Where an operation comes from; inlined `@triton.jit` callees keep the chain of calls.
public struct OpLocation: Sendable, Hashable {
  public var range: SourceRange
  /// Innermost last: the call sites through which `range` was reached, outermost first.
  public var callSites: [SourceRange]
  /// The iterations of unrolled loops the operation belongs to, outermost first.
  public var unrollPath: [UnrollStep]
  public init(
    _ range: SourceRange, callSites: [SourceRange] = [], unrollPath: [UnrollStep] = []
  ) {
    self.range = range
    self.callSites = callSites
    self.unrollPath = unrollPath
  }
}

/// One iteration of an unrolled loop.
public struct UnrollStep: Sendable, Hashable {
  /// The index into ``Function/unrolledLoops``.
  public var loop: Int
  /// Counts from 0 in program order.
  public var iteration: Int
  public init(loop: Int, iteration: Int) {
    self.loop = loop
    self.iteration = iteration
  }
}

/// A block of operations with arguments; ends in `.yield` or `.condition` where its owner wants values.
public struct Region: Sendable {
  public var arguments: [Value]
  public var operations: [Operation]
  public init(arguments: [Value] = [], operations: [Operation] = []) {
    self.arguments = arguments
    self.operations = operations
  }
}

public enum ConstantValue: Hashable, Sendable {
  /// Two's complement in the width of the type; unsigned 64-bit values by bit pattern.
  case int(Int)
  case float(Double)
}

public enum UnaryOp: String, Sendable, Hashable, CaseIterable {
  case neg, not, abs, exp, exp2, log, log2, sin, cos, sqrt
  case sqrtRn = "sqrt_rn"
  case rsqrt, erf, floor,
    ceil
}

/// Signedness comes from the operand type.
public enum BinaryOp: String, Sendable, Hashable, CaseIterable {
  case add, sub, mul
  /// Float division; `divRn` is IEEE-rounded (`tl.math.div_rn`).
  case div
  case divRn = "div_rn"
  /// Integer division truncating towards zero (Triton's `//` on integers) and its remainder; `rem` on floats is fmod.
  case idiv, rem
  case and, or, xor, shl
  /// Arithmetic for signed, logical for unsigned types.
  case shr
  case minimum, maximum
  /// NaN-propagating variants (`propagate_nan=tl.PropagateNan.ALL`).
  case minimumNaN = "minimum_nan"
  case maximumNaN = "maximum_nan"
  case umulhi
}

public enum ComparePredicate: String, Sendable, Hashable, CaseIterable {
  case eq, ne, lt, le, gt, ge
}

public enum CastKind: Hashable, Sendable {
  /// By value, with Triton's rules; the rounding mode applies to narrowing floats.
  case convert(rounding: String?)
  case bitcast
}

public enum AtomicOp: String, Sendable, Hashable, CaseIterable {
  case add, fadd, and, or, xor, max, min, umax, umin, xchg
}

public enum InputPrecision: String, Sendable, Hashable, CaseIterable {
  case tf32, tf32x3, ieee, bf16x3, bf16x6
}

public enum CombineKind: String, Sendable, Hashable, CaseIterable {
  case sum, prod, max, min, and, or, xor
  /// value and index operands; `Left` breaks ties to the lower index, `Fast` to any.
  case argmaxLeft, argmaxFast, argminLeft, argminFast
  case custom
}

public enum HintKind: String, Sendable, Hashable { case multipleOf, maxContiguous, maxConstancy }

public struct LoadAttributes: Hashable, Sendable {
  public var hasMask = false
  public var hasOther = false
  public var cacheModifier = ""
  public var evictionPolicy = ""
  public var isVolatile = false
  public init() {}
}

public struct StoreAttributes: Hashable, Sendable {
  public var hasMask = false
  public var cacheModifier = ""
  public var evictionPolicy = ""
  public init() {}
}

/// The attributes of `range` / `tl.range`.
public struct LoopAttributes: Hashable, Sendable {
  /// `tl.range(num_stages=)`; nil leaves it to the launch.
  public var numStages: Int?
  public var loopUnrollFactor: Int?
  public var disallowAccMultiBuffer = false
  public var flatten = false
  public var warpSpecialize = false
  public init() {}
}
