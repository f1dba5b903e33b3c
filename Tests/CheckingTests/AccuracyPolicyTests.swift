import Foundation
import Testing

@testable import Checking

@Suite struct AccuracyPolicyTests {
  @Test func `Errors are relative to the scale of the result`() {
    let reference = [3.0e-9, -4.0e-9, 0, 0]
    let zeros = Comparison.figures([0, 0, 0, 0], against: reference, shape: [2, 2])
    #expect(zeros.relativeL2 == 1)
    let close = Comparison.figures(
      [3.0e-9, -4.0e-9 * (1 + 1e-7), 0, 0], against: reference, shape: [2, 2])
    #expect(close.relativeL2 < 1e-6)
    #expect(close.index == [0, 1])
  }

  @Test func `The original's own error sets the bound`() {
    let policy = AccuracyPolicy()
    let rough = ErrorFigures(relativeL2: 7e-4, worstAbsolute: 0, worstRelative: 1e-3, index: [])
    #expect(policy.tolerance(.fp32, original: rough, usesTF32: false).l2 == 1.4e-3)
    let exact = ErrorFigures(relativeL2: 1e-8, worstAbsolute: 0, worstRelative: 1e-8, index: [])
    // TF32 and fp16 operands bring about 3e-4: far outside what an fp32 original allows.
    #expect(policy.tolerance(.fp32, original: exact, usesTF32: false).l2 < 1e-4)
    #expect(policy.tolerance(.fp32, original: exact, usesTF32: true).l2 > 5e-4)
    #expect(policy.tolerance(.int32, original: nil, usesTF32: false).l2 == 0)
  }

  @Test func `Infinities must be where the original's are`() {
    #expect(Comparison.nonFinite([1, .infinity], original: [1, 2], reference: nil)?.index == 1)
    #expect(Comparison.nonFinite([1, 2], original: [1, .infinity], reference: nil)?.index == 1)
    #expect(Comparison.nonFinite([1, 2], original: [1, .infinity], reference: [1, 2]) == nil)
    #expect(Comparison.nonFinite([.nan, 1], original: [.nan, 1], reference: nil) == nil)
  }
}
