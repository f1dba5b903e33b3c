import Diagnostics
import Foundation
import PythonSyntax

/// Parses the standard library with Hone and with CPython, in turns, and prints both speeds.
@main
struct ParseBenchmark {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  static func main() throws {
    let arguments = CommandLine.arguments
    func option(_ name: String, _ fallback: String) -> String {
      guard let index = arguments.firstIndex(of: name), index + 1 < arguments.count else {
        return fallback
      }
      return arguments[index + 1]
    }
    let python = option("--python", "python3")
    let rounds = max(1, Int(option("--rounds", "3")) ?? 3)

    let peer = try Peer(python: python)
    defer { peer.stop() }
    let sources = try peer.paths.map { path -> SourceText in
      guard let data = FileManager.default.contents(atPath: path) else {
        throw Failure(description: "\(path): cannot be read")
      }
      return SourceText(name: path, bytes: Array(data))
    }
    let bytes = sources.reduce(0) { $0 + $1.bytes.count }
    guard bytes == peer.bytes else {
      throw Failure(description: "the two sides read different files")
    }
    let rejected = sources.filter { PythonParser.parse($0).hasErrors }
    guard rejected.isEmpty else {
      throw Failure(description: "rejected: \(rejected.map(\.name))")
    }

    print("\(peer.version): \(sources.count) files, \(bytes) bytes, \(rounds) rounds")
    var ours: [Double] = []
    var theirs: [Double] = []
    var statements = 0
    for round in 1...rounds {
      let start = processSeconds()
      for source in sources { statements &+= PythonParser.parse(source).body.count }
      ours.append(processSeconds() - start)
      theirs.append(try peer.measure())
      print(
        "round \(round): hone \(rate(bytes, ours[round - 1])), CPython \(rate(bytes, theirs[round - 1]))"
      )
    }
    guard statements == rounds * peer.statements else {
      throw Failure(description: "the two sides found different numbers of statements")
    }
    let best = (hone: ours.min() ?? 0, python: theirs.min() ?? 0)
    print(
      "best: hone \(rate(bytes, best.hone)), CPython \(rate(bytes, best.python)), "
        + "ratio \(String(format: "%.2f", best.python / best.hone))")
  }

  /// Processor time of this process in seconds: both parsers are single-threaded, and unlike wall
  /// time it does not change with what else the machine does.
  static func processSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  static func rate(_ bytes: Int, _ seconds: Double) -> String {
    String(format: "%.2f MB/s (%.3f s)", Double(bytes) / seconds / 1e6, seconds)
  }
}

/// A Python process that parses the same files on request.
final class Peer {
  let version: String
  let paths: [String]
  let bytes: Int
  let statements: Int
  private let process = Process()
  private let input = Pipe()
  private let output: FileHandle
  private var buffer = Data()

  private static let script = """
    import ast, gc, os, sys, time, warnings
    warnings.simplefilter("ignore")
    root = os.path.dirname(os.__file__)
    paths = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if f != "site-packages")
        paths += [os.path.join(folder, n) for n in sorted(names) if n.endswith(".py")]
    good = []
    statements = 0
    for path in paths:
        with open(path, "rb") as file:
            data = file.read()
        try:
            statements += len(ast.parse(data).body)
        except (SyntaxError, ValueError):
            continue
        good.append((path, data))
    print("CPython " + sys.version.split()[0])
    print(sum(len(data) for _, data in good))
    print(statements)
    print(len(good))
    for path, _ in good:
        print(path)
    sys.stdout.flush()
    gc.disable()
    for line in sys.stdin:
        start = time.process_time()
        for _, data in good:
            ast.parse(data)
        print(time.process_time() - start, flush=True)
    """

  init(python: String) throws {
    let pipe = Pipe()
    output = pipe.fileHandleForReading
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [python, "-c", Self.script]
    process.standardInput = input
    process.standardOutput = pipe
    try process.run()
    var pending = Data()
    let handle = output
    func line() throws -> String {
      while true {
        if let end = pending.firstIndex(of: 0x0A) {
          let text = String(decoding: pending[..<end], as: UTF8.self)
          pending = Data(pending[(end + 1)...])
          return text
        }
        let more = handle.availableData
        guard !more.isEmpty else { throw ParseBenchmark.Failure(description: "python ended") }
        pending += more
      }
    }
    version = try line()
    bytes = Int(try line()) ?? 0
    statements = Int(try line()) ?? 0
    let count = Int(try line()) ?? 0
    paths = try (0..<count).map { _ in try line() }
    buffer = pending
  }

  /// Seconds that CPython takes for all files.
  func measure() throws -> Double {
    input.fileHandleForWriting.write(Data("go\n".utf8))
    while true {
      if let end = buffer.firstIndex(of: 0x0A) {
        let text = String(decoding: buffer[..<end], as: UTF8.self)
        buffer = Data(buffer[(end + 1)...])
        return Double(text) ?? .infinity
      }
      let more = output.availableData
      guard !more.isEmpty else { throw ParseBenchmark.Failure(description: "python ended") }
      buffer += more
    }
  }

  func stop() {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }
}
