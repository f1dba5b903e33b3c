import DeviceModel
import Testing

@Suite struct OccupancyTests {
  /// Compiled configs of a convolution on sm_89: registers, shared bytes, warps → resident blocks.
  @Test func knownConfigsOnAda() throws {
    let gpu = try GPU.named("4090")
    func blocks(_ registers: Int, _ shared: Int, _ warps: Int) -> Occupancy {
      Occupancy.of(
        registersPerThread: registers, sharedBytesPerBlock: shared, warpsPerBlock: warps, on: gpu)
    }
    #expect(blocks(128, 12_288, 4).blocksPerSM == 4)
    #expect(blocks(128, 12_288, 4).limiter == .registers)
    #expect(abs(blocks(128, 12_288, 4).fraction - 1.0 / 3) < 1e-9)
    #expect(blocks(220, 16_384, 4).blocksPerSM == 2)
    #expect(blocks(96, 8_192, 4).blocksPerSM == 5)
    #expect(blocks(196, 8_192, 4).blocksPerSM == 2)
    #expect(blocks(255, 0, 4).blocksPerSM == 2)
    #expect(blocks(32, 0, 1).limiter == .blocks)
    #expect(blocks(32, 0, 8).blocksPerSM == 6)
    #expect(blocks(32, 0, 8).limiter == .warps)
  }

  /// (capability, registers, shared bytes, warps, blocks): from the CUDA toolkit's own
  /// `cudaOccMaxActiveBlocksPerMultiprocessor` (cuda_occupancy.h, 12.8).
  @Test(arguments: ToolkitOccupancy.rows)
  func agreesWithTheToolkit(_ row: ToolkitOccupancy.Row) throws {
    let limits = try #require(MultiprocessorLimits.of(row.capability))
    let occupancy = Occupancy.of(
      registersPerThread: row.registers, sharedBytesPerBlock: row.shared,
      warpsPerBlock: row.warps, limits: limits)
    #expect(occupancy.blocksPerSM == row.blocks, "\(row)")
  }

  @Test func whatCannotBeLaunchedHasNoBlocks() throws {
    let gpu = try GPU.named("4090")
    for (registers, shared, warps) in [
      (256, 0, 4), (32, 99 * 1024 + 1, 4), (32, 0, 33), (32, 0, 0), (-1, 0, 4), (32, -1, 4),
      (Int.max, 0, 4), (32, Int.max, 4), (32, 0, Int.max), (255, 0, 32),
    ] {
      let occupancy = Occupancy.of(
        registersPerThread: registers, sharedBytesPerBlock: shared, warpsPerBlock: warps, on: gpu)
      #expect(occupancy.blocksPerSM == 0, "\(registers) \(shared) \(warps)")
    }
  }

  @Test func registersFromObservedBlocks() throws {
    let gpu = try GPU.named("4090")
    let range = Occupancy.registerRange(
      blocksPerSM: 4, sharedBytesPerBlock: 12_288, warpsPerBlock: 4, on: gpu)
    #expect(range == 97...128)
    #expect(
      Occupancy.registerRange(
        blocksPerSM: 30, sharedBytesPerBlock: 0, warpsPerBlock: 4, on: gpu) == nil)
  }

  @Test func sharedMemoryFromObservedBlocks() throws {
    let gpu = try GPU.named("4090")
    let range = try #require(
      Occupancy.sharedRange(blocksPerSM: 4, registersPerThread: 32, warpsPerBlock: 4, on: gpu))
    for bytes in [range.lowerBound, range.upperBound] {
      let occupancy = Occupancy.of(
        registersPerThread: 32, sharedBytesPerBlock: bytes, warpsPerBlock: 4, on: gpu)
      #expect(occupancy.blocksPerSM == 4)
    }
    #expect(range.upperBound == 24_576)  // 4 × (24 KiB + 1 KiB) = 100 KiB
  }

  @Test func blocksFromWarpsActive() throws {
    let gpu = try GPU.named("4090")
    #expect(Occupancy.residentBlocks(warpsActivePercent: 33.05, warpsPerBlock: 4, on: gpu) == 4)
    #expect(Occupancy.residentBlocks(warpsActivePercent: 33.6, warpsPerBlock: 4, on: gpu) == 4)
    #expect(Occupancy.residentBlocks(warpsActivePercent: 100.2, warpsPerBlock: 4, on: gpu) == 12)
    #expect(Occupancy.residentBlocks(warpsActivePercent: .nan, warpsPerBlock: 4, on: gpu) == nil)
  }

  @Test func rooflineFloors() throws {
    let roofline = try GPU.named("4090").roofline
    #expect(abs(roofline.floorSeconds(dramBytes: 451.5e6) * 1e3 - 0.448) < 0.001)
    let tf32 = try #require(roofline.floorSeconds(operations: 53.97e9, .tf32))
    #expect(abs(tf32 * 1e3 - 0.653) < 0.001)
    let fp16 = try #require(roofline.floorSeconds(operations: 53.97e9, .fp16))
    #expect(abs(fp16 * 1e3 - 0.327) < 0.001)
    #expect(try GPU.named("A100").roofline.floorSeconds(operations: 1, .fp8) == nil)
  }
}
