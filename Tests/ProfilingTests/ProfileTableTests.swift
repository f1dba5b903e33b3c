import Testing

@testable import Profiling

@Suite struct ProfileTableTests {
  @Test func aLineALaunch() {
    func profile(_ kernel: String, _ metrics: [String: Double]) -> KernelProfile {
      KernelProfile(kernel: kernel, metrics: metrics.mapValues { .init(value: $0) })
    }
    let match = ProfileMatch.match(
      [
        profile(
          "scale",
          [
            NsightMetric.gridSize: 48400, NsightMetric.durationSeconds: 1.23456e-4,
            NsightMetric.dramThroughput: 61.25,
          ]),
        profile("void at::fill<float, (int)4>(int)", [NsightMetric.durationSeconds: 1e-6]),
        profile("scale", [NsightMetric.gridSize: 12, NsightMetric.durationSeconds: 2.5e-6]),
        profile("void at::fill<float, (int)4>(int)", [NsightMetric.durationSeconds: 2e-6]),
      ], kernels: ["scale"],
      expected: .recorded([
        LaunchRecord(function: "scale", constants: ["B": "64"], numWarps: 4),
        LaunchRecord(function: "scale", constants: ["B": "8"], numWarps: 1),
      ]))
    #expect(
      ProfileTable(match: match, device: "a GPU").text == """
        measured by Nsight Compute on a GPU
        kernel  launch   grid  time µs  DRAM %  config
        scale        0  48400    123.5   61.25  B=64 num_warps=4
        scale        1     12      2.5       -  B=8 num_warps=1
        not the module's:
          void at::fill(int): 2 launches, 3 µs in all

        """)
  }

  @Test func nothingToShow() {
    #expect(ProfileTable(match: ProfileMatch()).text == "measured by Nsight Compute\n")
  }
}
