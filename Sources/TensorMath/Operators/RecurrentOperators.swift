import Diagnostics
import Foundation
import HostProgram
import TileIR

/// LSTM, GRU and plain recurrences, whole or one step, by the formulas of torch's documentation.
enum RecurrentOperators {
  static let table: [String: OperatorCall.Body] = {
    var table: [String: OperatorCall.Body] = [:]
    for kind in Kind.allCases {
      table[kind.rawValue] = { call in try sequence(call, kind) }
      table["\(kind.rawValue)_cell"] = { call in try cell(call, kind) }
    }
    return table
  }()

  enum Kind: String, CaseIterable, Sendable {
    case lstm, gru
    case tanh = "rnn_tanh"
    case relu = "rnn_relu"

    var gates: Int {
      switch self {
      case .lstm: 4
      case .gru: 3
      case .tanh, .relu: 1
      }
    }
  }

  /// The weights of one layer in one direction; rows are gates × hidden.
  private struct Weights {
    var input: Reals
    var hidden: Reals
    var inputBias: Reals?
    var hiddenBias: Reals?
    var width: Int
    var size: Int
  }

  private static func weights(_ call: OperatorCall, _ tensors: [TensorShape], _ kind: Kind) throws
    -> Weights
  {
    guard tensors.count == 2 || tensors.count == 4, tensors[0].rank == 2, tensors[1].rank == 2
    else {
      throw call.fault("a layer needs two weights and two biases or none")
    }
    let size = tensors[1].shape[1]
    let rows = kind.gates &* size
    guard tensors[0].shape[0] == rows, tensors[1].shape[0] == rows,
      tensors.dropFirst(2).allSatisfy({ $0.count == rows })
    else { throw call.refusal("recurrent layers with projections are not supported") }
    return Weights(
      input: try call.reals(tensors[0]), hidden: try call.reals(tensors[1]),
      inputBias: tensors.count == 4 ? try call.reals(tensors[2]) : nil,
      hiddenBias: tensors.count == 4 ? try call.reals(tensors[3]) : nil,
      width: tensors[0].shape[1], size: size)
  }

  /// `x Wᵀ + b` for `count` rows of `width` numbers.
  private static func project(
    _ x: UnsafePointer<Double>, _ count: Int, _ width: Int, _ weight: Reals, _ bias: Reals?,
    _ rows: Int, into out: Reals
  ) throws {
    for line in 0..<count {
      let target = out.base + line &* rows
      for index in 0..<rows { target[index] = bias?.base[index] ?? 0 }
    }
    try MatrixProduct.accumulate(
      count, rows, width, MatrixView(base: x, rowStride: width, columnStride: 1),
      MatrixView(base: weight.base, rowStride: 1, columnStride: width), into: out.base,
      cStride: rows)
  }

  /// One step over a batch: `h` (and `c`) change in place.
  /// - Parameters x: the input's part of the gates. - y: room for the hidden part.
  private static func step(
    _ kind: Kind, _ x: UnsafePointer<Double>, _ weights: Weights, _ batch: Int, _ h: Reals,
    _ c: Reals?, _ y: Reals
  ) throws {
    let (size, rows) = (weights.size, kind.gates &* weights.size)
    try project(h.base, batch, size, weights.hidden, weights.hiddenBias, rows, into: y)
    for line in 0..<batch {
      let (a, b) = (x + line &* rows, y.base + line &* rows)
      let state = h.base + line &* size
      for index in 0..<size {
        switch kind {
        case .tanh: state[index] = Foundation.tanh(a[index] + b[index])
        case .relu: state[index] = max(0, a[index] + b[index])
        case .gru:
          let reset = Functions.sigmoid(a[index] + b[index])
          let update = Functions.sigmoid(a[size &+ index] + b[size &+ index])
          let new = Foundation.tanh(a[2 &* size &+ index] + reset * b[2 &* size &+ index])
          state[index] = (1 - update) * new + update * state[index]
        case .lstm:
          guard let c else { continue }
          let cell = c.base + line &* size
          let input = Functions.sigmoid(a[index] + b[index])
          let forget = Functions.sigmoid(a[size &+ index] + b[size &+ index])
          let new = Foundation.tanh(a[2 &* size &+ index] + b[2 &* size &+ index])
          let output = Functions.sigmoid(a[3 &* size &+ index] + b[3 &* size &+ index])
          cell[index] = forget * cell[index] + input * new
          state[index] = output * Foundation.tanh(cell[index])
        }
      }
    }
  }

  /// The initial states under `hx`: one tensor, or a list of two for an LSTM.
  private static func states(_ call: OperatorCall) throws -> [Reals] {
    guard call.argument("hx") != nil else { return [] }
    var result: [Reals] = []
    for tensor in try call.tensors("hx") { result.append(try call.reals(tensor)) }
    return result
  }

  private static func cell(_ call: OperatorCall, _ kind: Kind) throws {
    let input = try call.input
    var tensors = [try call.tensor("w_ih"), try call.tensor("w_hh")]
    if let first = call.optionalTensor("b_ih"), let second = call.optionalTensor("b_hh") {
      tensors += [first, second]
    }
    let weights = try weights(call, tensors, kind)
    guard input.rank == 1 || input.rank == 2, input.shape[input.rank - 1] == weights.width else {
      throw call.fault("the input's shape does not fit")
    }
    let batch = input.rank == 2 ? input.shape[0] : 1
    let given = try states(call)
    let count = batch &* weights.size
    guard given.allSatisfy({ $0.count == count }) else { throw call.fault("'hx' does not fit") }
    let h = try given.first.map { try copy($0) } ?? Reals(count)
    let c = try given.count > 1 ? copy(given[1]) : Reals(count)
    let rows = kind.gates &* weights.size
    let (x, y) = (try Reals(batch &* rows), try Reals(batch &* rows))
    let numbers = try call.reals(input)
    try project(
      numbers.base, batch, weights.width, weights.input, weights.inputBias, rows, into: x)
    withExtendedLifetime(numbers) {}
    try step(kind, x.base, weights, batch, h, c, y)
    try call.store(h)
    if kind == .lstm, call.operation.results.count > 1 { try call.store(c, 1) }
  }

  private static func copy(_ numbers: Reals) throws -> Reals {
    let result = try Reals(numbers.count)
    result.base.update(from: numbers.base, count: numbers.count)
    return result
  }

  private static func sequence(_ call: OperatorCall, _ kind: Kind) throws {
    var input = try call.input
    let isBatched = input.rank == 3
    guard isBatched || input.rank == 2 else { throw call.fault("2 or 3 dimensions are needed") }
    let isBatchFirst = isBatched && call.bool("batch_first", default: false)
    if isBatchFirst { input = input.permuted([1, 0, 2]) }
    let layers = try call.int("num_layers", default: 1)
    let directions = call.bool("bidirectional", default: false) ? 2 : 1
    if try call.bool("train", default: false) && call.number("dropout", default: 0) > 0
      && layers > 1
    {
      throw call.refusal("recurrent layers with dropout in training are not supported")
    }
    let parameters = try call.tensors("params")
    let perLayer = call.bool("has_biases", default: true) ? 4 : 2
    guard layers > 0, layers < 1 << 20, parameters.count == layers &* directions &* perLayer else {
      throw call.fault("the number of parameters does not fit")
    }
    let (time, batch) = (input.shape[0], isBatched ? input.shape[1] : 1)
    var width = input.shape[input.rank - 1]
    var x = try call.reals(input)
    let given = try states(call)
    var (lastH, lastC): ([Reals], [Reals]) = ([], [])
    for layer in 0..<layers {
      let size = parameters[layer &* directions &* perLayer + 1].shape.last ?? 0
      let out = try Reals(time &* batch &* size &* directions)
      for direction in 0..<directions {
        let part = layer &* directions + direction
        let start = part &* perLayer
        let weights = try weights(call, Array(parameters[start..<(start + perLayer)]), kind)
        guard weights.width == width, weights.size == size else {
          throw call.fault("a weight's shape does not fit")
        }
        let rows = kind.gates &* size
        let gates = try Reals(time &* batch &* rows)
        try project(
          x.base, time &* batch, width, weights.input, weights.inputBias, rows, into: gates)
        let count = batch &* size
        let (h, c, y) = (try Reals(count), try Reals(count), try Reals(batch &* rows))
        for (index, state) in given.enumerated() {
          guard state.count == layers &* directions &* count else {
            throw call.fault("'hx' does not fit")
          }
          (index == 0 ? h : c).base.update(from: state.base + part &* count, count: count)
        }
        for tick in 0..<time {
          let now = direction == 0 ? tick : time - 1 - tick
          try step(kind, gates.base + now &* batch &* rows, weights, batch, h, c, y)
          for line in 0..<batch {
            let target = out.base + ((now &* batch &+ line) &* directions &+ direction) &* size
            target.update(from: h.base + line &* size, count: size)
          }
        }
        lastH.append(h)
        lastC.append(c)
      }
      x = out
      width = size &* directions
    }
    let result = try call.result
    guard result.rank == input.rank else {
      throw call.fault("the trace's result shape does not fit")
    }
    try call.world.store(x, to: isBatchFirst ? result.permuted([1, 0, 2]) : result)
    if call.operation.results.count > 1 { try call.store(joined(lastH), 1) }
    if kind == .lstm, call.operation.results.count > 2 { try call.store(joined(lastC), 2) }
  }

  private static func joined(_ parts: [Reals]) throws -> Reals {
    let result = try Reals(parts.reduce(0) { $0 + $1.count })
    var start = 0
    for part in parts {
      (result.base + start).update(from: part.base, count: part.count)
      start += part.count
    }
    return result
  }
}
