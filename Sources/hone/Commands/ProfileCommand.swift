import ArgumentParser
import Diagnostics
import Foundation
import HostProgram
import Profiling
import PythonSyntax
import Requests
import Stages
import Toolchain

/// `hone profile`: what Nsight Compute sees of a module's launches.
struct ProfileCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "profile",
    abstract: "Measure a module's launches with Nsight Compute, or import what it measured.",
    discussion: """
      Runs ncu (--clock-control none) on one forward after compiling, autotuning and warm-up; needs \
      an NVIDIA GPU, ncu, and a Python with torch and triton. With --import an existing report \
      (.ncu-rep), its CSV or JSON is read instead. Launches are matched to the module's; kernels \
      that are not the module's are listed apart.

      --output writes the JSON that 'hone optimize --profile' takes.
      Exit codes: 0 done; 2 the input is at fault; 3 ncu, the GPU or Python is.
      """)

  @Argument(help: "A request document or a Python module; '-' reads standard input.")
  var input: String

  @Option(
    help: ArgumentHelp(
      "A file with Model, get_inputs and get_init_inputs; default: the module's own.",
      valueName: "file"))
  var problem: String?

  @Option(
    name: .customLong("import"),
    help: ArgumentHelp(
      "Read this report (.ncu-rep), ncu CSV or JSON instead of measuring.", valueName: "file"))
  var report: String?

  @Option(help: "Also measure what this stage looks at, by name or number (1 to 4).")
  var stage: String?

  @Option(help: ArgumentHelp("The ncu to run.", valueName: "path"))
  var ncu: String?

  @Option(help: ArgumentHelp("The Python to run.", valueName: "path"))
  var python: String?

  @Option(help: ArgumentHelp("Seconds that each run of ncu may take.", valueName: "seconds"))
  var timeout: Double = 600

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Write the profile as JSON to this file.", valueName: "file"))
  var output: String?

  @Option(help: "How to print.")
  var format: OutputFormat = .text

  func validate() throws {
    guard timeout > 0, timeout <= 86_400 else {
      throw ValidationError("--timeout needs a number of seconds above 0.")
    }
    if [input, problem, report].filter({ $0 == "-" }).count > 1 {
      throw ValidationError("Only one file can come from standard input.")
    }
  }

  func run() async throws {
    let subject = try Subject(input: input, problem: problem, stage: stage)
    var device: String?
    var notes: [Diagnostic] = []
    var match: ProfileMatch
    if let report {
      let reading = try await read(report)
      notes += reading.notes
      if let absence = reading.absence {
        throw Diagnostic(id: "empty-profile", "'\(report)' holds no metrics: \(absence)")
      }
      match = subject.match(reading.profiles, records: nil)
    } else {
      let run = try await measure(subject)
      notes += run.reading.notes + run.notes
      if !run.unknownMetrics.isEmpty {
        notes.append(
          Diagnostic(
            id: "unknown-metrics", severity: .note,
            "this GPU has no value of \(run.unknownMetrics.joined(separator: ", "))"))
      }
      device = run.device
      match = subject.match(run.reading.profiles, records: run.launches)
    }
    // The raw page is full of texts and empty values.
    let quiet = ["absent-metric", "text-metric", "unnamed-metric"]
    StandardError.print((notes + match.notes).filter { !quiet.contains($0.id) })
    guard !match.entries.isEmpty else { throw nothingOfTheModule(match, subject) }
    let json = ProfileDocument.json(match.entries.map(\.profile))
    if let output { try Files.write(Array(json.utf8), to: output) }
    let table = ProfileTable(match: match, device: device).text
    switch format {
    case .text: try StandardOutput.write(table)
    case .json: try StandardOutput.write(json)
    }
  }

  private func nothingOfTheModule(_ match: ProfileMatch, _ subject: Subject) -> Diagnostic {
    let names = match.others.prefix(4).map { "'\($0.kernel.prefix(60))'" }
    return Diagnostic(
      id: "profile-kernel-unknown",
      "the profile has no launch of the module's kernels; it has \(names.joined(separator: ", "))",
      nextStep: "kernels of the module: \(subject.kernels.prefix(8).joined(separator: ", "))")
  }

  // MARK: - Where the metrics come from

  private func measure(_ subject: Subject) async throws -> NcuProfiler.Run {
    let profiler = try makeProfiler()
    do {
      let environment = ProcessInfo.processInfo.environment
      let interpreter: PythonEnvironment
      do throws(Diagnostic) {
        interpreter = try PythonEnvironment.find(explicit: python, environment: environment)
      } catch {
        throw Failure(outcome: .environment, diagnostics: [error])
      }
      let files = try subject.files(in: profiler.scratch)
      return try await profiler.profile(
        module: files.module, problem: files.problem, python: interpreter,
        metrics: subject.metrics)
    } catch let failure as ProfilerFailure {
      throw Self.failure(failure)
    }
  }

  private func read(_ report: String) async throws -> ProfileReading {
    let isReport = [".ncu-rep", ".nsight-cuprof-report"].contains { report.hasSuffix($0) }
    guard isReport else {
      var reading = try ProfileReader.read(try Files.source(report))
      for index in reading.profiles.indices { reading.profiles[index].dropAttributes() }
      return reading
    }
    guard FileManager.default.isReadableFile(atPath: report) else {
      throw Diagnostic(
        id: "no-such-file", "no such file: '\(report)'", nextStep: "check the path")
    }
    do {
      return try await makeProfiler().importReport(URL(fileURLWithPath: report).path)
    } catch let failure as ProfilerFailure {
      throw Self.failure(failure)
    }
  }

  private func makeProfiler() throws -> NcuProfiler {
    let session = try ToolchainSession()
    let environment = session.environment
    do throws(Diagnostic) {
      return NcuProfiler(
        ncu: try NcuTool.find(explicit: ncu, environment: environment),
        scratch: session.scratch, environment: environment,
        deadline: .seconds(timeout))
    } catch {
      throw Failure(outcome: .environment, diagnostics: [error])
    }
  }

  private static func failure(_ failure: ProfilerFailure) -> Failure {
    Failure(
      outcome: failure.blame == .input ? .input : .environment, diagnostics: [failure.diagnostic])
  }

  // MARK: - What is profiled

  /// The module with its problem, as trees and as files.
  private struct Subject {
    var module: ModuleTree
    var problem: ModuleTree?
    /// The paths, where the module or problem is a file of its own.
    var modulePath: String?
    var problemPath: String?
    var policy: StagePolicy?

    init(input: String, problem: String?, stage: String?) throws {
      let (bytes, name) = try Files.read(input)
      policy = try stage.map { StagePolicy.builtIn(try Stage.named($0)) }
      if input.hasSuffix(".py") {
        module = PythonParser.parse(
          try SourceBytes.check(
            bytes, name: name, surroundings: Files.surroundings(name)))
        modulePath = URL(fileURLWithPath: input).path
      } else if name == "<stdin>", let tree = try Self.module(bytes, name) {
        module = tree
      } else {
        let request = try RequestReader.read(
          bytes: bytes, name: name, surroundings: Files.surroundings(name),
          options: RequestOptions(stage: stage, requiresModel: false))
        (module, self.problem, policy) = (request.tree, request.problem?.tree, request.policy)
      }
      if let problem {
        self.problem = PythonParser.parse(try Files.source(problem))
        problemPath = problem == "-" ? nil : URL(fileURLWithPath: problem).path
      }
      let errors = ([module, self.problem].compactMap(\.self)).flatMap(\.diagnostics)
        .filter { $0.severity == .error }
      guard errors.isEmpty else { throw InputErrors(Array(errors.prefix(20))) }
    }

    /// Standard input is a module if it parses as one.
    private static func module(_ bytes: [UInt8], _ name: String) throws -> ModuleTree? {
      let tree = PythonParser.parse(try SourceBytes.check(bytes, name: name))
      return tree.hasErrors ? nil : tree
    }

    var kernels: [String] { StageRules.kernels(in: module).map(\.name) }

    /// Everything Hone looks at, and what the stage names beside it.
    var metrics: [String] {
      let extra = policy?.metrics.map(\.metric) ?? []
      return NsightMetric.all + extra.filter { !NsightMetric.all.contains($0) && $0.contains("__") }
    }

    func match(_ profiles: [KernelProfile], records: [LaunchRecord]?) -> ProfileMatch {
      let program = HostProgram(module: module, problem: problem)
      // Without a run the launches are matched by name alone, as `unknown` says.
      let run = try? program.run(.fromProblem)
      let expected: ExpectedLaunches
      if let records {
        expected = .recorded(records)
      } else if let run {
        expected = .counted(
          run.launches.reduce(into: [:]) { $0[$1.kernel, default: 0] += $1.repetitions })
      } else {
        expected = .unknown
      }
      let tuned = Set(
        ModuleShape(module).kernels.filter { $0.isAutotuned && $0.configs?.count ?? 2 > 1 }
          .map(\.name))
      return ProfileMatch.match(
        profiles, kernels: kernels, expected: expected, isTuned: tuned.contains)
    }

    /// Files that Python can load; what came in a document is written to the scratch folder.
    func files(in scratch: ScratchFolder) throws -> (module: String, problem: String?) {
      func file(_ tree: ModuleTree?, _ path: String?, _ name: String) throws -> String? {
        guard let tree else { return nil }
        if let path { return path }
        let file = "\(try scratch.makeFolder("source"))/\(name).py"
        try Data(tree.source.bytes).write(to: URL(fileURLWithPath: file))
        return file
      }
      guard let module = try file(module, modulePath, "module") else {
        throw Failure(outcome: .input)
      }
      return (module, try file(problem, problemPath, "problem"))
    }
  }
}
