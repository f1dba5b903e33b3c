import ArgumentParser
import DeviceModel
import Diagnostics
import Foundation
import PythonSyntax
import Requests
import Toolchain

/// `hone bench`: is a candidate right on this GPU, and how fast is it beside its original?
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Check a module on a GPU and time it beside its original.",
    discussion: """
      The check comes first, and nothing that fails it is timed: errors against Model in fp64, poisoned \
      and guarded memory, other seeds, magnitudes and sizes, each autotune config by itself. Then \
      original and candidates are timed in turn, in random order, with the L2 cache emptied and new \
      numbers before every call. Needs a Python with torch and triton, and an NVIDIA GPU.

      Exit codes: 0 right, and the times can be believed; 1 not; 2 the input is at fault; 3 there is no \
      such Python or GPU.
      """)

  @Argument(help: "The module to measure; '-' reads standard input.")
  var candidate: String

  @Option(
    help: ArgumentHelp(
      "The module before optimization: a Python file or a request document.", valueName: "file"))
  var against: String

  @Option(
    help: ArgumentHelp(
      "A file with Model, get_inputs and get_init_inputs; default: the original's own.",
      valueName: "file"))
  var problem: String?

  @Option(
    name: .customLong("input"),
    help: ArgumentHelp(
      "An input of the module where there is no problem; repeat for each.",
      valueName: "name=type[sizes]"))
  var inputs: [String] = []

  @Option(
    help: ArgumentHelp("Another module to measure in the same run; repeat.", valueName: "file"))
  var also: [String] = []

  @Option(
    help: ArgumentHelp(
      "Other ways to compute Model, timed in the same run: eager, tf32, channels-last, compile.",
      valueName: "list"))
  var peers: String?

  @Option(help: "The Python to run; default: HONE_PYTHON, an active environment, python3.")
  var python: String?

  @Option(help: "The number of the GPU to use.")
  var gpus: Int = 0

  @Option(help: "Seconds of timed calls.")
  var seconds: Double = 20

  @Option(help: "Seconds for each module's check.")
  var budget: Double = 60

  @Option(help: "Operand precision that may be given up: original, tf32, fp16 or bf16.")
  var accuracy: String = "original"

  @Flag(help: "Check only; time nothing.")
  var checkOnly = false

  @Option(help: "How to print.")
  var format: OutputFormat = .text

  func validate() throws {
    guard seconds > 0, seconds <= 3600 else {
      throw ValidationError("--seconds needs a number above 0 and up to 3600.")
    }
    guard budget > 0, budget <= 3600 else {
      throw ValidationError("--budget needs a number above 0 and up to 3600.")
    }
    guard (0...63).contains(gpus) else { throw ValidationError("--gpus needs a GPU's number.") }
    guard GPUAccuracy.Allowance(rawValue: accuracy) != nil else {
      throw ValidationError("--accuracy is one of original, tf32, fp16, bf16.")
    }
    if let unknown = peerNames.first(where: { !TimingOptions.peerNames.contains($0) }) {
      throw ValidationError(
        "--peers knows \(TimingOptions.peerNames.joined(separator: ", ")), not '\(unknown)'.")
    }
    if ([candidate, against] + also + (problem.map { [$0] } ?? [])).filter({ $0 == "-" }).count > 1
    {
      throw ValidationError("Only one file can come from standard input.")
    }
  }

  /// The GPU of this number among those that the caller lets programs see.
  static func device(_ index: Int, among visible: String?) -> String {
    guard let visible else { return "\(index)" }
    let entries = visible.split(separator: ",").map { $0.filter { $0 != " " } }
    return index < entries.count ? entries[index] : ""
  }

  private var peerNames: [String] {
    (peers ?? "").split(separator: ",").map { String($0).replacing(" ", with: "") }
      .filter { !$0.isEmpty }
  }

  func run() async throws {
    let original = try Self.module(against)
    let problemTree = try problem.map { try Self.module($0) }
    let modules = try Self.named([candidate] + also)
    let environment = ProcessInfo.processInfo.environment
    let found: PythonEnvironment
    let scratch: ScratchFolder
    do {
      found = try PythonEnvironment.find(explicit: python, environment: environment)
      scratch = try ScratchFolder(in: environment["TMPDIR"])
    } catch {
      throw Failure(outcome: .environment, diagnostics: [error])
    }
    TerminationSignals.beforeEnd { scratch.tearDown() }
    defer { scratch.tearDown() }
    let bar = SharedBar()
    let session = GPUSession(
      worker: Worker(
        python: found, scratch: scratch,
        environment: environment.merging([
          "CUDA_VISIBLE_DEVICES": Self.device(gpus, among: environment["CUDA_VISIBLE_DEVICES"])
        ]) { $1 }),
      problem: try problem(original, problemTree),
      original: GPUModule(name: "original", text: original.source.text),
      accuracy: GPUAccuracy(allowed: GPUAccuracy.Allowance(rawValue: accuracy) ?? .original),
      progress: { bar.show($0) })
    let report: BenchReport
    do {
      report = try await measure(session, modules, original, problemTree)
    } catch let failure as WorkerFailure {
      bar.clear()
      throw Self.failure(failure)
    }
    bar.clear()
    await session.close()
    switch format {
    case .text: try StandardOutput.write(report.text())
    case .json: try StandardOutput.write(try report.json())
    }
    if !report.isAccepted { throw Failure(outcome: .no) }
  }

  private func measure(
    _ session: GPUSession, _ modules: [GPUModule], _ original: ModuleTree, _ problem: ModuleTree?
  ) async throws -> BenchReport {
    let opening = try await session.open()
    var report = BenchReport(opening: opening, checks: [])
    for module in modules {
      let check = try await session.check(module, seconds: budget)
      report.checks.append(.init(name: module.name, check: check))
    }
    guard !checkOnly, report.checks.first?.check.verdict == .passed else { return report }
    var options = TimingOptions()
    options.seconds = seconds
    options.peers = peerNames
    if let gpu = GPU.find(opening.gpu) {
      let floor = try? RooflineFloor(original: original, problem: problem)
      options.floorSeconds = floor?.seconds(on: gpu) ?? 0
      for module in modules {
        let tree = PythonParser.parse(SourceText(name: module.name, bytes: Array(module.text.utf8)))
        options.ownFloorSeconds[module.name] = BenchFloor.seconds(
          tree, problem: problem ?? original, on: gpu)
      }
    }
    let right = modules.filter { module in
      report.checks.contains { $0.name == module.name && $0.check.verdict == .passed }
    }
    report.timing = try await session.time(right, options: options)
    return report
  }

  private func problem(_ original: ModuleTree, _ tree: ModuleTree?) throws -> GPUProblem {
    var problem = GPUProblem(text: tree?.source.text)
    if tree == nil, original.functions.contains(where: { $0.name == "get_inputs" }) {
      problem.text = original.source.text
    }
    problem.inputs = try inputs.map { text in
      let spec = try InputSpec.parse(text)
      switch spec.value {
      case .tensor(let type, let shape):
        return GPUInput(name: spec.name, value: .tensor(type: type.torchName, shape: shape))
      case .int(let value): return GPUInput(name: spec.name, value: .int(value))
      case .float(let value): return GPUInput(name: spec.name, value: .float(value))
      case .bool(let value): return GPUInput(name: spec.name, value: .bool(value))
      }
    }
    if problem.text == nil, problem.inputs.isEmpty {
      throw Failure(
        outcome: .input,
        diagnostics: [
          Diagnostic(
            id: "no-inputs", "nothing says what forward is called with",
            nextStep: "give --problem FILE, or --input NAME=TYPE[SIZES] for each input")
        ])
    }
    return problem
  }

  /// The environment's fault, or the original's.
  private static func failure(_ failure: WorkerFailure) -> Failure {
    var diagnostic = failure.diagnostic
    let isInput = ["original:", "problem:"].contains { failure.message.hasPrefix($0) }
    if !isInput { diagnostic.nextStep = "run 'hone doctor'" }
    return Failure(outcome: isInput ? .input : .environment, diagnostics: [diagnostic])
  }

  /// Modules named after their files; equal names are told apart by a number.
  private static func named(_ paths: [String]) throws -> [GPUModule] {
    var seen: Set<String> = ["original", "problem"]
    return try paths.map { path in
      let file = path == "-" ? "candidate" : URL(fileURLWithPath: path).lastPathComponent
      let stem = String(file.prefix { $0 != "." })
        .map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
      var name = stem.isEmpty ? "candidate" : String(stem)
      var number = 2
      while !seen.insert(name).inserted {
        name = "\(String(stem))_\(number)"
        number += 1
      }
      return GPUModule(name: name, text: try module(path).source.text)
    }
  }

  /// A Python file, or the module inside a request document.
  private static func module(_ path: String) throws -> ModuleTree {
    let source = try Files.source(path)
    if path.hasSuffix(".md") || source.bytes.starts(with: Array("#!request".utf8)) {
      return try RequestReader.read(
        bytes: source.bytes, name: source.name, options: RequestOptions(requiresModel: false)
      ).tree
    }
    return PythonParser.parse(source)
  }
}

extension ElementName {
  /// As torch calls it.
  fileprivate var torchName: String {
    switch self {
    case .int1: "bool"
    case .float8e4nv: "float8_e4m3fn"
    case .float8e5: "float8_e5m2"
    default: rawValue
    }
  }
}

/// What the worker is at, on standard error of a terminal.
private final class SharedBar: @unchecked Sendable {
  private let lock = NSLock()
  private let bar = ProgressBar()

  func show(_ text: String) { lock.withLock { bar.show(0, text) } }
  func clear() { lock.withLock { bar.clear() } }
}
