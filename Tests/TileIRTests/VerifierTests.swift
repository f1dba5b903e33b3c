import Diagnostics
import Testing
import TileIR

private let here = OpLocation(SourceRange(0, 1))
private let source = SourceText(name: "kernel.py", text: "x")

private func finish(_ builder: IRBuilder) -> Function {
  builder.finish(name: "f", source: source, parameters: [], unrolledLoops: [])
}

@Test func acceptsASoundFunction() {
  let builder = IRBuilder(location: here)
  let lanes = builder.makeRange(0, 64)
  _ = builder.binary(.add, lanes, lanes)
  #expect(Verifier.verify(finish(builder)) == nil)
}

@Test func namesTheOperationThatIsWrong() {
  let builder = IRBuilder(location: here)
  let lanes = builder.makeRange(0, 64)
  builder.emit(
    .binary(.add), [lanes, builder.integer(1, .int32)], results: [.tile(TileType(.int32, [64]))])
  let problem = Verifier.verify(finish(builder), after: "test")
  #expect(problem?.id == "invalid-tile-ir")
  #expect(problem?.message.contains("after test: 'arith.add'") == true)
}

@Test func refusesUsesOutsideARegion() {
  let builder = IRBuilder(location: here)
  let condition = builder.makeRange(0, 1)
  _ = condition
  let bit = builder.emitTile(.constant(.int(1)), [], TileType(.int1))
  _ = builder.beginRegion()
  let inner = builder.makeRange(0, 8)
  let then = builder.endRegion()
  _ = builder.beginRegion()
  let other = builder.endRegion()
  builder.emit(.ifElse, [bit], regions: [then, other])
  _ = builder.unary(.abs, inner)
  #expect(Verifier.verify(finish(builder))?.message.contains("where it is not defined") == true)
}

@Test func removesDeadOperationsAndKeepsLoads() {
  let builder = IRBuilder(location: here)
  _ = builder.makeRange(0, 64)
  let address = builder.makeValue(.tile(TileType(.pointer(to: .fp32))), name: "p")
  builder.emit(.load(LoadAttributes()), [address], results: [.tile(TileType(.fp32))])
  var function = builder.finish(
    name: "f", source: source,
    parameters: [FunctionParameter(name: "p", value: address, index: 0, isDivisibleBy16: false)],
    unrolledLoops: [])
  function.removeDeadOperations()
  #expect(function.operationCount == 1)
  #expect(
    Printer.print(function) == "tt.func @f(%p: pointer<fp32>) {\n  %0 = tt.load %p : fp32\n}\n")
}
