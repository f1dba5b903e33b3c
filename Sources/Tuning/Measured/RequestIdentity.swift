import Diagnostics
import Requests
import Stages

/// Hashes of what was asked, the same in every process: nothing here depends on a set's order.
enum RequestIdentity {
  static func hash(of request: Request) -> ContentHash {
    var parts: [String] = ["module", ContentHash(of: request.module.bytes).hex]
    parts += ["gpu", request.gpu.name, "\(request.gpu.computeCapability)"]
    if let problem = request.problem {
      parts += ["problem", ContentHash(of: problem.source.bytes).hex]
    }
    for input in request.inputs { parts += ["input", input.name, "\(input.value)"] }
    for profile in request.profiles {
      parts += ["profile", profile.kernel]
      for (name, metric) in profile.metrics.sorted(by: { $0.key < $1.key }) {
        parts.append("\(name)=\(metric.value)")
      }
    }
    if let document = request.document {
      parts += ["document", ContentHash(of: document.bytes).hex]
    }
    return ContentHash(of: parts.joined(separator: "\u{0}"))
  }

  static func hash(of policy: StagePolicy) -> ContentHash {
    var parts: [String] = [policy.stage.rawValue, "\(policy.isFused)"]
    parts += policy.mayChange.map(\.rawValue).sorted()
    for knob in Knob.allCases {
      let rule = policy[knob]
      parts.append("\(knob.rawValue) \(rule.allowed ?? []) \(rule.maxStep ?? -1) \(rule.mayChange)")
    }
    for entry in policy.blockCandidates {
      parts.append("\(entry.pattern) \(entry.values) \(entry.context ?? "")")
    }
    for entry in policy.blockMultiples { parts.append("\(entry.pattern) \(entry.multiple)") }
    parts.append("\(policy.configCount.map { "\($0)" } ?? "any") \(policy.includesOriginal)")
    for (knob, value) in (policy.baseline ?? [:]).sorted(by: { $0.key.rawValue < $1.key.rawValue })
    {
      parts.append("baseline \(knob.rawValue) \(value)")
    }
    parts.append("\(policy.worthwhileSpeedup) \(policy.revertsIfUnstable)")
    parts.append("\(policy.maxGridRank) \(policy.isSingleStorePerOutput)")
    parts += policy.rules.map(\.text)
    return ContentHash(of: parts.joined(separator: "\n"))
  }
}
