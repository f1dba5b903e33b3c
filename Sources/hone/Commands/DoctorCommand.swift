import ArgumentParser
import Foundation
import Toolchain

/// `hone doctor`: what is here, what each backend needs, and how to add what is missing.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Say which backends work here and what adds the missing ones.",
    discussion: """
      Looks at the Python that --python, HONE_PYTHON, an active virtual environment or PATH names: \
      triton, torch, the GPUs, ncu. The embedded backend always works.

      Exit codes: 0 done; 3 the backend named by --require does not work here.
      """)

  /// What a run may insist on.
  enum Requirement: String, ExpressibleByArgument, CaseIterable {
    case embedded, compiler, gpu, profiler
  }

  @Option(help: ArgumentHelp("The Python to look at.", valueName: "path"))
  var python: String?

  @Option(help: "The backend that must work.")
  var require: Requirement = .embedded

  @Option(help: "How to print.")
  var format: OutputFormat = .text

  func run() async throws {
    let session = try ToolchainSession()
    defer { session.scratch.tearDown() }
    var interpreter: PythonEnvironment?
    var report: PythonReport?
    var reason: String?
    do {
      let found = try session.python(python)
      interpreter = found
      report = try await found.probe(
        scratch: session.scratch, environment: session.environment)
    } catch let failure as Failure {
      reason = failure.diagnostics.first?.message
    } catch let failure as WorkerFailure {
      reason = failure.diagnostic.message
    }
    let backends = Readiness.all(report, reason: reason)
    switch format {
    case .text: try StandardOutput.write(Self.text(interpreter, report, reason, backends))
    case .json:
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      let document = Document(
        python: report, origin: interpreter?.origin, problem: reason,
        backends: backends.map(Document.Backend.init))
      try StandardOutput.write(Array(try encoder.encode(document)) + [0x0A])
    }
    let required = backends.first { $0.backend.rawValue == require.rawValue }
    if required?.isReady != true { throw Failure(outcome: .environment) }
  }

  // MARK: - Words

  private struct Document: Encodable {
    struct Backend: Encodable {
      var name: String
      var isReady: Bool
      var missing: [Readiness.Missing]

      init(_ readiness: Readiness) {
        name = readiness.backend.rawValue
        isReady = readiness.isReady
        missing = readiness.missing
      }
    }
    var python: PythonReport?
    var origin: PythonEnvironment.Origin?
    var problem: String?
    var backends: [Backend]
  }

  private static func text(
    _ interpreter: PythonEnvironment?, _ report: PythonReport?, _ reason: String?,
    _ backends: [Readiness]
  ) -> String {
    var rows: [(String, String)] = []
    if let report, let interpreter {
      rows.append(
        ("python", "\(report.python), \(interpreter.executable) (\(interpreter.origin.rawValue))"))
      for name in ["triton", "torch", "numpy"] {
        rows.append((name, package(report.packages[name])))
      }
      if report.gpus.isEmpty { rows.append(("GPU", "none")) }
      for gpu in report.gpus {
        let memory = gpu.memoryBytes.map { ", \($0 / (1 << 30)) GiB" } ?? ""
        let driver = gpu.driver.map { ", driver \($0)" } ?? ""
        rows.append(("GPU \(gpu.index)", "\(gpu.name), \(gpu.capability)\(memory)\(driver)"))
      }
      for name in ["ptxas", "nvdisasm", "ncu", "compute-sanitizer", "cc"] {
        rows.append((name, report.tools[name] ?? "not found"))
      }
    } else {
      rows.append(("python", reason ?? "none"))
    }
    rows.append(("", ""))
    for readiness in backends {
      let name = readiness.backend.rawValue
      rows.append((name, readiness.isReady ? "ready: \(uses(readiness.backend))" : "missing:"))
      for missing in readiness.missing {
        rows.append(("", "- \(missing.what)"))
        rows.append(("", "  \(missing.remedy)"))
      }
    }
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { key, value in
      let line = key.padding(toLength: width + 2, withPad: " ", startingAt: 0) + value
      return String(line.reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n") + "\n"
  }

  private static func package(_ package: PythonReport.Package?) -> String {
    guard let package else { return "not installed" }
    return (package.version ?? "of unknown version")
      + (package.problem.map { ", does not import: \($0)" } ?? "")
  }

  private static func uses(_ backend: Readiness.Backend) -> String {
    switch backend {
    case .embedded: "predicts, and checks on the tile machine"
    case .compiler: "compiles for any NVIDIA GPU ('hone compile')"
    case .gpu: "checks and times on the GPU ('hone bench')"
    case .profiler: "measures with Nsight Compute ('hone profile')"
    }
  }
}
