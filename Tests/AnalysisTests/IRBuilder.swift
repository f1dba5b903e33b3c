import Diagnostics
import TileIR

/// Builds functions by hand: every call appends one operation and returns its value.
///
/// Binary operations broadcast scalars and extent-1 axes, as lowering does.
struct IRBuilder {
  var function: Function
  private var stack: [[TileIR.Operation]] = [[]]
  private let source: SourceText
  var line = 1

  init(_ name: String, lines: Int = 40) {
    source = SourceText(
      name: "kernel.py", text: (1...lines).map { "line \($0)\n" }.joined())
    function = Function(name: name, source: source)
  }

  private var location: OpLocation {
    let start = source.lineStarts[min(line - 1, source.lineStarts.count - 1)]
    return OpLocation(SourceRange(start, start + 4))
  }

  mutating func value(_ element: ElementType, _ shape: [Int] = []) -> Value {
    function.values.append(
      ValueInfo(type: .tile(TileType(element, shape)), range: location.range))
    return Value(index: function.values.count - 1)
  }

  mutating func parameter(_ name: String, _ element: ElementType, divisible: Bool = false) -> Value
  {
    let value = value(element)
    function.parameters.append(
      FunctionParameter(
        name: name, value: value, index: function.parameters.count, isDivisibleBy16: divisible))
    return value
  }

  func type(_ value: Value) -> TileType { function.tileType(of: value) ?? TileType(.int32) }

  @discardableResult
  mutating func emit(
    _ kind: TileIR.Operation.Kind, _ operands: [Value], _ element: ElementType, _ shape: [Int]
  ) -> Value {
    let result = value(element, shape)
    stack[stack.count - 1].append(
      TileIR.Operation(kind, operands: operands, results: [result], at: location))
    return result
  }

  mutating func effect(_ kind: TileIR.Operation.Kind, _ operands: [Value]) {
    stack[stack.count - 1].append(TileIR.Operation(kind, operands: operands, at: location))
  }

  mutating func int(_ value: Int) -> Value { emit(.constant(.int(value)), [], .int32, []) }
  mutating func range(_ count: Int) -> Value {
    emit(.makeRange(start: 0, end: count), [], .int32, [count])
  }
  mutating func pid(_ axis: Int) -> Value { emit(.programID(axis: axis), [], .int32, []) }
  mutating func expand(_ value: Value, _ axis: Int) -> Value {
    var shape = type(value).shape
    shape.insert(1, at: axis)
    return emit(.expandDims(axis: axis), [value], type(value).element, shape)
  }

  mutating func broadcast(_ value: Value, _ shape: [Int]) -> Value {
    let own = type(value)
    if own.shape == shape { return value }
    if own.isScalar { return emit(.splat, [value], own.element, shape) }
    return emit(.broadcast, [value], own.element, shape)
  }

  private mutating func agree(_ a: Value, _ b: Value) -> (Value, Value, [Int]) {
    let (x, y) = (type(a).shape, type(b).shape)
    let shape: [Int]
    if x.isEmpty { shape = y } else if y.isEmpty { shape = x } else { shape = zip(x, y).map(max) }
    return (broadcast(a, shape), broadcast(b, shape), shape)
  }

  mutating func op(_ op: BinaryOp, _ a: Value, _ b: Value) -> Value {
    let (x, y, shape) = agree(a, b)
    return emit(.binary(op), [x, y], type(x).element, shape)
  }
  mutating func compare(_ predicate: ComparePredicate, _ a: Value, _ b: Value) -> Value {
    let (x, y, shape) = agree(a, b)
    return emit(.compare(predicate), [x, y], .int1, shape)
  }
  mutating func pointer(_ base: Value, _ offset: Value) -> Value {
    let (x, y, shape) = agree(base, offset)
    return emit(.addPointer, [x, y], type(base).element, shape)
  }

  mutating func load(_ pointer: Value, mask: Value? = nil) -> Value {
    var attributes = LoadAttributes()
    attributes.hasMask = mask != nil
    let type = type(pointer)
    let operands = [pointer] + (mask.map { [broadcast($0, type.shape)] } ?? [])
    return emit(.load(attributes), operands, type.element.pointee ?? .fp32, type.shape)
  }
  mutating func store(_ pointer: Value, _ value: Value, mask: Value? = nil) {
    var attributes = StoreAttributes()
    attributes.hasMask = mask != nil
    let shape = type(pointer).shape
    effect(.store(attributes), [pointer, value] + (mask.map { [broadcast($0, shape)] } ?? []))
  }
  mutating func zeros(_ shape: [Int]) -> Value {
    let zero = emit(.constant(.float(0)), [], .fp32, [])
    return emit(.splat, [zero], .fp32, shape)
  }
  mutating func dot(_ a: Value, _ b: Value, _ c: Value) -> Value {
    emit(.dot(.tf32, maxNumImpreciseAcc: nil), [a, b, c], .fp32, type(c).shape)
  }

  /// `for i in range(lower, upper, step)` with one carried value.
  mutating func loop(
    _ lower: Value, _ upper: Value, _ step: Value, carrying start: Value,
    body: (inout IRBuilder, Value, Value) -> Value
  ) -> Value {
    let induction = value(.int32)
    let carried = value(type(start).element, type(start).shape)
    stack.append([])
    let next = body(&self, induction, carried)
    effect(.yield, [next])
    let region = Region(arguments: [induction, carried], operations: stack.removeLast())
    let result = value(type(start).element, type(start).shape)
    stack[stack.count - 1].append(
      TileIR.Operation(
        .forLoop(LoopAttributes()), operands: [lower, upper, step, start], results: [result],
        regions: [region], at: location))
    return result
  }

  func finished() -> Function {
    var function = function
    function.body = Region(operations: stack[0])
    return function
  }
}
