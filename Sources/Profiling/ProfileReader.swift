import Diagnostics

/// What was read of a profile: kernels in source order and what the reader has to say.
public struct ProfileReading: Sendable {
  public var profiles: [KernelProfile]
  /// Notes on absent values and unusual parts; never errors.
  public var notes: [Diagnostic]
  /// The byte after the last one that was understood.
  public var end: Int
  /// Why there are no metrics, where the text says so ("No NCU metrics available (…)").
  public var absence: String?

  public init(
    profiles: [KernelProfile] = [], notes: [Diagnostic] = [], end: Int, absence: String? = nil
  ) {
    self.profiles = profiles
    self.notes = notes
    self.end = end
    self.absence = absence
  }
}

/// Reads Nsight Compute metrics in the forms that people paste: JSON objects, `ncu --csv`,
/// `ncu --page raw --csv`.
public enum ProfileReader {
  /// Reads the metrics in a part of a source (all of it by default).
  ///
  /// - Throws: a located `Diagnostic` if the text is neither JSON nor CSV, nor says that there are
  ///   no metrics.
  public static func read(
    _ source: SourceText, in range: SourceRange? = nil
  ) throws(Diagnostic) -> ProfileReading {
    var range = range ?? SourceRange(0, source.bytes.count)
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
    if range.lower == 0, source.bytes.starts(with: [0xEF, 0xBB, 0xBF]) { range.lower = 3 }
    while range.lower < range.upper, isSpace(source.bytes[range.lower]) { range.lower += 1 }
    while range.lower < range.upper, isSpace(source.bytes[range.upper - 1]) { range.upper -= 1 }
    guard range.lower < range.upper else {
      throw Diagnostic(
        id: "empty-profile", "no metrics here", source: source, range: range,
        nextStep: "leave the section out, or say 'No NCU metrics available'")
    }
    let first = source.bytes[range.lower]
    if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
      let json = try LocatedJSON.parse(source, in: range)
      var reading = try JSONProfile.profiles(json, source)
      reading.end = json.range.upper
      return reading
    }
    let text = source.text(in: range)
    if let reason = absenceReason(text) {
      return ProfileReading(end: range.upper, absence: reason)
    }
    if let reading = try CSVProfile.read(source, in: range) { return reading }
    throw Diagnostic(
      id: "bad-metrics", "these metrics are neither JSON nor Nsight's CSV", source: source,
      range: SourceRange(range.lower, min(range.upper, range.lower + 24)),
      nextStep: "give {\"kernel\": {\"metric\": value}} or the output of 'ncu --csv --page raw'")
  }

  /// "No NCU metrics available (…)" and its like, on one line.
  private static func absenceReason(_ text: String) -> String? {
    guard !text.contains("\n"), text.utf8.count <= 400 else { return nil }
    let lower = text.lowercased()
    let words = lower.split { !$0.isLetter && $0 != "/" }.map(String.init)
    guard let first = words.first else { return nil }
    let says =
      ["n/a", "none"].contains(first) || lower.contains("not available")
      || lower.contains("unavailable")
      || (first == "no" && words.contains { ["metrics", "profile", "profiling"].contains($0) })
    return says ? text : nil
  }
}

/// `{kernel: {metric: value}}`, `{kernel: [{…}, {…}]}`, `[{"kernel": …, …}]`, `{metric: value}`.
private enum JSONProfile {
  static func profiles(
    _ json: LocatedJSON, _ source: SourceText
  ) throws(Diagnostic) -> ProfileReading {
    var reading = ProfileReading(end: json.range.upper)
    switch json.value {
    case .object(let members):
      if let named = try named(members, json.range, launch: 0, source, &reading.notes) {
        reading.profiles.append(named)
        return reading
      }
      for member in members {
        try append(member, to: &reading, source)
      }
    case .array(let elements):
      var launches: [String: Int] = [:]
      for element in elements {
        guard case .object(let members) = element.value else {
          throw bad("expected an object with a kernel's metrics", element.range, source)
        }
        let known = try named(members, element.range, launch: 0, source, &reading.notes)
        if var profile = known {
          profile.launch = launches[profile.kernel, default: 0]
          launches[profile.kernel, default: 0] += 1
          reading.profiles.append(profile)
        } else {
          for member in members { try append(member, to: &reading, source) }
        }
      }
    default:
      throw bad("expected an object from kernel names to metrics", json.range, source)
    }
    return reading
  }

  private static func append(
    _ member: LocatedJSON.Member, to reading: inout ProfileReading, _ source: SourceText
  ) throws(Diagnostic) {
    let first = reading.profiles.filter { $0.kernel == member.key }.count
    if first > 0 {
      reading.notes.append(
        Diagnostic(
          id: "kernel-twice", severity: .note,
          "kernel '\(member.key)' comes twice; both are kept, as launches", source: source,
          range: member.keyRange))
    }
    switch member.value.value {
    case .object(let metrics):
      reading.profiles.append(
        try profile(member, metrics, launch: first, source, &reading.notes))
    case .array(let launches):
      for (index, launch) in launches.enumerated() {
        guard case .object(let metrics) = launch.value else {
          throw bad("expected an object with one launch's metrics", launch.range, source)
        }
        reading.profiles.append(
          try profile(member, metrics, launch: first + index, source, &reading.notes))
      }
    case .null:
      reading.notes.append(
        Diagnostic(
          id: "no-metrics", severity: .note, "kernel '\(member.key)' has no metrics",
          source: source, range: member.value.range))
    default:
      throw bad(
        "expected an object with the metrics of '\(member.key)'", member.value.range, source)
    }
  }

  /// An object that names its own kernel, or one that holds metrics directly.
  private static func named(
    _ members: [LocatedJSON.Member], _ range: SourceRange, launch: Int, _ source: SourceText,
    _ notes: inout [Diagnostic]
  ) throws(Diagnostic) -> KernelProfile? {
    let nameKeys = ["kernel", "kernel_name", "Kernel Name", "name"]
    var kernel = ""
    var rest = members
    if let index = members.firstIndex(where: { nameKeys.contains($0.key) }),
      case .string(let name) = members[index].value.value
    {
      kernel = name
      rest.remove(at: index)
      if let metrics = rest.first(where: { $0.key == "metrics" }),
        case .object(let inner) = metrics.value.value
      {
        rest = inner
      }
    } else {
      let holdsMetrics = members.contains { member in
        switch member.value.value {
        case .number, .string, .bool: true
        case .null, .object, .array: false
        }
      }
      guard holdsMetrics else { return nil }
    }
    var profile = KernelProfile(kernel: kernel, launch: launch, range: range)
    try fill(&profile, rest, source, &notes)
    return profile
  }

  private static func profile(
    _ member: LocatedJSON.Member, _ metrics: [LocatedJSON.Member], launch: Int,
    _ source: SourceText, _ notes: inout [Diagnostic]
  ) throws(Diagnostic) -> KernelProfile {
    var profile = KernelProfile(kernel: member.key, launch: launch, range: member.keyRange)
    try fill(&profile, metrics, source, &notes)
    return profile
  }

  private static func fill(
    _ profile: inout KernelProfile, _ metrics: [LocatedJSON.Member], _ source: SourceText,
    _ notes: inout [Diagnostic]
  ) throws(Diagnostic) {
    for metric in metrics {
      try add(metric.key, metric.value, to: &profile, source, &notes)
    }
  }

  private static func add(
    _ name: String, _ value: LocatedJSON, to profile: inout KernelProfile, _ source: SourceText,
    _ notes: inout [Diagnostic]
  ) throws(Diagnostic) {
    let reading: MetricValue.Reading
    switch value.value {
    case .null: reading = .absent
    case .number(let number):
      reading = number.isFinite ? .value(MetricValue(value: number)) : .absent
    case .bool(let flag): reading = .value(MetricValue(value: flag ? 1 : 0))
    case .string(let text): reading = MetricValue.read(text)
    case .object(let members):
      guard let inner = members.first(where: { $0.key == "value" }) else {
        throw bad("metric '\(name)' is an object without a \"value\"", value.range, source)
      }
      let unit = members.first { $0.key == "unit" }.flatMap { member -> String? in
        if case .string(let text) = member.value.value { text } else { nil }
      }
      switch inner.value.value {
      case .number(let number): reading = MetricValue.read("\(number)", unit: unit)
      case .string(let text): reading = MetricValue.read(text, unit: unit)
      default: reading = .absent
      }
    case .array(let values):
      // One value per launch of a kernel that was launched several times: keep the first.
      guard let head = values.first else {
        reading = .absent
        break
      }
      if values.count > 1 {
        notes.append(
          Diagnostic(
            id: "metric-list", severity: .note,
            "metric '\(name)' has \(values.count) values; the first is used", source: source,
            range: value.range))
      }
      if case .array = head.value {
        throw bad("metric '\(name)' is a nested list", head.range, source)
      }
      return try add(name, head, to: &profile, source, &notes)
    }
    switch reading {
    case .value(let read):
      profile.metrics[name] = KernelProfile.Metric(
        value: read.value, unit: read.unit, range: value.range)
    case .absent:
      profile.absent.append(name)
      notes.append(
        Diagnostic(
          id: "absent-metric", severity: .note, "metric '\(name)' has no value", source: source,
          range: value.range))
    case .unreadable:
      // Unknown metrics may be texts (a device's name); a text is not a number, so it is reported.
      notes.append(
        Diagnostic(
          id: "text-metric", severity: .warning, "the value of metric '\(name)' is not a number",
          source: source, range: value.range))
    }
  }

  private static func bad(_ message: String, _ range: SourceRange, _ source: SourceText)
    -> Diagnostic
  {
    Diagnostic(
      id: "bad-metrics", message, source: source, range: range,
      nextStep: "metrics are {\"kernel\": {\"metric\": value}}")
  }
}
