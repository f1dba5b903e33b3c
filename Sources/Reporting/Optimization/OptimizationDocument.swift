import Checking
import Diagnostics
import Foundation
import HostProgram
import Requests
import TritonLowering
import Tuning

/// An optimization as JSON, for programs. Field names are stable; figures carry their evidence.
public struct OptimizationDocument: Encodable, Sendable {
  struct Config: Encodable, Sendable {
    var constants: [String: String]
    var numWarps: Int
    var numStages: Int
    init(_ config: LaunchConfig) {
      constants = config.constants.mapValues(\.pythonText)
      numWarps = config.numWarps
      numStages = config.numStages
    }
  }

  struct Kernel: Encodable, Sendable {
    var name: String
    var launches: Int
    var originalConfigs: [Config]
    var referenceConfig: Config?
    var referenceIsProfiled: Bool
    var configs: [Config]
    var predictedMicrosecondsBefore: Double?
    var predictedMicrosecondsAfter: Double?
    var refusal: String?
  }

  struct TrialEntry: Encodable, Sendable {
    var kernel: String
    var rewrite: String
    var what: String
    var why: String
    var outcome: String
    var reason: String?
    var evidence: String
    /// What an accepted trial rests on: `prediction`, `measured prior`, `stage`, `no prediction`.
    var basis: String?
    var microsecondsBefore: Double?
    var microsecondsAfter: Double?
    var line: Int?
  }

  struct Note: Encodable, Sendable {
    var id: String
    var severity: String
    var message: String
    var line: Int?
    var column: Int?
  }

  var status: String
  var stage: String
  var gpu: String
  /// 10 × major + minor, as Triton names targets.
  var target: Int
  var backend = "model"
  var module: String
  var predictedSpeedup: Double?
  /// Whether what was done is predicted to reach the stage's threshold or gained elsewhere.
  var expectsGain: Bool
  var kernels: [Kernel]
  /// The module's launches, for `Scripts/judge-compile.py`.
  var launches: [LaunchRecord]
  var trials: [TrialEntry]
  var deduction: [String]?
  /// The run of the module against the original on the tile machine; absent for the original.
  var check: CheckRecord?
  var notes: [Note]

  public init(request: Request, result: Optimization) {
    status = result.status.rawValue
    stage = request.policy.stage.rawValue
    gpu = request.gpu.name
    target = request.gpu.computeCapability.major * 10 + request.gpu.computeCapability.minor
    module = result.module.text
    if let (before, after) = result.predictedMicroseconds, after > 0 {
      predictedSpeedup = before / after
    }
    expectsGain = result.expectsGain
    kernels = result.kernels.map { kernel in
      Kernel(
        name: kernel.name, launches: kernel.launches,
        originalConfigs: kernel.originalConfigs.map(Config.init),
        referenceConfig: kernel.referenceConfig.map(Config.init),
        referenceIsProfiled: kernel.isReferenceProfiled, configs: kernel.configs.map(Config.init),
        predictedMicrosecondsBefore: kernel.microsecondsBefore,
        predictedMicrosecondsAfter: kernel.microsecondsAfter, refusal: kernel.refusal?.headline)
    }
    launches = LaunchRecord.all(of: result, for: request)
    trials = result.trials.map(Self.entry)
    deduction = result.deduction?.steps
    check = result.check.map { CheckRecord($0, name: result.module.name) }
    notes = (request.notes + result.notes).map { note in
      Note(
        id: note.id, severity: note.severity.rawValue, message: note.message,
        line: note.location?.line, column: note.location?.column)
    }
  }

  private static func entry(_ trial: Trial) -> TrialEntry {
    let (outcome, reason): (String, String?) =
      switch trial.outcome {
      case .accepted: ("accepted", nil)
      case .reverted(let reason): ("reverted", reason)
      case .refused(let diagnostic): ("refused", diagnostic.headline)
      }
    return TrialEntry(
      kernel: trial.kernel, rewrite: trial.rewrite, what: trial.what, why: trial.why,
      outcome: outcome, reason: reason, evidence: trial.evidence.rawValue,
      basis: trial.isAccepted ? trial.basis.rawValue : nil,
      microsecondsBefore: trial.microsecondsBefore, microsecondsAfter: trial.microsecondsAfter,
      line: trial.location?.line)
  }

  /// - Throws: never for values made by `init`; figures that are not finite become strings.
  public func json() throws -> String {
    String(decoding: try JSONText.bytes(self), as: UTF8.self)
  }
}

extension ConstexprValue {
  /// As Python writes it.
  var pythonText: String {
    switch self {
    case .none: "None"
    case .bool(let value): value ? "True" : "False"
    case .int(let value): "\(value)"
    case .float(let value): "\(value)"
    case .string(let value): "'\(value)'"
    case .dtype(let type): "tl.\(type)"
    case .tuple(let values): "(\(values.map(\.pythonText).joined(separator: ", ")))"
    case .function(let name): name
    }
  }
}
