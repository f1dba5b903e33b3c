import Diagnostics

/// Builds a ``Function`` operation by operation; result types follow from the operands.
///
/// ```swift
/// let builder = IRBuilder(location: OpLocation(range))
/// let lanes = builder.makeRange(0, 128)
/// let doubled = builder.binary(.add, lanes, lanes)   // <[128], int32>
/// ```
/// The builder trusts its caller: ``Verifier`` is what checks. Integer operations on constants fold.
public final class IRBuilder {
  public private(set) var values: [ValueInfo] = []
  /// The place given to each operation emitted from now on.
  public var location: OpLocation
  /// Operations emitted so far, those in discarded regions included.
  public private(set) var operationCount = 0
  private var regions: [Region] = [Region()]
  /// The constants by value, for folding.
  var constants: [Value: ConstantValue] = [:]

  public init(location: OpLocation) { self.location = location }

  // MARK: Values and regions

  public func type(of value: Value) -> ValueType { values[value.index].type }

  /// The type of a value that is known to be a tile or scalar; a handle reads as `int64`.
  public func tile(of value: Value) -> TileType {
    values[value.index].type.tile ?? TileType(.int64)
  }

  public func makeValue(_ type: ValueType, name: String? = nil) -> Value {
    values.append(ValueInfo(type: type, name: name, range: location.range))
    return Value(index: values.count - 1)
  }

  /// Gives a value its Python name unless it has one.
  public func nameValue(_ value: Value, _ name: String) {
    if values[value.index].name == nil { values[value.index].name = name }
  }

  /// Opens a region; what is emitted until ``endRegion()`` goes into it.
  public func beginRegion(arguments: [ValueType] = []) -> [Value] {
    let values = arguments.map { makeValue($0) }
    regions.append(Region(arguments: values))
    return values
  }

  public func endRegion() -> Region { regions.removeLast() }

  /// How many regions are open, the function's body included.
  public var regionDepth: Int { regions.count }

  /// Drops the regions above `depth` (after an error in code that does not count).
  public func discardRegions(above depth: Int) {
    while regions.count > max(1, depth) { regions.removeLast() }
  }

  @discardableResult
  public func emit(
    _ kind: Operation.Kind, _ operands: [Value] = [], results: [ValueType] = [],
    regions nested: [Region] = []
  ) -> [Value] {
    let outputs = results.map { makeValue($0) }
    emit(Operation(kind, operands: operands, results: outputs, regions: nested, at: location))
    return outputs
  }

  /// Appends an operation whose results exist already.
  public func emit(_ operation: Operation) {
    operationCount += 1
    regions[regions.count - 1].operations.append(operation)
  }

  /// Emits an operation with one tile as its result.
  public func emitTile(
    _ kind: Operation.Kind, _ operands: [Value], _ type: TileType
  ) -> Value {
    emit(kind, operands, results: [.tile(type)])[0]
  }

  fileprivate func uncount() { operationCount -= 1 }

  /// The function built so far.
  public func finish(
    name: String, source: SourceText, parameters: [FunctionParameter],
    unrolledLoops: [UnrolledLoop]
  ) -> Function {
    Function(
      name: name, source: source, parameters: parameters, values: values, body: regions[0],
      unrolledLoops: unrolledLoops)
  }

  // MARK: Constants

  public func constant(_ value: ConstantValue, _ type: TileType) -> Value {
    var stored = value
    if case .int(let number) = value { stored = .int(type.element.wrap(number)) }
    let result = emitTile(.constant(stored), [], type)
    constants[result] = stored
    return result
  }

  public func integer(_ value: Int, _ element: ElementType, shape: [Int] = []) -> Value {
    constant(
      element.isFloat ? .float(Double(value)) : .int(value), TileType(element, shape))
  }

  /// The constant a value is, if it is one.
  public func constant(of value: Value) -> ConstantValue? { constants[value] }

  // MARK: Shapes

  public func makeRange(_ start: Int, _ end: Int) -> Value {
    emitTile(.makeRange(start: start, end: end), [], TileType(.int32, [end - start]))
  }

  public func splat(_ value: Value, _ shape: [Int]) -> Value {
    let type = TileType(tile(of: value).element, shape)
    if let known = constants[value] { return constant(known, type) }
    return emitTile(.splat, [value], type)
  }

  public func broadcast(_ value: Value, _ shape: [Int]) -> Value {
    let type = TileType(tile(of: value).element, shape)
    if let known = constants[value] { return constant(known, type) }
    return emitTile(.broadcast, [value], type)
  }

  public func expandDims(_ value: Value, axis: Int) -> Value {
    var type = tile(of: value)
    type.shape.insert(1, at: axis)
    if let known = constants[value] { return constant(known, type) }
    return emitTile(.expandDims(axis: axis), [value], type)
  }

  public func reshape(_ value: Value, _ shape: [Int], canReorder: Bool) -> Value {
    let type = TileType(tile(of: value).element, shape)
    if type == tile(of: value) { return value }
    if let known = constants[value] { return constant(known, type) }
    return emitTile(.reshape(canReorder: canReorder), [value], type)
  }

  public func trans(_ value: Value, order: [Int]) -> Value {
    let type = tile(of: value)
    return emitTile(
      .trans(order: order), [value], TileType(type.element, order.map { type.shape[$0] }))
  }

  // MARK: Elementwise

  public func unary(_ op: UnaryOp, _ value: Value) -> Value {
    emitTile(.unary(op), [value], tile(of: value))
  }

  public func binary(_ op: BinaryOp, _ left: Value, _ right: Value) -> Value {
    let type = tile(of: left)
    if let folded = Folding.binary(op, constants[left], constants[right], type.element) {
      return constant(folded, type)
    }
    return emitTile(.binary(op), [left, right], type)
  }

  public func compare(_ predicate: ComparePredicate, _ left: Value, _ right: Value) -> Value {
    let type = tile(of: left)
    let result = TileType(.int1, type.shape)
    if let folded = Folding.compare(predicate, constants[left], constants[right], type.element) {
      return constant(folded, result)
    }
    return emitTile(.compare(predicate), [left, right], result)
  }

  public func select(_ condition: Value, _ then: Value, _ otherwise: Value) -> Value {
    if case .int(let bit)? = constants[condition] { return bit != 0 ? then : otherwise }
    return emitTile(.select, [condition, then, otherwise], tile(of: then))
  }

  public func cast(_ value: Value, to element: ElementType, rounding: String? = nil) -> Value {
    let type = TileType(element, tile(of: value).shape)
    if let known = constants[value], rounding == nil,
      let folded = Folding.convert(known, from: tile(of: value).element, to: element)
    {
      return constant(folded, type)
    }
    return emitTile(.cast(.convert(rounding: rounding)), [value], type)
  }

  public func bitcast(_ value: Value, to element: ElementType) -> Value {
    let source = tile(of: value)
    if case .int(let number)? = constants[value], source.element.isInteger, element.isInteger {
      return constant(.int(number), TileType(element, source.shape))
    }
    return emitTile(.cast(.bitcast), [value], TileType(element, source.shape))
  }

  public func addPointer(_ pointer: Value, _ offset: Value) -> Value {
    emitTile(.addPointer, [pointer, offset], tile(of: pointer))
  }
}

extension IRBuilder {
  /// Moves an operation built before into the current region; it is not counted again.
  public func reappend(_ operation: Operation) {
    emit(operation)
    uncount()
  }
}
