import Diagnostics

/// What a profiler saw, put beside the launches that one `forward` of a module makes.
public struct ProfileMatch: Sendable {
  /// One launch of the module with its metrics.
  public struct Entry: Sendable {
    /// Under the module's own kernel name; `launch` counts the launches of that kernel in `forward`.
    public var profile: KernelProfile
    /// The name as the profiler shows it.
    public var shownName: String
    /// How the launch was made, where a run of the module recorded it.
    public var record: LaunchRecord?
  }

  /// In the order of the profile.
  public var entries: [Entry] = []
  /// Launches of the module's kernels that are not the ones of `forward`: trial runs of an
  /// autotuner, warm-up.
  public var extra: [KernelProfile] = []
  /// Launches of kernels that are not the module's: of torch and its libraries.
  public var others: [KernelProfile] = []
  public var notes: [Diagnostic] = []
}

/// What is known of the launches that one `forward` makes.
public enum ExpectedLaunches: Sendable {
  /// In order, as the run under the profiler recorded them.
  case recorded([LaunchRecord])
  /// How many of each kernel, as the host program makes them.
  case counted([String: Int])
  case unknown
}

extension ProfileMatch {
  /// Matches launches in the profiler's order.
  ///
  /// A profile of a whole program also holds the autotuner's trial runs and warm-up rounds; they come
  /// before the launches that count, so of a kernel's launches the last ones are taken, as many as
  /// one `forward` makes.
  /// - Parameters:
  ///   - kernels: the module's kernels.
  ///   - isTuned: whether a kernel is autotuned over several configs.
  public static func match(
    _ profiles: [KernelProfile], kernels: [String], expected: ExpectedLaunches,
    isTuned: (String) -> Bool = { _ in false }
  ) -> ProfileMatch {
    var match = ProfileMatch()
    var named: [String] = []
    var found: [String: [Int]] = [:]
    for (index, profile) in profiles.enumerated() {
      let kernel = Self.kernel(of: profile, kernels, expected)
      named.append(kernel ?? "")
      if let kernel {
        found[kernel, default: []].append(index)
      } else {
        match.others.append(profile)
      }
    }
    var places: [Int: (launch: Int, record: LaunchRecord?)] = [:]
    for kernel in kernels {
      let indices = found[kernel] ?? []
      let records = expected.records(of: kernel)
      guard let wanted = expected.count(of: kernel) else {
        for (launch, index) in indices.enumerated() { places[index] = (launch, nil) }
        if indices.count > 1, isTuned(kernel) {
          match.note(
            "trial-runs-kept", .warning,
            "'\(kernel)' is autotuned, and trial runs may be among its \(indices.count) launches: how "
              + "many belong to one forward is not known",
            next: "give the problem with --problem")
        }
        continue
      }
      if indices.count < wanted {
        match.note(
          "launches-missing", .warning,
          indices.isEmpty
            ? "the profile has no launch of '\(kernel)'"
            : "the profile has \(indices.count) of the \(wanted) launches of '\(kernel)'",
          next: "profile a whole forward")
      }
      for (launch, index) in indices.suffix(wanted).enumerated() {
        places[index] = (launch, launch < records.count ? records[launch] : nil)
      }
      for index in indices.dropLast(min(wanted, indices.count)) {
        var profile = profiles[index]
        profile.kernel = kernel
        match.extra.append(profile)
      }
      if indices.count > wanted {
        match.note(
          "extra-launches", .note,
          "\(Self.launches(indices.count - wanted)) of '\(kernel)' before the last \(wanted) left out: "
            + (isTuned(kernel) ? "trial runs of the autotuner, or warm-up" : "warm-up"))
      }
    }
    for (index, profile) in profiles.enumerated() {
      guard let place = places[index] else { continue }
      var own = profile
      own.kernel = named[index]
      own.launch = place.launch
      match.entries.append(
        Entry(profile: own, shownName: profile.kernel, record: place.record))
    }
    return match
  }

  private static func kernel(
    of profile: KernelProfile, _ kernels: [String], _ expected: ExpectedLaunches
  ) -> String? {
    if case .recorded(let records) = expected,
      let record = records.first(where: { $0.name == profile.kernel })
    {
      return kernels.contains(record.function) ? record.function : nil
    }
    if profile.kernel.isEmpty { return kernels.count == 1 ? kernels[0] : nil }
    return TritonKernelName.kernel(of: profile.kernel, in: kernels)
  }

  private static func launches(_ count: Int) -> String {
    count == 1 ? "1 launch" : "\(count) launches"
  }

  private mutating func note(
    _ id: String, _ severity: Diagnostic.Severity, _ message: String, next: String? = nil
  ) {
    notes.append(Diagnostic(id: id, severity: severity, message, nextStep: next))
  }
}

extension ExpectedLaunches {
  fileprivate func records(of kernel: String) -> [LaunchRecord] {
    if case .recorded(let records) = self { return records.filter { $0.function == kernel } }
    return []
  }

  /// Nil where it is not known.
  fileprivate func count(of kernel: String) -> Int? {
    switch self {
    case .recorded(let records): records.count { $0.function == kernel }
    case .counted(let counts): counts[kernel] ?? 0
    case .unknown: nil
    }
  }
}
