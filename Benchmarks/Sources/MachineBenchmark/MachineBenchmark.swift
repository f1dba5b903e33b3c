import Diagnostics
import Foundation
import HostProgram
import PythonSyntax
import TileIR
import TileMachine
import TritonLowering

/// Runs a module's launches on the tile machine, all checks on, and prints what they took.
///
/// `MachineBenchmark MODULE [name=size,size…] [--config N] [--programs N] [--threads N]
/// [--repeat N] [--json 1]`: sizes replace those of `get_inputs()`; `--config` picks one of an
/// autotuned kernel's configs; `--programs` runs only the first programs along the grid's first
/// axis. Times are processor time, the best of the repeats; results are not looked at here:
/// `Benchmarks/machine-benchmark.py` compares them with the peer's.
@main
struct MachineBenchmark {
  var path = ""
  var shapes: [String: [Int]] = [:]
  var threads = 1
  var repeats = 5
  var config = 0
  var programs = 0
  var isJSON = false

  static func main() throws {
    var benchmark = MachineBenchmark()
    var arguments = Array(CommandLine.arguments.dropFirst())
    func option(_ name: String) -> Int? {
      guard let index = arguments.firstIndex(of: name), index + 1 < arguments.count else {
        return nil
      }
      defer { arguments.removeSubrange(index...(index + 1)) }
      return Int(arguments[index + 1])
    }
    benchmark.threads = option("--threads") ?? 1
    benchmark.repeats = option("--repeat") ?? 5
    benchmark.config = option("--config") ?? 0
    benchmark.programs = option("--programs") ?? 0
    benchmark.isJSON = option("--json") == 1
    guard let path = arguments.first else {
      return print("usage: MachineBenchmark MODULE [x=1,3,224,224] [--config N] [--programs N]")
    }
    benchmark.path = path
    for text in arguments.dropFirst() {
      let parts = text.split(separator: "=")
      guard parts.count == 2 else { continue }
      benchmark.shapes[String(parts[0])] = parts[1].split(separator: ",").compactMap { Int($0) }
    }
    do {
      try benchmark.run()
    } catch let diagnostic as Diagnostic {
      print(diagnostic.rendered())
      exit(1)
    }
  }

  func run() throws {
    let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    let tree = PythonParser.parse(SourceText(name: path, bytes: bytes))
    let host = HostProgram(module: tree, problem: nil)
    let run: HostRun
    do {
      run = try host.run(.resized(shapes))
    } catch {
      run = try host.run(
        .tensors(shapes.mapValues { TensorShape(element: .fp32, shape: $0) }))
    }
    let module = TritonModule(tree)
    for launch in run.launches { try measure(launch, module) }
  }

  private func measure(_ launch: Launch, _ module: TritonModule) throws {
    guard let kernel = module.function(named: launch.kernel), !launch.configs.isEmpty else {
      return
    }
    let config = launch.configs[min(self.config, launch.configs.count - 1)]
    let specialization = launch.specialization(
      config: config.config, kernel: kernel, computeCapability: 89)
    var start = Self.processorTime()
    let function = try module.lower(launch.kernel, for: specialization)
    let lowering = Self.processorTime() - start
    let memory = DeviceMemory()
    var tensorBytes = 0
    let values = try launch.machineArguments(config.config) {
      (shape, name) throws(Diagnostic) in
      tensorBytes += shape.byteExtent ?? 0
      return try Self.tensor(shape, name, memory)
    }
    start = Self.processorTime()
    let prepared = try PreparedLaunch(
      function, grid: config.grid, arguments: values, memory: memory)
    let compiling = Self.processorTime() - start
    var options = TileMachine.Options()
    options.threads = threads
    if programs > 0 { options.programs = Array(0..<min(programs, config.grid[0])) }
    var best = Double.infinity
    var count = 0
    for _ in 0..<max(1, repeats) {
      start = threads == 1 ? Self.processorTime() : Date().timeIntervalSinceReferenceDate
      let result = try prepared.run(memory, options)
      let end = threads == 1 ? Self.processorTime() : Date().timeIntervalSinceReferenceDate
      best = min(best, end - start)
      count = result.programs
      if let fault = result.fault {
        print(fault.diagnostic.rendered())
        exit(1)
      }
    }
    if isJSON {
      print(
        #"{"kernel": "\#(launch.kernel)", "grid": \#(config.grid), "programs": \#(count), "run": \#(best), "prepare": \#(lowering + compiling), "tensorBytes": \#(tensorBytes), "peakBytes": \#(Self.peakBytes())}"#
      )
    } else {
      print(
        "\(launch.kernel) grid \(config.grid) \(config.config.constants): \(count) programs,"
          + " lower \(Self.ms(lowering)), compile \(Self.ms(compiling)), run \(Self.ms(best)),"
          + " \(prepared.program.instructionCount) instructions")
    }
  }

  /// A tensor of random numbers; integers are 0, which is an index into anything.
  private static func tensor(
    _ shape: TensorShape, _ name: String, _ memory: DeviceMemory
  ) throws(Diagnostic) -> DeviceMemory.Allocation {
    guard let bytes = shape.byteExtent else {
      throw Diagnostic(id: "out-of-memory", "'\(name)' is too large")
    }
    let byteCount = max(1, bytes)
    let count = byteCount / shape.element.bytes
    let raw = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
    raw.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    var generator = Generator()
    switch shape.element {
    case .fp32:
      let lanes = raw.bindMemory(to: Float.self, capacity: count)
      for index in 0..<count { lanes[index] = Float.random(in: -1...1, using: &generator) }
    case .fp16, .bf16:
      // ±[0.5, 1) by the bits of the format.
      let low: UInt16 = shape.element == .fp16 ? 0x3800 : 0x3F00
      let width: UInt16 = shape.element == .fp16 ? 0x3FF : 0x7F
      let lanes = raw.bindMemory(to: UInt16.self, capacity: count)
      for index in 0..<count {
        let random = UInt16.random(in: .min ... .max, using: &generator)
        lanes[index] = low | random & (width | 0x8000)
      }
    default: break
    }
    guard
      let allocation = memory.register(
        raw, byteCount: byteCount, label: .init(name, shape), isInitialized: true)
    else {
      throw Diagnostic(id: "out-of-memory", "no memory for the shadow of '\(name)'")
    }
    return allocation
  }

  /// Numbers without a call of the system for each: 64 bits of a multiplied, mixed counter.
  private struct Generator: RandomNumberGenerator {
    var state: UInt64 = 0
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      let mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
      return mixed ^ (mixed >> 29)
    }
  }

  /// The most memory this process had, in bytes.
  private static func peakBytes() -> Int {
    var usage = rusage()
    #if os(Linux)
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
      return usage.ru_maxrss * 1024
    #else
      getrusage(RUSAGE_SELF, &usage)
      return usage.ru_maxrss
    #endif
  }

  /// Seconds of processor time this process took.
  private static func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  private static func ms(_ seconds: Double) -> String { String(format: "%.3f ms", seconds * 1000) }
}
