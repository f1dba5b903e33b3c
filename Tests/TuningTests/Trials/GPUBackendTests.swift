import Testing

@testable import Toolchain
@testable import Tuning

@Suite struct GPUBackendTests {
  private func device(_ index: Int) -> PythonReport.Device {
    PythonReport.Device(
      index: index, name: "NVIDIA H200", capability: "9.0", memoryBytes: nil, driver: nil,
      uuid: "GPU-\(index)abc-def")
  }

  /// As CUDA reads its variable.
  @Test(
    arguments: [
      (nil, [0, 1, 2]), ("1", [1]), ("2,0", [2, 0]), ("GPU-1abc", [1]), ("", []), ("-1", []),
      ("0,9,1", [0]), (" 1 , 2", [1, 2]),
    ] as [(String?, [Int])])
  func heedsVisibleDevices(_ list: String?, _ wanted: [Int]) {
    let all = [device(0), device(1), device(2)]
    #expect(GPUBackend.visible(all, list).map(\.index) == wanted)
  }
}
