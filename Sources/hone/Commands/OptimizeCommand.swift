import ArgumentParser
import Diagnostics
import Foundation
import Reporting
import Requests
import Toolchain
import Tuning

/// `hone optimize`: the main job.
struct OptimizeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "optimize", abstract: "Print a faster module that obeys the request's rules.",
    discussion: """
      The module goes to standard output, what was done and why to standard error. Without a gain \
      the original is printed and the summary says so.

      Every candidate goes through the stage's rules, the strict form and a run against the original \
      on the tile machine. What decides then is the backend: model predicts; compiler also drops what \
      Triton cannot compile for the target or spills more than the original; gpu checks each candidate \
      against fp64 on the GPU, times it in turns with the original, and prints only what is surely \
      faster by the stage's threshold. Predicted, compiled and measured figures stand apart, each with \
      its device.

      With --log every trial is written and synced before the next one starts. If the file is there \
      already, the run goes on from it: finished trials are not repeated. A log of another request or \
      device is refused (exit code 2). Ctrl-C leaves the log as it is (exit code 130).

      Measured winners are kept ('hone winners'), and are the first candidates of later runs: checked \
      again and, with a GPU, timed again before they are believed.
      """)

  @OptionGroup var source: InputOptions

  @OptionGroup var toolchain: BackendOptions

  @Option(
    help: ArgumentHelp(
      "Write trials to this file, or go on from it if it is there.", valueName: "file"))
  var log: String?

  @Option(
    help: ArgumentHelp(
      "The most seconds of compile and device time for measured trials.", valueName: "seconds"))
  var budget: Double = MeasuredOptimizer.defaultBudget

  @Option(
    help: ArgumentHelp(
      "A module to check and time beside the result, never to print.", valueName: "file"))
  var beside: String?

  @Option(
    help: ArgumentHelp(
      "How to write an autotuned kernel's configs: a list; the best of each known shape; or a list "
        + "with a table that chooses from it at the known shapes."))
  var emit: EmissionForm = .list

  @OptionGroup var winnerOptions: WinnerOptions

  @Flag(help: "Neither start from winners of earlier runs nor keep this one's.")
  var noWinners = false

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Write to this file instead of standard output.", valueName: "file"))
  var output: String?

  @Flag(help: "Exit with 1 if no gain was found.")
  var requireGain = false

  @Flag(help: "Print nothing on standard error but errors.")
  var quiet = false

  func validate() throws {
    guard budget.isFinite, budget >= 0, budget <= 1e6 else {
      throw ValidationError("--budget must be a number of seconds from 0 to 1000000")
    }
  }

  func run() async throws {
    let request = try source.load()
    let result = try await optimize(request)
    if !quiet {
      StandardError.write(OptimizationSummary(request: request, result: result).text)
    }
    let text =
      switch source.format {
      case .text: result.module.text
      case .json: try MeasuredDocument(request: request, result: result).json()
      }
    if let output {
      try Files.write(Array(text.utf8), to: output)
    } else {
      try StandardOutput.write(text)
    }
    if requireGain, !result.expectsGain { throw Failure(outcome: .no) }
  }

  private func optimize(_ request: Request) async throws -> Optimization {
    let indices = try toolchain.indices()
    guard let hand = try await ToolchainAtHand.find(toolchain) else {
      return try predictor(request).run()
    }
    // The program may end before the last reference to the folder goes.
    defer { hand.session.scratch.tearDown() }
    switch toolchain.backend {
    case .gpu where !hand.hasGPU, .compiler where !hand.hasCompiler:
      throw Failure(
        outcome: .environment,
        diagnostics: [
          Diagnostic(
            id: "no-\(toolchain.backend.rawValue)",
            "the \(toolchain.backend.rawValue) backend needs "
              + (hand.hasCompiler ? "torch and an NVIDIA GPU" : "triton")
              + ", which '\(hand.python.executable)' does not have",
            nextStep: "run 'hone doctor'")
        ])
    case .gpu:
      do {
        return try await measure(request, hand, indices)
      } catch let failure as WorkerFailure {
        throw ToolchainSession.failure(failure)
      }
    case .auto where hand.hasGPU:
      do {
        return try await measure(request, hand, indices)
      } catch let failure as WorkerFailure {
        note("the GPU is not used: \(failure.diagnostic.message)")
        return try await compile(request, hand)
      } catch let diagnostic as Diagnostic where diagnostic.id == "no-inputs" {
        note("nothing is measured: \(diagnostic.message)")
        return try await compile(request, hand)
      }
    case .compiler: return try await compile(request, hand)
    case .auto where hand.hasCompiler: return try await compile(request, hand)
    case .auto: return try predictor(request).run()
    case .model:
      // Predictions decide; what Triton makes of the result for the target is shown beside them.
      var result = try predictor(request).run()
      result.compilation = await target(request, hand).compilation(of: result)
      return result
    }
  }

  /// The search without a device.
  private func predictor(_ request: Request) -> Optimizer {
    var optimizer = Optimizer(request)
    optimizer.emission = emit
    optimizer.winners = winners
    optimizer.recordsPredictions = winnerOptions.winners != nil
    return optimizer
  }

  private var winners: WinnerStore? {
    guard !noWinners else { return nil }
    do {
      return try winnerOptions.store()
    } catch {
      note("no winners are read or kept: \((error as? Diagnostic)?.message ?? "\(error)")")
      return nil
    }
  }

  private func note(_ text: String) {
    if !quiet { StandardError.write("note: \(text)\n") }
  }

  // MARK: Measured

  private func measure(_ request: Request, _ hand: ToolchainAtHand, _ gpus: [Int]?) async throws
    -> Optimization
  {
    let backend = try GPUBackend(
      request: request, python: hand.python, report: hand.report, scratch: hand.session.scratch,
      environment: hand.session.environment, gpus: gpus, note: { note($0) })
    let header = MeasuredOptimizer.header(
      for: request, backend: backend.identity, tool: Hone.configuration.version)
    let trials = try log.map { path throws(Diagnostic) in
      try TrialLog(path: path, header: header)
    }
    note("measuring on \(backend.identity.device), \(Int(budget)) s of trials at most")
    for text in try await backend.open() { note(text) }
    var optimizer = MeasuredOptimizer(
      request: request, backend: backend, log: trials ?? TrialLog(header: header), budget: budget,
      progress: progress)
    optimizer.winners = winners
    optimizer.emission = emit
    optimizer.beside = try beside.map { try Files.source($0) }
    var result: Optimization
    do {
      result = try await optimizer.run()
    } catch let failure as StepFailure {
      throw Failure(
        outcome: .environment,
        diagnostics: [
          Diagnostic(id: "nothing-runs", failure.message, nextStep: "run 'hone doctor'")
        ]
      )
    }
    await backend.close()
    if toolchain.targetBackend == .compiler {
      result.compilation = await target(request, hand).compilation(of: result)
    }
    return result
  }

  /// One line for each trial as it ends.
  private var progress: @Sendable (TrialRecord) -> Void {
    guard !quiet else { return { _ in } }
    return { record in
      var line = "trial \(record.end): \(record.verdict.rawValue)"
      if let timing = record.timing {
        line += " \(OptimizationSummary.interval(timing))"
      } else if let reason = record.reason {
        line += " (\(reason.prefix(100)))"
      }
      StandardError.write(line + "  \(record.phase.rawValue): \(record.label.prefix(100))\n")
    }
  }

  // MARK: Compiled

  private func target(_ request: Request, _ hand: ToolchainAtHand) -> CompiledTarget {
    CompiledTarget(
      request: request, python: hand.python, report: hand.report, scratch: hand.session.scratch,
      environment: hand.session.environment,
      workers: min(16, ProcessInfo.processInfo.activeProcessorCount))
  }

  private func compile(_ request: Request, _ hand: ToolchainAtHand) async throws -> Optimization {
    try await target(request, hand).optimize(predictor(request))
  }
}

extension EmissionForm: ExpressibleByArgument {}
