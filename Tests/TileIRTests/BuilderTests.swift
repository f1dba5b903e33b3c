import Diagnostics
import Testing
import TileIR

@Test func foldsIntegerConstants() {
  let builder = IRBuilder(location: OpLocation(SourceRange(0, 0)))
  let a = builder.integer(7, .int32)
  let b = builder.integer(-2, .int32)
  #expect(builder.constant(of: builder.binary(.idiv, a, b)) == .int(-3))
  #expect(builder.constant(of: builder.binary(.rem, a, b)) == .int(1))
  #expect(builder.constant(of: builder.binary(.mul, a, b)) == .int(-14))
}
