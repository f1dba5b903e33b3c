import ArgumentParser
import DeviceModel
import Diagnostics
import Foundation
import Requests
import Toolchain
import Tuning

/// `hone compile`: what Triton and ptxas make of a module's kernels, without a GPU.
struct CompileCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compile",
    abstract: "Compile a module's kernels with Triton and show what each config needs.",
    discussion: """
      For every kernel and config as the module launches it: registers, shared memory, spills, \
      instruction mix, occupancy and what limits it. Needs a Python with triton; no GPU, no torch. \
      With a profile, says which configs it can have come from. Figures are compiled, not measured.

      Compiled kernels are kept by content in ~/.cache/hone/compiled.
      Exit codes: 0 done; 1 a kernel did not compile; 2 the input is at fault; 3 Python or triton is.
      """)

  @Argument(help: "A request document or a Python module; '-' reads standard input.")
  var input: String

  @Option(
    help: ArgumentHelp(
      "A target GPU, as in 'hone gpus'; repeat for several. Default: the request's.",
      valueName: "name"))
  var gpu: [String] = []

  @Option(help: ArgumentHelp("The Python to run.", valueName: "path"))
  var python: String?

  @Option(help: "A Nsight Compute profile: JSON, or the output of 'ncu --csv'.")
  var profile: String?

  @Option(help: "A problem file with Model, get_inputs and get_init_inputs.")
  var problem: String?

  @Option(
    name: .customLong("input"),
    help: ArgumentHelp("An input of the module; repeat for each.", valueName: "name=type[sizes]"))
  var inputs: [String] = []

  @Option(help: ArgumentHelp("Only this kernel.", valueName: "name"))
  var kernel: String?

  @Option(help: ArgumentHelp("Only this config, counted from 0 as in the table.", valueName: "n"))
  var config: Int?

  @Flag(help: "Print the PTX with the module's lines beside it.")
  var ptx = false

  @Flag(help: "Print the SASS with the module's lines beside it.")
  var sass = false

  @Flag(inversion: .prefixedNo, help: "Count the instructions of each kind.")
  var mix = true

  @Option(
    help: ArgumentHelp("Compilers that run at once; default: one for each core.", valueName: "n"))
  var jobs: Int?

  @Option(help: ArgumentHelp("Seconds that one kernel may take.", valueName: "seconds"))
  var timeout: Double = 300

  @Option(help: ArgumentHelp("Where compiled kernels are kept.", valueName: "folder"))
  var cache: String?

  @Flag(name: .customLong("no-cache"), help: "Compile everything anew.")
  var ignoresCache = false

  @Option(help: "How to print.")
  var format: OutputFormat = .text

  func validate() throws {
    if let jobs, !(1...256).contains(jobs) {
      throw ValidationError("--jobs needs a number from 1 to 256.")
    }
    guard timeout > 0, timeout <= 86_400 else {
      throw ValidationError("--timeout needs a number of seconds above 0.")
    }
    if [input, profile, problem].filter({ $0 == "-" }).count > 1 {
      throw ValidationError("Only one file can come from standard input.")
    }
  }

  func run() async throws {
    let requests = try readRequests()
    let session = try ToolchainSession()
    defer { session.scratch.tearDown() }
    let interpreter = try session.python(python)
    let count = jobs ?? ProcessInfo.processInfo.activeProcessorCount
    let pool = WorkerPool(
      python: interpreter, scratch: session.scratch, environment: session.environment,
      count: count)
    let folder = ignoresCache ? nil : cache ?? session.cacheFolder("compiled")
    let compiler = KernelCompiler(
      pool: pool, cache: folder.map(CompileCache.init), environment: session.environment)
    do throws(WorkerFailure) {
      _ = try await compiler.tritonVersion()
    } catch {
      throw Self.environmentFailure(error)
    }
    var reports: [CompileReport] = []
    for request in requests { reports.append(try await compile(request, with: compiler)) }
    await pool.stop()
    switch format {
    case .json: try StandardOutput.write(try CompileReport.json(reports))
    case .text:
      let listing = ptx || sass
      try StandardOutput.write(
        reports.map { listing ? $0.listing(ptx: ptx, sass: sass) : $0.table() }
          .joined(separator: "\n"))
    }
    if reports.contains(where: \.hasFailures) { throw Failure(outcome: .no) }
  }

  /// One request for each target: the host program may ask what GPU it runs on.
  private func readRequests() throws -> [Request] {
    let (bytes, name) = try Files.read(input)
    let profile = try profile.map { try Files.source($0) }
    let problem = try problem.map { try Files.source($0) }
    let targets: [String?] = gpu.isEmpty ? [nil] : gpu
    return try targets.map { target in
      try RequestReader.read(
        bytes: bytes, name: name, surroundings: Files.surroundings(name),
        options: RequestOptions(
          gpu: target, profile: profile, problem: problem, inputs: inputs, requiresModel: false))
    }
  }

  private func compile(
    _ request: Request, with compiler: KernelCompiler
  ) async throws -> CompileReport {
    let known = KnownProblem.find(for: request)
    let launches = known.run?.launches ?? []
    guard !launches.isEmpty else {
      throw Failure(
        outcome: .input,
        diagnostics: known.notes + [
          Diagnostic(
            id: "no-launches", "no launch of a kernel was found in '\(request.module.name)'",
            source: request.module,
            nextStep: "give the inputs with --problem or --input x=f32[64,128]")
        ])
    }
    var module = ModuleCompiler(
      module: request.tree, launches: launches, target: request.gpu.computeCapability)
    if kernel != nil || config != nil {
      module = module.filtered { variant in
        (kernel.map { variant.kernel == $0 } ?? true)
          && (config.map { variant.index == $0 } ?? true)
      }
      guard !module.variants.isEmpty else {
        let names = Set(launches.map(\.kernel)).sorted().joined(separator: ", ")
        throw Diagnostic(
          id: "no-such-config", "no launch has that kernel and config",
          nextStep: "the module launches \(names)")
      }
    }
    StandardError.print((known.notes + module.notes).filter { $0.severity >= .warning })
    var detail: CompileDetail = mix ? [.mix] : []
    if ptx { detail.insert(.ptx) }
    if sass { detail.insert(.sass) }
    let outcomes = await module.compile(
      with: compiler, detail: detail, deadline: .seconds(timeout))
    return CompileReport(
      request: request, launches: launches, outcomes: outcomes,
      isSizeKnown: known.run?.inputsAreKnown == true)
  }

  private static func environmentFailure(_ failure: WorkerFailure) -> Failure {
    var diagnostic = failure.diagnostic
    if failure.kind == .refused {
      diagnostic.message = failure.message
      diagnostic.nextStep = "run 'hone doctor' for the command that adds it"
    }
    return Failure(outcome: .environment, diagnostics: [diagnostic])
  }
}
