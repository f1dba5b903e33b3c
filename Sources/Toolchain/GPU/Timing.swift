/// What to time, and for how long.
public struct TimingOptions: Sendable, Hashable {
  /// Seconds of interleaved samples; warm-up, graphs and traces come on top.
  public var seconds = 20.0
  public var fewestRounds = 12
  public var mostRounds = 150
  /// `eager`, `tf32`, `channels-last`, `compile`.
  public var peers: [String] = []
  /// What `torch.compile` may take.
  public var peerSeconds = 120.0
  /// Also replay as a CUDA graph.
  public var graph = true
  /// Also trace which kernels run: without it exploits that a trace shows go unseen.
  public var trace = true
  /// Also hold Hone's own clock beside the worker's.
  public var crossCheck = true
  /// Seconds that no right answer can take less than on this GPU; 0 if unknown.
  public var floorSeconds = 0.0
  /// Seconds that a module's own launches cannot take less than, by its name. An original that takes
  /// less than its own shows that these floors mean nothing here.
  public var ownFloorSeconds: [String: Double] = [:]

  public init() {}

  /// A search step: as short as an interval allows; what is handed out is timed in full.
  public static var quick: TimingOptions {
    var options = TimingOptions()
    options.seconds = 0.3
    options.fewestRounds = 15
    options.mostRounds = 40
    options.graph = false
    options.trace = false
    options.crossCheck = false
    return options
  }

  /// The names that `peers` may hold.
  public static let peerNames = ["eager", "tf32", "channels-last", "compile"]
}

/// Times of one thing, milliseconds.
public struct TimeSummary: Sendable, Hashable, Codable {
  public var median: Double
  public var p25: Double
  public var p75: Double
  public var count: Int

  init?(_ samples: [Double]) {
    guard !samples.isEmpty else { return nil }
    let sorted = samples.sorted()
    median = Bootstrap.quantile(sorted, 0.5)
    p25 = Bootstrap.quantile(sorted, 0.25)
    p75 = Bootstrap.quantile(sorted, 0.75)
    count = sorted.count
  }
}

/// Measured times of the original, a candidate or a peer.
public struct SubjectTiming: Sendable, Hashable, Codable {
  public var name: String
  /// The hash of the file that ran; nil for peers.
  public var sha256: String?
  /// One forward by CUDA events, L2 cold, the host's part hidden where it is shorter than a flush.
  public var device: TimeSummary
  /// One forward from an idle GPU until it is idle again, by the clock: host included.
  public var forward: TimeSummary?
  /// The kernels' own durations in one forward, summed.
  public var kernels: TimeSummary?
  /// One replay as a CUDA graph.
  public var graph: TimeSummary?
  /// Relative L2 error against fp64, for peers.
  public var relativeL2: Double?
  /// Names of kernels that ran with their share of the GPU's time.
  public var trace: [TracedKernel] = []
}

public struct TracedKernel: Sendable, Hashable, Codable {
  public var name: String
  public var isOwn: Bool
  public var isCopy: Bool
  public var count: Int
  /// Of the forward's GPU time, 0…1.
  public var share: Double
  public var streams: [Int]
}

/// A candidate's times against the original's.
public struct CandidateTiming: Sendable, Hashable, Codable {
  public var subject: SubjectTiming
  /// original / candidate, by device times.
  public var ratio: RatioInterval
  public var forwardRatio: RatioInterval?
  public var graphRatio: RatioInterval?
  /// Whether another measurement would say the same; what speaks against it otherwise.
  public var instability: String?
  /// Reasons not to believe the times.
  public var findings: [GPUFinding]

  public var isStable: Bool { instability == nil }
  public var isAccepted: Bool { findings.isEmpty }
}

/// What `GPUSession.time` measured, all in one run.
public struct TimingReport: Sendable, Hashable, Codable {
  /// As the driver calls it: `NVIDIA H200`.
  public var gpu: String
  public var original: SubjectTiming
  public var candidates: [CandidateTiming]
  public var peers: [SubjectTiming]
  /// Candidates that could not be timed.
  public var failures: [String: GPUFinding]
  public var rounds: Int
  public var clocksBefore: GPUClocks
  public var clocksAfter: GPUClocks
  /// What is missing from the report, and why.
  public var notes: [String]

  public func candidate(_ name: String) -> CandidateTiming? {
    candidates.first { $0.subject.name == name }
  }
}

/// Read before and after; nil where NVML does not tell.
public struct GPUClocks: Sendable, Hashable, Codable {
  public var smMHz: Double?
  public var memoryMHz: Double?
  public var temperatureC: Double?
  public var powerW: Double?
}
