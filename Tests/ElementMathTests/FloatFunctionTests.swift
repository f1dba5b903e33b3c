import Foundation
import Testing
import TileIR

@testable import ElementMath

/// The distance in fp32 steps; 0 for two NaN and for equal values of one sign.
func ulps(_ a: Float, _ b: Float) -> Int {
  if a.isNaN || b.isNaN { return a.isNaN && b.isNaN ? 0 : .max }
  func ordered(_ x: Float) -> Int {
    let bits = Int(Int32(bitPattern: x.bitPattern))
    return bits < 0 ? Int(Int32.min) - bits - 1 : bits
  }
  return abs(ordered(a) - ordered(b))
}

@Suite struct FloatFunctionTests {
  struct Function: CustomTestStringConvertible {
    var operation: UnaryOp
    var range: ClosedRange<Float>
    var exact: @Sendable (Double) -> Double
    var testDescription: String { operation.rawValue }
  }

  static let functions: [Function] = [
    Function(operation: .exp, range: -104...89) { Foundation.exp($0) },
    Function(operation: .exp2, range: -150...128) { Foundation.exp2($0) },
    Function(operation: .log, range: 0...10) { Foundation.log($0) },
    Function(operation: .log2, range: 0...10) { Foundation.log2($0) },
    Function(operation: .sin, range: -1e5...1e5) { Foundation.sin($0) },
    Function(operation: .cos, range: -1e5...1e5) { Foundation.cos($0) },
    Function(operation: .erf, range: -4.5...4.5) { Foundation.erf($0) },
    Function(operation: .sqrt, range: 0...100) { $0.squareRoot() },
    Function(operation: .rsqrt, range: 0...100) { 1 / $0.squareRoot() },
    Function(operation: .floor, range: -100...100) { $0.rounded(.down) },
    Function(operation: .ceil, range: -100...100) { $0.rounded(.up) },
    Function(operation: .abs, range: -100...100) { $0.magnitude },
    Function(operation: .neg, range: -100...100) { -$0 },
  ]

  /// A third each: uniform in the interesting range, any bit pattern, near 0 and ±1.
  static func inputs(_ range: ClosedRange<Float>, _ count: Int) -> [Float] {
    var generator = Generator(state: 11)
    var inputs = edgeFloats
    for index in 0..<count {
      switch index % 4 {
      case 0, 1: inputs.append(Float.random(in: range, using: &generator))
      case 2: inputs.append(Float(bitPattern: UInt32.random(in: 0...(.max), using: &generator)))
      default:
        let near = Float.random(in: -0.01...0.01, using: &generator)
        inputs.append([near, 1 + near, -1 + near][index / 4 % 3])
      }
    }
    return inputs
  }

  @Test(arguments: functions)
  func isWithinOneUlpOfTheRoundedValue(_ function: Function) throws {
    let inputs = Self.inputs(function.range, 80_000)
    var outputs = [Float](repeating: 0, count: inputs.count)
    let map = try #require(ElementMath.function(function.operation, .fp32))
    inputs.withUnsafeBytes { source in
      outputs.withUnsafeMutableBytes { target in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        map([from], to, inputs.count)
      }
    }
    var worst = (0, Float(0))
    for (input, output) in zip(inputs, outputs) {
      let expected = Float(function.exact(Double(input)))
      let distance = ulps(output, expected)
      let signs = output.isNaN || output.sign == expected.sign
      if distance > worst.0 || !signs { worst = (signs ? distance : .max, input) }
    }
    #expect(worst.0 <= 1, "at \(worst.1)")
  }

  @Test func tanhAgrees() {
    let inputs = Self.inputs(-10...10, 80_000)
    var outputs = [Float](repeating: 0, count: inputs.count)
    ElementMath.tanh(inputs, &outputs, inputs.count)
    let worst = zip(inputs, outputs).map { ulps($1, Float(Foundation.tanh(Double($0)))) }.max()
    #expect(worst ?? 0 <= 1)
  }

  @Test func worksInPlace() {
    let inputs = Self.inputs(-50...50, 1000)
    var outputs = [Float](repeating: 0, count: inputs.count)
    ElementMath.sin(inputs, &outputs, inputs.count)
    var same = inputs
    same.withUnsafeMutableBufferPointer { buffer in
      guard let lanes = buffer.baseAddress else { return }
      ElementMath.sin(UnsafePointer(lanes), lanes, buffer.count)
    }
    #expect(same.map(\.bitPattern) == outputs.map(\.bitPattern))
  }
}
