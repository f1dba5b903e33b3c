import Foundation
import TestSupport
import Testing

/// Runs `hone optimize` on GPUs that are not there: `Scripts/fake-gpus` is its Python. Everything
/// that a run leaves is in a folder that goes with this.
final class FakeGPUs: Sendable {
  static let program = Checkout.root.appendingPathComponent("Scripts/fake-gpus").path
  static let isHere =
    Command.binary != nil
    && ["/usr/local/bin", "/usr/bin", "/bin"].contains {
      FileManager.default.isExecutableFile(atPath: $0 + "/python3")
    }
  static let reason: Comment = "the hone binary and a python3 in /usr/bin are needed"

  /// Divisions by sizes, and three blocks: the search has bodies and configs to try.
  static let module = """
    import torch
    import torch.nn as nn
    import triton
    import triton.language as tl


    @triton.autotune(
        configs=[
            triton.Config({"BLOCK": 256}, num_warps=4, num_stages=3),
            triton.Config({"BLOCK": 512}, num_warps=4, num_stages=3),
            triton.Config({"BLOCK": 1024}, num_warps=4, num_stages=3),
        ],
        key=["n"],
    )
    @triton.jit
    def fold_kernel(x_ptr, y_ptr, a, b, c, d, n, BLOCK: tl.constexpr):
        offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        i = offsets
        for step in tl.static_range(4):
            i = (i // a) * a + (i % b) + (i // c) * 3 + (i % d) + step
        x = tl.load(x_ptr + (i % n))
        tl.store(y_ptr + offsets, x)


    class ModelNew(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = torch.empty_like(x)
            a, b, c, d = x.shape
            grid = lambda meta: (triton.cdiv(x.numel(), meta["BLOCK"]),)
            fold_kernel[grid](x, y, a, b, c, d, x.numel())
            return y

    """

  struct Event: Decodable, Hashable {
    var event: String
    var op: String
    var gpu: Int?
    var pid: Int32
  }

  /// A line of a trial log.
  struct Line: Decodable {
    struct Evidence: Decodable {
      var kind: String
      var detail: String?
    }
    var begin: String?
    var end: String?
    var verdict: String?
    var reason: String?
    var evidence: [Evidence]?
  }

  let scratch: Scratch
  /// Part of the GPUs' names: other tests' GPUs are other GPUs.
  private let id = String(UUID().uuidString.prefix(8))
  private var folder: URL { scratch.folder }

  init() throws {
    scratch = try Scratch()
    try scratch.write(Self.module, to: "module.py")
    for name in ["tmp", "home"] {
      try FileManager.default.createDirectory(
        at: folder.appendingPathComponent(name), withIntermediateDirectories: true)
    }
  }

  deinit {
    let locks = (try? FileManager.default.contentsOfDirectory(atPath: "/tmp")) ?? []
    for name in locks where name.hasPrefix("hone-gpu-GPU-fake-\(id)-") {
      try? FileManager.default.removeItem(atPath: "/tmp/" + name)
    }
  }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  /// - Parameters:
  ///   - events: the file that the GPUs note what they do in.
  ///   - faults: as `Scripts/fake-gpus` reads them.
  ///   - factors: what texts do to a module's time.
  private func environment(
    events: String, faults: String, seconds: String = "{}", factors: String = factors
  ) -> [String: String] {
    [
      "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": path("home"), "TMPDIR": path("tmp"),
      "HONE_FAKE_ID": id, "HONE_FAKE_LOG": path(events), "HONE_FAKE_FAULTS": faults,
      "HONE_FAKE_SECONDS": seconds, "HONE_FAKE_FACTORS": factors,
    ]
  }

  static let factors = #"{"a: tl.constexpr": 0.7, "num_warps=2": 0.8, "num_warps=8": 1.2}"#

  private func arguments(_ gpus: String, _ log: String?, _ extra: [String]) -> [String] {
    [
      "optimize", path("module.py"), "--gpu", "H200", "--stage", "micro-tuning", "--input",
      "x=f32[8,24,28,28]", "--backend", "gpu", "--python", Self.program, "--gpus", gpus,
      "--budget", "10000", "--no-winners",
    ] + (log.map { ["--log", path($0)] } ?? []) + extra
  }

  func optimize(
    on gpus: String = "0-3", log: String? = nil, events: String = "events", faults: String = "[]",
    seconds: String = "{}", factors: String = factors, _ extra: [String] = []
  ) async throws -> Finished {
    try await Program.run(
      try #require(Command.binary).path, arguments(gpus, log, extra),
      environment: environment(
        events: events, faults: faults, seconds: seconds, factors: factors))
  }

  /// A run that is sent a signal as soon as `isReady` holds; how it ended.
  func optimize(
    on gpus: String = "0-3", log: String, faults: String, signal: Int32,
    when isReady: @escaping @Sendable () throws -> Bool
  ) throws -> Int32 {
    let hone = try #require(Command.binary).path
    let started = ChildProcess(
      hone, arguments(gpus, log, ["--output", path("unused.py")]),
      environment: environment(events: "events", faults: faults))
    let process = try #require(started)
    while try !isReady(), !process.hasEnded { usleep(5_000) }
    process.send(signal: signal)
    return process.wait()
  }

  /// Looks again and again; gives up after ten minutes, which only what never comes outlasts.
  static func wait(for condition: @Sendable () throws -> Bool) async throws {
    for _ in 0..<60_000 {
      if try condition() { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("what was waited for never came")
  }

  // MARK: What is left

  func lines<Entry: Decodable>(_ name: String, as type: Entry.Type) throws -> [Entry] {
    // A line that is just being written has no end yet.
    guard let data = FileManager.default.contents(atPath: path(name)),
      let end = data.lastIndex(of: 0x0A)
    else { return [] }
    return try data[...end].split(separator: 0x0A).map {
      try JSONDecoder().decode(Entry.self, from: Data($0))
    }
  }

  func events(_ name: String = "events") throws -> [Event] { try lines(name, as: Event.self) }
  func trials(_ name: String) throws -> [Line] { try lines(name, as: Line.self) }

  /// Files in the folder for temporary ones.
  var leftovers: [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: path("tmp"))) ?? ["no folder"]
  }

  /// Workers that are still there.
  func survivors() throws -> [Int32] {
    Set(try events().map(\.pid)).filter { process in
      guard kill(process, 0) == 0 else { return false }
      let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
      guard let stat, let close = stat.lastIndex(of: ")") else { return true }
      return !stat[close...].hasPrefix(") Z")
    }
  }
}
