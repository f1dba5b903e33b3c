import Diagnostics
import Foundation
import Requests
import Tuning

/// An optimization as JSON with what was compiled and measured: the fields of an
/// ``OptimizationDocument``, and beside them `measured`, `compiled` and the log's records.
public struct MeasuredDocument: Encodable, Sendable {
  struct Measured: Encodable, Sendable {
    var backend: BackendIdentity
    /// Whether it is the request's GPU that was measured on.
    var isTarget: Bool
    var baseline: TimingFigures?
    var ratio: Double?
    var lower: Double?
    var upper: Double?
    var microsecondsBefore: Double?
    var microsecondsAfter: Double?
    /// Hash of the printed module, and of the text that the evidence is of.
    var moduleHash: String
    var measuredHash: String?
    var evidence: [String]
    /// Every trial with its text's hash, evidence, interval and verdict.
    var records: [TrialRecord]
    var seconds: Double
    var endedByBudget: Bool
    /// The module given with `--beside`.
    var beside: TrialRecord?
  }

  struct Compiled: Encodable, Sendable {
    var backend: BackendIdentity
    var rows: [Compilation.Row]
    var dropped: [String]
    var failure: String?
  }

  private enum Key: String, CodingKey { case backend, measured, compiled }

  private let document: OptimizationDocument
  /// `model`, `compiler` or `gpu`: the best level of evidence in it.
  private var backend = "model"
  private var measured: Measured?
  private var compiled: Compiled?

  public init(request: Request, result: Optimization) {
    document = OptimizationDocument(request: request, result: result)
    if let compilation = result.compilation {
      backend = "compiler"
      compiled = Compiled(
        backend: compilation.backend, rows: compilation.rows, dropped: compilation.dropped,
        failure: compilation.failure)
    }
    if let measurement = result.measurement {
      backend = measurement.backend.name
      let timing = measurement.confirmation?.timing
      measured = Measured(
        backend: measurement.backend,
        isTarget: OptimizationSummary.isSameDevice(measurement.backend.device, request.gpu.name),
        baseline: measurement.baseline?.timing, ratio: timing?.ratio, lower: timing?.lower,
        upper: timing?.upper, microsecondsBefore: timing?.originalMicroseconds,
        microsecondsAfter: timing?.microseconds,
        moduleHash: ContentHash(of: result.module.bytes).hex,
        measuredHash: measurement.confirmation?.hash,
        evidence: measurement.confirmation?.evidence.map(\.id) ?? [],
        records: measurement.records, seconds: measurement.seconds,
        endedByBudget: measurement.endedByBudget, beside: measurement.beside)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    try document.encode(to: encoder)
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(backend, forKey: .backend)
    try container.encodeIfPresent(measured, forKey: .measured)
    try container.encodeIfPresent(compiled, forKey: .compiled)
  }

  /// - Throws: never for values made by `init`; figures that are not finite become strings.
  public func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
  }
}
