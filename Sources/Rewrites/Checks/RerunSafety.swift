import Analysis
import Diagnostics
import HostProgram
import PythonSyntax
import TritonLowering

/// Whether a kernel may run several times on the same buffers, as autotuning runs it.
///
/// A kernel that only writes what it does not read gives the same result each time, whatever part
/// of the buffer it covers: each run writes the same values to the same places. One that updates a
/// buffer in place needs `restore_value=`: `Autotuner` of Triton 3.6 clones those arguments before
/// each trial run and copies them back after it. One that accumulates into a buffer which the
/// wrapper has just filled with zeros needs only `reset_to_zero=`, which costs no copies: they are
/// zeroed before each trial run and once more before the run that counts.
struct RerunSafety {
  /// The parameters to name in `restore_value`, in the order of the signature.
  let restored: [String]
  /// The parameters to name in `reset_to_zero`, in the order of the signature.
  let zeroed: [String]

  /// Whether the kernel may be rerun as it is.
  var isSafe: Bool { restored.isEmpty && zeroed.isEmpty }

  /// - Throws: where what the kernel modifies is not known, or cannot be cloned.
  init(of function: JITFunction, in subject: RewriteSubject) throws(Diagnostic) {
    let source = subject.module.source
    let launches = subject.run?.launches(of: function.name) ?? []
    let sites = LaunchSites(of: function.name, in: subject.module).sites
    let effects = try Self.effects(of: function, launches, sites, subject)
    var modified = effects.modified
    var reads = effects.reads
    if !launches.isEmpty {
      let tensors = Set(
        launches.flatMap(\.arguments).filter { $0.value.mayBeTensor }.map(\.name))
      modified.formIntersection(tensors)
      reads.formIntersection(tensors)
    }
    let storages = StorageSpans(of: subject.run)
    var restored: [String] = []
    var zeroed: [String] = []
    for parameter in function.parameters where modified.contains(parameter.name) {
      let name = parameter.name
      let inPlace = reads.contains(name) || effects.atomics.contains(name)
      guard inPlace || Self.mayShareStorage(name, with: reads, launches, sites, function, subject)
      else { continue }
      for launch in launches {
        guard let argument = launch.arguments.first(where: { $0.name == name }),
          case .tensor(let tensor) = argument.value
        else {
          throw Diagnostic(
            id: "rerun-unproven",
            "'\(name)' is updated in place and is no tensor at this launch, so it cannot be restored",
            source: source, range: launch.callRange)
        }
        guard storages.isWhole(tensor) else {
          throw Diagnostic(
            id: "rerun-unproven",
            "'\(name)' is updated in place and is a view of a larger tensor at this launch: only the "
              + "view would be restored", source: source, range: argument.range ?? launch.callRange)
        }
      }
      for site in sites {
        if case .constant(.none)? = site.argument(for: name, of: function.definition)?.kind {
          throw Diagnostic(
            id: "rerun-unproven",
            "'\(name)' is updated in place and is None at this launch, so it cannot be restored",
            source: source, range: site.call.range)
        }
      }
      if ZeroedArgument(name, of: function, in: subject).holds {
        zeroed.append(name)
      } else {
        restored.append(name)
      }
    }
    self.restored = restored
    self.zeroed = zeroed
  }

  /// Distinct lowerings that are looked at where the text does not tell what a kernel accesses.
  private static let loweringLimit = 16

  /// What the kernel reads and writes: from its text, an upper bound for every call; where that is
  /// not known and all launches ran, from the lowered kernel of each launch and config.
  private static func effects(
    of function: JITFunction, _ launches: [Launch], _ sites: [LaunchSites.Site],
    _ subject: RewriteSubject
  ) throws(Diagnostic) -> EffectsOfKernel {
    let effects = EffectsOfKernel(of: function.name, in: subject.triton)
    guard let unknown = effects.unknown.first else { return effects }
    let refusal = Diagnostic(
      id: "rerun-unproven",
      "autotuning runs the kernel several times, and what this accesses is not known",
      source: subject.module.source, range: unknown.range)
    let seen = Set(launches.map(\.callRange))
    let count = launches.reduce(0) { $0 + $1.configs.count }
    guard !launches.isEmpty, count <= loweringLimit,
      sites.allSatisfy({ seen.contains($0.call.range) })
    else { throw refusal }
    var reads: Set<String> = []
    var writes: Set<String> = []
    var atomics: Set<String> = []
    for launch in launches {
      for (config, _) in launch.configs {
        let specialization = LaunchLowering.specialization(
          of: launch, config: config, kernel: function, computeCapability: 90)
        guard let lowered = try? subject.triton.lower(function.name, for: specialization) else {
          throw refusal
        }
        let exact = EffectsOfKernel(of: lowered)
        guard exact.unknown.isEmpty else { throw refusal }
        reads.formUnion(exact.reads)
        writes.formUnion(exact.writes)
        atomics.formUnion(exact.atomics)
      }
    }
    return EffectsOfKernel(reads: reads, writes: writes, atomics: atomics)
  }

  /// Whether a written argument may overlap one that is read.
  private static func mayShareStorage(
    _ name: String, with reads: Set<String>, _ launches: [Launch], _ sites: [LaunchSites.Site],
    _ function: JITFunction, _ subject: RewriteSubject
  ) -> Bool {
    guard !reads.isEmpty else { return false }
    let seen = Set(launches.map(\.callRange))
    for launch in launches {
      func storage(_ parameter: String) -> Int? {
        guard let argument = launch.arguments.first(where: { $0.name == parameter }) else {
          return nil
        }
        switch argument.value {
        case .tensor(let shape), .tensorDescriptor(let shape, _): return shape.storage
        default: return nil
        }
      }
      guard let written = storage(name) else { continue }
      for read in reads where read != name {
        if let other = storage(read), other == written || other < 0 || written < 0 { return true }
      }
    }
    // Launches that did not run: the written buffer must be fresh, or passed nowhere else.
    for site in sites where !seen.contains(site.call.range) {
      guard let written = site.argument(for: name, of: function.definition)?.bareName,
        FreshTensors(in: subject.module, around: site.call.range).contains(written)
      else { return true }
      for read in reads where read != name {
        if site.argument(for: read, of: function.definition)?.bareName == written { return true }
      }
    }
    return false
  }
}

extension ArgumentValue {
  fileprivate var mayBeTensor: Bool {
    switch self {
    case .tensor, .tensorDescriptor, .tuple: true
    default: false
    }
  }
}
