import TileIR

/// A tile of pointers as a sum: a lane's address is the sum of `terms` at that lane.
///
/// Pointer arithmetic in kernels adds a column of row offsets, a row of column offsets and scalars.
/// Kept apart, an access can look at its rows one by one and sees at once that a row is contiguous.
struct PointerParts: Sendable {
  struct Term: Sendable {
    /// Integer lanes: i32 or i64.
    var operand: Operand
    /// Bytes per unit.
    var scale: Int
  }
  var terms: [Term]
  /// The same sum in 64 bits, where 32-bit arithmetic may have wrapped on the way.
  var twin: [Term]?

  /// Both sums with their operands changed.
  func map(_ change: (inout Operand) -> Void) -> PointerParts {
    func changed(_ term: Term) -> Term {
      var term = term
      change(&term.operand)
      return term
    }
    return PointerParts(terms: terms.map(changed), twin: twin.map { $0.map(changed) })
  }
}

extension MachineCompiler {
  /// The parts of a pointer value; makes one part of what is held as addresses.
  mutating func parts(of value: Value) -> PointerParts? {
    if let known = pointers[value.index] { return known }
    guard let operand = operands[value.index] else { return nil }
    return PointerParts(terms: [.init(operand: operand, scale: 1)])
  }

  /// `offset` as a sum of terms that vary along fewer axes, where that is safe: 32-bit sums are
  /// taken apart only if they cannot wrap. At most one term is a full tile; where more would be,
  /// the sum stays whole.
  func offsetTerms(_ value: Value, scale: Int) -> [PointerParts.Term]? {
    guard let operand = operands[value.index] else { return nil }
    let whole = [PointerParts.Term(operand: operand, scale: scale)]
    var budget = 64
    guard operand.count > 1, let terms = leaves(value, scale: scale, budget: &budget) else {
      return whole
    }
    let full = terms.count { $0.operand.shape == operand.shape }
    return full <= 1 && terms.count > 1 && terms.count <= 16 ? terms : whole
  }

  private func leaves(_ value: Value, scale: Int, budget: inout Int) -> [PointerParts.Term]? {
    guard let operand = operands[value.index] else { return nil }
    let leaf = [PointerParts.Term(operand: operand, scale: scale)]
    budget -= 1
    guard budget > 0, operand.count > 1, let definition = definitions[value.index],
      let element = function.values[value.index].type.tile?.element,
      element == .int64 || element == .int32 && !intervals.mayWrap[value.index]
    else { return leaf }
    func constant(_ value: Value) -> Int? {
      guard let range = intervals(value), range.low == range.high else { return nil }
      return range.low
    }
    switch definition.kind {
    case .binary(.add), .binary(.sub):
      var sign = 1
      if case .binary(.sub) = definition.kind { sign = -1 }
      guard let left = leaves(definition.operands[0], scale: scale, budget: &budget),
        let right = leaves(definition.operands[1], scale: scale &* sign, budget: &budget)
      else { return leaf }
      return left + right
    case .binary(.mul):
      let (a, b) = (definition.operands[0], definition.operands[1])
      if let factor = constant(b) {
        return leaves(a, scale: scale &* factor, budget: &budget) ?? leaf
      }
      if let factor = constant(a) {
        return leaves(b, scale: scale &* factor, budget: &budget) ?? leaf
      }
      return leaf
    case .broadcast: return leaves(definition.operands[0], scale: scale, budget: &budget)
    case .cast(.convert):
      // A widening of a sum is the sum of the widened.
      let source = definition.operands[0]
      guard let from = function.values[source.index].type.tile?.element,
        from == .int32 || from == .int64, from.bits <= element.bits
      else { return leaf }
      return leaves(source, scale: scale, budget: &budget)
    default: return leaf
    }
  }

  mutating func compileAddPointer(_ operation: Operation) {
    let result = operation.results[0]
    guard let base = parts(of: operation.operands[0]),
      let size = function.values[result.index].type.tile?.element.pointee?.bytes
    else { return }
    var terms = base.terms
    let offset = operation.operands[1]
    let element = function.values[offset.index].type.tile?.element ?? .int32
    if element == .int32 || element == .int64 {
      terms += offsetTerms(offset, scale: size) ?? []
    } else if let narrow = operands[offset.index] {
      // Narrower and unsigned offsets are widened first.
      let wide = emitElementwise(
        CastHandlers.integer(from: narrow.lane, to: .int64), [narrow], lane: .int64)
      terms.append(.init(operand: wide, scale: size))
    }
    let twin = twinTerms(base, offset, scale: size, terms: terms.dropFirst(base.terms.count))
    pointers[result.index] = PointerParts(terms: terms, twin: twin)
  }

  /// One term as a tile of bytes (i64 lanes).
  mutating func bytes(of term: PointerParts.Term) -> Operand {
    if term.operand.lane == .int64, term.scale == 1 { return term.operand }
    let handler: Handler =
      term.operand.lane == .int64 ? AddressHandlers.scale64 : AddressHandlers.scale32
    return emitElementwise(handler, [term.operand], lane: .int64, imm: term.scale)
  }

  /// The sum of terms as bytes; nil for no terms.
  mutating func sum(_ terms: [PointerParts.Term]) -> Operand? {
    // Small tiles first: what varies along fewer axes is added before it is spread.
    var result: Operand?
    for term in terms.sorted(by: { $0.operand.count < $1.operand.count }) {
      let next = bytes(of: term)
      result =
        result.map { emitElementwise(AddressHandlers.add, [$0, next], lane: .int64) } ?? next
    }
    return result
  }

  /// A pointer tile as plain addresses with at least the axes of `shape`.
  mutating func addresses(of value: Value) -> Operand? {
    guard let parts = parts(of: value) else { return nil }
    return sum(parts.terms)
  }

  /// The address of every lane for an access over `shape` (stored shape of the access).
  ///
  /// Parts that vary along the last axis alone become `columns`, parts that do not vary along it
  /// `rowBase`; the rest stays a full tile of offsets.
  mutating func accessParts(_ parts: PointerParts, over shape: [Int], into detail: inout Detail) {
    var rows: [PointerParts.Term] = []
    var columns: [PointerParts.Term] = []
    var full: [PointerParts.Term] = []
    for term in parts.terms {
      let varies = term.operand.shape.indices.filter { term.operand.shape[$0] != 1 }
      if varies.isEmpty || !varies.contains(shape.count - 1) {
        rows.append(term)
      } else if varies == [shape.count - 1] {
        columns.append(term)
      } else {
        full.append(term)
      }
    }
    if let rowSum = sum(rows) {
      detail.rowBase = rowPart(rowSum, over: shape)
    }
    if let columnSum = sum(columns) {
      detail.columns = Detail.Part(offset: columnSum.slot, row: 0, lane: 8)
    }
    if full.count == 1, full[0].operand.shape == shape {
      let operand = full[0].operand
      detail.offsets = Detail.Part(
        offset: operand.slot, row: (shape.last ?? 1) * operand.lane.bytes,
        lane: operand.lane.bytes)
      detail.offsetBytes = operand.lane.bytes
      detail.offsetScale = full[0].scale
    } else if !full.isEmpty, let all = sum(full) {
      let operand = materialize(all, shape)
      detail.offsets = Detail.Part(offset: operand.slot, row: (shape.last ?? 1) * 8, lane: 8)
      detail.offsetBytes = 8
      detail.offsetScale = 1
    }
  }

  /// A tile without the last axis, as one lane per row.
  mutating func rowPart(_ operand: Operand, over shape: [Int]) -> Detail.Part {
    if operand.count == 1 { return Detail.Part(offset: operand.slot) }
    var rows = shape
    if !rows.isEmpty { rows[rows.count - 1] = 1 }
    let all = materialize(operand, rows)
    return Detail.Part(offset: all.slot, row: all.lane.bytes)
  }

  /// A mask, `other` or value over the rows and lanes of an access.
  mutating func lanePart(_ operand: Operand, over shape: [Int]) -> Detail.Part {
    let bytes = operand.lane.bytes
    if operand.count == 1 { return Detail.Part(offset: operand.slot) }
    let n = shape.last ?? 1
    let varies = operand.shape.indices.filter { operand.shape[$0] != 1 }
    if varies == [shape.count - 1] { return Detail.Part(offset: operand.slot, lane: bytes) }
    if !varies.contains(shape.count - 1) {
      var part = rowPart(operand, over: shape)
      part.lane = 0
      return part
    }
    let all = materialize(operand, shape)
    return Detail.Part(offset: all.slot, row: n * bytes, lane: bytes)
  }
}
