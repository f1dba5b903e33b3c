/// The kinds of machine instruction the model counts, by the unit that executes them.
public enum InstructionClass: String, Sendable, CaseIterable, Hashable, Codable {
  /// FADD, FMUL, FFMA.
  case fp32
  case fp64
  /// Packed half arithmetic (HADD2, HFMA2).
  case half
  /// Integer multiply-add (IMAD): runs on the FMA pipe at half rate.
  case integerMultiply
  /// IADD3, LOP3, ISETP, SEL, SHF, LEA, PRMT, FMNMX, FSETP: the ALU pipe.
  case integerALU
  /// I2F, F2I, F2F: the conversion unit.
  case conversion
  /// MUFU: exp2, log2, rcp, rsqrt, sin, cos.
  case special
  /// HMMA, IMMA, WGMMA.
  case tensor
  case globalLoad
  case globalStore
  case atomic
  /// LDS and LDSM.
  case sharedLoad
  /// STS.
  case sharedStore
  case shuffle
  case barrier
  /// Branches, predicates, register moves and the rest.
  case control
}

/// So many instructions of each class.
public struct InstructionMix: Sendable, Hashable {
  public private(set) var counts: [InstructionClass: Double]

  public init(_ counts: [InstructionClass: Double] = [:]) { self.counts = counts }

  public subscript(_ kind: InstructionClass) -> Double {
    get { counts[kind] ?? 0 }
    set { counts[kind] = newValue }
  }

  /// All classes together.
  public var total: Double { counts.values.reduce(0, +) }

  static func + (left: InstructionMix, right: InstructionMix) -> InstructionMix {
    InstructionMix(left.counts.merging(right.counts, uniquingKeysWith: +))
  }

  static func += (left: inout InstructionMix, right: InstructionMix) { left = left + right }

  static func * (mix: InstructionMix, factor: Double) -> InstructionMix {
    InstructionMix(mix.counts.mapValues { $0 * factor })
  }
}
