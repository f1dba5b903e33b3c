import Diagnostics
import TileIR

/// What a kernel parameter is given at a launch.
public enum MachineArgument: Hashable, Sendable {
  /// An address: allocation plus bytes.
  case pointer(DeviceMemory.Allocation, byteOffset: Int)
  case int(Int)
  case float(Double)
  /// A host-side tensor descriptor: base, shape and strides in elements.
  case descriptor(DeviceMemory.Allocation, byteOffset: Int, shape: [Int], strides: [Int])
}

/// Turns a function into a ``TileProgram``.
///
/// One pass emits instructions over virtual slots, a second gives slots their place in the arena.
/// Broadcasts are never materialised: an operand knows along which axes it varies.
struct MachineCompiler {
  let function: Function
  let stored: StoredShapes
  let intervals: Intervals
  /// Values that depend on 32-bit arithmetic which may wrap.
  let wrapsInSlice: [Bool]
  let grid: (Int, Int, Int)
  var program: TileProgram

  /// Size in bytes of each virtual slot.
  var slotBytes: [Int] = []
  /// Constant contents by slot.
  var constantSlots: [Int: [UInt8]] = [:]
  var constantIndex: [[UInt8]: Int] = [:]
  /// What an SSA value is in the arena.
  var operands: [Operand?]
  /// Pointers are kept as sums of parts until an access needs them.
  var pointers: [PointerParts?]
  /// Values that are the same in every program of the grid.
  var isUniform: [Bool]
  var code: [Pending] = []
  var prologue: [Pending] = []
  var prologueBytes = 0
  /// How many loops and branches enclose the point reached.
  var depth = 0
  var isInPrologue = false
  /// The operation that defines each value.
  let definitions: [Operation?]
  var location: OpLocation

  /// An instruction whose operands are still virtual slots.
  struct Pending {
    var instruction: Instruction
    /// Slots read and written, for liveness.
    var reads: [Int] = []
    var writes: [Int] = []
    /// Which fields of the instruction hold slots; every part of the detail does.
    var fields: Fields = []
    var detail: Detail?
    var hasEffect = false
    var flow: Flow = .none
    enum Flow: Equatable {
      case none
      /// Opens and closes a loop, for live ranges.
      case loopBegin, loopEnd
      /// Jumps to a label.
      case jump(Int)
      case label(Int)
    }
  }

  struct Fields: OptionSet {
    let rawValue: Int
    static let d = Fields(rawValue: 1)
    static let a = Fields(rawValue: 2)
    static let b = Fields(rawValue: 4)
    static let c = Fields(rawValue: 8)
  }
  var labels = 0
  /// Whether sites get a ``FaultTrace``.
  var tracesFaults = false

  init(_ function: Function, grid: (Int, Int, Int), pointers arguments: [Value: Int]) {
    self.function = function
    self.grid = grid
    stored = StoredShapes(function)
    intervals = Intervals(function, grid: grid)
    wrapsInSlice = Self.wrappingSlices(function, intervals)
    program = TileProgram(function: function, grid: grid)
    operands = Array(repeating: nil, count: function.values.count)
    pointers = Array(repeating: nil, count: function.values.count)
    isUniform = Array(repeating: false, count: function.values.count)
    location = OpLocation(SourceRange(0, 0))
    var definitions = [Operation?](repeating: nil, count: function.values.count)
    function.forEachOperation { operation in
      for result in operation.results { definitions[result.index] = operation }
    }
    self.definitions = definitions
    for (value, address) in arguments {
      pointers[value.index] = PointerParts(
        terms: [.init(operand: constant(address, .int64, []), scale: 1)])
      isUniform[value.index] = true
    }
  }

  // MARK: Slots

  mutating func newSlot(_ bytes: Int) -> Int {
    slotBytes.append((max(1, bytes) + 63) & ~63)
    return slotBytes.count - 1
  }

  mutating func newOperand(_ lane: Lane, _ shape: [Int]) -> Operand {
    let count = shape.reduce(1, *)
    return Operand(slot: newSlot(count * lane.bytes), lane: lane, shape: shape)
  }

  mutating func constant(bytes: [UInt8]) -> Int {
    if let known = constantIndex[bytes] { return known }
    let slot = newSlot(bytes.count)
    constantSlots[slot] = bytes
    constantIndex[bytes] = slot
    return slot
  }

  mutating func constant(_ value: Int, _ lane: Lane, _ shape: [Int]) -> Operand {
    let bytes = withUnsafeBytes(of: value.littleEndian) { Array($0.prefix(lane.bytes)) }
    return Operand(slot: constant(bytes: bytes), lane: lane, shape: shape.map { _ in 1 })
  }

  mutating func constant(_ value: Double, _ lane: Lane, _ shape: [Int]) -> Operand {
    let bytes =
      lane == .double
      ? withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
      : withUnsafeBytes(of: Float(value).bitPattern.littleEndian) { Array($0) }
    return Operand(slot: constant(bytes: bytes), lane: lane, shape: shape.map { _ in 1 })
  }

  // MARK: Emission

  mutating func emit(_ pending: Pending) {
    if isInPrologue { prologue.append(pending) } else { code.append(pending) }
  }

  /// Emits an elementwise instruction over up to three operands into a new operand.
  mutating func emitElementwise(
    _ handler: @escaping Handler, _ inputs: [Operand], lane: Lane, imm: Int = 0
  ) -> Operand {
    let shape = joined(inputs.map(\.shape))
    let result = newOperand(lane, shape)
    emitElementwise(handler, inputs, into: result, imm: imm)
    return result
  }

  mutating func emitElementwise(
    _ handler: @escaping Handler, _ inputs: [Operand], into result: Operand, imm: Int = 0,
    hasEffect: Bool = false
  ) {
    var inputs = inputs
    var walk = Walk(over: result.shape, inputs.map(\.shape))
    if walk == nil {
      inputs = inputs.map { materialize($0, result.shape) }
      walk = Walk(over: result.shape, inputs.map(\.shape))
    }
    guard let walk else { return }
    var instruction = Instruction(handler: handler)
    instruction.n = walk.n
    instruction.rows = walk.rows
    instruction.imm = imm
    instruction.d = result.slot
    instruction.sd = walk.n * result.lane.bytes
    instruction.site = currentSite
    var fields: Fields = .d
    for (index, input) in inputs.enumerated() {
      let step = walk.rowStep[index] * input.lane.bytes
      switch index {
      case 0:
        (instruction.a, instruction.sa) = (input.slot, step)
        fields.insert(.a)
      case 1:
        (instruction.b, instruction.sb) = (input.slot, step)
        fields.insert(.b)
      default:
        (instruction.c, instruction.sc) = (input.slot, step)
        fields.insert(.c)
      }
      if walk.isFixed[index] { instruction.fixed |= 1 << index }
    }
    emit(
      Pending(
        instruction: instruction, reads: inputs.map(\.slot), writes: [result.slot],
        fields: fields, hasEffect: hasEffect))
  }

  /// The operand with every axis of `shape` really there.
  mutating func materialize(_ operand: Operand, _ shape: [Int]) -> Operand {
    if operand.shape == shape { return operand }
    let result = newOperand(operand.lane, shape)
    if Walk(over: shape, [operand.shape]) != nil {
      emitElementwise(IntegerHandlers.copy(bytes: operand.lane.bytes), [operand], into: result)
    } else {
      let strides = RowMajor.strides(operand.shape)
      emitCopy(operand, strides: zip(strides, operand.shape).map { $1 == 1 ? 0 : $0 }, into: result)
    }
    return result
  }

  /// Copies lanes: element [i…] of the result comes from `Σ i * strides` (lanes) of the source.
  mutating func emitCopy(_ source: Operand, strides: [Int], offset: Int = 0, into result: Operand) {
    var instruction = Instruction(handler: ShapeHandlers.copy(bytes: source.lane.bytes))
    instruction.d = result.slot
    instruction.a = source.slot
    instruction.imm = offset
    var detail = Detail()
    (detail.sizes, detail.strides) = Strides.collapsed(result.shape, strides)
    emit(
      Pending(
        instruction: instruction, reads: [source.slot], writes: [result.slot],
        fields: [.d, .a], detail: detail))
  }

  /// The site of the operation that is being compiled.
  var currentSite: Int { program.sites.count - 1 }

  /// Opens a site for the operation that is being compiled.
  mutating func openSite(_ operation: Operation, shape: [Int], element: ElementType) {
    program.sites.append(
      TileProgram.Site(
        operation: operation.kind.name, location: operation.location, shape: shape,
        element: element,
        trace: tracesFaults
          ? FaultTrace(operation, function, definitions: definitions) : nil))
  }

  func unsupported(_ what: String, _ operation: Operation) -> Diagnostic {
    Diagnostic(
      id: "unsupported-machine-operation", "the tile machine does not run \(what)",
      source: function.source, range: operation.location.range)
  }
}

/// Loops over strides.
enum Strides {
  /// Drops axes of size 1 and merges axes that are walked as one.
  static func collapsed(_ sizes: [Int], _ strides: [Int]) -> (sizes: [Int], strides: [Int]) {
    var result: (sizes: [Int], strides: [Int]) = ([], [])
    for (size, stride) in zip(sizes, strides) where size != 1 {
      if let last = result.sizes.indices.last, result.strides[last] == stride * size {
        result.sizes[last] *= size
        result.strides[last] = stride
      } else {
        result.sizes.append(size)
        result.strides.append(stride)
      }
    }
    return result.sizes.isEmpty ? ([1], [1]) : result
  }
}
