import Diagnostics
import Foundation
import HostProgram
import Testing
import TileIR

@testable import TensorMath

/// Every operator against torch's own results in float64, recorded by Scripts/judge-tensors.py.
struct GoldenTests {
  static let families = [
    "unary", "binary", "selection", "creation", "products", "convolutions", "pooling", "reductions",
    "sorting", "softmax", "normalisations", "losses", "attention", "joining", "indexing",
    "recurrence",
  ]

  @Test(arguments: families) func agreesWithTorch(_ family: String) throws {
    let cases = try Self.load(family)
    #expect(!cases.isEmpty)
    for (index, golden) in cases.enumerated() {
      let finding = golden.run()
      #expect(finding == nil, "\(family)[\(index)] \(golden.name): \(finding ?? "")")
    }
  }

  static func load(_ family: String) throws -> [Golden] {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent()
    let data = try Data(contentsOf: tests.appending(path: "Goldens/TensorMath/\(family).json"))
    let cases = try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
    return try cases.map { try #require(Golden($0)) }
  }
}

/// One recorded case.
struct Golden {
  let name: String
  let arguments: [String: Any]
  let changed: [String]
  let results: [[String: Any]]

  init?(_ record: [String: Any]) {
    guard let name = record["name"] as? String,
      let arguments = record["arguments"] as? [String: Any],
      let changed = record["changed"] as? [String],
      let results = record["results"] as? [[String: Any]]
    else { return nil }
    (self.name, self.arguments, self.changed, self.results) = (name, arguments, changed, results)
  }

  /// What differs from torch, or nil.
  func run() -> String? {
    let bench = Bench(.reference)
    do {
      let operation = try operation(on: bench)
      try bench.world.execute(operation)
      var shapes = operation.results
      for key in changed {
        if case .tensor(let shape)? = operation.arguments[key] { shapes.append(shape) }
      }
      for (shape, result) in zip(shapes, results) {
        if let finding = compare(try bench.world.values(shape), result) { return finding }
      }
      return nil
    } catch { return "\(error)" }
  }

  /// The case as an operation over tensors of a world.
  func operation(on bench: Bench) throws -> TensorOperation {
    var given: [String: TraceValue] = [:]
    for (key, value) in arguments.sorted(by: { $0.key < $1.key }) {
      given[key] = try decode(value, bench)
    }
    let own = results.dropLast(changed.count).map { result in
      bench.shape(result["shape"] as? [Int] ?? [], element(result["element"]))
    }
    return TensorOperation(
      name: name, arguments: given, results: Array(own), range: SourceRange(0, 0))
  }

  private func compare(_ values: [Double], _ result: [String: Any]) -> String? {
    guard let step = result["step"] as? Int, let wanted = result["values"] as? [String],
      let total = (result["sum"] as? String).flatMap(Double.init)
    else { return "malformed" }
    let numbers = wanted.compactMap(Double.init)
    let scale = numbers.filter(\.isFinite).map(abs).max() ?? 0
    for (position, expected) in numbers.enumerated() {
      let value = values[position * step]
      if value == expected || (value.isNaN && expected.isNaN) { continue }
      if abs(value - expected) <= 1e-12 * max(abs(expected), scale * 1e-3) { continue }
      return "element \(position * step) is \(value), torch has \(expected)"
    }
    guard total.isFinite else { return nil }
    let sum = values.reduce(0, +)
    let size = values.reduce(0) { $0 + abs($1) }
    return abs(sum - total) <= 1e-11 * max(size, 1e-3)
      ? nil : "the sum is \(sum), torch has \(total)"
  }

  private func element(_ name: Any?) -> ElementType {
    ElementType.scalars.first { "\($0)" == name as? String } ?? .fp32
  }

  private func decode(_ value: Any, _ bench: Bench) throws -> TraceValue {
    if let text = value as? String { return .string(text) }
    if value is NSNull { return .none }
    if let items = value as? [Any] { return .list(try items.map { try decode($0, bench) }) }
    if let record = value as? [String: Any] {
      if let text = record["float"] as? String {
        return .float(
          text == "inf" ? .infinity : text == "-inf" ? -.infinity : Double(text) ?? .nan)
      }
      return .tensor(try tensor(record["tensor"] as? [String: Any] ?? [:], bench))
    }
    guard let number = value as? NSNumber else { return .none }
    return CFTypeCheck.isBool(number) ? .bool(number.boolValue) : .int(number.intValue)
  }

  /// The formulas of judge-tensors.py.
  private func tensor(_ record: [String: Any], _ bench: Bench) throws -> TensorShape {
    let sizes = record["shape"] as? [Int] ?? []
    let salt = record["salt"] as? Int ?? 0
    let (low, high) = (record["low"] as? Int ?? 0, record["high"] as? Int ?? 1)
    let special: [Double] = [.nan, .infinity, -.infinity, 0, -0.0, 1, -1, 100, -100, 0.5]
    let values = (0..<sizes.reduce(1, *)).map { index -> Double in
      let raw = (index * 7919 + salt * 104729) % 2003
      return switch record["kind"] as? String {
      case "integers": Double(low + raw % (high - low))
      case "positive": Double(raw + 1) / 512
      case "unit": Double(raw % 1000 + 1) / 1002
      case "special": special[(index * 3 + salt) % special.count]
      default: Double(raw - 1001) / 256
      }
    }
    var shape = bench.shape(sizes, element(record["element"]))
    if let order = record["order"] as? [Int] {
      // The elements lie in the order of these axes and are seen in the tensor's own.
      let laid = TensorShape.contiguousStrides(order.map { sizes[$0] })
      for (position, axis) in order.enumerated() { shape.strides[axis] = laid[position] }
      var stored = shape
      stored.shape = order.map { sizes[$0] }
      stored.strides = laid
      try bench.world.writeExactly(values, to: stored)
    } else {
      try bench.world.writeExactly(values, to: shape)
    }
    return shape
  }
}

enum CFTypeCheck {
  /// Whether a JSON number was `true` or `false`.
  static func isBool(_ number: NSNumber) -> Bool {
    String(cString: number.objCType) == "c" || String(cString: number.objCType) == "B"
  }
}

extension TensorWorld {
  /// Writes without rounding to the declared type: the judge's operands are fp64.
  func writeExactly(_ values: [Double], to shape: TensorShape) throws {
    try store(try Reals(values), to: shape)
  }
}
