import TileIR

/// What a load, store or atomic touches, whatever its form.
struct MemoryAccess: Sendable {
  /// The pointer tile, block pointer or descriptor.
  var pointer: Value
  var mask: Value?
  var shape: [Int]
  var element: ElementType
  var isLoad: Bool
  var isStore: Bool
  var isAtomic: Bool
  /// Through a block pointer or descriptor: the compiler knows the strides' order.
  var isBlock: Bool
  var blockOrder: [Int]
  var cacheModifier: String
  var evictionPolicy: String

  init?(_ operation: Operation, in flat: FlatFunction) {
    switch operation.kind {
    case .load, .store, .atomicRMW, .atomicCAS, .blockLoad, .blockStore, .descriptorLoad,
      .descriptorGather, .descriptorStore, .descriptorScatter:
      break
    default: return nil
    }
    guard let pointer = operation.operands.first else { return nil }
    self.pointer = pointer
    let type = flat.type(of: pointer)
    shape = type?.shape ?? []
    element = type?.element.pointee ?? .int8
    (isLoad, isStore, isAtomic, isBlock) = (false, false, false, false)
    (cacheModifier, evictionPolicy) = ("", "")
    blockOrder = Array((0..<shape.count).reversed())
    switch operation.kind {
    case .load(let attributes):
      isLoad = true
      if attributes.hasMask, operation.operands.count > 1 { mask = operation.operands[1] }
      (cacheModifier, evictionPolicy) = (attributes.cacheModifier, attributes.evictionPolicy)
    case .store(let attributes):
      isStore = true
      if attributes.hasMask { mask = operation.operands.last }
      (cacheModifier, evictionPolicy) = (attributes.cacheModifier, attributes.evictionPolicy)
    case .atomicRMW(_, _, _, let hasMask):
      isAtomic = true
      if hasMask { mask = operation.operands.last }
    case .atomicCAS: isAtomic = true
    case .blockLoad(_, _, let attributes):
      (isLoad, isBlock) = (true, true)
      (cacheModifier, evictionPolicy) = (attributes.cacheModifier, attributes.evictionPolicy)
    case .blockStore(_, let attributes):
      (isStore, isBlock) = (true, true)
      (cacheModifier, evictionPolicy) = (attributes.cacheModifier, attributes.evictionPolicy)
    case .descriptorLoad, .descriptorGather: (isLoad, isBlock) = (true, true)
    case .descriptorStore, .descriptorScatter: (isStore, isBlock) = (true, true)
    default: return nil
    }
    if isBlock, flat.function.values.indices.contains(pointer.index) {
      switch flat.function.values[pointer.index].type {
      case .blockPointer(let element, let block), .tensorDescriptor(let element, let block):
        self.element = element.pointee ?? element
        shape = block
      case .tile: return nil
      }
      let tile = isLoad ? operation.results.first : operation.operands.dropFirst().first
      if let tile, let type = flat.type(of: tile) {
        shape = type.shape
        element = type.element
      }
      blockOrder = Array((0..<shape.count).reversed())
      if let maker = flat.definition(of: pointer),
        case .makeBlockPointer(let order) = maker.operation.kind, order.count == shape.count
      {
        blockOrder = order
      }
    }
  }
}

/// The extents and operand types of a dot.
struct DotShape: Sendable {
  var batch: Int
  var m: Int
  var n: Int
  var k: Int
  var lhs: ElementType
  var rhs: ElementType
  var precision: InputPrecision?

  init?(_ operation: Operation, in flat: FlatFunction) {
    let rhsIndex: Int
    switch operation.kind {
    case .dot(let precision, _):
      self.precision = precision
      rhsIndex = 1
    case .dotScaled(_, _, let hasLHSScale, _, _, _, _):
      precision = nil
      rhsIndex = hasLHSScale ? 2 : 1
    default: return nil
    }
    guard operation.operands.count > rhsIndex, let result = operation.results.first,
      let a = flat.type(of: operation.operands[0]),
      let b = flat.type(of: operation.operands[rhsIndex]), let c = flat.type(of: result),
      a.shape.count >= 2, b.shape.count >= 2, c.shape.count >= 2
    else { return nil }
    m = c.shape[c.shape.count - 2]
    n = c.shape[c.shape.count - 1]
    k = a.shape[a.shape.count - 1]
    batch = c.shape.dropLast(2).reduce(1, TileLayout.product)
    (lhs, rhs) = (a.element, b.element)
  }

  /// fp32 operands reach the tensor cores only where TF32 (or a split of it) is allowed; fp64 ones
  /// are multiplied on the fp64 pipe here.
  var usesTensorCores: Bool {
    switch lhs {
    case .fp32: precision != .ieee
    case .fp64: false
    default: true
    }
  }

  /// How many tensor-core products one dot takes: TF32×3 and BF16×3/×6 split the operands.
  var passes: Int {
    guard lhs == .fp32 else { return 1 }
    switch precision {
    case .tf32x3, .bf16x3: return 3
    case .bf16x6: return 6
    default: return 1
    }
  }

  /// One multiply and one add each.
  var flops: Double { 2 * Double(batch) * Double(m) * Double(n) * Double(k) }
}
