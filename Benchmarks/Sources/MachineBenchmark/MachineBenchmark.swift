import Diagnostics
import Foundation
import HostProgram
import PythonSyntax
import TileIR
import TileMachine
import TritonLowering

/// Runs a module's launches on the tile machine, one thread, all checks on, and prints times.
///
/// `MachineBenchmark MODULE [name=size,size…] [--threads N] [--repeat N] [--config N]`
@main
struct MachineBenchmark {
  static func main() throws {
    var arguments = Array(CommandLine.arguments.dropFirst())
    func option(_ name: String) -> Int? {
      guard let index = arguments.firstIndex(of: name), index + 1 < arguments.count else {
        return nil
      }
      defer { arguments.removeSubrange(index...(index + 1)) }
      return Int(arguments[index + 1])
    }
    let threads = option("--threads") ?? 1
    let repeats = option("--repeat") ?? 5
    let chosen = option("--config") ?? 0
    guard let path = arguments.first else {
      return print("usage: MachineBenchmark MODULE [x=f32:1,3,224,224]")
    }
    let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    let tree = PythonParser.parse(SourceText(name: path, bytes: bytes))
    var shapes: [String: TensorShape] = [:]
    for text in arguments.dropFirst() {
      let parts = text.split(separator: "=")
      let sizes = parts[1].split(separator: ",").compactMap { Int($0) }
      shapes[String(parts[0])] = TensorShape(element: .fp32, shape: sizes)
    }
    let host = HostProgram(module: tree, problem: nil)
    let run = try host.run(shapes.isEmpty ? .fromProblem : .tensors(shapes))
    let module = TritonModule(tree)
    for launch in run.launches {
      let config = launch.configs[min(chosen, launch.configs.count - 1)]
      guard let kernel = module.function(named: launch.kernel) else { continue }
      let specialization = launch.specialization(
        config: config.config, kernel: kernel, computeCapability: 89)
      var start = Date()
      let function = try module.lower(launch.kernel, for: specialization)
      let lowering = Date().timeIntervalSince(start)
      let memory = DeviceMemory()
      var values: [String: MachineArgument] = [:]
      var generator = SystemRandomNumberGenerator()
      for argument in launch.arguments {
        switch argument.value {
        case .tensor(let shape):
          let count =
            zip(shape.shape, shape.strides).reduce(1) { $0 + ($1.0 - 1) * $1.1 } + shape.offset
          let raw = UnsafeMutableRawPointer.allocate(
            byteCount: max(1, count * shape.element.bytes), alignment: 64)
          if shape.element == .fp32 {
            let floats = raw.bindMemory(to: Float.self, capacity: count)
            for index in 0..<count { floats[index] = Float.random(in: -1...1, using: &generator) }
          } else {
            raw.initializeMemory(as: UInt8.self, repeating: 0, count: count * shape.element.bytes)
          }
          guard
            let allocation = memory.register(
              raw, byteCount: count * shape.element.bytes,
              label: .init(
                name: argument.name, element: shape.element, shape: shape.shape,
                strides: shape.strides), isInitialized: true)
          else { continue }
          values[argument.name] = .pointer(
            allocation, byteOffset: shape.offset * shape.element.bytes)
        case .int(let number): values[argument.name] = .int(number)
        case .float(let number): values[argument.name] = .float(number)
        case .bool(let flag): values[argument.name] = .int(flag ? 1 : 0)
        default: break
        }
      }
      start = Date()
      let prepared = try PreparedLaunch(
        function, grid: config.grid, arguments: values, memory: memory)
      let compiling = Date().timeIntervalSince(start)
      var options = TileMachine.Options()
      options.threads = threads
      var best = Double.infinity
      for _ in 0..<repeats {
        start = Date()
        let result = try prepared.run(memory, options)
        best = min(best, Date().timeIntervalSince(start))
        if let fault = result.fault {
          print(fault.diagnostic.rendered())
          break
        }
      }
      print(
        "\(launch.kernel) grid \(config.grid) config \(config.config.constants) lower \(ms(lowering)) compile \(ms(compiling)) run \(ms(best)) instructions \(prepared.program.instructionCount)"
      )
    }
  }

  static func ms(_ seconds: Double) -> String { String(format: "%.3f ms", seconds * 1000) }
}
