/// What is known of a kernel when conditional rules are asked.
public struct KernelFacts: Sendable {
  /// Metrics under Nsight's names.
  public var metrics: [String: Double]
  public var registersPerThread: Int?
  public var spills: Bool?
  public var distinctLoads: Int?
  /// Whether registers are what limits occupancy.
  public var isLimitedByRegisters: Bool?

  public init(
    metrics: [String: Double] = [:], registersPerThread: Int? = nil, spills: Bool? = nil,
    distinctLoads: Int? = nil, isLimitedByRegisters: Bool? = nil
  ) {
    self.metrics = metrics
    self.registersPerThread = registersPerThread
    self.spills = spills
    self.distinctLoads = distinctLoads
    self.isLimitedByRegisters = isLimitedByRegisters
  }
}

extension Condition {
  /// Whether the condition holds; nil if the facts do not tell.
  public func holds(_ facts: KernelFacts) -> Bool? {
    switch self {
    case .metric(let target):
      guard let bound = target.bound else { return nil }
      return facts.metrics[target.metric].map(bound.holds)
    case .registersPerThread(let bound):
      let registers =
        facts.registersPerThread.map(Double.init) ?? facts.metrics["launch__registers_per_thread"]
      return registers.map(bound.holds)
    case .distinctLoads(let least): return facts.distinctLoads.map { $0 >= least }
    case .noSpills: return facts.spills.map { !$0 }
    case .limitedByRegisters: return facts.isLimitedByRegisters
    case .stated: return nil
    case .all(let parts):
      let answers = parts.map { $0.holds(facts) }
      if answers.contains(false) { return false }
      return answers.contains { $0 == nil } ? nil : true
    case .any(let parts):
      let answers = parts.map { $0.holds(facts) }
      if answers.contains(true) { return true }
      return answers.contains { $0 == nil } ? nil : false
    }
  }
}
