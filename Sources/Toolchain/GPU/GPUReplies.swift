/// What the worker answers: figures only. Every field of them may be a lie; what follows from them
/// is decided in `CheckJudge` and `TimingJudge`.
enum GPUReplies {
  struct Device: Decodable, Sendable {
    var name: String
    var isGPU: Bool
    var multiprocessors: Int?
    var capability: String?
    var memoryBytes: Int?
    var l2Bytes: Int?
  }

  struct Integrity: Decodable, Sendable {
    var patched: [String]
    var settings: [String]
    var rewritten: [String]
    /// Python threads beyond those at the start.
    var threads: Int
    var persistingL2Bytes: Int

    static let clean = Integrity(
      patched: [], settings: [], rewritten: [], threads: 0, persistingL2Bytes: 0)
  }

  struct Inputs: Decodable, Sendable {
    var bytes: Int
    var leadingSize: Int?
  }

  struct Opened: Decodable, Sendable {
    var device: Device
    var torch: String
    var triton: String?
    var problemSHA256: String?
    var inputs: Inputs?
    var hasModel: Bool
  }

  struct Loaded: Decodable, Sendable {
    struct Configs: Decodable, Sendable {
      var kernel: String
      var configs: [String]
    }
    var sha256: String
    var kernels: [String]
    var configs: [Configs]
    var parameters: String?
    var integrity: Integrity
    var inputs: Inputs?
  }

  struct Prepared: Decodable, Sendable {
    struct Row: Decodable, Sendable {
      var label: String
      var unusable: String?
      var judge: String?
      var bytes: Int?
    }
    var rows: [Row]
    var integrity: Integrity
  }

  // MARK: Check

  struct Checked: Decodable, Sendable {
    var rows: [Row]
    /// Settings that the time did not suffice for.
    var left: Int
    var integrity: Integrity
  }

  struct Failure: Decodable, Sendable {
    var kind: String
    var message: String
  }

  struct Figures: Decodable, Sendable {
    var relativeL2: Double
    var worstRelative: Double
    var worstAbsolute: Double
    var nonFinite: Int?
    var mismatches: Int?
    var unwritten: Int?
  }

  struct Output: Decodable, Sendable {
    var path: String
    var problem: String?
    var type: String?
    var shape: [Int]?
    var rms: Double?
    /// Relative L2 error of the best constant: 0 where a constant is right.
    var constantError: Double?
    var candidate: Figures?
    var original: Figures?
    var differentBits: Int?
  }

  struct Guards: Decodable, Sendable {
    var inputsBefore: Int
    var inputsAfter: Int
    var outputsBefore: Int
    var outputsAfter: Int
    var sum: Int { inputsBefore &+ inputsAfter &+ outputsBefore &+ outputsAfter }
  }

  struct Row: Decodable, Sendable {
    var label: String
    var kind: String
    var outputs: [Output]
    var error: Failure?
    /// `candidate`, `original` or `harness`.
    var failed: String?
    var skipped: String?
    var judge: String?
    var judgeNote: String?
    var types: [String]?
    var aliased: [String]?
    var originalAliased: [String]?
    var mutated: [String]?
    var originalMutated: [String]?
    var mutatedDifferently: [String: Int]?
    var state: [String]?
    var originalState: [String]?
    var reused: [String]?
    var differsOnRepeat: Int?
    var originalDiffersOnRepeat: Int?
    var originalFirstCallDiffers: Int?
    var firstCall: [Output]?
    var guards: Guards?
    var guarded: Bool?
    var guardNote: String?
    var config: [String]?
  }

  // MARK: Time

  struct Clocks: Decodable, Sendable {
    var smMHz: Double?
    var memoryMHz: Double?
    var temperatureC: Double?
    var powerW: Double?
  }

  struct Kernel: Decodable, Sendable {
    var name: String
    /// `kernel` or `copy`.
    var kind: String
    var count: Int
    var microseconds: Double
    var streams: [Int]
  }

  struct Trace: Decodable, Sendable {
    var unavailable: String?
    var calls: Int?
    var perCallMicroseconds: [Double]?
    var kernels: [Kernel]?
    /// GPU activities outside of the calls.
    var outside: Int?
  }

  struct TimedCheck: Decodable, Sendable {
    var relativeL2: Double
    var worstRelative: Double
    var nonFinite: Int
    var shapes: Bool
  }

  struct Subject: Decodable, Sendable {
    var name: String
    var sha256: String?
    var deviceMilliseconds: [Double]
    var wallMilliseconds: [Double]
    var wallEventMilliseconds: [Double]
    var graphMilliseconds: [Double]
    var warmUpMedians: [Double]
    var checks: [TimedCheck]
    var trace: Trace?
    var ownKernels: [String]
    var relativeL2: Double?
    /// Before the host had asked for everything.
    var hostMilliseconds: Double?
    /// The host's part could not be hidden: device times include it.
    var isHostBound: Bool?
  }

  struct Timed: Decodable, Sendable {
    var subjects: [Subject]
    var failures: [String: Failure]
    var rounds: Int
    var before: Clocks
    var after: Clocks
    var integrity: Integrity
    var peersLeftOut: [String: String]
    var graphLeftOut: [String: String]
    var inputBytes: Int
    var nativeThreadsBefore: Int?
    var nativeThreadsAfter: Int?
  }

  struct Span: Decodable, Sendable {
    var calls: Int
    var claimedSeconds: Double
  }
}
