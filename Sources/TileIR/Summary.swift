/// What a function does to memory and tensor units, in the words of Triton's own IR: one line per
/// operation, inlined, in program order. Two lowerings agree when the sorted lines do.
///
/// ```
/// load tensor<128xf32> mask
/// dot tensor<64x32xf16> tensor<32x64xf16> -> tensor<64x64xf32>
/// store tensor<128xf32> mask
/// ```
public enum Summary {
  public static func lines(of function: Function) -> [String] {
    var lines: [String] = []
    function.forEachOperation { operation in
      if let line = line(for: operation, in: function) { lines.append(line) }
    }
    return lines
  }

  private static func line(for operation: Operation, in function: Function) -> String? {
    let operands = operation.operands.map { type(function.type(of: $0)) }
    let results = operation.results.map { type(function.type(of: $0)) }
    switch operation.kind {
    case .load(let attributes):
      return "load \(results[0])" + (attributes.hasMask ? " mask" : "")
        + (attributes.hasOther ? " other" : "")
    case .blockLoad(let axes, _, _): return "load \(results[0]) block \(axes)"
    case .store(let attributes): return "store \(operands[1])" + (attributes.hasMask ? " mask" : "")
    case .blockStore(let axes, _): return "store \(operands[1]) block \(axes)"
    case .atomicRMW(let op, let semantics, let scope, _):
      // Triton's IR spells unsigned orders like its own enumeration.
      return "atomic_rmw \(op.rawValue) \(semantics) \(scope) \(results[0])"
    case .atomicCAS(let semantics, let scope):
      return "atomic_cas \(semantics) \(scope) \(results[0])"
    case .dot(let precision, _):
      return "dot \(precision.rawValue) \(operands[0]) \(operands[1]) -> \(results[0])"
    case .dotScaled: return "dot_scaled -> \(results[0])"
    case .reduce(let axis, _, _):
      guard axis == nil, let tile = function.tileType(of: operation.operands[0]) else {
        return "reduce \(operands.joined(separator: " ")) axis \(axis ?? 0)"
      }
      if tile.count == 1, operation.operands.count == 1, results[0] == element(tile.element) {
        return nil
      }
      let flat = operation.operands.map { operand in
        type(.tile(TileType(function.tileType(of: operand)?.element ?? .int1, [tile.count])))
      }
      return "reduce \(flat.joined(separator: " ")) axis 0"
    case .scan(let axis, _, let reverse):
      return "scan \(operands.joined(separator: " ")) axis \(axis)" + (reverse ? " reverse" : "")
    case .histogram: return "histogram \(operands[0]) -> \(results[0])"
    case .gather(let axis): return "gather \(operands[0]) \(operands[1]) axis \(axis)"
    case .descriptorLoad: return "descriptor_load \(results[0])"
    case .descriptorStore(nil): return "descriptor_store \(operands[1])"
    case .descriptorStore: return "descriptor_reduce \(operands[1])"
    case .descriptorGather: return "descriptor_gather \(results[0])"
    case .descriptorScatter: return "descriptor_scatter \(operands[1])"
    case .external(let symbol, _): return "extern \(symbol) \(results[0])"
    case .inlineAssembly: return "asm \(results.joined(separator: " "))"
    case .forLoop: return "for \(operands[0])"
    case .whileLoop: return "while"
    case .barrier: return "barrier"
    default: return nil
    }
  }

  /// A type as MLIR spells it; signedness is lost there.
  public static func type(_ type: ValueType) -> String {
    switch type {
    case .tile(let tile):
      tile.isScalar
        ? element(tile.element)
        : "tensor<" + tile.shape.map { "\($0)x" }.joined() + element(tile.element) + ">"
    case .blockPointer(let element, let block):
      "!tt.ptr<\(self.type(.tile(TileType(element, block))))>"
    case .tensorDescriptor(let element, let block):
      "!tt.tensordesc<\(self.type(.tile(TileType(element, block))))>"
    }
  }

  static func element(_ element: ElementType) -> String {
    switch element {
    case .int1: "i1"
    case .int8, .uint8: "i8"
    case .int16, .uint16: "i16"
    case .int32, .uint32: "i32"
    case .int64, .uint64: "i64"
    case .fp8e4nv: "f8E4M3FN"
    case .fp8e5: "f8E5M2"
    case .fp8e4b15: "i8"
    case .fp8e4b8: "f8E4M3FNUZ"
    case .fp8e5b16: "f8E5M2FNUZ"
    case .fp16: "f16"
    case .bf16: "bf16"
    case .fp32: "f32"
    case .fp64: "f64"
    case .pointer(let pointee): "!tt.ptr<\(self.element(pointee))>"
    }
  }
}
