import Analysis
import DeviceModel
import HostProgram

extension KernelSections {
  /// What the findings suggest, most promising first; each with its reason.
  func advice(_ analysis: KernelAnalysis) -> [Explanation.Statement] {
    guard !kernel.isGuessed else { return [] }
    var statements: [Statement] = []
    specialization(analysis, &statements)
    let cost = analysis.cost
    for loop in analysis.loops where loop.numStagesIsDead && loop.loads > 0 && loop.dots > 0 {
      var text = "changing num_stages does nothing to this loop"
      if loop.form == .unrolled, [.issue, .alu, .fma].contains(cost.bottleneck) {
        text +=
          "; turning it into a pipelined loop adds instructions, and \(cost.bottleneck.title) is "
          + "the limit already"
      }
      statements.append(Statement(text, at: loop.place))
    }
    for access in analysis.accesses {
      guard let used = access.bytesPerSector, used < 16, !access.isDataDependent,
        access.sectorBytes > 0.1 * cost.l2Bytes || access.requests > 1e6
      else { continue }
      statements.append(
        Statement(
          "this \(access.kind.rawValue) uses \(Number.short(used)) of every 32 bytes it moves: let "
            + "neighbouring threads touch neighbouring elements", at: access.place, .predicted))
    }
    for access in analysis.accesses where access.vectorBytes < 16 && access.contiguousAxis != nil {
      guard let limit = access.vectorLimit, access.requests > 1e5, access.vectorBytes < 8,
        access.shape.reduce(1, *) >= 128
      else { continue }
      statements.append(
        Statement(
          "this \(access.kind.rawValue) moves \(access.vectorBytes) B an instruction because \(limit)",
          at: access.place))
    }
    if cost.bottleneck == .dram {
      let ratio = cost.dramBytes / max(1, analysis.work.compulsoryBytes)
      statements.append(
        Statement(
          ratio > 1.2
            ? "DRAM moves \(Number.short(ratio)) times the compulsory bytes: a program order that "
              + "re-reads sooner would keep them in L2"
            : "DRAM moves little more than the compulsory bytes: only smaller types or fusion move less",
          at: nil, .predicted))
    }
    if cost.occupancy.fraction < 0.35, [.latency, .issue].contains(cost.bottleneck) {
      statements.append(
        Statement(
          "\(cost.occupancy.activeWarps) of \(cost.occupancy.maxWarps) warps hide little waiting; "
            + "\(cost.occupancy.limiter.rawValue) keep the rest out", at: nil, .predicted))
    }
    if cost.waves < 1 {
      statements.append(
        Statement(
          "the grid fills \(Number.short(cost.waves * 100)) % of the GPU: more, smaller blocks would "
            + "use the rest", at: kernel.place, .predicted))
    }
    return statements
  }

  private func specialization(_ analysis: KernelAnalysis, _ statements: inout [Statement]) {
    guard let specialized = kernel.specialized else { return }
    let now = analysis.cost.predictedMicroseconds
    func gain(_ time: Double) -> String {
      "\(Number.significant(now)) → \(Number.significant(time)) µs (\(Number.short(now / max(time, 1e-9)))×)"
    }
    let place = analysis.divisions.sites.first?.place
    if let time = specialized.byModuleMicroseconds, time < now * 0.98 {
      statements.append(
        Statement(
          "make \(specialized.byModule.joined(separator: ", ")) tl.constexpr: the module fixes them, "
            + "and division by a constant is a multiplication; \(gain(time))", at: place, .predicted
        ))
    }
    if let time = specialized.byShapesMicroseconds, time < now * 0.98 {
      let more = specialized.byShapes.filter { !specialized.byModule.contains($0) }
      statements.append(
        Statement(
          "with \(more.joined(separator: ", ")) as well (they follow from the input shapes, so each new "
            + "shape compiles anew): \(gain(time))", at: place, .predicted))
    }
  }
}
