import DeviceModel
import HostProgram
import TileIR

/// Counts the work of a launch.
enum WorkAnalysis {
  static func report(
    _ context: InstructionEstimate.Context, patterns: [AccessPattern], programs: Double, gpu: GPU,
    liveShare: (Int) -> (rows: Double, columns: Double)
  ) -> WorkReport {
    var dots: [OperandType: Double] = [:]
    var executed: [OperandType: Double] = [:]
    var elementwise = 0.0
    var special = 0.0
    var integer = 0.0
    for node in context.flat.nodes {
      let times = context.counts[node.id] * programs
      guard times > 0 else { continue }
      if let dot = DotShape(node.operation, in: context.flat) {
        var useful = dot.flops * times
        let loads = node.operation.operands.prefix(2).map {
          InstructionEstimate.sourceLoad($0, context.flat)
        }
        if loads.count == 2 {
          let a = loads[0].map { liveShare($0.id) } ?? (rows: 1, columns: 1)
          let b = loads[1].map { liveShare($0.id) } ?? (rows: 1, columns: 1)
          // One operand's mask may also blank a window's border, which is work by any count.
          useful *= a.rows * b.columns * max(a.columns, b.rows)
        }
        dots[operandType(dot), default: 0] += useful
        executed[operandType(dot), default: 0] += dot.flops * times
        continue
      }
      guard let result = node.operation.results.first, let type = context.flat.type(of: result)
      else { continue }
      let count = Double(type.count) * times
      let isFloat = type.element.isFloat
      switch node.operation.kind {
      case .unary(let op):
        switch op {
        case .neg, .abs, .not, .floor, .ceil: elementwise += isFloat ? count : 0
        default: special += count
        }
      case .binary(let op):
        guard type.element != .int1 else { continue }
        if !isFloat {
          integer += count
        } else if op == .div || op == .divRn {
          special += count
        } else {
          elementwise += count
        }
      case .fma: elementwise += 2 * count
      case .select, .clamp: elementwise += isFloat ? count : 0
      case .reduce, .scan:
        let source = node.operation.operands.first.flatMap { context.flat.type(of: $0) }
        let inputs = Double(source?.count ?? 0) * times
        if isFloat { elementwise += inputs } else { integer += inputs }
      default: break
      }
    }
    var report = WorkReport(
      dotFlops: dots, executedDotFlops: executed, elementwiseFlops: elementwise,
      specialOperations: special,
      integerOperations: integer, compulsoryReadBytes: 0, compulsoryWriteBytes: 0,
      tensors: tensors(patterns), memoryFloorMicroseconds: 0, computeFloorMicroseconds: 0,
      operandType: dots.max { $0.value < $1.value }?.key ?? .fp32)
    for tensor in report.tensors {
      if tensor.isRead { report.compulsoryReadBytes += tensor.bytes }
      if tensor.isWritten { report.compulsoryWriteBytes += tensor.bytes }
    }
    let roofline = gpu.roofline
    report.memoryFloorMicroseconds = roofline.floorSeconds(dramBytes: report.compulsoryBytes) * 1e6
    var compute = 0.0
    for (type, flops) in dots {
      compute += (roofline.floorSeconds(operations: flops, available(type, gpu)) ?? 0) * 1e6
    }
    let rest = (roofline.floorSeconds(operations: elementwise, .fp32) ?? 0) * 1e6
    // The tensor cores and the fp32 pipes work side by side; special functions run at an eighth.
    let specialTime = (roofline.floorSeconds(operations: special * 16, .fp32) ?? 0) * 1e6
    report.computeFloorMicroseconds = max(compute, rest, specialTime)
    return report
  }

  /// The type whose rate bounds a dot: fp32 operands are TF32 unless `ieee` is asked for.
  static func operandType(_ dot: DotShape) -> OperandType {
    switch dot.lhs {
    case .fp16: .fp16
    case .bf16: .bf16
    case .fp8e4nv, .fp8e5, .fp8e4b15, .fp8e4b8, .fp8e5b16: .fp8
    case .int8, .uint8: .int8
    case .fp64: .fp64
    case .fp32:
      switch dot.precision {
      case .ieee: .fp32
      case .bf16x3, .bf16x6: .bf16
      default: .tf32
      }
    default: .fp32
    }
  }

  /// The type itself, or the nearest one the GPU has a rate for.
  static func available(_ type: OperandType, _ gpu: GPU) -> OperandType {
    if gpu.teraOps[type] != nil { return type }
    return type == .fp8 && gpu.teraOps[.fp16] != nil ? .fp16 : .fp32
  }

  private static func tensors(_ patterns: [AccessPattern]) -> [WorkReport.Tensor] {
    var order: [String] = []
    var byName: [String: WorkReport.Tensor] = [:]
    for pattern in patterns {
      guard let name = pattern.tensor else { continue }
      if byName[name] == nil {
        order.append(name)
        byName[name] = WorkReport.Tensor(
          name: name, bytes: 0, isRead: false, isWritten: false, isPartial: false)
      }
      guard var tensor = byName[name] else { continue }
      let asked = pattern.bytesRequested
      let bytes = pattern.tensorBytes.map { min($0, asked) } ?? asked
      tensor.isPartial = pattern.tensorBytes.map { asked < $0 * 0.999 } ?? false
      tensor.bytes = max(tensor.bytes, bytes)
      switch pattern.kind {
      case .load: tensor.isRead = true
      case .store: tensor.isWritten = true
      case .atomic: (tensor.isRead, tensor.isWritten) = (true, true)
      }
      byName[name] = tensor
    }
    return order.compactMap { byName[$0] }
  }
}
