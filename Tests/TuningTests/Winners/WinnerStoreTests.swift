import Analysis
import Diagnostics
import Foundation
import HostProgram
import Testing
import TritonLowering

@testable import Tuning

/// A folder that goes with the test.
final class WinnerFolder {
  let url = FileManager.default.temporaryDirectory
    .appendingPathComponent("hone-winners-\(UUID().uuidString)")
  var path: String { url.appendingPathComponent("deep/winners.json").path }
  var store: WinnerStore { WinnerStore(path: path) }
  deinit { try? FileManager.default.removeItem(at: url) }
}

@Suite struct WinnerStoreTests {
  static func winner(
    _ kernel: String = "scale", shape: String = "s", device: String = "NVIDIA H200",
    triton: String? = "3.6.0", level: EvidenceLevel = .measured, after: Double = 50,
    date: String = "2026-01-01T00:00:00Z"
  ) -> Winner {
    let config = LaunchConfig(
      constants: [
        "BLOCK": .int(1024), "EVEN": .bool(true), "EPS": .float(1e-5), "MODE": .string("sum"),
      ], numWarps: 8, numStages: 2)
    return Winner(
      key: WinnerKey(
        device: device, triton: triton, torch: "2.11.0", kernel: kernel, content: "hash-\(kernel)",
        shape: shape),
      keyArguments: [["n": 4096]], configs: [Winner.Config(config)].compactMap(\.self),
      steps: [Winner.Step(rewrite: "r", what: "do it", names: ["n"])], level: level,
      microsecondsBefore: 100, microsecondsAfter: after, lower: 1.9, upper: 2.1, date: date,
      tool: "0.1.0")
  }

  @Test func whatIsRecordedIsFoundAgain() throws {
    let folder = WinnerFolder()
    #expect(try folder.store.all().isEmpty)
    #expect(try folder.store.lookup(Self.winner().key) == nil)
    #expect(try folder.store.record(Self.winner()))
    let found = try #require(try folder.store.lookup(Self.winner().key))
    #expect(found == Self.winner())
    #expect(found.speedup == 2)
    let config = found.configs[0].launchConfig
    #expect(config.constants["EVEN"] == .bool(true) && config.constants["EPS"] == .float(1e-5))
    #expect(config.numWarps == 8 && config.numStages == 2)
    for other in [
      Self.winner("other"), Self.winner(shape: "t"), Self.winner(device: "NVIDIA H100"),
      Self.winner(triton: "3.5.0"),
    ] {
      #expect(try folder.store.lookup(other.key) == nil)
    }
  }

  @Test func versionsThatAreNotKnownMatchAny() throws {
    let folder = WinnerFolder()
    try folder.store.record(Self.winner(triton: "3.5.0", date: "2026-01-01T00:00:00Z"))
    try folder.store.record(Self.winner(triton: "3.6.0", after: 40, date: "2026-02-01T00:00:00Z"))
    try folder.store.record(
      Self.winner(triton: nil, level: .predicted, date: "2026-03-01T00:00:00Z"))
    var key = Self.winner().key
    key.triton = nil
    key.torch = nil
    // The best evidence first, then the newest.
    #expect(try folder.store.lookup(key)?.microsecondsAfter == 40)
    try folder.store.record(Self.winner(shape: "t"))
    #expect(try folder.store.shapes(of: key).count == 4)
  }

  @Test func betterEvidenceStays() throws {
    let folder = WinnerFolder()
    #expect(try folder.store.record(Self.winner(after: 50)))
    #expect(try !folder.store.record(Self.winner(level: .predicted, after: 1)))
    #expect(try folder.store.lookup(Self.winner().key)?.level == .measured)
    #expect(try folder.store.record(Self.winner(after: 60)))
    #expect(try folder.store.all().map(\.microsecondsAfter) == [60])
  }

  @Test func removing() throws {
    let folder = WinnerFolder()
    for kernel in ["a", "b", "c"] { try folder.store.record(Self.winner(kernel)) }
    #expect(try folder.store.remove { $0.key.kernel == "b" } == 1)
    #expect(try folder.store.all().map(\.key.kernel) == ["a", "c"])
    #expect(try folder.store.remove { _ in false } == 0)
  }

  @Test(arguments: [
    ("", "no table of winners"), ("{", "no table of winners"), ("[]", "no table of winners"),
    (#"{"format": "other", "version": 1, "winners": []}"#, "no table of winners"),
    (#"{"format": "hone-winners", "version": 1, "winners": [{}]}"#, "'winners.0' has no 'key'"),
    (#"{"format": "hone-winners", "version": 1, "winners": 3}"#, "'winners' is not what"),
    (#"{"format": "hone-winners", "version": 1}"#, "has no 'winners'"),
  ])
  func aCorruptFileIsLeftAlone(text: String, says: String) throws {
    let folder = WinnerFolder()
    let file = URL(fileURLWithPath: folder.path)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try text.write(to: file, atomically: false, encoding: .utf8)
    func failure(_ body: () throws -> Void) -> Diagnostic? {
      do {
        try body()
        return nil
      } catch {
        return error as? Diagnostic
      }
    }
    let failures = [
      failure { _ = try folder.store.all() },
      failure { try folder.store.record(Self.winner()) },
      failure { try folder.store.remove { _ in true } },
    ]
    for failure in failures {
      #expect(failure?.id == "corrupt-winners")
      #expect(failure?.message.contains(says) == true, "\(failure?.message ?? "")")
    }
    #expect(try String(contentsOf: file, encoding: .utf8) == text)
  }

  @Test func aNewerFileIsLeftAlone() throws {
    let folder = WinnerFolder()
    try folder.store.record(Self.winner())
    let text = try String(contentsOfFile: folder.path, encoding: .utf8)
      .replacing("\"version\" : 1", with: "\"version\" : 2")
    try text.write(toFile: folder.path, atomically: false, encoding: .utf8)
    #expect(throws: Diagnostic.self) { try folder.store.record(Self.winner("b")) }
    #expect(try String(contentsOfFile: folder.path, encoding: .utf8) == text)
  }

  @Test func runsBesideEachOtherLoseNothing() async throws {
    let folder = WinnerFolder()
    let store = folder.store
    await withTaskGroup(of: Bool.self) { group in
      for index in 0..<40 {
        group.addTask { (try? store.record(Self.winner("kernel-\(index)"))) ?? false }
      }
      for await isKept in group { #expect(isKept) }
    }
    #expect(try store.all().count == 40)
    let names = try FileManager.default.contentsOfDirectory(
      atPath: URL(fileURLWithPath: folder.path).deletingLastPathComponent().path)
    #expect(Set(names) == ["winners.json", "winners.json.lock"])
  }

  @Test func anUnwritablePlace() {
    let store = WinnerStore(path: "/dev/null/winners.json")
    do {
      try store.record(Self.winner())
      Issue.record("written")
    } catch {
      #expect(error.id == "unwritable-winners")
    }
  }

  @Test func defaultPaths() {
    func path(_ environment: [String: String]) -> String? {
      WinnerStore.defaultPath(environment: environment)
    }
    #expect(path(["XDG_DATA_HOME": "/d", "HOME": "/h"]) == "/d/hone/winners.json")
    #expect(path(["XDG_DATA_HOME": "", "HOME": "/h"]) == "/h/.local/share/hone/winners.json")
    #expect(path(["HOME": "relative"]) == nil)
  }
}
