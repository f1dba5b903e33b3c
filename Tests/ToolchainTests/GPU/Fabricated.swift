@testable import Toolchain

/// Replies as an honest worker would send them, to be bent.
enum Fabricated {
  static let hash = String(repeating: "a", count: 64)

  static func figures(
    _ l2: Double = 1e-7, worst: Double = 1e-6, nonFinite: Int = 0, unwritten: Int? = 0
  ) -> GPUReplies.Figures {
    GPUReplies.Figures(
      relativeL2: l2, worstRelative: worst, worstAbsolute: worst, nonFinite: nonFinite,
      mismatches: worst == 0 ? 0 : 10, unwritten: unwritten)
  }

  static func output(
    _ candidate: GPUReplies.Figures = figures(), original: GPUReplies.Figures = figures(),
    type: String = "float32"
  ) -> GPUReplies.Output {
    GPUReplies.Output(
      path: "out", problem: nil, type: type, shape: [4, 8], rms: 1, constantError: 0.9,
      candidate: candidate, original: original, differentBits: 3)
  }

  static func row(
    _ setting: CheckSetting, _ outputs: [GPUReplies.Output] = [output()]
  ) -> GPUReplies.Row {
    var row = GPUReplies.Row(label: setting.label, kind: setting.kind.rawValue, outputs: outputs)
    row.judge = "fp64"
    row.types = []
    row.aliased = []
    row.originalAliased = []
    row.mutated = []
    row.originalMutated = []
    row.state = []
    row.originalState = []
    row.reused = []
    row.differsOnRepeat = 0
    row.originalDiffersOnRepeat = 0
    row.originalFirstCallDiffers = 0
    row.guards = GPUReplies.Guards(
      inputsBefore: 0, inputsAfter: 0, outputsBefore: 0, outputsAfter: 0)
    row.guarded = true
    return row
  }

  static let settings = CheckSetting.full(leadingSize: 64) + CheckSetting.configs(2)

  static func loaded(_ hash: String = hash) -> GPUReplies.Loaded {
    GPUReplies.Loaded(
      sha256: hash, kernels: ["rows"],
      configs: [.init(kernel: "rows", configs: ["num_warps: 4", "num_warps: 8"])],
      integrity: .clean)
  }

  /// The verdict on an honest reply after a change to one of its rows.
  static func check(
    _ label: String = "seed 1", integrity: GPUReplies.Integrity = .clean, hash: String = hash,
    original: GPUReplies.Integrity = .clean, accuracy: GPUAccuracy = GPUAccuracy(),
    _ change: (inout GPUReplies.Row) -> Void = { _ in }
  ) -> GPUCheck {
    var rows = settings.map { row($0) }
    for index in rows.indices where rows[index].label == label { change(&rows[index]) }
    let judge = CheckJudge(accuracy: accuracy, originalIntegrity: original)
    return judge.judge(
      GPUReplies.Checked(rows: rows, left: 0, integrity: integrity), settings: settings,
      loaded: loaded(hash), expectedHash: Self.hash)
  }

  // MARK: Times

  static func subject(
    _ name: String, _ milliseconds: Double, kernels: [GPUReplies.Kernel]? = nil
  ) -> GPUReplies.Subject {
    func samples(_ value: Double) -> [Double] {
      (0..<30).map { (index: Int) -> Double in value + 0.002 * value * Double(index * 7 % 11) }
    }
    let ran =
      kernels
      ?? [.init(name: "rows", kind: "kernel", count: 5, microseconds: 900, streams: [7])]
    return GPUReplies.Subject(
      name: name, sha256: hash, deviceMilliseconds: samples(milliseconds),
      wallMilliseconds: samples(milliseconds + 0.03),
      wallEventMilliseconds: samples(milliseconds + 0.01),
      graphMilliseconds: samples(milliseconds - 0.001), warmUpMedians: [milliseconds],
      checks: [
        .init(relativeL2: 1e-7, worstRelative: 1e-6, nonFinite: 0, shapes: true),
        .init(relativeL2: 1e-7, worstRelative: 1e-6, nonFinite: 0, shapes: true),
      ],
      trace: .init(
        unavailable: nil, calls: 5,
        perCallMicroseconds: Array(repeating: 1000 * milliseconds, count: 5), kernels: ran,
        outside: 0),
      ownKernels: ["rows"], relativeL2: nil)
  }

  static func timed(_ candidate: GPUReplies.Subject) -> GPUReplies.Timed {
    GPUReplies.Timed(
      subjects: [subject("original", 0.2), candidate], failures: [:], rounds: 30,
      before: .init(), after: .init(), integrity: .clean, peersLeftOut: [:], graphLeftOut: [:],
      inputBytes: 1 << 20)
  }

  /// The candidate's timing after a change to its honest reply.
  static func timing(
    floorSeconds: Double = 0, ownFloorSeconds: Double = 0,
    cross: TimingJudge.CrossCheck? = nil,
    _ change: (inout GPUReplies.Subject) -> Void = { _ in }
  ) throws -> CandidateTiming? {
    var candidate = subject("candidate", 0.1)
    change(&candidate)
    return try report(
      timed(candidate), floorSeconds: floorSeconds, ownFloorSeconds: ownFloorSeconds, cross: cross
    ).candidate("candidate")
  }

  static func report(
    _ reply: GPUReplies.Timed, floorSeconds: Double = 0, ownFloorSeconds: Double = 0,
    ownFloorOfOriginal: Double = 0, cross: TimingJudge.CrossCheck? = nil
  ) throws -> TimingReport {
    var options = TimingOptions()
    options.floorSeconds = floorSeconds
    options.ownFloorSeconds = [
      "candidate": ownFloorSeconds, "original": ownFloorOfOriginal,
    ]
    let judge = TimingJudge(
      options: options, checks: ["candidate": check()],
      hashes: ["original": hash, "candidate": hash])
    return try judge.judge(
      reply, gpu: "NVIDIA TEST", original: "original", candidates: ["candidate"],
      cross: cross.map { ["candidate": $0] } ?? [:])
  }
}
