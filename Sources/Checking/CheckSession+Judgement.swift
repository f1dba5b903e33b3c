import Diagnostics
import Foundation
import HostProgram
import TileIR

/// What a run of the candidate says against the original's.
extension CheckSession {
  mutating func add(
    _ reason: CheckReason, _ diagnostic: Diagnostic, _ plan: Plan, isFirstCall: Bool = false
  ) {
    // One call was right before: what is wrong now comes from what the module kept.
    let isState = plan.calls > 1 && !isFirstCall && Self.showsState.contains(reason)
    let reason = isState ? CheckReason.stateKept : reason
    report.findings.append(
      CheckFinding(reason: reason, diagnostic: diagnostic, problem: plan.label))
  }

  /// An original that is off by this much, relative L2, computes something else than `Model`.
  private static let uselessError = 0.5
  /// What the original may be off by where nobody promised that it runs.
  private static let wrongError = 0.05

  /// How far the original is from `Model`, where that is more than rounding.
  static func mistake(_ baseline: Baseline) -> String? {
    guard let reference = baseline.reference else { return nil }
    for (output, expected) in zip(baseline.run.outputs, reference) {
      if output.unwritten > 0 { return "\(output.unwritten) elements unwritten" }
      guard output.shape.element.isFloat else {
        if output.values != expected { return "other integers" }
        continue
      }
      if Comparison.nonFinite(
        output.values, original: expected, reference: expected, isAny: true) != nil
      {
        return "not finite"
      }
      let figures = Comparison.figures(output.values, against: expected, shape: output.shape.shape)
      if figures.relativeL2 > wrongError {
        return "relative error \(String(format: "%.2g", figures.relativeL2))"
      }
    }
    return nil
  }

  private static let showsState: Set<CheckReason> = [
    .wrongResult, .lessAccurate, .uninitialized, .noKernel, .nonFinite, .wrongKind,
  ]

  mutating func judge(_ run: ModuleRun, _ baseline: Baseline, _ plan: Plan) {
    let source = checker.candidate.source
    if let finding = run.finding {
      return add(plan.config > 0 ? .configFails : finding.reason, finding.diagnostic, plan)
    }
    let extra = Set(run.changed).subtracting(baseline.run.changed).sorted()
    if !extra.isEmpty {
      return add(
        .inputChanged,
        Diagnostic(
          id: "input-changed",
          "'\(extra.joined(separator: "', '"))' has other contents after the call", source: source),
        plan)
    }
    guard run.outputs.count == baseline.run.outputs.count else {
      return add(
        .wrongKind,
        Diagnostic(
          id: "wrong-kind",
          "\(run.outputs.count) results where the original gives \(baseline.run.outputs.count)",
          source: source), plan)
    }
    for index in run.outputs.indices {
      if let problem = judge(output: index, run, baseline, plan) {
        return add(
          problem.0, problem.1, plan,
          isFirstCall: index < run.outputs.count / max(1, plan.calls))
      }
    }
  }

  mutating func judge(
    output index: Int, _ run: ModuleRun, _ baseline: Baseline, _ plan: Plan
  ) -> (CheckReason, Diagnostic)? {
    let source = checker.candidate.source
    let (mine, theirs) = (run.outputs[index], baseline.run.outputs[index])
    func finding(_ reason: CheckReason, _ text: String) -> (CheckReason, Diagnostic) {
      (
        plan.config > 0 && reason != .wrongKind && reason != .noKernel ? .configFails : reason,
        Diagnostic(id: reason.rawValue, "output \(index): \(text)", source: source)
      )
    }
    guard mine.shape.shape == theirs.shape.shape, mine.shape.element == theirs.shape.element else {
      return finding(
        .wrongKind,
        "\(mine.shape.element)\(mine.shape.shape) where the original gives \(theirs.shape.element)\(theirs.shape.shape)"
      )
    }
    if mine.unwritten > theirs.unwritten {
      return finding(.uninitialized, "\(mine.unwritten) elements were never written")
    }
    if theirs.unwritten > 0 {
      note("\(plan.label): the original leaves \(theirs.unwritten) elements unwritten")
      return nil
    }
    if index < run.comesFromKernel.count, index < baseline.run.comesFromKernel.count,
      baseline.run.comesFromKernel[index], !run.comesFromKernel[index]
    {
      return finding(.noKernel, "does not come from any kernel")
    }
    let shape = mine.shape.shape
    let reference = baseline.reference?[index]
    let isSpecial = plan.input == .special
    if let place = Comparison.nonFinite(
      mine.values, original: theirs.values, reference: reference, isAny: isSpecial)
    {
      return finding(
        .nonFinite,
        "\(place.value) at \(RowMajor.coordinates(of: place.index, in: shape)) where the original gives \(place.expected)"
      )
    }
    guard mine.shape.element.isFloat else {
      // Comparing with NaN says no either way round: which integer follows is nobody's promise.
      if isSpecial { return nil }
      compared += 1
      let different = zip(mine.values, theirs.values).enumerated().first {
        $0.element.0 != $0.element.1
      }
      return different.map {
        finding(
          .wrongResult,
          "\($0.element.0) at \(RowMajor.coordinates(of: $0.offset, in: shape)) where the original gives \($0.element.1)"
        )
      }
    }
    let against = reference ?? theirs.values
    guard zip(mine.values, against).contains(where: { $0.isFinite && $1.isFinite }) else {
      note("\(plan.label): no number is finite in both results")
      return nil
    }
    let figures = Comparison.figures(mine.values, against: against, shape: shape)
    let old = reference.map { Comparison.figures(theirs.values, against: $0, shape: shape) }
    if let old, old.relativeL2 > Self.uselessError {
      // Variances of equal numbers, say: rounding alone decides what comes out. What is the same as
      // the original's rounds the same way.
      let direct = Comparison.figures(mine.values, against: theirs.values, shape: shape)
      let same = AccuracyPolicy.floor(mine.shape.element)
      if direct.relativeL2 <= same, direct.worstRelative <= 8 * same {
        compared += 1
        report.runs.append(
          CheckedRun(
            problem: plan.label, output: index, original: nil, candidate: direct,
            reference: .original))
      } else {
        note(
          "\(plan.label): the original is off by \(String(format: "%.2g", old.relativeL2)) itself, which measures nothing"
        )
      }
      return nil
    }
    compared += 1
    report.runs.append(
      CheckedRun(
        problem: plan.label, output: index, original: old, candidate: figures,
        reference: reference == nil ? .original : .model))
    let tolerance = checker.options.policy.tolerance(
      mine.shape.element, original: old, usesTF32: baseline.usesTF32)
    if figures.relativeL2 <= tolerance.l2, figures.worstRelative <= tolerance.worst { return nil }
    let isGross = figures.relativeL2 > 0.02 || figures.worstRelative > 0.1
    func text(_ value: Double) -> String { String(format: "%.2g", value) }
    return finding(
      isGross ? .wrongResult : .lessAccurate,
      "relative error \(text(figures.relativeL2)) (L2), worst \(text(figures.worstRelative)) at \(figures.index); "
        + (old.map { "the original has \(text($0.relativeL2)) and \(text($0.worstRelative))" }
          ?? "compared with the original")
        + ", allowed \(text(tolerance.l2)) and \(text(tolerance.worst))")
  }
}
