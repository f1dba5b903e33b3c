import Foundation
import HostProgram

/// Launches that a winner may be carried over between: the same arguments, element types and
/// compile-time facts (1, a multiple of 16), and every size within the same power of two.
///
/// A class, not a size: a winner at 4,096 rows is worth trying at 4,000. It is checked and timed
/// again at the sizes at hand.
enum ShapeClass {
  /// One word a launch, repeated launches once: "x_ptr:*fp32,n:i2^12/16 …".
  static func text(of launches: [Launch]) -> String {
    var seen: Set<String> = []
    return launches.map(text(of:)).filter { seen.insert($0).inserted }.joined(separator: " ")
  }

  private static func text(of launch: Launch) -> String {
    launch.arguments.map { "\($0.name):\(text(of: $0.value))" }.joined(separator: ",")
  }

  private static func text(of value: ArgumentValue) -> String {
    switch value {
    case .tensor(let tensor), .tensorDescriptor(let tensor, _):
      // Sizes reach the kernel as integers; of the tensor its type and how much memory it is count.
      "*\(tensor.element)[2^\(exponent(tensor.shape.reduce(1) { $0.multipliedOrMax(by: $1) }))]"
    case .int(let number): integer(number)
    case .float: "f"
    case .bool(let flag): flag ? "True" : "False"
    case .none: "None"
    case .string(let text): "'\(text)'"
    case .dtype(let type): "\(type)"
    case .tuple(let parts): "(" + parts.map(text(of:)).joined(separator: ",") + ")"
    case .function(let name): name
    }
  }

  private static func integer(_ number: Int) -> String {
    if (-1...1).contains(number) { return "i\(number)" }
    return "i\(number < 0 ? "-" : "")2^\(exponent(number))\(number % 16 == 0 ? "/16" : "")"
  }

  /// The power of two at or above a size.
  private static func exponent(_ number: Int) -> Int {
    let magnitude = number.magnitude
    return magnitude <= 1 ? 0 : UInt.bitWidth - (magnitude - 1).leadingZeroBitCount
  }

  /// The exact values of the autotune key's integer arguments, one entry for each distinct launch.
  static func keyArguments(of launches: [Launch]) -> [[String: Int]] {
    var seen: Set<[String: Int]> = []
    return launches.map { launch in
      var values: [String: Int] = [:]
      for argument in launch.arguments where launch.autotuneKey.contains(argument.name) {
        if case .int(let number) = argument.value { values[argument.name] = number }
      }
      return values
    }.filter { !$0.isEmpty && seen.insert($0).inserted }
  }
}

extension Int {
  fileprivate func multipliedOrMax(by other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
