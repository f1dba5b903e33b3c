import DeviceModel
import Diagnostics
import Testing

@Suite struct GPUTests {
  @Test(arguments: [
    "4090", "rtx4090", "RTX 4090", "NVIDIA GeForce RTX 4090", "geforce-rtx-4090",
    " nvidia rtx_4090 ",
  ])
  func findsUsualSpellings(_ name: String) throws {
    #expect(try GPU.named(name).name == "RTX 4090")
  }

  @Test(arguments: [
    ("a100", "A100 80GB SXM"), ("A100-SXM4-40GB", "A100 40GB SXM"),
    ("NVIDIA A100 80GB PCIe", "A100 80GB PCIe"), ("H100", "H100 SXM"), ("h100-pcie", "H100 PCIe"),
    ("NVIDIA H100 80GB HBM3", "H100 SXM"), ("L4", "L4"), ("NVIDIA L40S", "L40S"),
    ("RTX 6000 Ada Generation", "RTX 6000 Ada"), ("H200", "H200"), ("B200", "B200"),
  ])
  func findsDataCentreNames(_ name: String, _ expected: String) throws {
    #expect(try GPU.named(name).name == expected)
  }

  @Test func offersTheNearest() {
    #expect(throws: Diagnostic.self) { try GPU.named("H20O") }
    let error = GPU.unknown("4O90")
    #expect(error.message == "unknown GPU '4O90'; did you mean 'RTX 4090'?")
    #expect(error.nextStep?.contains("hone gpus") == true)
    #expect(GPU.unknown("quantum computer").message == "unknown GPU 'quantum computer'")
    #expect(GPU.find("") == nil)
  }

  @Test func tableIsComplete() {
    #expect(GPU.table.count == 16)
    for gpu in GPU.table {
      #expect(MultiprocessorLimits.of(gpu.computeCapability) == gpu.limits)
      #expect(!gpu.sources.isEmpty && gpu.dramGBPerSecond > 0 && gpu.l2Bytes > 0)
      for type in [OperandType.tf32, .fp16, .bf16, .int8, .fp32, .fp64] {
        #expect((gpu.teraOps[type] ?? 0) > 0, "\(gpu.name) \(type)")
      }
      #expect((gpu.teraOps[.fp8] != nil) == (gpu.computeCapability >= ComputeCapability(8, 9)))
    }
  }

  /// Every spelling means one GPU only.
  @Test func spellingsAreUnique() throws {
    var seen: Set<String> = []
    for gpu in GPU.table {
      for alias in gpu.aliases {
        #expect(seen.insert(alias).inserted, "\(alias)")
        #expect(try GPU.named(alias).name == gpu.name)
      }
    }
  }

  /// The fp32 rate is two operations a lane and clock: the table must agree with itself.
  @Test func fp32RateFollowsFromClockAndCores() {
    for gpu in GPU.table where gpu.name != "B200" {
      let lanes = gpu.computeCapability == ComputeCapability(8, 0) ? 64.0 : 128
      let rate = Double(gpu.multiprocessors) * lanes * 2 * gpu.boostClockMHz * 1e6 / 1e12
      let stated = gpu.teraOps[.fp32] ?? 0
      #expect(abs(rate - stated) / stated < 0.08, "\(gpu.name): \(rate) against \(stated)")
    }
  }

  @Test func readsComputeCapabilities() {
    #expect(ComputeCapability("8.9") == ComputeCapability(8, 9))
    #expect(ComputeCapability("sm_90a") == ComputeCapability(9, 0))
    #expect(ComputeCapability("120") == ComputeCapability(12, 0))
    #expect(ComputeCapability("x") == nil)
    #expect(ComputeCapability("8.9.1") == nil)
    #expect(ComputeCapability(12, 0).target == "sm_120")
  }
}
