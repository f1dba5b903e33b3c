import Foundation

/// From the worker's figures to a verdict. Nothing in a reply is believed beyond its figures: what
/// is missing, negative or contradicts itself counts as a lie.
struct CheckJudge {
  var accuracy = GPUAccuracy()
  /// What the original did when it was loaded and run: a candidate may do the same.
  var originalIntegrity = GPUReplies.Integrity.clean

  /// Original and `Model` differ by more than this: the original is no measure of anything.
  static let usableError = 0.1

  func judge(
    _ reply: GPUReplies.Checked, settings: [CheckSetting], loaded: GPUReplies.Loaded,
    expectedHash: String
  ) -> GPUCheck {
    var check = GPUCheck(verdict: .passed, sha256: loaded.sha256)
    check.kernels = loaded.kernels
    check.configs = loaded.configs.map(\.configs.count).max() ?? 0
    if loaded.sha256 != expectedHash {
      check.findings.append(
        GPUFinding(
          .wrongFile, "sent \(expectedHash.prefix(12)), imported \(loaded.sha256.prefix(12))"))
    }
    check.findings += Self.integrity(reply.integrity, allowed: originalIntegrity)
    check.findings += Self.integrity(loaded.integrity, allowed: originalIntegrity)
      .filter { finding in !check.findings.contains { $0.reason == finding.reason } }
    let asked = settings.map(\.label)
    let answered = reply.rows.map(\.label)
    if Array(asked.prefix(answered.count)) != answered
      || answered.count + max(0, reply.left) != asked.count
    {
      check.findings.append(
        GPUFinding(.lied, "\(asked.count) settings were asked for, \(answered.count) answered"))
    }
    if reply.left > 0 {
      check.notes.append("\(reply.left) of \(asked.count) settings were left out: time is up")
    }
    var proven = 0
    for row in reply.rows {
      let before = check.findings.count
      let isProof = add(row, to: &check)
      if isProof, check.findings.count == before { proven += 1 }
    }
    check.verdict = Self.verdict(check.findings, proven: proven)
    if check.verdict == .unproven { check.findings = [Self.whyUnproven(check)] }
    return check
  }

  private static func verdict(_ findings: [GPUFinding], proven: Int) -> GPUCheck.Verdict {
    if findings.isEmpty { return proven > 0 ? .passed : .unproven }
    return findings.allSatisfy { $0.reason == .shapeSpecific } ? .shapeSpecific : .failed
  }

  /// Nothing speaks against it, and nothing for it.
  private static func whyUnproven(_ check: GPUCheck) -> GPUFinding {
    if let note = check.notes.first(where: { $0.hasSuffix(originalIsWrong) }) {
      return GPUFinding(.originalWrong, note)
    }
    return GPUFinding(.unproven, "no setting shows that the module computes anything")
  }

  private static let originalIsWrong = "which measures nothing"

  /// What a module did to the process, beyond what the original does.
  static func integrity(
    _ found: GPUReplies.Integrity, allowed: GPUReplies.Integrity
  ) -> [GPUFinding] {
    var findings: [GPUFinding] = []
    let patched = found.patched.filter { !allowed.patched.contains($0) }
    if !patched.isEmpty {
      findings.append(
        GPUFinding(.patchesFunctions, "replaces \(patched.prefix(5).joined(separator: ", "))"))
    }
    if !found.rewritten.isEmpty {
      findings.append(GPUFinding(.rewritesItself, "its file is no longer what was imported"))
    }
    let names = Set(allowed.settings.map(Self.settingName))
    let settings = found.settings.filter { !names.contains(Self.settingName($0)) }
    if !settings.isEmpty {
      findings.append(
        GPUFinding(.changesSettings, settings.prefix(3).joined(separator: ", ")))
    }
    if found.threads > allowed.threads {
      findings.append(
        GPUFinding(
          .startsThreads, "\(found.threads - allowed.threads) Python threads more than before"))
    }
    if found.persistingL2Bytes > allowed.persistingL2Bytes {
      findings.append(
        GPUFinding(
          .persistingL2, "sets \(found.persistingL2Bytes) bytes of L2 aside for itself"))
    }
    return findings
  }

  private static func settingName(_ text: String) -> Substring {
    text.prefix { $0 != ":" }
  }

  // MARK: One setting

  /// Adds what one setting showed. Returns whether it proves something: it ran, and neither zeros
  /// nor any other constant would have done as well.
  private func add(_ row: GPUReplies.Row, to check: inout GPUCheck) -> Bool {
    if let reason = row.skipped {
      check.notes.append("\(row.label): left out: \(reason)")
      return false
    }
    if let error = row.error {
      addFailure(error, row, to: &check)
      return false
    }
    let (results, isProof) = compare(row, to: &check)
    var findings = behaviour(row)
    // What is wrong or unwritten differs between two calls too: then that says nothing more.
    if !results.isEmpty { findings.removeAll { $0.reason == .nondeterministic } }
    findings += results
    let isResized = row.kind == CheckSetting.Kind.resized.rawValue
    let isConfig = row.kind == CheckSetting.Kind.config.rawValue
    for finding in findings {
      var finding = finding
      finding.setting = row.label
      if isResized {
        finding.message = "\(finding.reason.rawValue): \(finding.message)"
        finding.reason = .shapeSpecific
      } else if isConfig {
        let name = row.config?.joined(separator: "; ") ?? ""
        finding.message = "\(finding.reason.rawValue): \(finding.message) (\(name))"
        finding.reason = .configWrong
      }
      check.findings.append(finding)
    }
    return isProof && !isResized
  }

  private func addFailure(
    _ error: GPUReplies.Failure, _ row: GPUReplies.Row, to check: inout GPUCheck
  ) {
    if row.failed != "candidate" {
      check.notes.append("\(row.label): left out: \(error.message.prefix(200))")
      return
    }
    let reason = Self.reason(error.kind)
    if row.kind == CheckSetting.Kind.config.rawValue,
      reason == .outOfResources || reason == .doesNotCompile
    {
      // Triton's autotuner passes such configs over, and so does this.
      check.notes.append("\(row.label) does not run here: \(error.message.prefix(200))")
      return
    }
    let isResized = row.kind == CheckSetting.Kind.resized.rawValue
    check.findings.append(
      GPUFinding(
        isResized ? .shapeSpecific : reason, String(error.message.prefix(300)),
        setting: row.label))
  }

  static func reason(_ kind: String) -> Rejection {
    switch WorkerFailure.Kind(rawValue: kind) {
    case .compile: .doesNotCompile
    case .outOfMemory: .outOfMemory
    case .outOfResources: .outOfResources
    case .illegalAddress: .illegalAddress
    case .cuda: .deviceError
    case .crashed, .notStarted: .crashed
    case .timedOut: .timedOut
    case .garbage, .lied: .lied
    default: .raises
    }
  }

  /// What it did beside computing.
  private func behaviour(_ row: GPUReplies.Row) -> [GPUFinding] {
    var findings: [GPUFinding] = []
    if let types = row.types, let first = types.first {
      findings.append(GPUFinding(.wrongType, first))
    }
    if let guards = row.guards, guards.sum != 0 {
      let place = guards.inputsBefore &+ guards.inputsAfter > 0 ? "an input" : "a tensor it made"
      findings.append(
        GPUFinding(.outOfBoundsWrite, "\(guards.sum) bytes outside of \(place) were changed"))
    }
    let mutated = (row.mutated ?? []).filter { !(row.originalMutated ?? []).contains($0) }
    if let first = mutated.first {
      findings.append(GPUFinding(.mutatesInput, "input \(first) is changed"))
    }
    let kept = (row.originalMutated ?? []).filter { !(row.mutated ?? []).contains($0) }
    if row.mutated != nil, let first = kept.first {
      findings.append(
        GPUFinding(.wrongResult, "input \(first) is left as it was; the original changes it"))
    }
    let allowed = Set(row.originalAliased ?? [])
    if let first = (row.aliased ?? []).first(where: {
      !allowed.contains(String($0.prefix { $0 != " " }))
    }) {
      findings.append(GPUFinding(.aliasesInput, first))
    }
    let state = (row.state ?? []).filter { !(row.originalState ?? []).contains($0) }
    if let first = state.first {
      findings.append(GPUFinding(.mutatesState, "parameter or buffer \(first) is changed"))
    }
    if let first = row.reused?.first { findings.append(GPUFinding(.reusesOutput, first)) }
    if let count = row.differsOnRepeat, count > 0, row.originalDiffersOnRepeat == 0,
      !Self.isFirstCall(row)
    {
      findings.append(
        GPUFinding(
          .nondeterministic,
          "\(count) elements differ between two calls; the original's never do"))
    }
    return findings
  }

  /// Whether a repeat differs because the first call tuned.
  private static func isFirstCall(_ row: GPUReplies.Row) -> Bool {
    (row.originalFirstCallDiffers ?? 0) > 0
  }

  /// The errors of a setting's outputs, and whether they prove anything.
  private func compare(
    _ row: GPUReplies.Row, to check: inout GPUCheck
  ) -> (findings: [GPUFinding], isProof: Bool) {
    guard !row.outputs.isEmpty else {
      return ([GPUFinding(.wrongType, "no output to compare")], false)
    }
    var findings: [GPUFinding] = []
    var isProof = false
    var worst: GPUCheck.Row?
    for output in row.outputs {
      let judged = judge(output, row)
      findings += judged.findings
      if let note = judged.note { check.notes.append("\(row.label): \(note)") }
      isProof = isProof || judged.isProof
      if let entry = judged.row, entry.use > (worst?.use ?? -1) { worst = entry }
    }
    if let worst { check.rows.append(worst) }
    if findings.isEmpty, let first = row.firstCall {
      for output in first {
        if let finding = judge(output, row).findings.first,
          (row.originalFirstCallDiffers ?? 0) == 0
        {
          findings.append(
            GPUFinding(.firstCallWrong, "\(finding.reason.rawValue): \(finding.message)"))
        }
      }
    }
    // What is wrong for new tensors as well is not kept from earlier ones.
    if row.kind == CheckSetting.Kind.refill.rawValue,
      !check.findings.contains(where: { $0.reason == .wrongResult })
    {
      findings = findings.map { finding in
        var finding = finding
        if finding.reason == .wrongResult { finding.reason = .replaysResult }
        return finding
      }
    }
    let later = (row.mutatedDifferently ?? [:]).filter { $0.value > 0 }.keys.sorted()
    if let first = later.first {
      check.notes.append("\(row.label): input \(first) ends in other bits than the original's")
    }
    return (findings, isProof)
  }

  private struct Judged {
    var findings: [GPUFinding] = []
    var row: GPUCheck.Row?
    var isProof = false
    var note: String?
  }

  private func judge(_ output: GPUReplies.Output, _ row: GPUReplies.Row) -> Judged {
    var judged = Judged()
    if let problem = output.problem {
      judged.findings = [GPUFinding(.wrongType, "output \(output.path): \(problem)")]
      return judged
    }
    guard let candidate = output.candidate, let original = output.original,
      let type = output.type, Self.isSane(candidate), Self.isSane(original)
    else {
      judged.findings = [GPUFinding(.lied, "output \(output.path): figures are missing or absurd")]
      return judged
    }
    if let count = candidate.unwritten, count > 0 {
      judged.findings.append(
        GPUFinding(.unwrittenOutput, "\(count) elements of output \(output.path) are not written"))
      return judged
    }
    if let count = candidate.nonFinite, count > 0 {
      judged.findings.append(
        GPUFinding(
          .nonFinite,
          "\(count) elements of output \(output.path) are infinite or NaN otherwise than the original's"
        ))
    }
    let allowed = accuracy.tolerance(type: type, original: original)
    guard original.relativeL2 <= Self.usableError || candidate.relativeL2 <= Self.usableError else {
      judged.note =
        "the original itself is off by \(figure(original.relativeL2)) here, \(Self.originalIsWrong)"
      return judged
    }
    judged.row = GPUCheck.Row(
      setting: row.label, judge: row.judge ?? "original", relativeL2: candidate.relativeL2,
      originalRelativeL2: original.relativeL2, allowedL2: allowed.l2,
      worstRelative: candidate.worstRelative, allowedWorst: allowed.worst)
    if candidate.relativeL2 > allowed.l2 {
      judged.findings.append(
        GPUFinding(
          .wrongResult,
          "output \(output.path): relative error \(figure(candidate.relativeL2)), the original's is \(figure(original.relativeL2)), allowed \(figure(allowed.l2))"
        ))
    } else if candidate.worstRelative > allowed.worst {
      judged.findings.append(
        GPUFinding(
          .wrongResult,
          "output \(output.path): worst element off by \(figure(candidate.worstRelative)), allowed \(figure(allowed.worst))"
        ))
    }
    // Of one element the best constant is the element itself: then zero has to be wrong at least.
    let isScalar = (output.shape ?? []).allSatisfy { $0 == 1 }
    judged.isProof =
      (output.rms ?? 0) > 0 && (isScalar || (output.constantError ?? 0) > allowed.l2)
    return judged
  }

  private static func isSane(_ figures: GPUReplies.Figures) -> Bool {
    figures.relativeL2 >= 0 && figures.worstRelative >= 0 && figures.worstAbsolute >= 0
      && (figures.nonFinite ?? 0) >= 0 && (figures.unwritten ?? 0) >= 0
      && (figures.mismatches ?? 0) >= 0
      // Errors without a single element that differs, or the reverse.
      && (figures.mismatches == nil || (figures.mismatches == 0) == (figures.worstAbsolute == 0))
  }
}

extension GPUCheck.Row {
  /// The share of the tolerance that is used up; above 1 fails.
  var use: Double {
    func share(_ value: Double, _ allowed: Double) -> Double {
      allowed > 0 ? value / allowed : (value > 0 ? .infinity : 0)
    }
    return max(share(relativeL2, allowedL2), share(worstRelative, allowedWorst))
  }
}

/// `2.3e-07`, for messages.
func figure(_ value: Double) -> String { String(format: "%.1e", value) }
