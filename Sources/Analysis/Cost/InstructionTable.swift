import TileIR

/// What one element of an operation costs one thread, in SASS instructions.
///
/// The figures were counted: kernels `y = op(x)` were compiled with Triton 3.6 (ptxas 12.8) for
/// sm_89 at 4 and 8 elements a thread; the difference by element is the cost here, the rest is
/// `perThread`. No figure is a vendor's.
enum InstructionTable {
  /// How an integer division's divisor is known.
  enum Divisor: String, Sendable, Codable, Hashable {
    case powerOfTwo, constant, runTime, perElement
  }

  /// Division or remainder of one element.
  /// - Parameter sharesQuotient: the same division was made before; a remainder takes its quotient.
  static func division(
    isRemainder: Bool, divisor: Divisor, bits: Int, isSigned: Bool, sharesQuotient: Bool
  ) -> (perElement: InstructionMix, perThread: InstructionMix) {
    let none = InstructionMix()
    switch divisor {
    case .powerOfTwo:
      if !isSigned { return (InstructionMix([.integerALU: 1]), none) }
      return (InstructionMix([.integerALU: isRemainder ? 3 : 2]), none)
    case .constant:
      // Multiply by the reciprocal (IMAD.HI), shift, add the sign; the remainder multiplies back.
      let wide = bits > 32 ? 3.0 : 1
      if isRemainder, sharesQuotient { return (InstructionMix([.integerMultiply: wide]), none) }
      return (
        InstructionMix([
          .integerMultiply: (isRemainder ? 2.5 : 1.5) * wide, .integerALU: 2.5 * wide,
        ]), none
      )
    case .runTime, .perElement:
      if bits > 32 {
        // A test whether both fit in 32 bits, then the short way; the long way is a call.
        if isRemainder, sharesQuotient { return (InstructionMix([.integerMultiply: 3]), none) }
        return (
          InstructionMix([
            .integerMultiply: 14, .integerALU: 12, .control: 4, .conversion: 2, .special: 1,
          ]), InstructionMix([.integerALU: 4])
        )
      }
      if isRemainder, sharesQuotient {
        return (InstructionMix([.integerMultiply: 1, .integerALU: 1]), none)
      }
      var perElement: InstructionMix
      if !isSigned {
        perElement = InstructionMix([.integerMultiply: 4, .integerALU: 5])
      } else if isRemainder {
        perElement = InstructionMix([.integerMultiply: 6, .integerALU: 6])
      } else {
        perElement = InstructionMix([.integerMultiply: 6.5, .integerALU: 7.25])
      }
      let reciprocal = InstructionMix([
        .conversion: 2, .special: 1, .integerMultiply: 2, .integerALU: 3,
      ])
      if divisor == .perElement {
        perElement += reciprocal
        return (perElement, none)
      }
      return (perElement, reciprocal)
    }
  }

  static func unary(_ op: UnaryOp, _ type: ElementType) -> InstructionMix {
    if type == .fp64 { return InstructionMix([.fp64: op == .neg || op == .abs ? 1 : 24]) }
    if !type.isFloat {
      return op == .not && type == .int1 ? InstructionMix([.integerALU: 0.25]) : alu(1)
    }
    switch op {
    case .neg: return InstructionMix([.fp32: 0.25])  // folded into the user's operand modifier
    case .not: return alu(1)
    case .abs: return alu(0.5)
    case .exp: return InstructionMix([.fp32: 3, .integerALU: 1, .special: 1])
    case .exp2, .sqrt, .rsqrt: return InstructionMix([.special: 1])
    case .log, .log2:
      return InstructionMix([.fp32: 16, .integerALU: 7, .conversion: 1, .control: 1])
    // Fast path; arguments past 1e5 take the slow reduction, not counted.
    case .sin, .cos:
      return InstructionMix([.fp32: 14, .integerALU: 8, .integerMultiply: 4, .control: 6])
    case .sqrtRn: return InstructionMix([.fp32: 6, .special: 1, .integerALU: 3, .control: 5])
    case .erf:
      return InstructionMix([
        .fp32: 11, .integerALU: 3, .integerMultiply: 3, .special: 1, .control: 10,
      ])
    case .floor, .ceil: return InstructionMix([.conversion: 1])
    }
  }

  static func binary(_ op: BinaryOp, _ type: ElementType) -> InstructionMix {
    if type == .int1 { return InstructionMix([.integerALU: 0.25]) }  // mostly folded into ISETP
    if type == .fp64 {
      return InstructionMix([.fp64: op == .div || op == .divRn ? 12 : 1])
    }
    if type.isFloat {
      let isHalf = type == .fp16 || type == .bf16
      switch op {
      case .div: return InstructionMix([.fp32: 4.5, .integerALU: 2, .special: 1])
      case .divRn:
        return InstructionMix([.fp32: 7, .special: 1, .integerALU: 2, .control: 5])
      case .rem: return InstructionMix([.fp32: 12, .special: 1, .integerALU: 6, .control: 4])
      case .minimum, .maximum, .minimumNaN, .maximumNaN: return alu(1)
      default: return InstructionMix([isHalf ? .half : .fp32: 1])
      }
    }
    let wide = type.bits > 32 ? 2.0 : 1
    switch op {
    case .mul: return InstructionMix([.integerMultiply: type.bits > 32 ? 4 : 1])
    case .umulhi: return InstructionMix([.integerMultiply: type.bits > 32 ? 6 : 1])
    default: return alu(wide)
    }
  }

  static func cast(from: ElementType, to: ElementType) -> InstructionMix {
    if from == to || (from.isPointer && to.isPointer) { return InstructionMix() }
    switch (from.isFloat, to.isFloat) {
    case (true, true):
      if from == .fp64 || to == .fp64 { return InstructionMix([.conversion: 1]) }
      if from == .bf16 { return alu(0.75) }  // a shift or a byte permutation
      if from == .fp16 { return InstructionMix([.half: 1]) }
      if to == .bf16 || to == .fp16 { return alu(0.5) }  // F2FP packs two
      return InstructionMix([.conversion: 1])
    case (true, false): return InstructionMix([.conversion: 1])
    case (false, true):
      return from == .int1 ? alu(1) : InstructionMix([.conversion: 0.5, .integerALU: 0.5])
    case (false, false):
      if to == .int1 { return alu(1) }
      if to.bits > 32, from.bits <= 32 { return alu(1) }  // the sign word
      return to.bits >= from.bits ? InstructionMix() : alu(0.25)
    }
  }

  static func alu(_ count: Double) -> InstructionMix { InstructionMix([.integerALU: count]) }
}
