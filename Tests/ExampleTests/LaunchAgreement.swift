import Foundation
import HostProgram
import TileIR
import TritonLowering

/// Compares what the host program found with what Python and Triton did.
enum LaunchAgreement {
  /// What differs, one sentence each; empty when everything recorded was found as recorded.
  static func differences(found run: HostRun, recorded: [RecordedLaunch]) -> [String] {
    let found = run.launches.flatMap(FoundLaunch.all(of:))
    guard found.map(\.kernel) == recorded.map(\.kernel) else {
      return ["launches \(found.map(\.kernel)) instead of \(recorded.map(\.kernel))"]
    }
    var differences: [String] = []
    for (launch, expected) in zip(found, recorded) {
      let place = "\(expected.kernel), config \(expected.config ?? 0)"
      func expect<T: Equatable>(_ what: String, _ found: T, _ shouldBe: T) {
        if found != shouldBe {
          differences.append("\(place): \(what) \(found) instead of \(shouldBe)")
        }
      }
      expect("grid", launch.grid, withoutTrailingOnes(expected.grid))
      expect("num_warps", launch.numWarps, expected.numWarps)
      expect("num_stages", launch.numStages, expected.numStages)
      for (parameter, value) in expected.args.sorted(by: { $0.key < $1.key }) {
        if let found = launch.values[parameter] {
          if !agrees(found, value) {
            differences.append("\(place): \(parameter) is \(found) instead of \(value)")
          }
        } else {
          differences.append("\(place): \(parameter) has no value")
        }
      }
    }
    return differences
  }
}

/// One config of a launch with every parameter's value.
private struct FoundLaunch {
  var kernel: String
  var grid: [Int]
  var numWarps: Int
  var numStages: Int
  var values: [String: ArgumentValue]

  static func all(of launch: Launch) -> [FoundLaunch] {
    let once = launch.configs.map { config, grid in
      var values = Dictionary(
        launch.arguments.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
      for (name, constant) in config.constants { values[name] = ArgumentValue(constant: constant) }
      return FoundLaunch(
        kernel: launch.kernel, grid: withoutTrailingOnes(grid), numWarps: config.numWarps,
        numStages: config.numStages, values: values)
    }
    return Array(repeating: once, count: launch.repetitions).flatMap { $0 }
  }
}

private func withoutTrailingOnes(_ grid: [Int]) -> [Int] {
  var grid = grid
  while grid.count > 1 && grid.last == 1 { grid.removeLast() }
  return grid
}

private func agrees(_ found: ArgumentValue, _ recorded: RecordedValue) -> Bool {
  switch (found, recorded) {
  case (.none, .none): true
  case (.bool(let a), .bool(let b)): a == b
  case (.int(let a), .int(let b)): a == b
  case (.float(let a), .float(let b)): a == b
  // JSON has one kind of number.
  case (.float(let a), .int(let b)): a == Double(b)
  case (.string(let a), .string(let b)): a == b
  case (.dtype(let a), .dtype(let b)): a.description == b
  case (.tuple(let a), .list(let b)): a.count == b.count && zip(a, b).allSatisfy(agrees)
  case (.function(let a), .function(let b)): a == b
  case (.tensor(let a), .tensor(let dtype, let shape, let strides)):
    a.element == elementTypes[dtype] && a.shape == shape && a.strides == strides
  default: false
  }
}

/// torch's names.
private let elementTypes: [String: ElementType] = [
  "float32": .fp32, "float16": .fp16, "bfloat16": .bf16, "float64": .fp64, "int8": .int8,
  "int16": .int16, "int32": .int32, "int64": .int64, "uint8": .uint8, "bool": .int1,
]

/// Triton's words in a signature.
private let signatureTypes: [String: ElementType] = [
  "fp32": .fp32, "fp16": .fp16, "bf16": .bf16, "fp64": .fp64, "i1": .int1, "u1": .int1, "i8": .int8,
  "i16": .int16, "i32": .int32, "i64": .int64, "u8": .uint8, "u32": .uint32, "u64": .uint64,
]

extension RecordedLaunch {
  struct UnknownType: Error { var word: String }

  func specialization(computeCapability: Int) throws -> Specialization {
    var arguments: [String: ArgumentSpecialization] = [:]
    for (name, word) in signature {
      let isDivisible = divisibleBy16.contains(name)
      let isPointer = word.hasPrefix("*")
      guard let type = signatureTypes[isPointer ? String(word.dropFirst()) : word] else {
        throw UnknownType(word: word)
      }
      arguments[name] =
        isPointer
        ? .pointer(type, isDivisibleBy16: isDivisible) : .scalar(type, isDivisibleBy16: isDivisible)
    }
    for (name, value) in constexprs {
      arguments[name] = .constexpr(try value.constant())
    }
    return Specialization(
      arguments: arguments, numWarps: numWarps, numStages: numStages,
      computeCapability: computeCapability)
  }
}

extension RecordedValue {
  fileprivate func constant() throws -> ConstexprValue {
    switch self {
    case .none: .none
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .float(let value): .float(value)
    case .string(let value): .string(value)
    case .list(let items): .tuple(try items.map { try $0.constant() })
    case .function(let name): .function(name)
    case .dtype(let word):
      if let type = ElementType.scalars.first(where: { $0.description == word }) {
        .dtype(type)
      } else {
        throw RecordedLaunch.UnknownType(word: word)
      }
    case .tensor(let word, _, _): throw RecordedLaunch.UnknownType(word: word)
    }
  }
}
