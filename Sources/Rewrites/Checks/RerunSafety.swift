import Diagnostics
import HostProgram
import PythonSyntax
import TritonLowering

/// Whether a kernel may run several times on the same buffers, as autotuning runs it.
///
/// A kernel that only writes what it does not read gives the same result each time. One that
/// updates a buffer in place needs `restore_value=`: `Autotuner` of Triton 3.6 clones those
/// arguments before each trial run and copies them back after it.
struct RerunSafety {
  /// The parameters to name in `restore_value`, in the order of the signature.
  let restored: [String]

  /// - Throws: where what the kernel modifies is not known, or cannot be cloned.
  init(of function: JITFunction, in subject: RewriteSubject) throws(Diagnostic) {
    let source = subject.module.source
    let effects = EffectsOfKernel(of: function.name, in: subject.triton)
    if let unknown = effects.unknown.first {
      throw Diagnostic(
        id: "rerun-unproven",
        "autotuning runs the kernel several times, and what this accesses is not known",
        source: source, range: unknown.range)
    }
    let launches = subject.run?.launches(of: function.name) ?? []
    let sites = LaunchSites(of: function.name, in: subject.module).sites
    var modified = effects.modified
    var reads = effects.reads
    if !launches.isEmpty {
      let tensors = Set(
        launches.flatMap(\.arguments).filter { $0.value.mayBeTensor }.map(\.name))
      modified.formIntersection(tensors)
      reads.formIntersection(tensors)
    }
    var restored: [String] = []
    for parameter in function.parameters where modified.contains(parameter.name) {
      let name = parameter.name
      let inPlace = reads.contains(name) || effects.atomics.contains(name)
      guard inPlace || Self.mayShareStorage(name, with: reads, launches, sites, function, subject)
      else { continue }
      for launch in launches {
        guard let argument = launch.arguments.first(where: { $0.name == name }),
          case .tensor = argument.value
        else {
          throw Diagnostic(
            id: "rerun-unproven",
            "'\(name)' is updated in place and is no tensor at this launch, so it cannot be restored",
            source: source, range: launch.callRange)
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
      restored.append(name)
    }
    self.restored = restored
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

/// The local names of the function around a launch that hold a tensor allocated there.
struct FreshTensors {
  private var fresh: Set<String> = []

  private static let allocators: Set<String> = [
    "empty", "empty_like", "zeros", "zeros_like", "ones", "ones_like", "full", "full_like",
    "new_empty", "new_zeros", "new_ones", "new_full", "empty_strided", "clone",
  ]

  init(in tree: ModuleTree, around range: SourceRange) {
    var enclosing: FunctionDef?
    tree.body.forEachStatement { statement in
      if case .function(let function) = statement.kind,
        function.fullRange.lower <= range.lower, range.upper <= function.fullRange.upper
      {
        enclosing = function
      }
    }
    guard let enclosing else { return }
    var bound: [String: [Bool]] = [:]
    enclosing.body.forEachStatement { statement in
      if case .assign(let targets, let value) = statement.kind, targets.count == 1,
        let name = targets[0].bareName
      {
        var isFresh = false
        if case .call(let callee, _, _) = value.kind,
          case .attribute(_, let method, _) = callee.kind
        {
          isFresh = Self.allocators.contains(method)
        }
        bound[name, default: []].append(isFresh)
      } else {
        for (name, _) in statement.boundNames { bound[name, default: []].append(false) }
      }
    }
    fresh = Set(bound.filter { $0.value.allSatisfy { $0 } }.keys)
  }

  func contains(_ name: String) -> Bool { fresh.contains(name) }
}
