import DeviceModel

/// The work of one launch, whatever way it is done, and the least time it can take.
public struct WorkReport: Sendable {
  /// Operations in dots by operand type as multiplied (a multiply-add is two), without those that
  /// masks make zero.
  public var dotFlops: [OperandType: Double]
  /// The same with the padding of partly filled tiles: what the tensor cores really execute.
  public var executedDotFlops: [OperandType: Double]
  /// fp32 and half arithmetic outside dots.
  public var elementwiseFlops: Double
  /// exp, log, sqrt, …, one each.
  public var specialOperations: Double
  /// Index arithmetic and other integer operations, elements.
  public var integerOperations: Double
  /// Each tensor the kernel reads, once; bytes.
  public var compulsoryReadBytes: Double
  public var compulsoryWriteBytes: Double
  /// Tensors behind these bytes: parameter, bytes, written?
  public var tensors: [Tensor]

  public struct Tensor: Sendable {
    public var name: String
    public var bytes: Double
    public var isRead: Bool
    public var isWritten: Bool
    /// The launch asks for fewer bytes than the tensor has.
    public var isPartial: Bool
  }

  public var compulsoryBytes: Double { compulsoryReadBytes + compulsoryWriteBytes }
  public var flops: Double { dotFlops.values.reduce(0, +) + elementwiseFlops + specialOperations }
  /// Operations per compulsory byte.
  public var intensity: Double? { compulsoryBytes > 0 ? flops / compulsoryBytes : nil }

  /// Microseconds to move the compulsory bytes at peak bandwidth.
  public var memoryFloorMicroseconds: Double
  /// Microseconds for the operations at the peak rates of the types really used.
  public var computeFloorMicroseconds: Double
  /// The operand type that dominates the compute floor; fp32 without dots.
  public var operandType: OperandType

  public var floorMicroseconds: Double { max(memoryFloorMicroseconds, computeFloorMicroseconds) }
  public var isMemoryBound: Bool { memoryFloorMicroseconds >= computeFloorMicroseconds }
}
