import Diagnostics
import Foundation
import HostProgram
import PythonSyntax
import TileIR
import TritonLowering

/// A development tool: evaluates modules in bulk and prints one JSON line each.
///
/// Standard input: one module a line, `MODULE`, or `MODULE<tab>PROBLEM`. Option `--unknown` ignores
/// problems, `--reference` runs the problem's `Model`, `--repeat N` times N runs, `--trace` prints
/// the trace as text, `--trace-json` puts it into the record, `--set NAME=N` replaces a constant of
/// the problem, `--resize INPUT=A,B` the shape of an input.
@main
struct HostBatch {
  static func main() {
    let arguments = CommandLine.arguments
    let isUnknown = arguments.contains("--unknown")
    let isReference = arguments.contains("--reference")
    let repeats =
      arguments.firstIndex(of: "--repeat").flatMap {
        arguments.indices.contains($0 + 1) ? Int(arguments[$0 + 1]) : nil
      } ?? 1
    let constants = settings("--set", arguments).compactMapValues(\.first)
    let shapes = settings("--resize", arguments)
    let inputs: HostProgram.Inputs =
      isUnknown ? .unknown : shapes.isEmpty ? .fromProblem : .resized(shapes)
    while let line = readLine() {
      let parts = line.split(separator: "\t").map(String.init)
      guard let path = parts.first, let module = parse(path) else { continue }
      let problem = isUnknown || parts.count < 2 ? nil : parse(parts[1])
      let program = HostProgram(module: module, problem: problem)
      var record: [String: Any] = ["module": path]
      let start = DispatchTime.now().uptimeNanoseconds
      do {
        var run = HostRun()
        for _ in 0..<repeats {
          run =
            isReference
            ? try program.runReference(inputs, constants: constants)
            : try program.run(inputs, constants: constants)
        }
        record["launches"] =
          arguments.contains("--full")
          ? specialize(run.launches, TritonModule(module)) : run.launches.map(describe)
        record["inputs"] = run.inputs.map {
          ["name": $0.name, "shape": $0.shape.shape] as [String: Any]
        }
        record["outputs"] = run.outputs.map {
          ["shape": $0.shape, "strides": $0.strides, "dtype": "\($0.element)"] as [String: Any]
        }
        record["dimensions"] = run.dimensions.map { "\($0.name)=\($0.value) \($0.basis.rawValue)" }
        record["operators"] = run.torchOperators.map(\.name)
        if arguments.contains("--trace-json") { record["trace"] = TracePrinting.json(run) }
        if arguments.contains("--trace") {
          print(path)
          for line in TracePrinting.lines(run) { print("  \(line)") }
          continue
        }
        record["constants"] = program.constants.map { "\($0.name)=\($0.value)" }
        record["notes"] = run.notes.map(\.headline)
      } catch {
        record["error"] = error.rendered()
        record["id"] = error.id
      }
      record["ms"] =
        Double(DispatchTime.now().uptimeNanoseconds - start) / 1e6 / Double(repeats)
      if let data = try? JSONSerialization.data(withJSONObject: record, options: [.sortedKeys]) {
        print(String(decoding: data, as: UTF8.self))
      }
    }
  }

  /// `NAME=1,2` after each occurrence of an option.
  private static func settings(_ option: String, _ arguments: [String]) -> [String: [Int]] {
    var found: [String: [Int]] = [:]
    for (index, argument) in arguments.enumerated() where argument == option {
      guard arguments.indices.contains(index + 1) else { continue }
      let parts = arguments[index + 1].split(separator: "=", maxSplits: 1)
      guard parts.count == 2 else { continue }
      found[String(parts[0])] = parts[1].split(separator: ",").compactMap { Int($0) }
    }
    return found
  }

  /// Launch by launch and config by config, as `Scripts/record-launches.py` records them.
  private static func specialize(_ launches: [Launch], _ module: TritonModule) -> [[String: Any]] {
    var result: [[String: Any]] = []
    for launch in launches {
      guard let kernel = module.function(named: launch.kernel) else { continue }
      for (config, grid) in launch.configs {
        let specialization = launch.specialization(
          config: config, kernel: kernel, computeCapability: 89)
        var signature: [String: String] = [:]
        var constants: [String: String] = [:]
        var divisible: [String] = []
        for (name, argument) in specialization.arguments {
          switch argument {
          case .pointer(let element, let isDivisible):
            signature[name] = "*\(element)"
            if isDivisible { divisible.append(name) }
          case .scalar(let element, let isDivisible):
            signature[name] = "\(element)"
            if isDivisible { divisible.append(name) }
          case .constexpr(let value): constants[name] = "\(value)"
          case .tensorDescriptor, .tuple: signature[name] = "\(argument)"
          }
        }
        result.append([
          "kernel": launch.kernel, "grid": grid, "signature": signature, "constexprs": constants,
          "divisibleBy16": divisible.sorted(), "num_warps": config.numWarps,
          "num_stages": config.numStages, "repetitions": launch.repetitions,
          "args": Dictionary(
            uniqueKeysWithValues: launch.arguments.compactMap { argument -> (String, Any)? in
              guard case .tensor(let shape) = argument.value else { return nil }
              return (
                argument.name,
                ["shape": shape.shape, "strides": shape.strides, "dtype": "\(shape.element)"]
                  as [String: Any]
              )
            }),
        ])
      }
    }
    return result
  }

  private static func parse(_ path: String) -> ModuleTree? {
    guard let data = FileManager.default.contents(atPath: path) else {
      FileHandle.standardError.write(Data("cannot read \(path)\n".utf8))
      return nil
    }
    return PythonParser.parse(SourceText(name: path, bytes: Array(data)))
  }

  private static func describe(_ launch: Launch) -> [String: Any] {
    [
      "kernel": launch.kernel,
      "grids": launch.configs.map(\.grid),
      "configs": launch.configs.map { pair in
        "\(pair.config.constants.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }) w\(pair.config.numWarps) s\(pair.config.numStages)"
      },
      "formulas": launch.gridFormulas?.map(\.description) ?? [],
      "arguments": launch.arguments.map {
        "\($0.name)=\($0.value) [\($0.origin)]\($0.formula.map { " \($0)" } ?? "")"
      },
      "repetitions": launch.repetitions,
    ]
  }
}
