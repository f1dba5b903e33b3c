import Analysis
import Foundation
import Requests
import Tuning

extension OptimizationSummary {
  /// Which backend answered, and for which device its figures hold.
  var backendLine: String {
    let head = "\(request.module.name): \(request.policy.stage.rawValue) for \(request.gpu.name), "
    guard let measurement = result.measurement else {
      if let compilation = result.compilation {
        return head
          + "backends model and compiler (times are predicted; registers, spills and shared memory "
          + "compiled by Triton \(compilation.backend.triton ?? "?") for "
          + "\(compilation.backend.device); nothing was measured)"
      }
      return head + "backend model (figures are predicted; nothing was compiled or measured)"
    }
    let backend = measurement.backend
    var versions = ["Python \(backend.python ?? "?")"]
    if let triton = backend.triton { versions.append("Triton \(triton)") }
    if let torch = backend.torch { versions.append("torch \(torch)") }
    var line =
      head + "backend gpu: measured on \(backend.device) (\(versions.joined(separator: ", ")))"
    if !Self.isSameDevice(backend.device, request.gpu.name) {
      line += "; predicted figures are for \(request.gpu.name), measured ones are not"
    }
    return line
  }

  /// Whether a device's own name ("NVIDIA H200") is that of a target ("H200").
  static func isSameDevice(_ device: String, _ target: String) -> Bool {
    func key(_ text: String) -> String {
      text.lowercased().filter { $0.isLetter || $0.isNumber }
        .replacingOccurrences(of: "nvidia", with: "")
        .replacingOccurrences(of: "geforce", with: "")
    }
    let (a, b) = (key(device), key(target))
    return a == b || a.hasPrefix(b) || b.hasPrefix(a)
  }

  /// Every trial with its level of evidence, median, interval and verdict.
  func describe(_ measurement: MeasuredOutcome) -> [String] {
    var lines: [String] = []
    if let baseline = measurement.baseline?.timing {
      lines.append(
        "noise      the original against itself: \(Self.interval(baseline)), "
          + "\(Self.microseconds(baseline.originalMicroseconds)) µs (measured)")
    }
    let counts = Dictionary(grouping: measurement.records, by: \.verdict).mapValues(\.count)
    let parts = [TrialVerdict.accepted, .reverted, .refused, .interrupted].compactMap { verdict in
      counts[verdict].map { "\($0) \(verdict.rawValue)" }
    }
    lines.append(
      "trials     \(measurement.records.count) (\(parts.joined(separator: ", "))) in "
        + "\(Self.seconds(measurement.seconds)) of compile and device time"
        + (measurement.endedByBudget ? "; the budget ended the search" : ""))
    let shown = measurement.records.filter { $0.phase != .baseline }
    if !shown.isEmpty {
      lines.append("  verdict      evidence   median µs  ratio and 95 % interval   what")
    }
    for record in shown.prefix(Self.measuredLimit) { lines += Self.row(record) }
    if shown.count > Self.measuredLimit {
      lines.append("  … and \(shown.count - Self.measuredLimit) more (see --format json)")
    }
    if let other = measurement.beside {
      lines.append(
        "beside     \(other.ratio == nil ? other.verdict.rawValue : "measured") "
          + (other.timing.map(Self.interval) ?? other.reason ?? ""))
    }
    return lines
  }

  private static let measuredLimit = 60

  private static func row(_ record: TrialRecord) -> [String] {
    let verdict = pad(record.verdict.rawValue, 12)
    let what = "\(record.phase.rawValue): \(record.label)"
    guard let timing = record.timing, record.ratio != nil else {
      let level = record.evidence.last?.level.rawValue ?? "none"
      var lines = ["  \(verdict) \(pad(level, 10)) \(pad("", 10)) \(pad("", 25)) \(what)"]
      if let reason = record.reason { lines.append("               \(reason.prefix(200))") }
      return lines
    }
    return [
      "  \(verdict) \(pad("measured", 10)) \(pad(microseconds(timing.microseconds), 10)) "
        + "\(pad(interval(timing), 25)) \(what)"
    ]
  }

  /// What the printed module rests on, in one line.
  func verdict(_ measurement: MeasuredOutcome) -> String {
    guard let record = measurement.confirmation, let timing = record.timing else {
      return "result     the original: nothing measured faster on \(measurement.backend.device) by "
        + "more than the stage asks"
    }
    let ids = record.evidence.filter { $0.kind == .check || $0.kind == .timing }
      .map { "\($0.kind.rawValue) \($0.id)" }.joined(separator: ", ")
    var line =
      "result     measured \(Self.interval(timing)) on \(measurement.backend.device): "
      + "\(Self.microseconds(timing.originalMicroseconds)) → "
      + "\(Self.microseconds(timing.microseconds)) µs for the whole forward; text "
      + "\(record.hash.prefix(12)), evidence \(ids)"
    if let error = record.check?.worstError {
      line +=
        String(format: "; worst relative error %.2g against ", error)
        + (record.check?.reference ?? "the original")
    }
    return line
  }

  /// "1.672× [1.667, 1.683]"
  public static func interval(_ timing: TimingFigures) -> String {
    String(format: "%.3f× [%.3f, %.3f]", timing.ratio, timing.lower, timing.upper)
  }

  private static func seconds(_ value: Double) -> String { String(format: "%.1f s", value) }

  private static func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  // MARK: Compiled

  /// Registers, spills and shared memory as compiled for the target, each in its own column.
  func describe(_ compilation: Compilation) -> [String] {
    var lines = [
      "compiled   for \(compilation.backend.device) by Triton \(compilation.backend.triton ?? "?")"
    ]
    if let failure = compilation.failure { return lines + ["  \(failure)"] }
    lines.append("  registers  spilled B  shared B  kernel and config")
    for row in compilation.rows {
      lines.append(
        "  \(Self.pad("\(row.registers)", 10)) \(Self.pad("\(row.spillBytes)", 10)) "
          + "\(Self.pad("\(row.sharedBytes)", 9)) \(row.kernel) \(row.config)"
          + (row.isOriginal ? " (original)" : ""))
    }
    lines += compilation.dropped.map { "  dropped: \($0)" }
    return lines
  }
}
