import DeviceModel
import Diagnostics
import Profiling
import PythonSyntax
import Stages

/// Reads request documents, and modules with flags, into `Request` values.
public enum RequestReader {
  /// Reads either form: a Python module if the name ends in `.py` or nothing in the text looks like
  /// a document, else a request document.
  ///
  /// - Parameter surroundings: the files around a module, for its imports.
  /// - Throws: every error that was found, each with its place and a next step.
  public static func read(
    bytes: [UInt8], name: String, surroundings: (any SourceSurroundings)? = nil,
    options: RequestOptions = RequestOptions()
  ) throws(InputErrors) -> Request {
    let source: SourceText
    do {
      source = try SourceBytes.check(bytes, name: name, surroundings: surroundings)
    } catch {
      throw InputErrors(error)
    }
    return isModule(source)
      ? try readModule(source, options: options) : try readDocument(source, options: options)
  }

  /// Whether a text is a bare Python module.
  public static func isModule(_ source: SourceText) -> Bool {
    if source.name.lowercased().hasSuffix(".py") { return true }
    var hasPython = false
    for index in source.lineStarts.indices {
      let line = source.lineText(index)
      let bare = line.drop { $0 == " " }
      if bare.hasPrefix("```") || bare.hasPrefix("~~~") { return false }
      let lower = line.lowercased()
      if lower.hasPrefix("[optimi") || lower.hasPrefix("[current code") { return false }
      hasPython =
        hasPython || line.hasPrefix("import ") || line.hasPrefix("from ") || line.hasPrefix("def ")
        || line.hasPrefix("class ") || line.hasPrefix("@")
    }
    return hasPython
  }

  /// Reads a module whose GPU, stage and profile come from flags.
  public static func readModule(
    _ source: SourceText, options: RequestOptions
  ) throws(InputErrors) -> Request {
    var assembly = RequestAssembly(options: options)
    assembly.readOptions()
    if assembly.gpu == nil, options.gpu == nil {
      assembly.errors.append(
        Diagnostic(
          id: "no-gpu", "no GPU is given for \(source.name)",
          nextStep: "add --gpu NAME; 'hone gpus' lists the known ones"))
    }
    if assembly.policy == nil, options.stage == nil {
      assembly.policy = .builtIn(.microTuning)
    }
    assembly.takeModule(source, range: nil)
    if let tree = assembly.tree {
      assembly.outputRules = StrictForm.rules(assembly.outputRules, keepingPartsOf: tree)
    }
    return try assembly.finish(document: nil)
  }

  /// Reads a request document.
  public static func readDocument(
    _ source: SourceText, options: RequestOptions = RequestOptions()
  ) throws(InputErrors) -> Request {
    var reader = DocumentReader(source, options: options)
    return try reader.read()
  }
}

/// The parts of a request while they are being gathered from flags and document.
struct RequestAssembly {
  let options: RequestOptions
  var gpu: GPU?
  var gpuFacts: [GPUFact] = []
  var policy: StagePolicy?
  var module: SourceText?
  var moduleRange: SourceRange?
  var tree: ModuleTree?
  var profiles: [KernelProfile] = []
  /// The source that the profiles' ranges belong to.
  var profileSource: SourceText?
  var profileAbsence: String?
  var outputRules = OutputRules.standard
  var task: String?
  var problem: Request.Problem?
  var inputs: [InputSpec] = []
  var notes: [Diagnostic] = []
  var errors: [Diagnostic] = []
  var lineOutcomes: [LineOutcome] = []

  init(options: RequestOptions) { self.options = options }

  /// Takes what the flags say.
  mutating func readOptions() {
    if let name = options.gpu {
      do { gpu = try GPU.named(name) } catch { errors.append(error) }
    }
    if let name = options.stage {
      do { policy = .builtIn(try Stage.named(name)) } catch { errors.append(error) }
    }
    if let profile = options.profile {
      do {
        let reading = try ProfileReader.read(profile)
        take(reading, from: profile)
      } catch {
        errors.append(error)
      }
    }
    if let source = options.problem { takeProblem(source) }
    for text in options.inputs {
      do { inputs.append(try InputSpec.parse(text)) } catch { errors.append(error) }
    }
  }

  mutating func take(_ reading: ProfileReading, from source: SourceText) {
    profiles = reading.profiles
    profileAbsence = reading.absence
    profileSource = source
    notes += reading.notes
  }

  mutating func takeProblem(_ source: SourceText) {
    let tree = PythonParser.parse(source)
    errors += tree.diagnostics.filter { $0.severity == .error }
    notes += tree.diagnostics.filter { $0.severity != .error }
    problem = Request.Problem(source: source, tree: tree)
  }

  mutating func takeModule(_ source: SourceText, range: SourceRange?) {
    let tree = PythonParser.parse(source)
    errors += tree.diagnostics.filter { $0.severity == .error }.prefix(20)
    notes += tree.diagnostics.filter { $0.severity != .error }
    module = source
    moduleRange = range
    self.tree = tree
  }

  /// The finished request, or everything that is wrong.
  mutating func finish(document: SourceText?) throws(InputErrors) -> Request {
    if let tree, errors.isEmpty {
      if options.requiresModel { requireModel(tree) }
      checkProfiles(tree)
    }
    guard errors.isEmpty, let gpu, let policy, let module, let tree else {
      throw InputErrors(errors)
    }
    return Request(
      document: document, gpu: gpu, gpuFacts: gpuFacts, policy: policy, module: module,
      moduleRange: moduleRange, tree: tree, profiles: profiles, profileAbsence: profileAbsence,
      outputRules: outputRules, task: task, problem: problem, inputs: inputs, notes: notes,
      lineOutcomes: lineOutcomes)
  }

  private mutating func requireModel(_ tree: ModuleTree) {
    guard !tree.classes.contains(where: { $0.name == "ModelNew" }) else { return }
    let near = Spelling.nearest(to: "ModelNew", in: tree.classes.map(\.name))
    let offer = near.map { "; there is a class '\($0)'" } ?? ""
    errors.append(
      Diagnostic(
        id: "no-model", "the module has no class 'ModelNew'\(offer)", source: tree.source,
        range: SourceRange(0, 0),
        nextStep: "name the nn.Module that calls the kernels 'ModelNew'"))
  }

  /// Each profile must be of a kernel in the module; kernels of libraries are put aside.
  private mutating func checkProfiles(_ tree: ModuleTree) {
    guard !profiles.isEmpty else { return }
    let kernels = KernelNames.all(in: tree)
    if profiles.count == 1, profiles[0].kernel.isEmpty, kernels.count == 1 {
      profiles[0].kernel = kernels[0]
    }
    var kept: [KernelProfile] = []
    var strangers: [KernelProfile] = []
    for var profile in profiles {
      if let kernel = KernelNames.match(profile.kernel, in: kernels) {
        if kernel != profile.kernel {
          notes.append(
            Diagnostic(
              id: "profile-kernel-suffix", severity: .note,
              "profile of '\(profile.kernel.prefix(80))' is taken for kernel '\(kernel)'",
              source: profileSource, range: profile.range))
        }
        profile.kernel = kernel
        kept.append(profile)
      } else {
        strangers.append(profile)
      }
    }
    for profile in strangers {
      let near = Spelling.nearest(to: profile.kernel, in: kernels)
      let isMistake = kept.isEmpty || near != nil
      let offer = near.map { "; did you mean '\($0)'?" } ?? ""
      let name = profile.kernel.isEmpty ? "no kernel's name" : "'\(profile.kernel.prefix(80))'"
      let diagnostic = Diagnostic(
        id: "profile-kernel-unknown", severity: isMistake ? .error : .note,
        isMistake
          ? "the profile is of \(name), which is not a kernel of the module\(offer)"
          : "the profile of \(name) is put aside: the module has no such kernel",
        source: profileSource, range: profile.range,
        nextStep: isMistake
          ? "kernels of the module: \(kernels.prefix(8).joined(separator: ", "))" : nil)
      if isMistake { errors.append(diagnostic) } else { notes.append(diagnostic) }
    }
    profiles = kept
  }
}

/// The names of a module's kernels.
enum KernelNames {
  /// Functions with a `jit` decorator (`@triton.jit`, `@jit`, `@triton.jit(…)`), at any depth of
  /// top-level conditions.
  static func all(in tree: ModuleTree) -> [String] {
    StageRules.kernels(in: tree).map(\.name)
  }

  /// The kernel that a profiler's name means: the name itself, or with Triton's argument suffix
  /// (`add_kernel_0d1d2d`).
  static func match(_ name: String, in kernels: [String]) -> String? {
    if kernels.contains(name) { return name }
    let candidates = kernels.filter { kernel in
      guard name.hasPrefix(kernel + "_") else { return false }
      let suffix = name.dropFirst(kernel.count + 1)
      return suffix.first?.isNumber == true
        && suffix.allSatisfy { $0.isNumber || "dcew_".contains($0) }
    }
    return candidates.max { $0.count < $1.count }
  }
}
