import Diagnostics
import Foundation
import HostProgram
import TileIR

/// One operand of an elementwise operator, side by side; `step` is 0 where one number stands for all.
struct Lane<Element: Number> {
  let buffer: Buffer<Element>
  let step: Int
  var base: UnsafeMutablePointer<Element> { buffer.base }
}

extension OperatorCall {
  /// True where torch would compute on floating numbers: any operand or the result is floating.
  func isReal(_ values: [TraceValue?]) throws -> Bool {
    if try result.element.isFloat { return true }
    for value in values {
      switch value {
      case .tensor(let shape)?: if shape.element.isFloat { return true }
      case .float?: return true
      default: break
      }
    }
    return false
  }

  /// A number among the arguments as the GPU's kernels take it: in fp32, unless they compute in fp64.
  func parameter(_ value: Double) throws -> Double {
    guard world.precision == .native else { return value }
    for item in operation.arguments.values {
      if case .tensor(let shape) = item, shape.element == .fp64 { return value }
    }
    return try result.element == .fp64 ? value : Double(Float(value))
  }

  func parameter(_ name: String, default fallback: Double) throws -> Double {
    try parameter(try optionalNumber(name) ?? fallback)
  }

  /// The shape in which operands meet.
  func commonShape(_ values: [TraceValue?]) throws -> [Int] {
    var shapes: [[Int]] = []
    for case .tensor(let shape)? in values { shapes.append(shape.shape) }
    guard let common = broadcastShape(shapes) else { throw fault("operands do not broadcast") }
    return try result.shape.count > common.count
      || result.shape.reduce(1, &*) > common.reduce(1, &*)
      ? result.shape : common
  }

  /// - Parameter comparedAs: where numbers take the operands' own type (comparisons).
  func realLane(_ value: TraceValue?, _ shape: [Int], comparedAs: ElementType? = nil)
    throws -> Lane<Double>
  {
    guard let value else { throw fault("an operand is missing") }
    guard case .tensor(let tensor) = value else {
      var number = try number(value, "other")
      if let comparedAs, world.precision == .native {
        number = Rounding.round(number, to: comparedAs)
      } else {
        number = try parameter(number)
      }
      return Lane(buffer: try Reals([number]), step: 0)
    }
    if tensor.count == 1 { return Lane(buffer: try reals(tensor), step: 0) }
    guard let spread = tensor.broadcast(to: shape) else { throw fault("operands do not broadcast") }
    return Lane(buffer: try reals(spread), step: 1)
  }

  func integerLane(_ value: TraceValue?, _ shape: [Int]) throws -> Lane<Int64> {
    guard let value else { throw fault("an operand is missing") }
    guard case .tensor(let tensor) = value else {
      return Lane(buffer: try Integers([Int64(try int(value, "other"))]), step: 0)
    }
    if tensor.count == 1 { return Lane(buffer: try integers(tensor), step: 0) }
    guard let spread = tensor.broadcast(to: shape) else { throw fault("operands do not broadcast") }
    return Lane(buffer: try integers(spread), step: 1)
  }

  // MARK: Loops

  /// `result[i] = body(input[i])` over fp64.
  @inline(__always)
  func map(_ body: (Double) -> Double) throws {
    let x = try reals(input)
    let out = try Reals(x.count)
    let (from, to) = (x.base, out.base)
    for index in 0..<x.count { to[index] = body(from[index]) }
    try store(out)
  }

  /// The same, over 64-bit integers where nothing is floating.
  @inline(__always)
  func map(_ body: (Double) -> Double, integers whole: (Int64) -> Int64) throws {
    let operand = try input
    if try operand.element.isFloat || result.element.isFloat { return try map(body) }
    let x = try integers(operand)
    let out = try Integers(x.count)
    let (from, to) = (x.base, out.base)
    for index in 0..<x.count { to[index] = whole(from[index]) }
    try store(out)
  }

  @inline(__always)
  func zip<Element: Number>(
    _ x: Lane<Element>, _ y: Lane<Element>, _ count: Int,
    _ body: (Element, Element) -> Element
  ) throws -> Buffer<Element> {
    let out = try Buffer<Element>(count)
    let (a, b, to) = (x.base, y.base, out.base)
    if x.step == 1, y.step == 1 {
      for index in 0..<count { to[index] = body(a[index], b[index]) }
    } else if x.step == 1 {
      let second = b[0]
      for index in 0..<count { to[index] = body(a[index], second) }
    } else {
      for index in 0..<count { to[index] = body(a[0], b[index &* y.step]) }
    }
    return out
  }

  var left: TraceValue? { argument("input", "self", "x", "x1") }
  var right: TraceValue? { argument("other", "exponent", "end", "value", "x2", "target") }

  /// `result[i] = body(left[i], right[i])`, broadcast, over fp64.
  @inline(__always)
  func combine(_ body: (Double, Double) -> Double) throws {
    let shape = try commonShape([left, right])
    let count = shape.reduce(1, &*)
    try store(try zip(try realLane(left, shape), try realLane(right, shape), count, body))
  }

  @inline(__always)
  func combine(
    _ body: (Double, Double) -> Double, integers whole: (Int64, Int64) -> Int64
  ) throws {
    if try isReal([left, right]) { return try combine(body) }
    let shape = try commonShape([left, right])
    let count = shape.reduce(1, &*)
    try store(try zip(try integerLane(left, shape), try integerLane(right, shape), count, whole))
  }

  /// A comparison: over fp64 where an operand is floating, else over integers.
  @inline(__always)
  func compare(
    _ body: (Double, Double) -> Bool, integers whole: (Int64, Int64) -> Bool
  ) throws {
    let (left, right) = (left, right)
    let shape = try commonShape([left, right])
    let count = shape.reduce(1, &*)
    var type: ElementType?
    var isReal = false
    for value in [left, right] {
      if case .tensor(let tensor)? = value, tensor.element.isFloat {
        isReal = true
        if type == nil || tensor.element.bits > type?.bits ?? 0 { type = tensor.element }
      }
      if case .float? = value { isReal = true }
    }
    guard isReal else {
      let out = try zip(
        try integerLane(left, shape), try integerLane(right, shape), count
      ) { whole($0, $1) ? 1 : 0 }
      return try store(out)
    }
    let wanted = type ?? .fp32
    let out = try zip(
      try realLane(left, shape, comparedAs: wanted), try realLane(right, shape, comparedAs: wanted),
      count
    ) { body($0, $1) ? 1 : 0 }
    try store(out)
  }

  /// `result[i] = body(a[i], b[i], c[i])`, broadcast, over fp64.
  @inline(__always)
  func combine(
    _ a: TraceValue?, _ b: TraceValue?, _ c: TraceValue?,
    _ body: (Double, Double, Double) -> Double
  ) throws {
    let shape = try commonShape([a, b, c])
    let count = shape.reduce(1, &*)
    let (x, y, z) = (try realLane(a, shape), try realLane(b, shape), try realLane(c, shape))
    let out = try Reals(count)
    for index in 0..<count {
      out.base[index] = body(
        x.base[index &* x.step], y.base[index &* y.step], z.base[index &* z.step])
    }
    try store(out)
  }

  @inline(__always)
  func combineIntegers(
    _ a: TraceValue?, _ b: TraceValue?, _ c: TraceValue?,
    _ body: (Int64, Int64, Int64) -> Int64
  ) throws {
    let shape = try commonShape([a, b, c])
    let count = shape.reduce(1, &*)
    let (x, y, z) = (
      try integerLane(a, shape), try integerLane(b, shape), try integerLane(c, shape)
    )
    let out = try Integers(count)
    for index in 0..<count {
      out.base[index] = body(
        x.base[index &* x.step], y.base[index &* y.step], z.base[index &* z.step])
    }
    try store(out)
  }
}
