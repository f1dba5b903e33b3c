/// A number as profilers print it: `64.79 %`, `48,400`, `1.2 Kbyte`, `2.36 ms`.
public struct MetricValue: Sendable, Hashable {
  /// In base units (see ``KernelProfile/Metric``).
  public var value: Double
  public var unit: String?

  public init(value: Double, unit: String? = nil) {
    self.value = value
    self.unit = unit
  }

  /// What the text of a value can be.
  public enum Reading: Sendable, Hashable {
    case value(MetricValue)
    /// `N/A`, `nan`, `-` or nothing: the profiler had no value.
    case absent
    case unreadable
  }

  /// What profilers write where they have no value.
  private static let absentWords: Set<String> = [
    "", "-", "n/a", "na", "nan", "none", "null", "inf", "-inf", "no data",
  ]

  /// Reads a number with optional thousands separators and an optional unit, which may also be
  /// given apart (Nsight's CSV has a column for it).
  public static func read(_ text: String, unit givenUnit: String? = nil) -> Reading {
    var trimmed = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    if trimmed.hasPrefix("(!)") {  // ncu's mark on values that it does not trust
      trimmed = String(trimmed.dropFirst(3).drop { $0 == " " })
    }
    if absentWords.contains(trimmed.lowercased()) {
      return .absent
    }
    let split = trimmed.unicodeScalars.firstIndex { scalar in
      !(("0"..."9").contains(scalar) || ".,+-_eE".unicodeScalars.contains(scalar))
    }
    var number = String(trimmed[..<(split ?? trimmed.unicodeScalars.endIndex)])
    var unit = split.map { String(trimmed[$0...]) } ?? ""
    while let last = number.last, last == "e" || last == "E" {  // the start of a unit, not a power
      unit = String(number.removeLast()) + unit
    }
    unit = unit.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    guard let digits = withoutSeparators(number), let value = Double(digits), value.isFinite else {
      return .unreadable
    }
    let named = unit.isEmpty ? (givenUnit ?? "") : unit
    guard !named.isEmpty else { return .value(MetricValue(value: value)) }
    return .value(MetricValue(value: value * scale(of: named), unit: named))
  }

  /// `48,400` → `48400`; nil where a comma does not separate thousands. `1,5` is refused rather
  /// than guessed to be a decimal comma.
  private static func withoutSeparators(_ number: String) -> String? {
    let separators: [Character] = [",", "_"]
    guard number.contains(where: separators.contains) else { return number }
    let parts = number.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, let whole = parts.first else { return nil }
    let groups = whole.split(whereSeparator: separators.contains)
    guard groups.count >= 2, let first = groups.first, (1...4).contains(first.count),
      groups.dropFirst().allSatisfy({ $0.count == 3 }),
      whole.filter(separators.contains).count == groups.count - 1
    else { return nil }
    return groups.joined() + (parts.count == 2 ? "." + parts[1] : "")
  }

  /// What one of a unit is in base units: bytes, seconds, hertz, operations; 1 for units that have
  /// no prefix (`%`, `register/thread`, `inst`, `block`, …).
  ///
  /// Nsight's prefixes are decimal: `1 Kbyte` is 1,000 bytes; `KiB` is 1,024.
  static func scale(of unit: String) -> Double {
    let whole = unit.split(separator: "/", maxSplits: 1).map {
      $0.split(whereSeparator: \.isWhitespace).joined()
    }
    guard let head = whole.first else { return 1 }
    var scale = scales[head] ?? scales[head.lowercased()] ?? 1
    if whole.count == 2, let per = durations[whole[1].lowercased()] { scale /= per }
    return scale
  }

  /// By unit; a spelling with capitals that matter stands as it is, the rest in lower case.
  private static let scales: [String: Double] = {
    var table = durations
    for (prefix, factor) in [("k", 1e3), ("m", 1e6), ("g", 1e9), ("t", 1e12)] {
      for base in ["byte", "bytes", "b", "hz", "hertz", "inst", "flop", "flops"] {
        table[prefix + base] = factor
      }
    }
    for (unit, power) in [("kib", 1.0), ("mib", 2), ("gib", 3)] {
      var factor = 1.0
      for _ in 0..<Int(power) { factor *= 1024 }
      table[unit] = factor
      table[unit + "yte"] = factor
    }
    return table
  }()

  /// Seconds.
  private static let durations: [String: Double] = [
    "s": 1, "second": 1, "seconds": 1, "sec": 1, "ms": 1e-3, "msecond": 1e-3, "us": 1e-6,
    "µs": 1e-6, "μs": 1e-6, "usecond": 1e-6, "ns": 1e-9, "nsecond": 1e-9,
  ]
}
