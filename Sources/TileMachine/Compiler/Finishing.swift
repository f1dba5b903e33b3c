import Diagnostics
import TileIR

extension TileProgram {
  /// Compiles a function for one launch.
  ///
  /// - Parameters:
  ///   - addresses: the virtual address of each pointer parameter.
  ///   - keepsAll: gives every tile bytes of its own, so that a fault's operands can be looked at.
  /// - Throws: a `Diagnostic` at the first operation that the machine does not run.
  static func compile(
    _ function: Function, grid: (Int, Int, Int), addresses: [Value: Int], keepsAll: Bool = false
  ) throws(Diagnostic) -> TileProgram {
    var compiler = MachineCompiler(function, grid: grid, pointers: addresses)
    compiler.tracesFaults = keepsAll
    try compiler.compile(function.body)
    return compiler.finish(keepsAll: keepsAll)
  }
}

extension MachineCompiler {
  mutating func finish(keepsAll: Bool) -> TileProgram {
    if !keepsAll { removeUnused() }
    let persistent =
      constantSlots.keys.sorted()
      + Set(prologue.flatMap { $0.writes + $0.reads }).subtracting(constantSlots.keys).sorted()
    let allocator = SlotAllocator(
      code, slotBytes: slotBytes, fixed: persistent, isShared: !keepsAll)
    program.arenaBytes = allocator.byteCount
    program.constants = constantSlots.sorted { $0.key < $1.key }.map {
      TileProgram.Constant(offset: allocator.offsets[$0.key], bytes: $0.value)
    }
    program.prologue = assemble(prologue, allocator)
    program.body = assemble(code, allocator)
    if keepsAll {
      program.valueOperands = operands.map { operand in
        operand.map {
          Operand(slot: allocator.offsets[$0.slot], lane: $0.lane, shape: $0.shape)
        }
      }
    }
    return program
  }

  /// Drops instructions without effect whose results nobody reads.
  private mutating func removeUnused() {
    var isRead = [Bool](repeating: false, count: slotBytes.count)
    var isKept = [Bool](repeating: true, count: code.count)
    // Tiles written more than once are carried around loops; those stay.
    var writers = [Int](repeating: 0, count: slotBytes.count)
    for pending in code { for slot in pending.writes { writers[slot] += 1 } }
    for index in code.indices.reversed() {
      let pending = code[index]
      let isWanted =
        pending.hasEffect || pending.flow != .none || pending.writes.isEmpty
        || pending.writes.contains { isRead[$0] || writers[$0] > 1 }
      isKept[index] = isWanted
      if isWanted { for slot in pending.reads { isRead[slot] = true } }
    }
    code = code.indices.filter { isKept[$0] }.map { code[$0] }
    var keptPrologue: [Pending] = []
    for pending in prologue.reversed() {
      guard pending.writes.contains(where: { isRead[$0] }) else { continue }
      for slot in pending.reads { isRead[slot] = true }
      keptPrologue.append(pending)
    }
    prologue = keptPrologue.reversed()
  }

  /// Replaces slots by arena offsets and labels by positions; markers disappear.
  private mutating func assemble(_ pendings: [Pending], _ allocator: SlotAllocator) -> [Instruction]
  {
    var positions: [Int: Int] = [:]
    var count = 0
    for pending in pendings {
      switch pending.flow {
      case .label(let label): positions[label] = count
      case .loopBegin, .loopEnd: break
      default: count += 1
      }
    }
    func place(_ slot: Int) -> Int { allocator.offsets[slot] }
    var result: [Instruction] = []
    result.reserveCapacity(count)
    for pending in pendings {
      var instruction = pending.instruction
      switch pending.flow {
      case .label, .loopBegin, .loopEnd: continue
      case .jump(let label): instruction.imm = positions[label] ?? count
      case .none: break
      }
      if pending.fields.contains(.d) { instruction.d = place(instruction.d) }
      if pending.fields.contains(.a) { instruction.a = place(instruction.a) }
      if pending.fields.contains(.b) { instruction.b = place(instruction.b) }
      if pending.fields.contains(.c) { instruction.c = place(instruction.c) }
      if var detail = pending.detail {
        for part in Detail.parts where detail[keyPath: part].isPresent {
          detail[keyPath: part].offset = place(detail[keyPath: part].offset)
        }
        instruction.detail = program.details.count
        program.details.append(detail)
      }
      result.append(instruction)
    }
    return result
  }
}

extension Detail {
  static var parts: [WritableKeyPath<Detail, Part>] {
    [\.rowBase, \.columns, \.offsets, \.mask, \.other, \.value, \.result]
  }
}
