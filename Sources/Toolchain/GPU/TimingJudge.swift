import Foundation

/// From raw samples to medians, intervals and the reasons not to believe them.
struct TimingJudge {
  var options = TimingOptions()
  /// The checks of the candidates that are timed, by name: results seen while timing are held to
  /// the errors that were found then.
  var checks: [String: GPUCheck] = [:]
  var hashes: [String: String] = [:]
  /// What the original did to the process.
  var originalIntegrity = GPUReplies.Integrity.clean

  /// One module's time by Hone's own clock against what the worker claims.
  struct CrossCheck: Sendable, Hashable {
    var outsideSeconds: Double
    var claimedSeconds: Double
    var calls: Int

    /// A worker that is late to answer, on a host with much else to do, is so at times; a clock that
    /// lies does it each time.
    var isAmiss: Bool { outsideSeconds > 1.25 * claimedSeconds + 0.02 }
  }

  /// - Throws: `lied` where the reply lacks what was asked for.
  func judge(
    _ reply: GPUReplies.Timed, gpu: String, original name: String, candidates: [String],
    cross: [String: CrossCheck] = [:]
  ) throws(WorkerFailure) -> TimingReport {
    func lie(_ text: String) -> WorkerFailure { WorkerFailure(.lied, operation: "gpu.time", text) }
    guard let first = reply.subjects.first(where: { $0.name == name }),
      let original = Self.summary(first)
    else { throw lie("no times of the original") }
    if let expected = hashes[name], first.sha256 != expected {
      throw lie("the original that was timed is not the one that was sent")
    }
    var notes = Self.notes(reply)
    var timings: [CandidateTiming] = []
    var failures: [String: GPUFinding] = [:]
    for candidate in candidates where candidate != name {
      if let failure = reply.failures[candidate] {
        failures[candidate] = GPUFinding(
          CheckJudge.reason(failure.kind), String(failure.message.prefix(300)))
        continue
      }
      guard let subject = reply.subjects.first(where: { $0.name == candidate }),
        let summary = Self.summary(subject),
        let ratio = Bootstrap.ratio(first.deviceMilliseconds, subject.deviceMilliseconds)
      else { throw lie("the times of '\(candidate)' are missing or absurd") }
      var timing = CandidateTiming(
        subject: summary, ratio: ratio,
        forwardRatio: Bootstrap.ratio(first.wallMilliseconds, subject.wallMilliseconds),
        graphRatio: Bootstrap.ratio(first.graphMilliseconds, subject.graphMilliseconds),
        instability: nil, findings: [])
      timing.instability = Self.instability(first, subject, ratio)
      timing.findings = findings(subject, summary, first, original, cross[candidate], &notes)
      // What was done to the process cannot be told apart with several candidates in it.
      for finding in CheckJudge.integrity(reply.integrity, allowed: originalIntegrity) {
        timing.findings.append(finding)
      }
      timings.append(timing)
    }
    let peers = reply.subjects.filter { $0.name.hasPrefix("peer:") }.compactMap(Self.summary)
    return TimingReport(
      gpu: gpu, original: original, candidates: timings, peers: peers, failures: failures,
      rounds: reply.rounds, clocksBefore: Self.clocks(reply.before),
      clocksAfter: Self.clocks(reply.after), notes: notes)
  }

  // MARK: Summaries

  private static func summary(_ subject: GPUReplies.Subject) -> SubjectTiming? {
    let all = subject.deviceMilliseconds + subject.wallMilliseconds + subject.graphMilliseconds
    guard all.allSatisfy({ $0.isFinite && $0 > 0 }),
      let device = TimeSummary(subject.deviceMilliseconds)
    else { return nil }
    var timing = SubjectTiming(
      name: subject.name, sha256: subject.sha256, device: device,
      forward: TimeSummary(subject.wallMilliseconds), kernels: nil,
      graph: TimeSummary(subject.graphMilliseconds), relativeL2: subject.relativeL2)
    if let trace = subject.trace, let sums = trace.perCallMicroseconds {
      timing.kernels = TimeSummary(sums.map { $0 / 1000 })
      let total = (trace.kernels ?? []).reduce(0) { $0 + $1.microseconds }
      timing.trace = (trace.kernels ?? []).map { kernel in
        TracedKernel(
          name: kernel.name, isOwn: isOwn(kernel.name, subject.ownKernels),
          isCopy: kernel.kind == "copy", count: kernel.count,
          share: total > 0 ? kernel.microseconds / total : 0, streams: kernel.streams)
      }.sorted { $0.share > $1.share }
    }
    return timing
  }

  /// Triton names a kernel's binary after its function.
  private static func isOwn(_ kernel: String, _ functions: [String]) -> Bool {
    functions.contains { kernel == $0 || kernel.hasPrefix($0 + "_0d") }
  }

  private static func clocks(_ read: GPUReplies.Clocks) -> GPUClocks {
    GPUClocks(
      smMHz: read.smMHz, memoryMHz: read.memoryMHz, temperatureC: read.temperatureC,
      powerW: read.powerW)
  }

  private static func notes(_ reply: GPUReplies.Timed) -> [String] {
    var notes = reply.peersLeftOut.sorted { $0.key < $1.key }.map {
      "peer '\($0.key)' is left out: \($0.value)"
    }
    notes += reply.graphLeftOut.sorted { $0.key < $1.key }.filter { $0.value != "not asked for" }
      .map { "no graph of '\($0.key)': \($0.value)" }
    for subject in reply.subjects where subject.isHostBound == true {
      notes.append(
        "'\(subject.name)': the host needs \(String(format: "%.2f", subject.hostMilliseconds ?? 0)) ms, which its device times include in part"
      )
    }
    if let before = reply.before.smMHz, let after = reply.after.smMHz,
      abs(after - before) > 0.1 * max(before, after)
    {
      notes.append("the SM clock went from \(Int(before)) to \(Int(after)) MHz")
    }
    return notes
  }

  // MARK: Stability

  /// Halves that disagree by more than this, or an interval wider than this to either side: unstable.
  static let unstableShare = 0.03

  private static func instability(
    _ original: GPUReplies.Subject, _ candidate: GPUReplies.Subject, _ ratio: RatioInterval
  ) -> String? {
    if ratio.relativeHalfWidth > unstableShare {
      return "the interval is ±\(percent(ratio.relativeHalfWidth)) wide"
    }
    let half = original.deviceMilliseconds.count / 2
    guard half >= 5, candidate.deviceMilliseconds.count >= 2 * half else { return nil }
    func part(_ range: Range<Int>) -> Double {
      Bootstrap.median(Array(original.deviceMilliseconds[range]))
        / Bootstrap.median(Array(candidate.deviceMilliseconds[range]))
    }
    let (first, second) = (part(0..<half), part(half..<(2 * half)))
    let drift = abs(first - second) / max(first, second)
    return drift > unstableShare
      ? "the ratio of the second half differs by \(percent(drift)) from the first's" : nil
  }

  private static func percent(_ share: Double) -> String {
    String(format: "%.1f %%", 100 * share)
  }

  // MARK: Reasons not to believe it

  private func findings(
    _ subject: GPUReplies.Subject, _ summary: SubjectTiming, _ first: GPUReplies.Subject,
    _ original: SubjectTiming, _ cross: CrossCheck?, _ notes: inout [String]
  ) -> [GPUFinding] {
    var findings: [GPUFinding] = []
    if let expected = hashes[subject.name], subject.sha256 != expected {
      findings.append(
        GPUFinding(.wrongFile, "the module that was timed is not the one that was sent"))
    }
    findings += results(subject)
    findings += events(subject, first)
    if let cross, cross.isAmiss {
      findings.append(
        GPUFinding(
          .clockLies,
          String(
            format: "%d calls took %.0f ms by Hone's clock, %.0f ms by the worker's", cross.calls,
            1e3 * cross.outsideSeconds, 1e3 * cross.claimedSeconds)))
    }
    if let floor = belowFloor(summary, original, &notes) { findings.append(floor) }
    findings += trace(subject, summary, first, original, &notes)
    return findings
  }

  /// Results that timed calls returned, compared with the original's for the same numbers.
  private func results(_ subject: GPUReplies.Subject) -> [GPUFinding] {
    guard !subject.checks.isEmpty else {
      return [GPUFinding(.lied, "no result was looked at while timing")]
    }
    let rows = checks[subject.name]?.rows ?? []
    // Both are within their own distance of the truth, so within the sum of each other.
    let allowed = 2 * (rows.map { $0.allowedL2 + $0.originalRelativeL2 }.max() ?? 0x1p-10)
    for check in subject.checks {
      if !check.shapes || check.nonFinite > 0 || !(check.relativeL2 <= allowed) {
        return [
          GPUFinding(
            .wrongWhileTimed,
            "a timed call returned another result than the original for the same numbers: relative error \(figure(check.relativeL2)), \(check.nonFinite) elements infinite or NaN"
          )
        ]
      }
    }
    return []
  }

  /// Events against the clock, in the same calls.
  private func events(
    _ subject: GPUReplies.Subject, _ first: GPUReplies.Subject
  ) -> [GPUFinding] {
    guard let wall = TimeSummary(subject.wallMilliseconds)?.median,
      let event = TimeSummary(subject.wallEventMilliseconds)?.median,
      let oldWall = TimeSummary(first.wallMilliseconds)?.median,
      let oldEvent = TimeSummary(first.wallEventMilliseconds)?.median
    else { return [GPUFinding(.lied, "no times by the clock")] }
    let times = String(format: "%.4f ms by events, %.4f ms by the clock", event, wall)
    if event > 1.05 * wall + 0.01 {
      return [GPUFinding(.clockLies, times)]
    }
    // What synchronising costs shows in the original's own difference.
    let allowed = 2 * max(0, oldWall - oldEvent) + max(0.02, 0.1 * min(wall, oldWall))
    if wall - event > allowed {
      return [
        GPUFinding(.escapesTheEvents, times + String(format: ", %.4f ms apart allowed", allowed))
      ]
    }
    return []
  }

  private func belowFloor(
    _ summary: SubjectTiming, _ original: SubjectTiming, _ notes: inout [String]
  ) -> GPUFinding? {
    let own = 1e3 * (options.ownFloorSeconds[summary.name] ?? 0)
    if original.device.median < 1e3 * (options.ownFloorSeconds[original.name] ?? 0) {
      let note = "the original is faster than the floor of its products: that floor is not applied"
      if !notes.contains(note) { notes.append(note) }
    } else if summary.device.median < own {
      return GPUFinding(
        .belowTheFloor,
        String(
          format: "%.4f ms, and the products that its launches make take %.4f ms at least",
          summary.device.median, own))
    }
    let floor = 1e3 * options.floorSeconds
    guard floor > 0 else { return nil }
    if original.device.median < floor {
      let note = "the original is faster than the floor of its bytes: the floor is not applied"
      if !notes.contains(note) { notes.append(note) }
      return nil
    }
    guard summary.device.median < floor else { return nil }
    return GPUFinding(
      .belowTheFloor,
      String(
        format: "%.4f ms, and moving the bytes takes %.4f ms at least", summary.device.median,
        floor))
  }

  private func trace(
    _ subject: GPUReplies.Subject, _ summary: SubjectTiming, _ first: GPUReplies.Subject,
    _ original: SubjectTiming, _ notes: inout [String]
  ) -> [GPUFinding] {
    guard let trace = subject.trace else { return [] }
    if let reason = trace.unavailable {
      notes.append("no trace of '\(subject.name)': \(reason)")
      return []
    }
    var findings: [GPUFinding] = []
    let kernels = summary.trace.filter { !$0.isCopy }
    let old = original.trace
    if old.contains(where: \.isOwn), !kernels.contains(where: \.isOwn) {
      let ran = kernels.prefix(2).map { String($0.name.prefix(60)) }.joined(separator: ", ")
      findings.append(GPUFinding(.noOwnKernel, "only others' kernels ran: \(ran)"))
    }
    let known = Set(old.map(\.name))
    let foreign = kernels.filter { !$0.isOwn && !known.contains($0.name) }
    if !known.contains(where: Self.isLibrary),
      let library = foreign.first(where: { Self.isLibrary($0.name) })
    {
      findings.append(
        GPUFinding(
          .libraryCall,
          "\(library.name.prefix(60)) takes \(Self.percent(library.share)) of the time"))
    }
    let share = foreign.reduce(0) { $0 + $1.share }
    if share > 0.5, !known.contains(where: Self.isLibrary),
      !findings.contains(where: { $0.reason == .noOwnKernel })
    {
      findings.append(
        GPUFinding(
          .libraryCall,
          "torch's kernels take \(Self.percent(share)) of the time"))
    } else if share > 0.02 {
      notes.append(
        "'\(subject.name)': torch's kernels that the original has not take \(Self.percent(share))")
    }
    let streams = Set(old.flatMap(\.streams))
    let others = Set(summary.trace.flatMap(\.streams)).subtracting(streams)
    if !streams.isEmpty, !others.isEmpty {
      findings.append(
        GPUFinding(
          .sideStream,
          "work on stream \(others.sorted().map(String.init).joined(separator: ", ")), the original's is on \(streams.sorted().map(String.init).joined(separator: ", "))"
        ))
    }
    // Between calls run the refill and the flush, the same for both.
    if let outside = trace.outside, let before = first.trace?.outside, outside > before {
      notes.append("'\(subject.name)': \(outside - before) GPU activities outside of its calls")
    }
    return findings
  }

  /// Kernels of cuBLAS, cuDNN, CUTLASS and attention libraries, by how they are named.
  static func isLibrary(_ name: String) -> Bool {
    let lower = name.lowercased()
    return ["gemm", "cudnn", "cutlass", "cublas", "nvjet", "flash_fwd", "fmha", "xmma", "winograd"]
      .contains { lower.contains($0) }
      || ["sm80_", "sm90_", "sm100_", "ampere_", "hopper_"]
        .contains { lower.hasPrefix($0) }
  }
}
