import Diagnostics
import Foundation
import PythonSyntax
import Testing
import TileIR
import TileMachine
import TritonLowering

/// A kernel with inputs and what real Triton made of them, as `Scripts/judge-machine.py` records it.
struct JudgeCase: Decodable, CustomTestStringConvertible {
  struct Argument: Decodable {
    var name: String
    var type: String
    var bytes: String?
    var zeros: Int?
    var value: Double?

    var isPointer: Bool { type.hasPrefix("*") }
  }

  /// Constants are integers or truth values.
  enum Constant: Decodable {
    case bool(Bool)
    case int(Int)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let bool = try? container.decode(Bool.self) {
        self = .bool(bool)
      } else {
        self = .int(try container.decode(Int.self))
      }
    }

    var python: String {
      switch self {
      case .bool(let value): value ? "True" : "False"
      case .int(let value): "\(value)"
      }
    }
  }

  var name: String
  var body: String
  var grid: [Int]
  var arguments: [Argument]
  var constexprs: [String: Constant]
  /// Tolerances of the outputs that are not compared bit for bit.
  var ulps: [String: Int]
  /// "gpu", "interpreter", or nil where neither could run the case.
  var judge: String?
  /// The final bytes of the tensors the kernel changed.
  var expected: [String: String]

  var testDescription: String { name }

  static func load(_ family: String) -> [JudgeCase] {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "JudgeGoldens/\(family).jsonl")
    guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
    return text.split(separator: "\n").compactMap {
      try? JSONDecoder().decode(JudgeCase.self, from: Data($0.utf8))
    }
  }

  /// The kernel's source with the imports that the recording put before it.
  var source: String {
    """
    import triton
    import triton.language as tl
    from triton.language.extra import libdevice


    """ + body
  }

  private var signature: String {
    var entries = arguments.map { argument -> String in
      if argument.isPointer { return "\(argument.name)=\(argument.type):16" }
      guard let value = argument.value, argument.type.hasPrefix("i") else {
        return "\(argument.name)=\(argument.type)"
      }
      let suffix = value == 1 ? ":1" : Int(value) % 16 == 0 ? ":16" : ""
      return "\(argument.name)=\(argument.type)\(suffix)"
    }
    entries += constexprs.map { "\($0.key)=\($0.value.python)" }
    return entries.joined(separator: ", ")
  }

  /// What the machine leaves in each tensor.
  /// - Throws: the refusal, or the fault as its diagnostic.
  func run(threads: Int = 1) throws -> [String: [UInt8]] {
    let module = TritonModule(PythonParser.parse(SourceText(name: "\(name).py", text: source)))
    let kernel = try #require(module.function(named: "kernel"))
    let specialization = try Signature.parse(signature, for: kernel, computeCapability: 90)
    let function = try module.lower("kernel", for: specialization)
    let memory = DeviceMemory()
    var passed: [String: MachineArgument] = [:]
    var buffers: [String: UnsafeMutableRawBufferPointer] = [:]
    defer { for buffer in buffers.values { buffer.deallocate() } }
    for argument in arguments {
      guard argument.isPointer else {
        let value = try #require(argument.value)
        passed[argument.name] =
          argument.type.hasPrefix("fp") ? .float(value) : .int(Int(value))
        continue
      }
      let bytes =
        argument.zeros.map { [UInt8](repeating: 0, count: $0) }
        ?? [UInt8](Data(base64Encoded: argument.bytes ?? "") ?? Data())
      let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: max(bytes.count, 1), alignment: 64)
      buffer.copyBytes(from: bytes)
      buffers[argument.name] = buffer
      let element = try #require(Self.elements[argument.type])
      let count = bytes.count / element.bytes
      let start = try #require(buffer.baseAddress)
      let registered = memory.register(
        start, byteCount: bytes.count,
        label: .init(name: argument.name, element: element, shape: [count], strides: [1]),
        isInitialized: true)
      let allocation = try #require(registered)
      passed[argument.name] = .pointer(allocation, byteOffset: 0)
    }
    var options = TileMachine.Options()
    options.threads = threads
    let machine = TileMachine(memory: memory, options: options)
    let run = try machine.run(function, grid: grid, arguments: passed)
    if let fault = run.fault { throw fault.diagnostic }
    return buffers.mapValues { [UInt8]($0) }
  }

  static let elements: [String: ElementType] = [
    "*i1": .int1, "*i8": .int8, "*i16": .int16, "*i32": .int32, "*i64": .int64, "*u8": .uint8,
    "*u16": .uint16, "*u32": .uint32, "*u64": .uint64, "*fp16": .fp16, "*bf16": .bf16,
    "*fp32": .fp32, "*fp64": .fp64, "*fp8e4nv": .fp8e4nv, "*fp8e5": .fp8e5,
    "*fp8e4b15": .fp8e4b15,
  ]

  /// The first lane of each output that differs from the golden, in words; empty if none does.
  func differences(_ results: [String: [UInt8]]) -> [String] {
    arguments.filter(\.isPointer).compactMap { argument in
      guard let element = Self.elements[argument.type], let actual = results[argument.name] else {
        return "\(argument.name) is missing"
      }
      let golden = expected[argument.name] ?? argument.bytes
      let wanted =
        golden.map { [UInt8](Data(base64Encoded: $0) ?? Data()) }
        ?? [UInt8](repeating: 0, count: argument.zeros ?? 0)
      let tolerance = ulps[argument.name] ?? 0
      let size = element.bytes
      var wrong: [Int] = []
      for lane in 0..<(wanted.count / size) {
        let a = pattern(actual, lane, size)
        let b = pattern(wanted, lane, size)
        if a != b, Self.distance(a, b, element) > tolerance { wrong.append(lane) }
      }
      guard let lane = wrong.first else { return nil }
      let (a, b) = (pattern(actual, lane, size), pattern(wanted, lane, size))
      return """
        \(argument.name) (\(element)): \(wrong.count) lanes, first \(lane): \
        \(String(a, radix: 16)), \(judge ?? "no judge") says \(String(b, radix: 16))
        """
    }
  }

  private func pattern(_ bytes: [UInt8], _ lane: Int, _ size: Int) -> UInt64 {
    (0..<size).reduce(UInt64(0)) { $0 | UInt64(bytes[lane * size + $1]) << UInt64(8 * $1) }
  }

  /// Steps between two values of a float type; NaN equals NaN; integers differ by any number.
  static func distance(_ a: UInt64, _ b: UInt64, _ element: ElementType) -> Int {
    guard element.isFloat else { return .max }
    let (exponentBits, mantissaBits): (UInt64, UInt64) =
      switch element {
      case .fp64: (11, 52)
      case .fp32: (8, 23)
      case .bf16: (8, 7)
      case .fp16: (5, 10)
      case .fp8e5: (5, 2)
      default: (4, 3)
      }
    let sign: UInt64 = 1 << (exponentBits + mantissaBits)
    let infinity = ((1 << exponentBits) - 1) << mantissaBits
    func isNaN(_ x: UInt64) -> Bool {
      switch element {
      case .fp8e4b15: false
      case .fp8e4nv: x & (sign - 1) == sign - 1
      default: x & (sign - 1) > infinity
      }
    }
    if isNaN(a) || isNaN(b) { return isNaN(a) && isNaN(b) ? 0 : .max }
    func ordered(_ x: UInt64) -> Int {
      let magnitude = Int(x & (sign - 1))
      return x & sign == 0 ? magnitude : -magnitude
    }
    // The two zeros differ bit for bit, but not in value.
    return max(1, abs(ordered(a) - ordered(b)))
  }
}
