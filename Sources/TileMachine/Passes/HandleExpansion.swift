import Diagnostics
import TileIR

/// Rewrites block pointers and tensor descriptors into pointers, offsets and masks.
///
/// A handle becomes its parts: base, shape and strides (int64), and for a block pointer its
/// offsets (int32, as in Triton). An axis of a block lies at `base + (offset + lane) * stride`;
/// axes that are checked for bounds get the mask `0 <= offset + lane < shape`.
///
/// Loops carry only the parts that change in them: a pointer that is advanced along one axis
/// becomes one carried number.
enum HandleExpansion {
  /// The function without handles, and the arguments with those of host-side descriptors spread
  /// over the parameters that lowering made for them.
  static func expand(
    _ function: Function, arguments: [String: MachineArgument]
  ) throws(Diagnostic) -> (function: Function, arguments: [String: MachineArgument]) {
    guard function.values.contains(where: { $0.type.tile == nil }) else {
      return (function, arguments)
    }
    var expander = HandleExpander(function)
    let arguments = try expander.bindParameters(arguments)
    try expander.expandBody()
    return (expander.function, arguments)
  }
}

/// A handle taken apart.
struct HandleParts {
  var element: ElementType
  var block: [Int]
  /// Scalars: the base pointer, int64 sizes and strides; int32 offsets of a block pointer, none
  /// of a descriptor.
  var base: Value
  var shape: [Value]
  var strides: [Value]
  var offsets: [Value]
  /// `nan` where lanes outside are NaN.
  var padding: String?

  var scalars: [Value] {
    get { [base] + shape + strides + offsets }
    set {
      let rank = block.count
      base = newValue[0]
      shape = Array(newValue[1...rank])
      strides = Array(newValue[(rank + 1)...(2 * rank)])
      offsets = Array(newValue[(2 * rank + 1)...])
    }
  }
}

struct HandleExpander {
  var function: Function
  private(set) var handles: [Value: HandleParts] = [:]
  /// The operations of the regions under construction, innermost last.
  private var scopes: [[Operation]] = [[]]
  private(set) var location = OpLocation(SourceRange(0, 0))
  private var constants: [Value: Int] = [:]

  init(_ function: Function) { self.function = function }

  // MARK: Parameters

  /// Host-side descriptors: their bases become pointers, shapes and strides scalar arguments.
  mutating func bindParameters(
    _ given: [String: MachineArgument]
  ) throws(Diagnostic) -> [String: MachineArgument] {
    var arguments = given
    for parameter in function.parameters {
      guard
        case .tensorDescriptor(let element, let block) = function.values[parameter.value.index].type
      else { continue }
      let rank = block.count
      guard
        case .descriptor(let allocation, let byteOffset, let shape, let strides)? =
          given[parameter.name],
        shape.count == rank, strides.count == rank
      else {
        throw Diagnostic(
          id: "invalid-launch",
          "parameter '\(parameter.name)' needs a tensor descriptor of rank \(rank)",
          source: function.source)
      }
      arguments[parameter.name] = .pointer(allocation, byteOffset: byteOffset)
      function.values[parameter.value.index].type = .tile(TileType(.pointer(to: element)))
      func scalars(_ kind: String, _ numbers: [Int]) -> [Value] {
        numbers.enumerated().map { axis, number in
          let name = "\(parameter.name).\(kind).\(axis)"
          arguments[name] = .int(number)
          guard let known = function.parameters.first(where: { $0.name == name }) else {
            return integer(number, .int64)
          }
          return cast(known.value, to: .int64)
        }
      }
      handles[parameter.value] = HandleParts(
        element: element, block: block, base: parameter.value, shape: scalars("shape", shape),
        strides: scalars("strides", strides), offsets: [], padding: nil)
    }
    return arguments
  }

  mutating func expandBody() throws(Diagnostic) {
    try expand(function.body.operations)
    function.body.operations = scopes[0]
  }

  // MARK: Walking

  private mutating func expand(_ operations: [Operation]) throws(Diagnostic) {
    for operation in operations {
      location = operation.location
      try expand(operation)
    }
  }

  /// The region's operations, taken apart; what `body` appends goes to its end.
  private mutating func region(_ region: Region) throws(Diagnostic) -> [Operation] {
    scopes.append([])
    try expand(region.operations)
    return scopes.removeLast()
  }

  private mutating func expand(_ operation: Operation) throws(Diagnostic) {
    switch operation.kind {
    case .constant(.int(let number)):
      if let result = operation.results.first { constants[result] = number }
      append(operation)
    case .makeBlockPointer:
      let rank = operation.operands.count / 3
      try define(
        operation, base: operation.operands[0], shape: operation.operands[1...rank],
        strides: operation.operands[(rank + 1)...(2 * rank)],
        offsets: operation.operands[(2 * rank + 1)...], padding: nil)
    case .makeTensorDescriptor(let padding):
      let rank = operation.operands.count / 2
      try define(
        operation, base: operation.operands[0], shape: operation.operands[1...rank],
        strides: operation.operands[(rank + 1)...(2 * rank)], offsets: [], padding: padding)
    case .advance:
      var parts = try handle(operation)
      parts.offsets = zip(parts.offsets, operation.operands.dropFirst()).map { offset, step in
        if constants[step] == 0 { return offset }
        return emit(.binary(.add), [offset, cast(step, to: .int32)], TileType(.int32))
      }
      handles[operation.results[0]] = parts
    case .blockLoad(let axes, let padding, let attributes):
      let parts = try handle(operation)
      let place = place(parts, parts.offsets, checked: axes)
      load(operation, parts.element, parts.block, place, padding: padding, attributes)
    case .blockStore(let axes, let attributes):
      let parts = try handle(operation)
      let place = place(parts, parts.offsets, checked: axes)
      store(operation.operands[1], place, attributes)
    case .descriptorLoad(let attributes):
      let parts = try handle(operation)
      let place = place(
        parts, Array(operation.operands.dropFirst()), checked: Array(parts.block.indices))
      load(operation, parts.element, parts.block, place, padding: parts.padding, attributes)
    case .descriptorStore(let reduction):
      let parts = try handle(operation)
      let place = place(
        parts, Array(operation.operands.dropFirst(2)), checked: Array(parts.block.indices))
      if let reduction {
        reduce(operation.operands[1], reduction, parts, place)
      } else {
        store(operation.operands[1], place, StoreAttributes())
      }
    case .descriptorGather:
      let parts = try handle(operation)
      let (block, place) = try rows(parts, operation, operation.operands[1], operation.operands[2])
      load(operation, parts.element, block, place, padding: parts.padding, LoadAttributes())
    case .descriptorScatter:
      let parts = try handle(operation)
      let place = try rows(parts, operation, operation.operands[2], operation.operands[3]).place
      store(operation.operands[1], place, StoreAttributes())
    case .forLoop: try expandFor(operation)
    case .whileLoop: try expandWhile(operation)
    case .ifElse: try expandIf(operation)
    case .yield, .condition:
      var spread = operation
      spread.operands = spreadOut(operation.operands)
      append(spread)
    default:
      var inner = operation
      for index in operation.regions.indices {
        inner.regions[index].operations = try region(operation.regions[index])
      }
      append(inner)
    }
  }

  private mutating func define(
    _ operation: Operation, base: Value, shape: ArraySlice<Value>, strides: ArraySlice<Value>,
    offsets: ArraySlice<Value>, padding: String?
  ) throws(Diagnostic) {
    guard let result = operation.results.first else { return }
    let element: ElementType
    let block: [Int]
    switch function.values[result.index].type {
    case .blockPointer(let pointee, let shape), .tensorDescriptor(let pointee, let shape):
      (element, block) = (pointee, shape)
    case .tile: throw problem(operation)
    }
    guard shape.count == block.count, strides.count == block.count else { throw problem(operation) }
    handles[result] = HandleParts(
      element: element, block: block, base: base, shape: shape.map { cast($0, to: .int64) },
      strides: strides.map { cast($0, to: .int64) }, offsets: offsets.map { cast($0, to: .int32) },
      padding: padding)
  }

  private func handle(_ operation: Operation) throws(Diagnostic) -> HandleParts {
    guard let first = operation.operands.first, let parts = handles[first] else {
      throw problem(operation)
    }
    return parts
  }

  private func problem(_ operation: Operation) -> Diagnostic {
    Diagnostic(
      id: "unsupported-machine-operation",
      "the tile machine cannot follow the block pointer or descriptor of '\(operation.kind.name)'",
      source: function.source, range: operation.location.range)
  }

  // MARK: Control flow

  /// Values with handles replaced by their scalars.
  private func spreadOut(_ values: [Value]) -> [Value] {
    values.flatMap { handles[$0]?.scalars ?? [$0] }
  }

  /// A stand-in of its own for each scalar of the handles among `values`.
  private mutating func standIn(_ targets: [Value], like values: [Value]) -> [Value] {
    var result: [Value] = []
    for (target, value) in zip(targets, values) {
      guard var parts = handles[value] else {
        result.append(target)
        continue
      }
      parts.scalars = parts.scalars.map { makeValue(function.values[$0.index].type) }
      handles[target] = parts
      result += parts.scalars
    }
    return result
  }

  /// Which of the spread-out values are parts of handles.
  private func isPart(_ values: [Value]) -> [Bool] {
    values.flatMap { value in
      handles[value].map { $0.scalars.map { _ in true } } ?? [false]
    }
  }

  /// Parts of results that are the same as those of `values` need no result of their own.
  private mutating func keepParts(
    of values: [Value], in results: [Value], where isSame: [Value: Bool]
  ) {
    for (result, value) in zip(results, values) {
      guard let source = handles[value], var parts = handles[result] else { continue }
      parts.scalars = zip(parts.scalars, source.scalars).map { isSame[$0] == true ? $1 : $0 }
      handles[result] = parts
    }
  }

  private mutating func expandFor(_ operation: Operation) throws(Diagnostic) {
    let initial = Array(operation.operands.dropFirst(3))
    let arguments = Array(operation.regions[0].arguments.dropFirst())
    let inner = standIn(arguments, like: initial)
    let outer = spreadOut(initial)
    let parts = isPart(initial)
    let results = standIn(operation.results, like: initial)
    var body = Region(
      arguments: inner, operations: try region(operation.regions[0]))
    let yields = body.operations.last?.operands ?? []
    // What the body hands on untouched is the same in all iterations.
    let isFixed = inner.indices.map { parts[$0] && $0 < yields.count && yields[$0] == inner[$0] }
    var substitutes: [Value: Value] = [:]
    for index in inner.indices where isFixed[index] {
      substitutes[inner[index]] = outer[index]
    }
    body = body.replacing(substitutes)
    keepParts(
      of: initial, in: operation.results,
      where: Dictionary(uniqueKeysWithValues: zip(results, isFixed)))
    let kept = inner.indices.filter { !isFixed[$0] }
    if let last = body.operations.indices.last, body.operations[last].kind == .yield {
      body.operations[last].operands = kept.map { body.operations[last].operands[$0] }
    }
    body.arguments = [operation.regions[0].arguments[0]] + kept.map { inner[$0] }
    var loop = operation
    loop.operands = Array(operation.operands.prefix(3)) + kept.map { outer[$0] }
    loop.results = kept.map { results[$0] }
    loop.regions = [body]
    append(loop)
  }

  private mutating func expandWhile(_ operation: Operation) throws(Diagnostic) {
    let initial = operation.operands
    let outer = spreadOut(initial)
    let parts = isPart(initial)
    let before = standIn(operation.regions[0].arguments, like: initial)
    var first = Region(arguments: before, operations: try region(operation.regions[0]))
    let handed = first.operations.last?.operands.dropFirst() ?? []
    let after = standIn(operation.regions[1].arguments, like: initial)
    var second = Region(arguments: after, operations: try region(operation.regions[1]))
    let yields = second.operations.last?.operands ?? []
    let results = standIn(operation.results, like: initial)
    let isFixed = before.indices.map {
      parts[$0] && $0 < handed.count && handed[handed.startIndex + $0] == before[$0]
        && $0 < yields.count && yields[$0] == after[$0]
    }
    var substitutes: [Value: Value] = [:]
    for index in before.indices where isFixed[index] {
      substitutes[before[index]] = outer[index]
      substitutes[after[index]] = outer[index]
    }
    first = first.replacing(substitutes)
    second = second.replacing(substitutes)
    keepParts(
      of: initial, in: operation.results,
      where: Dictionary(uniqueKeysWithValues: zip(results, isFixed)))
    let kept = before.indices.filter { !isFixed[$0] }
    if let last = first.operations.indices.last, first.operations[last].kind == .condition {
      let operands = first.operations[last].operands
      first.operations[last].operands = [operands[0]] + kept.map { operands[$0 + 1] }
    }
    if let last = second.operations.indices.last, second.operations[last].kind == .yield {
      let operands = second.operations[last].operands
      second.operations[last].operands = kept.map { operands[$0] }
    }
    first.arguments = kept.map { before[$0] }
    second.arguments = kept.map { after[$0] }
    var loop = operation
    loop.operands = kept.map { outer[$0] }
    loop.results = kept.map { results[$0] }
    loop.regions = [first, second]
    append(loop)
  }

  private mutating func expandIf(_ operation: Operation) throws(Diagnostic) {
    guard operation.regions.count == 2 else { return append(operation) }
    var branches: [Region] = []
    for branch in operation.regions {
      branches.append(Region(arguments: branch.arguments, operations: try region(branch)))
    }
    // The handles that the first branch yields show what the results are made of.
    let yielded = operation.regions[0].operations.last?.operands ?? []
    guard yielded.count == operation.results.count, !yielded.isEmpty else {
      var plain = operation
      plain.regions = branches
      return append(plain)
    }
    let results = standIn(operation.results, like: yielded)
    let parts = isPart(yielded)
    let left = branches[0].operations.last?.operands ?? []
    let right = branches[1].operations.last?.operands ?? []
    guard left.count == results.count, right.count == results.count else {
      throw problem(operation)
    }
    let isSame = results.indices.map { parts[$0] && left[$0] == right[$0] }
    keepParts(
      of: yielded, in: operation.results,
      where: Dictionary(uniqueKeysWithValues: zip(results, isSame)))
    let kept = results.indices.filter { !isSame[$0] }
    for index in branches.indices {
      let last = branches[index].operations.count - 1
      let operands = branches[index].operations[last].operands
      branches[index].operations[last].operands = kept.map { operands[$0] }
    }
    var choice = operation
    choice.regions = branches
    choice.results = kept.map { results[$0] }
    append(choice)
  }

  // MARK: Emission

  mutating func append(_ operation: Operation) { scopes[scopes.count - 1].append(operation) }

  mutating func makeValue(_ type: ValueType) -> Value {
    function.values.append(ValueInfo(type: type, range: location.range))
    return Value(index: function.values.count - 1)
  }

  mutating func emit(_ kind: Operation.Kind, _ operands: [Value], _ type: TileType) -> Value {
    let result = makeValue(.tile(type))
    append(Operation(kind, operands: operands, results: [result], at: location))
    return result
  }

  mutating func integer(_ number: Int, _ element: ElementType, _ shape: [Int] = []) -> Value {
    let value = emit(.constant(.int(number)), [], TileType(element, shape))
    constants[value] = number
    return value
  }

  func type(_ value: Value) -> TileType {
    function.values[value.index].type.tile ?? TileType(.int64)
  }

  /// The value as signed integers of another width.
  mutating func cast(_ value: Value, to element: ElementType) -> Value {
    let type = type(value)
    if type.element == element { return value }
    return emit(.cast(.convert(rounding: nil)), [value], TileType(element, type.shape))
  }
}
