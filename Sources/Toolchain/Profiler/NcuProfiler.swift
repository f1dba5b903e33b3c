import Diagnostics
import Foundation
import Profiling

/// Runs Nsight Compute on one `forward` of a module, and reads its reports.
///
/// What is profiled lies between `cudaProfilerStart` and `cudaProfilerStop` of `profile_driver.py`:
/// one forward after compiling, autotuning and warm-up, with the clocks as they are.
public struct NcuProfiler: Sendable {
  public var ncu: NcuTool
  public var scratch: ScratchFolder
  /// The variables of the processes.
  public var environment: [String: String]
  public var deadline: Duration

  public init(
    ncu: NcuTool, scratch: ScratchFolder, environment: [String: String],
    deadline: Duration = .seconds(600)
  ) {
    self.ncu = ncu
    self.scratch = scratch
    self.environment = environment
    self.deadline = deadline
  }

  /// What one run gave.
  public struct Run: Sendable {
    public var reading: ProfileReading
    /// The launches of `@triton.jit` functions in the profiled forward, in order.
    public var launches: [LaunchRecord]
    /// The GPU's name, as torch gives it.
    public var device: String?
    /// Metrics that this ncu or GPU does not have.
    public var unknownMetrics: [String]
    public var notes: [Diagnostic]
  }

  /// Profiles `ModelNew.forward` of the module file with the inputs of the problem file, or with its
  /// own `get_inputs` where `problem` is nil.
  public func profile(
    module: String, problem: String?, python: PythonEnvironment,
    metrics: [String] = NsightMetric.all
  ) async throws(ProfilerFailure) -> Run {
    let place = try prepare()
    var wanted = metrics
    var unknown: [String] = []
    // A metric that ncu does not know fails the whole run; each round leaves out those it named.
    for _ in 0..<Self.rounds {
      let words = try await run(place, module, problem, python, wanted)
      let named = Self.unknownMetrics(in: words, of: wanted)
      guard !named.isEmpty else { break }
      unknown += named
      wanted.removeAll { named.contains($0) }
      // There may be none; ncu writes over one that is left.
      try? FileManager.default.removeItem(atPath: place.report)
    }
    let record = try Self.record(at: place.record)
    guard FileManager.default.fileExists(atPath: place.report) else {
      throw record.launches.isEmpty
        ? ProfilerFailure(
          .input, "no-launches", "forward launches no kernel, so there is nothing to profile",
          next: "check that ModelNew.forward calls the module's wrapper with these inputs")
        : ProfilerFailure(
          .environment, "ncu-no-report", "ncu ended without a report",
          next: "run it by hand: \(ncu.executable) --profile-from-start off python3 …")
    }
    var reading = try Self.read(try await csv(of: place.report))
    // The raw page also holds attributes of the device and statistics that nobody asked for.
    for index in reading.profiles.indices {
      reading.profiles[index].keep { metrics.contains($0) || $0.hasPrefix("launch__") }
    }
    // A metric that this GPU does not have has no column, or no value, and ncu says nothing of it.
    unknown += wanted.filter { metric in !reading.profiles.contains { $0[metric] != nil } }
    var run = Run(
      reading: reading, launches: record.launches, device: record.device, unknownMetrics: unknown,
      notes: [])
    if record.tunedWhileProfiled > 0 {
      run.notes.append(
        Diagnostic(
          id: "tuned-while-profiled", severity: .warning,
          "the autotuner still ran in the profiled forward; its trial runs are left out",
          nextStep: "check that the autotune key does not change from call to call"))
    }
    return run
  }

  /// The metrics of an existing report (`.ncu-rep`).
  public func importReport(_ path: String) async throws(ProfilerFailure) -> ProfileReading {
    var reading = try Self.read(try await csv(of: path))
    for index in reading.profiles.indices { reading.profiles[index].dropAttributes() }
    return reading
  }

  // MARK: - Running

  private static let rounds = 4

  private struct Place {
    var driver: String
    var record: String
    /// ncu adds `.ncu-rep` to the name it is given.
    var report: String
    var environment: [String: String]
  }

  private func prepare() throws(ProfilerFailure) -> Place {
    do {
      let main = try scratch.program()
      let folder = try scratch.makeFolder("profile")
      let temporary = try scratch.makeFolder("temporary")
      var variables = environment
      variables["TMPDIR"] = temporary
      variables["PYTHONDONTWRITEBYTECODE"] = "1"
      variables["TRITON_CACHE_DIR"] = "\(temporary)/triton"
      variables["TORCHINDUCTOR_CACHE_DIR"] = "\(temporary)/inductor"
      return Place(
        driver: URL(fileURLWithPath: main).deletingLastPathComponent().path + "/profile_driver.py",
        record: "\(folder)/record.json", report: "\(folder)/report.ncu-rep",
        environment: variables)
    } catch {
      throw ProfilerFailure(.environment, error.id, error.message, next: error.nextStep)
    }
  }

  /// Runs the driver under ncu. Returns what ncu said where that is worth a second look.
  private func run(
    _ place: Place, _ module: String, _ problem: String?, _ python: PythonEnvironment,
    _ metrics: [String]
  ) async throws(ProfilerFailure) -> String {
    let arguments =
      [
        "--clock-control", "none", "--profile-from-start", "off", "--force-overwrite",
        "--export", place.report, "--metrics", metrics.joined(separator: ","),
        python.executable, place.driver, module, problem ?? "-", place.record,
      ]
    let result = await ToolProcess.run(
      ncu.executable, arguments, environment: place.environment, scratch: scratch,
      deadline: deadline)
    try check(result, isDriver: true)
    if let cause = ProfilerFailure.cause(in: result.words) { throw cause }
    // None that can be read counts as none.
    let record = try? Self.record(at: place.record)
    if record == nil || record?.error != nil {
      // The driver's own account is better than what ncu makes of its exit code.
      if let error = record?.error { throw Self.failure(of: error) }
      if Self.unknownMetrics(in: result.words, of: metrics).isEmpty {
        throw ProfilerFailure(
          .environment, "ncu-failed", Self.account(of: result),
          next: "check that '\(python.executable)' runs, and see 'hone doctor'")
      }
    }
    return result.words
  }

  private func csv(of report: String) async throws(ProfilerFailure) -> String {
    let result = await ToolProcess.run(
      ncu.executable, ["--import", report, "--csv", "--page", "raw"],
      environment: environment, scratch: scratch, deadline: deadline)
    try check(result, isDriver: false)
    guard result.end.isSuccess else {
      throw ProfilerFailure(
        .input, "ncu-import", "ncu cannot read '\(report)': \(Self.account(of: result))",
        next: "import it with the version of ncu that wrote it, or a newer one")
    }
    return result.lines.joined(separator: "\n")
  }

  /// The ends that need no look at the output.
  private func check(_ result: ToolProcess, isDriver: Bool) throws(ProfilerFailure) {
    switch result.end {
    case .exited: return
    case .failedToStart(let reason):
      throw ProfilerFailure(
        .environment, "ncu-failed", "cannot start '\(ncu.executable)': \(reason)",
        next: "name another one with --ncu")
    case .timedOut:
      throw ProfilerFailure(
        .environment, "ncu-timed-out", "ncu was not done within \(deadline)",
        next: isDriver
          ? "profile a smaller problem, or allow more with --timeout"
          : "allow more with --timeout")
    case .flooded:
      throw ProfilerFailure(.environment, "ncu-failed", "ncu writes without end")
    case .cancelled: throw ProfilerFailure(.environment, "cancelled", "cancelled")
    }
  }

  /// Why ncu ended, in its own words.
  private static func account(of result: ToolProcess) -> String {
    if let error = ProfilerFailure.firstError(in: result.words) { return "ncu says: \(error)" }
    let last =
      result.standardError.split(whereSeparator: \.isNewline).last
      ?? result.lines.last.map { $0[...] }
    let end = if case .exited(let status) = result.end { status } else { "ended" }
    return last.map { "ncu ended (\(end)): \($0.prefix(300))" } ?? "ncu ended (\(end))"
  }

  /// The wanted metrics that ncu names in its errors and warnings about metrics.
  private static func unknownMetrics(in words: String, of wanted: [String]) -> [String] {
    let lines = words.split(whereSeparator: \.isNewline).filter {
      $0.hasPrefix("==") && $0.lowercased().contains("metric")
    }
    return wanted.filter { metric in
      lines.contains { line in
        line.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == ".") }
          .contains { $0 == metric || metric.hasPrefix($0 + ".") }
      }
    }
  }

  // MARK: - Reading

  private static func read(_ csv: String) throws(ProfilerFailure) -> ProfileReading {
    do {
      return try ProfileReader.read(SourceText(name: "<ncu>", text: csv))
    } catch {
      throw ProfilerFailure(.environment, error.id, "what ncu printed: \(error.message)")
    }
  }

  /// What `profile_driver.py` writes.
  private struct Record: Decodable {
    struct Problem: Decodable {
      var kind: String
      var message: String
      var traceback: String?
      var module: String?
    }
    var error: Problem?
    var device: String?
    var launches: [LaunchRecord]
    var tunedWhileProfiled: Int

    private enum CodingKeys: String, CodingKey {
      case error, device, launches
      case tunedWhileProfiled = "tuned_while_profiled"
    }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      error = try values.decodeIfPresent(Problem.self, forKey: .error)
      device = try values.decodeIfPresent(String.self, forKey: .device)
      launches = try values.decodeIfPresent([LaunchRecord].self, forKey: .launches) ?? []
      tunedWhileProfiled = try values.decodeIfPresent(Int.self, forKey: .tunedWhileProfiled) ?? 0
    }
  }

  private static func record(at path: String) throws(ProfilerFailure) -> Record {
    do {
      return try JSONDecoder().decode(
        Record.self, from: try Data(contentsOf: URL(fileURLWithPath: path)))
    } catch {
      throw ProfilerFailure(
        .environment, "ncu-failed", "the profiled program left no record of its launches",
        next: "run 'hone doctor'")
    }
  }

  private static func failure(of error: Record.Problem) -> ProfilerFailure {
    switch error.kind {
    case "no-gpu":
      ProfilerFailure(
        .environment, "no-gpu", error.message,
        next: "run it on a machine with an NVIDIA GPU, or import a report made there with --import")
    case "missing":
      ProfilerFailure(
        .environment, "missing-package", error.message,
        next: error.module.map { "install '\($0)' for this Python, or name another with --python" })
    case "input": ProfilerFailure(.input, "bad-problem", error.message)
    default:
      ProfilerFailure(
        .input, "module-raised", "the module raised \(error.message)",
        next: error.traceback?.split(whereSeparator: \.isNewline).last(where: {
          $0.contains("File \"")
        }).map {
          "it was raised at \($0.split(whereSeparator: \.isWhitespace).joined(separator: " "))"
        })
    }
  }
}
