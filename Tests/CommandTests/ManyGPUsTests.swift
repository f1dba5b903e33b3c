import Foundation
import TestSupport
import Testing

/// `hone optimize --gpus 0-3` as one run, with GPUs that are made up: who does what when, and what
/// a GPU or a run that ends too early costs.
@Suite(.enabled(if: FakeGPUs.isHere, FakeGPUs.reason))
struct ManyGPUsTests {
  /// Trials that hold a GPU for themselves while anything else is measured or checked on it.
  private func overlaps(_ events: [FakeGPUs.Event]) -> [FakeGPUs.Event] {
    var running: [Int: [FakeGPUs.Event]] = [:]
    var found: [FakeGPUs.Event] = []
    for event in events
    where ["gpu.check", "gpu.prepare", "gpu.time", "gpu.span"].contains(event.op) {
      let gpu = event.gpu ?? -1
      if event.event == "end" {
        running[gpu]?.removeAll { $0.op == event.op && $0.pid == event.pid }
        continue
      }
      let others = running[gpu, default: []]
      let isAlone = event.op == "gpu.time" || event.op == "gpu.span"
      if others.contains(where: { isAlone || $0.op == "gpu.time" || $0.op == "gpu.span" }) {
        found.append(event)
      }
      running[gpu, default: []].append(event)
    }
    return found
  }

  private func timed(_ events: [FakeGPUs.Event]) -> [Int: Int] {
    events.filter { $0.op == "gpu.time" && $0.event == "begin" }
      .reduce(into: [:]) { $0[$1.gpu ?? -1, default: 0] += 1 }
  }

  @Test func trialsSpreadOverTheGPUsAndFindTheSame() async throws {
    let machine = try FakeGPUs()
    let one = try await machine.optimize(on: "1", log: "one.jsonl", events: "one")
    try #require(one.code == 0, "\(one.errors)")
    #expect(one.output.contains("a: tl.constexpr"), "\(one.errors)")
    #expect(Set(timed(try machine.events("one")).keys) == [1])
    let four = try await machine.optimize(log: "four.jsonl")
    try #require(four.code == 0, "\(four.errors)")
    #expect(four.output == one.output)
    let events = try machine.events()
    let counts = timed(events)
    #expect(Set(counts.keys) == [0, 1, 2, 3] && counts.values.allSatisfy { $0 > 1 }, "\(counts)")
    #expect(overlaps(events).isEmpty)
    #expect(
      Set(try machine.trials("four.jsonl").compactMap(\.end))
        == Set(try machine.trials("one.jsonl").compactMap(\.end)))
    #expect(machine.leftovers.isEmpty)
    #expect(try machine.survivors().isEmpty)
  }

  /// Two runs share two GPUs: neither is timed while the other does anything on the same one.
  @Test func twoRunsShareGPUs() async throws {
    let machine = try FakeGPUs()
    let seconds = #"{"gpu.check": 0.01, "gpu.time": 0.02}"#
    async let first = machine.optimize(on: "0-1", seconds: seconds)
    async let second = machine.optimize(on: "0-1", seconds: seconds)
    let (a, b) = try await (first, second)
    #expect(a.code == 0 && b.code == 0 && a.output == b.output)
    let events = try machine.events()
    #expect(Set(timed(events).keys) == [0, 1])
    #expect(overlaps(events) == [])
  }

  @Test(arguments: ["gpu.warm", "gpu.load", "gpu.check", "gpu.time"])
  func aWorkerThatDiesCostsOneTrial(_ operation: String) async throws {
    let machine = try FakeGPUs()
    let result = try await machine.optimize(
      log: "log.jsonl",
      faults: #"[{"op": "\#(operation)", "gpu": 2, "from": 2, "to": 2, "what": "die"}]"#)
    try #require(result.code == 0, "\(result.errors)")
    #expect(result.output.contains("a: tl.constexpr"))
    let trials = try machine.trials("log.jsonl").filter { $0.end != nil }
    let crashed = trials.filter { $0.reason?.contains("crashed") == true }
    // One that dies while it compiles ahead of the check dies there for nobody.
    #expect(crashed.count <= 1, "\(crashed.map(\.reason))")
    if operation == "gpu.check" || operation == "gpu.time" { #expect(crashed.count == 1) }
    let refused = trials.filter { $0.verdict == "refused" }
    #expect(refused.count == crashed.count, "\(refused.map(\.reason))")
    // It went on on that GPU, in another process.
    let processes = Set(try machine.events().filter { $0.gpu == 2 }.map(\.pid))
    #expect(processes.count == 2)
    #expect(machine.leftovers.isEmpty)
  }

  /// A GPU that is gone for good is not used any more, and no candidate is blamed for it.
  @Test func aLostGPULeavesTheRest() async throws {
    let machine = try FakeGPUs()
    let reference = try await machine.optimize(on: "0", events: "reference")
    let result = try await machine.optimize(
      log: "log.jsonl",
      faults: """
        [{"op": "gpu.check", "gpu": 2, "from": 2, "what": "die"},
         {"op": "gpu.open", "gpu": 2, "from": 2, "what": "die"}]
        """)
    try #require(result.code == 0, "\(result.errors)")
    #expect(result.errors.contains("note: GPU 2 is of no use any more: "), "\(result.errors)")
    let trials = try machine.trials("log.jsonl")
    #expect(trials.filter { $0.verdict == "refused" }.count == 1)
    let ends = trials.compactMap(\.end)
    #expect(Set(ends).count == ends.count)
    #expect(Set(ends) == Set(trials.compactMap(\.begin)))
    #expect(result.output == reference.output || result.errors.contains("crashed"))
    #expect(machine.leftovers.isEmpty)
  }

  /// Without any GPU left the run ends as the environment's fault; the log goes on later.
  @Test func withoutAGPUTheRunEnds() async throws {
    let machine = try FakeGPUs()
    let whole = try await machine.optimize(on: "0", log: "whole.jsonl", events: "whole")
    let result = try await machine.optimize(
      on: "0-1", log: "log.jsonl",
      faults: """
        [{"op": "gpu.warm", "from": 9, "what": "die"}, {"op": "gpu.open", "from": 3, "what": "die"}]
        """)
    #expect(result.code == 3 && result.output.isEmpty, "\(result.errors)")
    #expect(result.errors.contains("is of no use any more"), "\(result.errors)")
    #expect(machine.leftovers.isEmpty)
    #expect(try machine.survivors().isEmpty)
    let resumed = try await machine.optimize(on: "0-1", log: "log.jsonl", events: "later")
    #expect(resumed.code == 0)
    let refused = try machine.trials("log.jsonl").filter { $0.verdict == "refused" }
    // What was under way when the workers died the first time; nothing after that.
    #expect(refused.count <= 2, "\(refused.map(\.reason))")
    if refused.isEmpty { #expect(resumed.output == whole.output) }
  }

  @Test func aGPUThatCannotBeOpenedIsNamed() async throws {
    let machine = try FakeGPUs()
    let result = try await machine.optimize(
      faults: #"[{"op": "gpu.open", "gpu": 3, "what": "refuse"}]"#)
    #expect(result.code == 3, "\(result.errors)")
    #expect(result.errors.contains("GPU 3"), "\(result.errors)")
    let missing = try await machine.optimize(on: "0-4")
    #expect(missing.code == 2 && missing.errors.contains("no GPU 4"), "\(missing.errors)")
    #expect(machine.leftovers.isEmpty)
  }
}

/// A run on several GPUs that is ended from outside.
@Suite(.enabled(if: FakeGPUs.isHere, FakeGPUs.reason))
struct EndedRunTests {
  /// Interrupted while each GPU is at something, then resumed: the same trials, each once, and the
  /// same module.
  @Test(arguments: [(SIGINT, "gpu.time"), (SIGTERM, "gpu.check"), (SIGHUP, "gpu.warm")])
  func interruptedAndResumed(_ signal: Int32, _ operation: String) async throws {
    let machine = try FakeGPUs()
    let whole = try await machine.optimize(log: "whole.jsonl", events: "whole")
    try #require(whole.code == 0, "\(whole.errors)")
    // From the tenth on, nothing answers any more: the run stands still with trials under way.
    let end = try machine.optimize(
      log: "log.jsonl", faults: #"[{"op": "\#(operation)", "from": 10, "what": "hang"}]"#,
      signal: signal
    ) {
      let events = try machine.events().filter { $0.op == operation }
      return events.count { $0.event == "begin" } > events.count { $0.event == "end" }
        && events.count { $0.event == "begin" } >= 10
    }
    #expect(end == 1000 + signal)
    #expect(machine.leftovers.isEmpty)
    #expect(try machine.survivors().isEmpty)
    let kept = try machine.trials("log.jsonl")
    let ended = Set(kept.compactMap(\.end))
    #expect(!ended.isEmpty && kept.allSatisfy { $0.verdict != "refused" })
    let begun = Set(kept.compactMap(\.begin))
    #expect(begun.count > ended.count, "some trial was under way")

    let resumed = try await machine.optimize(log: "log.jsonl", events: "resumed")
    #expect(resumed.code == 0 && resumed.output == whole.output, "\(resumed.errors)")
    let all = try machine.trials("log.jsonl").compactMap(\.end)
    #expect(Set(all).count == all.count, "a trial has two records")
    #expect(Set(all) == Set(try machine.trials("whole.jsonl").compactMap(\.end)))
    #expect(machine.leftovers.isEmpty)
  }

  /// `kill -9` leaves nothing for Hone to do: its workers see their input end, and clean up.
  @Test func killedAndResumed() async throws {
    let machine = try FakeGPUs()
    let whole = try await machine.optimize(log: "whole.jsonl", events: "whole")
    let end = try machine.optimize(
      log: "log.jsonl", faults: #"[{"op": "gpu.check", "from": 10, "what": "hang"}]"#,
      signal: SIGKILL
    ) {
      try machine.events().count { $0.op == "gpu.check" && $0.event == "begin" } >= 10
    }
    #expect(end == 1000 + SIGKILL)
    try await FakeGPUs.wait { try machine.leftovers.isEmpty && machine.survivors().isEmpty }
    let resumed = try await machine.optimize(log: "log.jsonl", events: "resumed")
    #expect(resumed.code == 0 && resumed.output == whole.output, "\(resumed.errors)")
    let all = try machine.trials("log.jsonl").compactMap(\.end)
    #expect(Set(all).count == all.count)
    #expect(Set(all) == Set(try machine.trials("whole.jsonl").compactMap(\.end)))
  }
}

/// Times that no GPU can reach.
@Suite(.enabled(if: FakeGPUs.isHere, FakeGPUs.reason))
struct ImpossibleTimeTests {
  /// Faster than its own bytes can be moved: refused, and the original is printed.
  @Test func aTimeBelowTheFloorIsRefused() async throws {
    let machine = try FakeGPUs()
    let result = try await machine.optimize(
      on: "0", log: "log.jsonl", factors: #"{"a: tl.constexpr": 0.000001}"#)
    try #require(result.code == 0, "\(result.errors)")
    #expect(!result.output.contains("a: tl.constexpr"))
    let refused = try machine.trials("log.jsonl").filter { $0.verdict == "refused" }
    #expect(!refused.isEmpty)
    #expect(
      refused.allSatisfy { $0.reason?.contains("below-the-floor") == true },
      "\(refused.map(\.reason))")
  }
}
