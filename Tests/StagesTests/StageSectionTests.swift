import Diagnostics
import Stages
import Testing

@Suite struct StageSectionTests {
  func read(_ text: String, stage: Stage? = nil) -> StageReading {
    StageSectionReader.read(SourceText(name: "r.md", text: text), stage: stage)
  }

  let microTuning = """
    Focus: launch parameters.

    Params:
    - num_warps ∈ {2,4,8,16}
    - num_stages ∈ {2,3,4}

    Rules:
    - Touch num_warps only if occupancy asks for it
    - Move num_stages by ±1 only
    - Do NOT change the grid or BLOCK sizes

    Autotune:
    - 3–6 configs close to the present ones
    - Always include the original config
    - Revert if the gain is <1–2% or unstable
    """

  @Test func microTuningSection() throws {
    let reading = read(microTuning)
    let policy = try #require(reading.policy)
    #expect(policy.stage == .microTuning)
    #expect(policy.numWarps.allowed == [2, 4, 8, 16])
    #expect(policy.numStages.allowed == [2, 3, 4])
    #expect(policy.numStages.maxStep == 1)
    #expect(policy.numWarps.maxStep == nil)
    #expect(!policy.allows(.grid) && !policy.allows(.blockSizes) && !policy.allows(.programMapping))
    #expect(policy.allows(.body) && policy.allows(.numWarps))
    #expect(policy.configCount == 3...6)
    #expect(policy.includesOriginal)
    #expect(policy.revertBelowPercent == PercentRange(1, 2))
    #expect(policy.revertsIfUnstable)
    #expect(reading.diagnostics.isEmpty)
    #expect(reading.lines.count == 15)
  }

  @Test(arguments: [
    ("num_warps in [2,4,8]", [2, 4, 8]), ("num_warps: 2, 4, 8", [2, 4, 8]),
    ("`num_warps`: {2, 4, 8}", [2, 4, 8]), ("num_warps ∈ {2,4,8}", [2, 4, 8]),
    ("num_warps in 2–8", [2, 4, 8]), ("num_warps between 2 and 8", [2, 8]),
    ("num_warps must be one of 4 or 8", [4, 8]), ("**num_warps**: (4, 8)", [4, 8]),
    ("num_warps: [2, 4, 8, 16] - more warps = higher occupancy", [2, 4, 8, 16]),
    ("num_warps from 2 to 16", [2, 4, 8, 16]), ("choose num_warps from {4}", [4]),
  ])
  func valueLists(_ line: String, _ values: [Int]) throws {
    let reading = read("Focus: micro-tuning\n- \(line)\n")
    #expect(reading.policy?.numWarps.allowed == values, "\(reading.diagnostics)")
  }

  @Test(arguments: [
    ("num_stages in 2..4", [2, 3, 4]), ("num_stages: 1-3", [1, 2, 3]),
    ("If unsure, try a few num_stages (e.g., {1, 2})", [1, 2]),
  ])
  func stageLists(_ line: String, _ values: [Int]) throws {
    #expect(read("Focus: micro-tuning\n- \(line)\n").policy?.numStages.allowed == values)
  }

  @Test(arguments: [
    ("at most 4 configs", 1...4), ("2-3 BLOCK_SIZE configs", 2...3), ("exactly 3 configs", 3...3),
    ("Max 2–3 configs to save time", 1...3), ("Use 3 to 5 configurations", 3...5),
    ("at least 2 configs", 2...64),
  ])
  func configCounts(_ line: String, _ range: ClosedRange<Int>) {
    #expect(read("Focus: micro-tuning\n- \(line)").policy?.configCount == range)
  }

  /// Wordings that no known document has.
  @Test(
    arguments: [
      ("num_warps ≤ 8", [.knobBound(.numWarps, Bound(.lessOrEqual, 8))]),
      ("Don't increase num_warps beyond 8", [.knobBound(.numWarps, Bound(.lessOrEqual, 8))]),
      ("warps: 4 or 8", [.allowedValues(.numWarps, [4, 8])]),
      ("Do not change num_stages by more than 1", [.maxStep(.numStages, 1)]),
      ("Leave the grid untouched", [.fixed(.grid), .fixed(.programMapping)]),
      ("Keep the current BLOCK sizes.", [.fixed(.blockSizes)]),
      ("All BLOCK_* must stay as they are", [.fixed(.blockSizes)]),
      ("Kernel logic must not change", [.fixed(.body)]),
      ("Only num_warps may be changed", [.mayChange(.numWarps), .othersFixed]),
      ("Try between 3 and 6 configurations", [.configCount(least: 3, most: 6)]),
      ("No more than 6 configs", [.configCount(least: 1, most: 6)]),
      ("The original configuration must remain in the list", [.includeOriginal]),
      (
        "Discard any change that gains less than 2 %",
        [.revert(PercentRange(2, 2), ifUnstable: false)]
      ),
    ] as [(String, [StageRule.Kind])])
  func otherWordings(_ line: String, _ kinds: [StageRule.Kind]) throws {
    let policy = try #require(read("Focus: micro-tuning\n- \(line)").policy)
    #expect(Array(policy.rules.map(\.kind).dropFirst()) == kinds)
  }

  @Test func everythingElseIsFixed() throws {
    let policy = try #require(
      read("Focus: micro-tuning\n- num_stages ∈ {2,3}\n- Everything else is fixed\n").policy)
    #expect(policy.mayChange == [.numStages])
    #expect(!policy.numWarps.mayChange)
    #expect(read("Focus: micro-tuning\n- num_warps <= 4").policy?.numWarps.allowed == [2, 4])
  }

  @Test(arguments: ["Do not use more than 128 registers", "Never use atomics"])
  func prohibitionsThatAreNotUnderstoodAreLoud(_ line: String) {
    #expect(read("Focus: micro-tuning\n- \(line)").diagnostics.map(\.severity) == [.warning])
  }

  @Test func conditionalRules() throws {
    let policy = try #require(
      read(
        """
        Focus: Fine-tuning of a fused kernel.
        IF registers are few (regs < 96, no spill):
          - Try num_warps=8
        IF registers are many (regs > 128 or occupancy_limit_registers):
          - Use num_warps=4
          - Keep num_stages=2

        If registers > 160: reduce BLOCK_* by half
        """
      ).policy)
    #expect(policy.isFused)
    #expect(policy.conditionals.count == 4)
    let first = policy.conditionals[0]
    #expect(first.effects == [.tryValue(.numWarps, 8)])
    #expect(first.condition == .all([.registersPerThread(Bound(.less, 96)), .noSpills]))
    #expect(first.condition.holds(KernelFacts(registersPerThread: 90, spills: false)) == true)
    #expect(first.condition.holds(KernelFacts(registersPerThread: 100)) == false)
    #expect(first.condition.holds(KernelFacts()) == nil)
    #expect(policy.conditionals[1].effects == [.prefer(.numWarps, 4)])
    #expect(policy.halveTilesAboveRegisters == 160)
  }

  @Test func baselineReplacesOriginal() throws {
    let policy = try #require(
      read("Focus: micro-tuning\n- Always include a cautious baseline (num_warps=4, num_stages=2)")
        .policy)
    #expect(policy.baseline == [.numWarps: 4, .numStages: 2])
    #expect(!policy.includesOriginal)
  }

  @Test func metricsWithTargets() throws {
    let policy = try #require(
      read(
        "Focus: memory\nMetrics:\n- dram__throughput.avg.pct_of_peak_sustained_elapsed (>60%)\n- `lts__t_sector_hit_rate.pct`: L2 hits"
      ).policy)
    #expect(
      policy.metrics == [
        MetricTarget(
          metric: "dram__throughput.avg.pct_of_peak_sustained_elapsed", bound: Bound(.greater, 60)),
        MetricTarget(metric: "lts__t_sector_hit_rate.pct"),
      ])
  }

  @Test func blockCandidates() throws {
    let policy = try #require(
      read(
        "Focus: tiling\n- FP32: M/N ∈ {32,64}, K in [16, 32]\n- BLOCK_M/N multiple of 16; BLOCK_K multiple of 8"
      )
      .policy)
    #expect(policy.stage == .blockTiling)
    #expect(policy.blockCandidates.map(\.pattern) == ["BLOCK_M", "BLOCK_N", "BLOCK_K"])
    #expect(policy.blockCandidates.map(\.values) == [[32, 64], [32, 64], [16, 32]])
    #expect(policy.blockMultiples.map(\.multiple) == [16, 16, 8])
  }

  @Test(arguments: [
    ("Grid layout & parallelism.", Stage.gridAndParallelism),
    ("BLOCK_M/N/K selection", .blockTiling),
    ("Memory efficiency & latency hiding.", .memoryAccess), ("Final micro-tuning.", .microTuning),
    ("Fine-tuning fused kernel parameters", .microTuning), ("L2 cache use", .memoryAccess),
  ])
  func stageFromFocus(_ focus: String, _ stage: Stage) {
    #expect(read("Focus: \(focus)\n").policy?.stage == stage)
  }

  @Test func unknownStageIsAnError() {
    let reading = read("Please make it faster.\n")
    #expect(reading.policy == nil)
    #expect(reading.diagnostics.contains { $0.id == "unknown-stage" })
    #expect(read("Please make it faster.", stage: .microTuning).policy?.stage == .microTuning)
  }

  @Test func nothingIsDropped() throws {
    let reading = read(
      "Focus: micro-tuning\n- The moon must be full\n- It is nice weather\n- Prefer small steps")
    let policy = try #require(reading.policy)
    #expect(policy.advice.map(\.kind) == [.unrecognised, .unrecognised, .preference])
    #expect(reading.diagnostics.map(\.severity) == [.warning, .note])
    #expect(reading.diagnostics.map { $0.location?.line } == [2, 3])
  }
}

@Suite struct ContradictionTests {
  func errors(_ lines: String...) -> [Diagnostic] {
    let text = "Focus: micro-tuning\n" + lines.map { "- " + $0 }.joined(separator: "\n")
    return StageSectionReader.read(SourceText(name: "r.md", text: text)).diagnostics
      .filter { $0.severity == .error }
  }

  @Test func fixedAndAllowed() throws {
    let found = errors("Do not change num_warps", "num_warps ∈ {2,4}")
    #expect(found.count == 1)
    #expect(
      found[0].headline
        == "r.md:3:1: error: num_warps is both fixed and allowed to change (line 2: 'Do not change num_warps')"
    )
  }

  @Test func reversedCount() {
    #expect(errors("6–3 configs").map(\.message) == ["6–3 configs is an empty range"])
    #expect(errors("0 configs").count == 1)
  }

  @Test func others() {
    #expect(errors("num_warps ∈ {}").count == 1)
    #expect(errors("num_warps ∈ {3}").count == 1)
    #expect(errors("num_warps ∈ {2}", "num_warps ∈ {4}").count == 1)
    #expect(errors("3 configs", "5–6 configs").count == 1)
    #expect(errors("num_warps ∈ {4}", "always include baseline (num_warps=8)").count == 1)
    #expect(errors("Keep BLOCK sizes fixed", "BLOCK_M ∈ {32}").count == 1)
    #expect(errors("grid may change", "grid is fixed").count == 1)
    #expect(errors("num_warps ∈ {4}", "num_warps: 4").isEmpty)
    #expect(errors("2–4 configs", "at most 3 configs").isEmpty)
  }
}
