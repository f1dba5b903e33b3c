import ArgumentParser
import DeviceModel
import Diagnostics
import Foundation
import HostProgram
import PythonSyntax
import Requests
import TileIR
import Toolchain
import Tuning

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

  private var peerNames: [String] {
    (peers ?? "").split(separator: ",").map { String($0).replacing(" ", with: "") }
      .filter { !$0.isEmpty }
  }

  func run() async throws {
    let original = try Files.module(against)
    let problemTree = try problem.map { try Files.module($0) }
    let modules = try Self.named([candidate] + also)
    let hand = try ToolchainSession()
    defer { hand.scratch.tearDown() }
    let found = try hand.python(python)
    let device = try await device(of: found, hand)
    let bar = SharedBar()
    let lock = device.flatMap { DeviceLock($0) }
    let session = GPUSession(
      worker: Worker(
        python: found, scratch: hand.scratch,
        environment: hand.environment.merging(device?.variables ?? [:]) { $1 }),
      problem: try problem(original, problemTree),
      original: GPUModule(name: "original", text: original.source.text),
      accuracy: GPUAccuracy(allowed: GPUAccuracy.Allowance(rawValue: accuracy) ?? .original),
      device: lock, progress: { bar.show($0) })
    let report: BenchReport
    do {
      report = try await measure(session, lock, modules, original, problemTree)
    } catch let failure as WorkerFailure {
      bar.clear()
      throw ToolchainSession.failure(failure)
    }
    bar.clear()
    await session.close()
    switch format {
    case .text: try StandardOutput.write(report.text())
    case .json: try StandardOutput.write(try report.json())
    }
    if !report.isAccepted { throw Failure(outcome: .no) }
  }

  /// The GPU to measure on; nil where the driver lists none: the worker then says what is missing.
  private func device(
    of python: PythonEnvironment, _ hand: ToolchainSession
  ) async throws -> PythonReport.Device? {
    let report: PythonReport
    do {
      report = try await python.probe(
        scratch: hand.scratch, environment: hand.environment, imports: false)
    } catch {
      throw ToolchainSession.failure(error)
    }
    do throws(Diagnostic) {
      return report.gpus.isEmpty ? nil : try report.gpu(gpus)
    } catch {
      throw Failure(outcome: .input, diagnostics: [error])
    }
  }

  private func measure(
    _ session: GPUSession, _ lock: DeviceLock?, _ modules: [GPUModule], _ original: ModuleTree,
    _ problem: ModuleTree?
  ) async throws -> BenchReport {
    let opening = try await session.open()
    var report = BenchReport(opening: opening, checks: [])
    if lock == nil { report.opening.notes.append(DeviceLock.absence) }
    for module in modules {
      try await lock?.acquire(alone: false)
      defer { lock?.release() }
      let check = try await session.check(module, seconds: budget)
      report.checks.append(.init(name: module.name, check: check))
    }
    guard !checkOnly, report.checks.first?.check.verdict == .passed else { return report }
    var options = TimingOptions()
    options.seconds = seconds
    options.peers = peerNames
    if let gpu = GPU.find(opening.gpu) {
      do throws(Diagnostic) {
        let floor = try RooflineFloor(original: original, problem: problem)
        options.floorSeconds = floor.seconds(on: gpu)
      } catch {
        report.opening.notes.append("times are held against no floor of bytes: \(error.message)")
      }
      options.ownFloorSeconds["original"] = ownFloor(original, problem ?? original, gpu)
      for module in modules {
        let tree = PythonParser.parse(SourceText(name: module.name, bytes: Array(module.text.utf8)))
        options.ownFloorSeconds[module.name] = ownFloor(tree, problem ?? original, gpu)
      }
    }
    let right = modules.filter { module in
      report.checks.contains { $0.name == module.name && $0.check.verdict == .passed }
    }
    try await lock?.acquire(alone: true)
    defer { lock?.release() }
    report.timing = try await session.time(right, options: options)
    return report
  }

  /// What a module's own launches take at least; 0 where they cannot be followed.
  private func ownFloor(_ module: ModuleTree, _ problem: ModuleTree, _ gpu: GPU) -> Double {
    guard let run = try? HostProgram(module: module, problem: problem).run(.fromProblem) else {
      return 0
    }
    return LaunchFloor.seconds(of: run, in: module, on: gpu)
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
        return try GPUInput(name: spec.name, element: ElementType(type), shape: shape)
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
      return GPUModule(name: name, text: try Files.module(path).source.text)
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
