/// The documents behind the table. Rates are dense (no structured sparsity), at boost clock.
private enum Sheet {
  static let guide = "CUDA C++ Programming Guide, technical specifications per compute capability"
  static let ga102 = "NVIDIA Ampere GA102 GPU Architecture whitepaper V2.1, appendix A"
  static let ada = "NVIDIA Ada GPU Architecture whitepaper V2.1, appendix A"
  static let blackwell = "NVIDIA RTX Blackwell GPU Architecture whitepaper V1.1, appendix A"
  static let a10 = "NVIDIA A10 datasheet"
  static let ga100 = "NVIDIA A100 Tensor Core GPU Architecture whitepaper V1.0"
  static let a100 = "NVIDIA A100 datasheet"
  static let l4 = "NVIDIA L4 datasheet"
  static let l40s = "NVIDIA L40S datasheet"
  static let hopper = "NVIDIA H100 Tensor Core GPU Architecture whitepaper V1.04"
  static let h100 = "NVIDIA H100 datasheet"
  static let h200 = "NVIDIA H200 datasheet"
  static let b200 = "NVIDIA HGX B200 datasheet (per GPU)"
  static let b200Device = "device properties that the CUDA driver reports for a B200"
}

private let gib = 1 << 30
private let mib = 1 << 20

extension GPU {
  /// The built-in specifications, by generation.
  public static let table: [GPU] = [
    GPU(
      "RTX 3090", aliases: ["3090"], "Ampere", cc(8, 6), sms: 82, mhz: (1395, 1695),
      dram: (936, 24 * gib), l2: 6 * mib,
      teraOps: [
        .tf32: 35.6, .fp16: 71, .bf16: 71, .int8: 284, .fp32: 35.6, .fp64: 0.556,
      ], from: [Sheet.ga102]),
    GPU(
      "A10", aliases: ["a1024gb"], "Ampere", cc(8, 6), sms: 72, mhz: (885, 1695),
      dram: (600, 24 * gib), l2: 6 * mib,
      teraOps: [
        .tf32: 62.5, .fp16: 125, .bf16: 125, .int8: 250, .fp32: 31.2, .fp64: 0.488,
      ], from: [Sheet.a10, Sheet.ga102]),
    GPU(
      "A100 40GB SXM", aliases: ["a10040gb", "a100sxm40gb", "a100sxm440gb", "a100sxm4", "a10040"],
      "Ampere", cc(8, 0), sms: 108, mhz: (1095, 1410), dram: (1555, 40 * gib), l2: 40 * mib,
      teraOps: a100Rates, from: [Sheet.ga100, Sheet.a100]),
    GPU(
      "A100 80GB SXM",
      aliases: ["a100", "a10080gb", "a100sxm", "a100sxm80gb", "a100sxm480gb", "a10080"],
      "Ampere", cc(8, 0), sms: 108, mhz: (1275, 1410), dram: (2039, 80 * gib), l2: 40 * mib,
      teraOps: a100Rates, from: [Sheet.ga100, Sheet.a100]),
    GPU(
      "A100 40GB PCIe", aliases: ["a100pcie40gb", "a100pcie40"], "Ampere", cc(8, 0), sms: 108,
      mhz: (765, 1410), dram: (1555, 40 * gib), l2: 40 * mib, teraOps: a100Rates,
      from: [Sheet.ga100, Sheet.a100]),
    GPU(
      "A100 80GB PCIe", aliases: ["a100pcie", "a100pcie80gb", "a100pcie80"], "Ampere", cc(8, 0),
      sms: 108, mhz: (1065, 1410), dram: (1935, 80 * gib), l2: 40 * mib, teraOps: a100Rates,
      from: [Sheet.ga100, Sheet.a100]),
    GPU(
      "RTX 4080", aliases: ["4080", "rtx408016gb"], "Ada Lovelace", cc(8, 9), sms: 76,
      mhz: (2205, 2505), dram: (716.8, 16 * gib), l2: 64 * mib,
      teraOps: [
        .tf32: 48.7, .fp16: 97.5, .bf16: 97.5, .fp8: 194.9, .int8: 389.9, .fp32: 48.7,
        .fp64: 0.761,
      ], from: [Sheet.ada]),
    GPU(
      "RTX 4090", aliases: ["4090"], "Ada Lovelace", cc(8, 9), sms: 128, mhz: (2235, 2520),
      dram: (1008, 24 * gib), l2: 72 * mib,
      teraOps: [
        .tf32: 82.6, .fp16: 165.2, .bf16: 165.2, .fp8: 330.3, .int8: 660.6, .fp32: 82.6,
        .fp64: 1.29,
      ], from: [Sheet.ada]),
    GPU(
      "RTX 6000 Ada", aliases: ["6000ada", "rtx6000adageneration", "rtx6000ada48gb"],
      "Ada Lovelace", cc(8, 9), sms: 142, mhz: (915, 2505), dram: (960, 48 * gib), l2: 96 * mib,
      teraOps: [
        .tf32: 182.1, .fp16: 364.2, .bf16: 364.2, .fp8: 728.5, .int8: 728.5, .fp32: 91.1,
        .fp64: 1.42,
      ], from: [Sheet.ada]),
    GPU(
      "L4", aliases: ["l424gb"], "Ada Lovelace", cc(8, 9), sms: 58, mhz: (795, 2040),
      dram: (300, 24 * gib), l2: 48 * mib,
      teraOps: [
        .tf32: 60.5, .fp16: 121, .bf16: 121, .fp8: 242.5, .int8: 242.5, .fp32: 30.3, .fp64: 0.473,
      ], from: [Sheet.l4, Sheet.ada]),
    GPU(
      "L40S", aliases: ["l40s48gb"], "Ada Lovelace", cc(8, 9), sms: 142, mhz: (1110, 2520),
      dram: (864, 48 * gib), l2: 96 * mib,
      teraOps: [
        .tf32: 183, .fp16: 362.05, .bf16: 362.05, .fp8: 733, .int8: 733, .fp32: 91.6, .fp64: 1.43,
      ], from: [Sheet.l40s]),
    GPU(
      "H100 SXM", aliases: ["h100", "h100sxm5", "h10080gb", "h100sxm80gb", "h10080gbhbm3"],
      "Hopper", cc(9, 0), sms: 132, mhz: (nil, 1830), dram: (3352, 80 * gib), l2: 50 * mib,
      teraOps: hopperRates, from: [Sheet.hopper, Sheet.h100]),
    GPU(
      "H100 PCIe", aliases: ["h100pcie80gb"], "Hopper", cc(9, 0), sms: 114, mhz: (nil, 1755),
      dram: (2039, 80 * gib), l2: 50 * mib,
      teraOps: [
        .tf32: 378, .fp16: 756, .bf16: 756, .fp8: 1513, .int8: 1513, .fp32: 51.2, .fp64: 25.6,
      ], from: [Sheet.hopper, Sheet.h100]),
    GPU(
      "H200", aliases: ["h200sxm", "h200sxm5", "h200141gb"], "Hopper", cc(9, 0), sms: 132,
      mhz: (nil, 1830), dram: (4800, 141_000_000_000), l2: 50 * mib, teraOps: hopperRates,
      from: [Sheet.h200, Sheet.hopper]),
    GPU(
      "B200", aliases: ["b200sxm", "b200sxm6", "b200192gb", "b200180gb"], "Blackwell", cc(10, 0),
      sms: 148, mhz: (nil, 1965), dram: (7700, 180_000_000_000), l2: 253 * mib / 2,
      teraOps: [
        .tf32: 1125, .fp16: 2250, .bf16: 2250, .fp8: 4500, .int8: 4500, .fp32: 75, .fp64: 37,
      ], from: [Sheet.b200, Sheet.b200Device]),
    GPU(
      "RTX 5090", aliases: ["5090"], "Blackwell", cc(12, 0), sms: 170, mhz: (2017, 2407),
      dram: (1792, 32 * gib), l2: 96 * mib,
      teraOps: [
        .tf32: 104.8, .fp16: 209.5, .bf16: 209.5, .fp8: 419, .int8: 838, .fp32: 104.8, .fp64: 1.64,
      ], from: [Sheet.blackwell]),
  ].compactMap(\.self)

  private static let a100Rates: [OperandType: Double] = [
    .tf32: 156, .fp16: 312, .bf16: 312, .int8: 624, .fp32: 19.5, .fp64: 9.7,
  ]

  private static let hopperRates: [OperandType: Double] = [
    .tf32: 494.7, .fp16: 989.4, .bf16: 989.4, .fp8: 1978.9, .int8: 1978.9, .fp32: 66.9,
    .fp64: 33.5,
  ]

  private static func cc(_ major: Int, _ minor: Int) -> ComputeCapability {
    ComputeCapability(major, minor)
  }

  /// One row; nil if its compute capability has no limits (a test holds the table to that).
  private init?(
    _ name: String, aliases: [String], _ architecture: String, _ capability: ComputeCapability,
    sms: Int, mhz: (base: Double?, boost: Double), dram: (gbPerSecond: Double, bytes: Int),
    l2: Int, teraOps: [OperandType: Double], from sources: [String]
  ) {
    guard let limits = MultiprocessorLimits.of(capability) else { return nil }
    self.init(
      name: name, aliases: aliases, architecture: architecture, computeCapability: capability,
      multiprocessors: sms, baseClockMHz: mhz.base, boostClockMHz: mhz.boost,
      dramGBPerSecond: dram.gbPerSecond, dramBytes: dram.bytes, l2Bytes: l2, limits: limits,
      teraOps: teraOps, sources: sources + [Sheet.guide])
  }
}
