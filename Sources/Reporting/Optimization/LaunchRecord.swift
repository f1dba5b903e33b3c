import Analysis
import HostProgram
import PythonSyntax
import Requests
import TileIR
import TritonLowering
import Tuning

/// One launch under one config, in the form that `Scripts/judge-compile.py` compiles with real
/// Triton: types in Triton's own words, the values known at compile time, the launch options.
struct LaunchRecord: Encodable, Hashable, Sendable {
  var kernel: String
  var grid: [Int]
  var signature: [String: String] = [:]
  var constexprs: [String: ConstexprRecord] = [:]
  var divisibleBy16: [String] = []
  var numWarps: Int
  var numStages: Int

  private enum CodingKeys: String, CodingKey {
    case kernel, grid, signature, constexprs, divisibleBy16
    case numWarps = "num_warps"
    case numStages = "num_stages"
  }

  /// The launches of a result's module, each different one once.
  static func all(of result: Optimization, for request: Request) -> [LaunchRecord] {
    guard let run = result.run else { return [] }
    let triton = TritonModule(PythonParser.parse(result.module))
    var seen: Set<LaunchRecord> = []
    var records: [LaunchRecord] = []
    for launch in run.launches {
      guard let kernel = triton.function(named: launch.kernel) else { continue }
      for (config, grid) in launch.configs {
        let known = LaunchLowering.specialization(
          of: launch, config: config, kernel: kernel, gpu: request.gpu)
        guard let record = LaunchRecord(launch.kernel, grid, known) else { continue }
        if seen.insert(record).inserted { records.append(record) }
      }
    }
    return records
  }

  /// nil for what the form has no words for (host-side tensor descriptors, tuples of tensors).
  private init?(_ kernel: String, _ grid: [Int], _ known: Specialization) {
    self.kernel = kernel
    self.grid = grid
    numWarps = known.numWarps
    numStages = known.numStages
    for (name, argument) in known.arguments.sorted(by: { $0.key < $1.key }) {
      switch argument {
      case .pointer(let element, let isDivisible):
        signature[name] = "*" + Self.word(element)
        if isDivisible { divisibleBy16.append(name) }
      case .scalar(let element, let isDivisible):
        signature[name] = Self.word(element)
        if isDivisible { divisibleBy16.append(name) }
      case .constexpr(let value): constexprs[name] = ConstexprRecord(value: value)
      case .tensorDescriptor, .tuple: return nil
      }
    }
  }

  /// Triton's word for an element type in a signature: `i32`, `u8`, `fp16`, `u1` for a flag.
  private static func word(_ type: ElementType) -> String {
    type == .int1
      ? "u1" : type.description.replacing("uint", with: "u").replacing("int", with: "i")
  }
}

/// A value known at compile time: numbers, flags, strings and None as themselves, element types
/// and functions as `{"dtype": "fp32"}` and `{"function": "relu"}`.
struct ConstexprRecord: Encodable, Hashable, Sendable {
  var value: ConstexprValue

  func encode(to encoder: any Encoder) throws {
    try value.encode(to: encoder) { number, encoder in
      var single = encoder.singleValueContainer()
      try single.encode(number)
    }
  }
}
