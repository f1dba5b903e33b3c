import Diagnostics
import Foundation
import Testing

@testable import Profiling

@Suite struct ProfileMatchTests {
  private func profiles(_ names: [String]) -> [KernelProfile] {
    var counts: [String: Int] = [:]
    return names.enumerated().map { index, name in
      defer { counts[name, default: 0] += 1 }
      return KernelProfile(
        kernel: name, launch: counts[name, default: 0],
        metrics: ["a__b": KernelProfile.Metric(value: Double(index))])
    }
  }

  private func summary(_ match: ProfileMatch) -> [String] {
    match.entries.map {
      "\($0.profile.kernel)#\($0.profile.launch)=\(Int($0.profile["a__b"] ?? -1))"
    }
  }

  @Test func recordedLaunchesInOrder() {
    let records = [
      LaunchRecord(function: "scale", constants: ["B": "64"], numWarps: 4),
      LaunchRecord(function: "sum_rows"),
      LaunchRecord(function: "scale", constants: ["B": "128"], numWarps: 8, numStages: 2),
    ]
    let match = ProfileMatch.match(
      profiles(["void at::fill<4>(int)", "scale", "sum_rows", "void at::fill<4>(int)", "scale"]),
      kernels: ["scale", "sum_rows"], expected: .recorded(records))
    #expect(summary(match) == ["scale#0=1", "sum_rows#0=2", "scale#1=4"])
    #expect(
      match.entries.map { $0.record?.configText } == [
        "B=64 num_warps=4", "", "B=128 num_warps=8 num_stages=2",
      ])
    #expect(match.others.map(\.kernel) == ["void at::fill<4>(int)", "void at::fill<4>(int)"])
    #expect(match.extra.isEmpty && match.notes.isEmpty)
  }

  /// The name of the compiled kernel need not be the function's.
  @Test func recordedNames() {
    let match = ProfileMatch.match(
      profiles(["renamed", "scale_0d1d"]), kernels: ["scale"],
      expected: .recorded([
        LaunchRecord(function: "scale", name: "renamed"), LaunchRecord(function: "scale"),
      ]))
    #expect(summary(match) == ["scale#0=0", "scale#1=1"])
    #expect(match.entries.map(\.shownName) == ["renamed", "scale_0d1d"])
  }

  /// Trial runs come first; the launches of forward are the last.
  @Test func trialRunsAreLeftOut() {
    let match = ProfileMatch.match(
      profiles(Array(repeating: "scale", count: 34) + ["sum_rows", "scale"]),
      kernels: ["scale", "sum_rows"], expected: .counted(["scale": 2, "sum_rows": 1]),
      isTuned: { $0 == "scale" })
    #expect(summary(match) == ["scale#0=33", "sum_rows#0=34", "scale#1=35"])
    #expect(match.extra.count == 33)
    #expect(match.notes.map(\.id) == ["extra-launches"])
    #expect(match.notes.first?.message.contains("trial runs") == true)
  }

  @Test func missingLaunchesAreSaid() {
    let match = ProfileMatch.match(
      profiles(["scale"]), kernels: ["scale", "sum_rows"],
      expected: .counted(["scale": 2, "sum_rows": 1]))
    #expect(summary(match) == ["scale#0=0"])
    #expect(
      match.notes.map(\.message) == [
        "the profile has 1 of the 2 launches of 'scale'", "the profile has no launch of 'sum_rows'",
      ])
    #expect(match.notes.allSatisfy { $0.severity == .warning })
  }

  @Test func withoutExpectations() {
    let match = ProfileMatch.match(
      profiles(["scale", "scale_more", "scale"]), kernels: ["scale"], expected: .unknown,
      isTuned: { _ in true })
    #expect(summary(match) == ["scale#0=0", "scale#1=2"])
    #expect(match.others.map(\.kernel) == ["scale_more"])
    #expect(match.notes.map(\.id) == ["trial-runs-kept"])
    // Metrics without a kernel's name belong to the only kernel.
    #expect(
      summary(ProfileMatch.match(profiles([""]), kernels: ["scale"], expected: .unknown))
        == ["scale#0=0"])
  }

  @Test func names() {
    let kernels = ["add", "add_0", "mul"]
    #expect(TritonKernelName.kernel(of: "add", in: kernels) == "add")
    #expect(TritonKernelName.kernel(of: "add_0d1d2de", in: kernels) == "add")
    #expect(TritonKernelName.kernel(of: "add_0_1d2c", in: kernels) == "add_0")
    #expect(TritonKernelName.kernel(of: "add_two", in: kernels) == nil)
    #expect(TritonKernelName.kernel(of: "xadd", in: kernels) == nil)
  }

  @Test func recordsFromJSON() throws {
    let text = """
      [{"function": "f", "name": "f", "num_warps": 4, "num_stages": 3,
        "constants": {"B": 64, "EVEN": true, "EPS": 1e-05, "MODE": "sum"}}, {"function": "g"}]
      """
    let records = try JSONDecoder().decode([LaunchRecord].self, from: Data(text.utf8))
    #expect(
      records[0].configText == "B=64 EPS=1e-05 EVEN=True MODE=sum num_warps=4 num_stages=3")
    #expect(records[1] == LaunchRecord(function: "g"))
  }
}

@Suite struct ProfileDocumentTests {
  @Test func readsBackAsItWas() throws {
    let text = """
      {"k": [{"a__b": 1.5, "launch__grid_size": "48,400", "c__d": null}, {"a__b": 2e-07}],
       "void \\"odd\\"\\n<int>": {"e__f": 12345678901234567890}}
      """
    let first = try ProfileReader.read(SourceText(name: "a.json", text: text)).profiles
    let json = ProfileDocument.json(first)
    let second = try ProfileReader.read(SourceText(name: "b.json", text: json)).profiles
    #expect(second.map(\.kernel) == first.map(\.kernel))
    #expect(second.map(\.launch) == first.map(\.launch))
    #expect(second.map(\.absent) == first.map(\.absent))
    for (left, right) in zip(first, second) {
      #expect(left.metrics.mapValues(\.value) == right.metrics.mapValues(\.value))
    }
    #expect(ProfileDocument.json(second) == json)
  }

  @Test func form() {
    let profile = KernelProfile(
      kernel: "k", metrics: ["launch__grid_size": .init(value: 7), "a__b": .init(value: 0.25)],
      absent: ["c__d"])
    #expect(
      ProfileDocument.json([profile]) == """
        {
          "k": {
            "a__b": 0.25,
            "c__d": null,
            "launch__grid_size": 7
          }
        }

        """)
    #expect(ProfileDocument.json([]) == "{}\n")
  }
}
