import Diagnostics
import Foundation
import HostProgram
import TileIR

/// Reading and writing by index tensors. Every index is checked; negative ones count from the end
/// only where torch lets them.
enum IndexingOperators {
  static let table: [String: OperatorCall.Body] = {
    var table = fills
    table["gather"] = { call in try gather(call, call.input, call.tensor("index")) }
    table["take_along_dim"] = { call in
      let (input, index) = (try call.input, try call.tensor("indices"))
      let result = try call.result
      let axis = try call.axis(of: input)
      guard result.rank == input.rank, input.rank > 0 else {
        throw call.fault("the trace's result shape does not fit")
      }
      var shape = result.shape
      shape[axis] = input.shape[axis]
      guard let spread = input.broadcast(to: shape), let places = index.broadcast(to: result.shape)
      else { throw call.fault("the shapes do not broadcast") }
      try gather(call, spread, places)
    }
    table["index_select"] = { call in
      let input = call.lined(try call.input)
      let axis = try call.axis(of: input)
      let index = try call.integers(try call.tensor("index"))
      let places = try checked(call, index, input.shape[axis], negative: false)
      var shape = input.shape
      shape[axis] = places.count
      var target = try call.result
      if target.rank == 0 { target = call.lined(target) }
      guard target.shape == shape else { throw call.fault("the trace's result shape does not fit") }
      try copyLines(call, input, target, axis) { places[$0] }
    }
    table["embedding"] = { call in
      let (input, weight) = (try call.input, try call.tensor("weight"))
      if call.argument("max_norm") != nil {
        throw call.refusal("'embedding' with max_norm is not supported")
      }
      guard weight.rank == 2 else { throw call.fault("the weight needs two dimensions") }
      let places = try checked(call, call.integers(input), weight.shape[0], negative: false)
      let (numbers, width) = (try call.reals(weight), weight.shape[1])
      let out = try Reals(places.count &* width)
      for (line, place) in places.enumerated() {
        (out.base + line &* width).update(from: numbers.base + place &* width, count: width)
      }
      try call.store(out)
    }
    table["one_hot"] = { call in
      let result = try call.result
      let classes = result.shape.last ?? 0
      let places = try checked(call, call.integers(call.input), classes, negative: false)
      guard result.count == places.count &* classes else {
        throw call.fault("the trace's result shape does not fit")
      }
      let out = try Integers(result.count)
      for (line, place) in places.enumerated() { out.base[line &* classes &+ place] = 1 }
      try call.store(out)
    }
    table["take"] = { call in
      let input = try call.input
      let places = try checked(call, call.integers(call.tensor("index")), input.count)
      let numbers = try call.reals(input)
      let out = try Reals(places.count)
      for (line, place) in places.enumerated() { out.base[line] = numbers.base[place] }
      try call.store(out)
    }
    for name in ["scatter", "scatter_add", "scatter_reduce"] { table[name] = scatter }
    for name in ["index_add", "index_copy", "index_fill"] { table[name] = indexed }
    table["index"] = { call in try AdvancedIndexing.read(call) }
    table["index_put"] = { call in try AdvancedIndexing.write(call) }
    return table
  }()

  private static let fills: [String: OperatorCall.Body] = [
    "masked_scatter": { call in
      let (input, mask) = (try call.input, try call.tensor("mask"))
      guard let spread = mask.broadcast(to: input.shape) else {
        throw call.fault("the mask does not broadcast")
      }
      let flags = try call.integers(spread)
      let source = try call.reals(try call.tensor("source"))
      let out = try call.reals(input).owned()
      var next = 0
      for index in 0..<out.count where flags.base[index] != 0 {
        guard next < source.count else { throw call.fault("the source has too few elements") }
        out.base[index] = source.base[next]
        next += 1
      }
      try call.store(out)
    },
    "fill_diagonal": { call in
      let input = try call.input
      guard input.rank == 2, !call.bool("wrap", default: false) else {
        throw call.refusal("'fill_diagonal_' of this form is not supported")
      }
      let value = try call.number("fill_value", default: call.number("value", default: 0))
      let out = try call.reals(input).owned()
      for index in 0..<min(input.shape[0], input.shape[1]) {
        out.base[index &* input.shape[1] &+ index] = value
      }
      try call.store(out)
    },
  ]

  /// Indices as places below `size`.
  static func checked(
    _ call: OperatorCall, _ indices: Integers, _ size: Int, negative: Bool = true
  ) throws -> [Int] {
    var places: [Int] = []
    places.reserveCapacity(indices.count)
    for position in 0..<indices.count {
      let index = indices.base[position]
      let place = index < 0 && negative ? index &+ Int64(size) : index
      guard place >= 0, place < size else {
        throw call.fault("index \(index) is out of bounds for size \(size)")
      }
      places.append(Int(place))
    }
    return places
  }

  /// Copies whole slices along an axis from one tensor into another.
  private static func copyLines(
    _ call: OperatorCall, _ source: TensorShape, _ target: TensorShape, _ axis: Int,
    _ place: (Int) -> Int
  ) throws {
    if source.element.isFloat {
      let rows = try call.realRows(source, along: [axis])
      let width = target.shape[axis]
      let out = try Reals(rows.rows &* width)
      for row in 0..<rows.rows {
        for index in 0..<width { out.base[row &* width &+ index] = rows[row][place(index)] }
      }
      try call.world.store(
        out, to: target.permuted(OperatorCall.order(target.rank, last: [axis])))
    } else {
      let rows = try call.integerRows(source, along: [axis])
      let width = target.shape[axis]
      let out = try Integers(rows.rows &* width)
      for row in 0..<rows.rows {
        for index in 0..<width { out.base[row &* width &+ index] = rows[row][place(index)] }
      }
      try call.world.store(
        out, to: target.permuted(OperatorCall.order(target.rank, last: [axis])))
    }
  }

  /// For each index element: where its slice element lies in a tensor of `shape`, row-major, with
  /// the index in place of the coordinate along `axis`.
  private static func places(
    _ call: OperatorCall, _ index: TensorShape, _ shape: [Int], _ axis: Int
  ) throws -> [Int] {
    guard index.rank == shape.count else { throw call.fault("the index has another rank") }
    for (position, size) in index.shape.enumerated()
    where position != axis && size > shape[position] {
      throw call.fault("the index is larger than the operand")
    }
    var places = try checked(call, call.integers(index), shape[axis], negative: false)
    let strides = TensorShape.contiguousStrides(shape)
    var coordinates = Array(repeating: 0, count: shape.count)
    for position in places.indices {
      var place = places[position] &* strides[axis]
      for other in shape.indices where other != axis {
        place &+= coordinates[other] &* strides[other]
      }
      places[position] = place
      var other = shape.count - 1
      while other >= 0 {
        coordinates[other] += 1
        if coordinates[other] < index.shape[other] { break }
        coordinates[other] = 0
        other -= 1
      }
    }
    return places
  }

  private static func gather(_ call: OperatorCall, _ input: TensorShape, _ index: TensorShape)
    throws
  {
    let (input, index) = (call.lined(input), call.lined(index))
    let axis = try call.axis(of: input)
    let places = try places(call, index, input.shape, axis)
    if input.element.isFloat {
      let numbers = try call.reals(input)
      let out = try Reals(places.count)
      for (position, place) in places.enumerated() { out.base[position] = numbers.base[place] }
      try call.store(out)
    } else {
      let numbers = try call.integers(input)
      let out = try Integers(places.count)
      for (position, place) in places.enumerated() { out.base[position] = numbers.base[place] }
      try call.store(out)
    }
  }

  /// Repeated places take the values in index order; sums therefore have a fixed order.
  private static let scatter: OperatorCall.Body = { call in
    let input = call.lined(try call.input)
    let index = call.lined(try call.tensor("index"))
    let axis = try call.axis(of: input)
    let places = try places(call, index, input.shape, axis)
    var source = Lane(buffer: try Reals([0]), step: 0)
    if let tensor = call.optionalTensor("src", "value").map({ call.lined($0) }), tensor.count != 1 {
      guard tensor.rank == index.rank, Swift.zip(index.shape, tensor.shape).allSatisfy({ $0 <= $1 })
      else { throw call.fault("the index is larger than the source") }
      var part = tensor
      part.shape = index.shape
      source = Lane(buffer: try call.reals(part), step: 1)
    } else {
      source = Lane(buffer: try Reals([try call.optionalNumber("src", "value") ?? 0]), step: 0)
    }
    let out = try call.reals(input).owned()
    var reduction = call.string("reduce") ?? "assign"
    if call.name == "scatter_add" { reduction = "sum" }
    var counts: [Int: Double] = [:]
    if call.name == "scatter_reduce", !call.bool("include_self", default: true) {
      let start: Double =
        switch reduction {
        case "prod": 1
        case "amax": -.infinity
        case "amin": .infinity
        default: 0
        }
      for place in places { out.base[place] = start }
    } else if reduction == "mean" {
      for place in places { counts[place] = 1 }
    }
    for (position, place) in places.enumerated() {
      let value = source.base[position &* source.step]
      switch reduction {
      case "assign": out.base[place] = value
      case "sum", "add": out.base[place] += value
      case "prod", "multiply": out.base[place] *= value
      case "amax": out.base[place] = Functions.maximum(out.base[place], value)
      case "amin": out.base[place] = Functions.minimum(out.base[place], value)
      case "mean":
        out.base[place] += value
        counts[place, default: 0] += 1
      default: throw call.fault("an unknown reduction")
      }
    }
    for (place, count) in counts { out.base[place] /= count }
    try call.store(out)
  }

  /// `index_add`, `index_copy`, `index_fill`: slices along an axis.
  private static let indexed: OperatorCall.Body = { call in
    let input = call.lined(try call.input)
    let axis = try call.axis(of: input)
    let index = try call.integers(try call.tensor("index"))
    let places = try checked(
      call, index, input.shape[axis], negative: call.name == "index_fill")
    let rows = try call.realRows(input, along: [axis])
    let out = try rows.numbers.owned()
    var values: Rows<Double>?
    if call.name != "index_fill" {
      var source = call.lined(try call.tensor("source", "src"))
      if source.rank != input.rank, let spread = source.broadcast(to: input.shape) {
        source = spread
      }
      let taken = try call.realRows(source, along: [axis])
      guard taken.rows == rows.rows, taken.width == places.count else {
        throw call.fault("the source's shape does not fit")
      }
      values = taken
    }
    let alpha = try call.parameter("alpha", default: 1)
    let fill = values == nil ? try call.number("value", default: 0) : 0
    for row in 0..<rows.rows {
      let target = out.base + row &* rows.width
      for (position, place) in places.enumerated() {
        guard let values else {
          target[place] = fill
          continue
        }
        let value = values[row][position]
        target[place] = call.name == "index_add" ? target[place] + alpha * value : value
      }
    }
    try call.store(out, rowsAlong: try call.result.rank == 0 ? [] : [axis])
  }
}
