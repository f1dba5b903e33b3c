import ArgumentParser
import DeviceModel
import Diagnostics

/// `hone gpus`: the built-in specifications.
struct GpusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gpus", abstract: "List the known GPUs and their specifications.")

  @Argument(help: "A GPU by any usual name; without it, all are listed.")
  var name: String?

  @Option(help: "How to print.")
  var format: OutputFormat = .text

  func run() throws {
    let gpus = try name.map { [try GPU.named($0)] } ?? GPU.table
    switch format {
    case .json:
      try StandardOutput.write(try JSONText.bytes(gpus.map(GPURecord.init)))
    case .text:
      try StandardOutput.write(name == nil ? Self.table(gpus) : Self.details(gpus[0]))
    }
  }

  /// One line a GPU.
  static func table(_ gpus: [GPU]) -> String {
    var rows = [["GPU", "architecture", "target", "SMs", "GB/s", "L2 MiB", "TF32", "FP16", "FP32"]]
    for gpu in gpus {
      rows.append([
        gpu.name, gpu.architecture, gpu.computeCapability.target, "\(gpu.multiprocessors)",
        number(gpu.dramGBPerSecond), number(Double(gpu.l2Bytes) / 1_048_576),
        rate(gpu, .tf32), rate(gpu, .fp16), rate(gpu, .fp32),
      ])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    let lines = rows.map { row in
      row.enumerated().map { column, cell in
        let pad = String(repeating: " ", count: widths[column] - cell.count)
        return column < 3 ? cell + pad : pad + cell
      }.joined(separator: "  ")
    }
    return lines.joined(separator: "\n") + "\n\nRates are dense, in TFLOPS, at boost clock.\n"
  }

  /// Everything that is known of one GPU.
  static func details(_ gpu: GPU) -> String {
    let sm = gpu.limits
    var lines: [(String, String)] = [
      ("GPU", gpu.name), ("architecture", gpu.architecture),
      ("compute capability", "\(gpu.computeCapability) (\(gpu.computeCapability.target))"),
      ("multiprocessors", "\(gpu.multiprocessors)"),
      ("boost clock", "\(number(gpu.boostClockMHz)) MHz"),
    ]
    if let base = gpu.baseClockMHz { lines.append(("base clock", "\(number(base)) MHz")) }
    lines += [
      ("DRAM", "\(number(Double(gpu.dramBytes) / 1e9)) GB at \(number(gpu.dramGBPerSecond)) GB/s"),
      ("L2 cache", "\(number(Double(gpu.l2Bytes) / 1_048_576)) MiB"),
      ("registers per SM", "\(sm.registers), at most \(sm.maxRegistersPerThread) a thread"),
      (
        "shared memory",
        "\(sm.sharedBytes / 1024) KiB per SM, \(sm.maxSharedBytesPerBlock / 1024) KiB per block"
      ),
      ("L1 and shared memory", "\(sm.l1AndSharedBytes / 1024) KiB per SM"),
      ("warps per SM", "\(sm.maxWarps)"), ("threads per SM", "\(sm.maxThreads)"),
      ("blocks per SM", "\(sm.maxBlocks)"), ("threads per block", "\(sm.maxThreadsPerBlock)"),
    ]
    for type in OperandType.allCases {
      guard let rate = gpu.teraOps[type] else { continue }
      lines.append((type.rawValue, "\(number(rate)) \(type == .int8 ? "TOPS" : "TFLOPS") dense"))
    }
    for (index, source) in gpu.sources.enumerated() {
      lines.append((index == 0 ? "sources" : "", source))
    }
    let width = lines.map(\.0.count).max() ?? 0
    return lines.map { key, value in
      key + String(repeating: " ", count: width - key.count + 2) + value
    }.joined(separator: "\n") + "\n"
  }

  private static func rate(_ gpu: GPU, _ type: OperandType) -> String {
    gpu.teraOps[type].map(number) ?? "-"
  }

  /// Without a fraction where there is none, else at most three digits of it.
  static func number(_ value: Double) -> String {
    let thousandths = (value * 1000).rounded() / 1000
    return thousandths == thousandths.rounded() && abs(thousandths) < 1e15
      ? String(Int(thousandths)) : "\(thousandths)"
  }
}

/// The JSON form of a GPU. Units are in the keys.
private struct GPURecord: Encodable {
  let name: String
  let aliases: [String]
  let architecture: String
  let computeCapability: String
  let target: String
  let multiprocessors: Int
  let baseClockMHz: Double?
  let boostClockMHz: Double
  let dramGBPerSecond: Double
  let dramBytes: Int
  let l2Bytes: Int
  let l1AndSharedBytesPerSM: Int
  let sharedBytesPerSM: Int
  let maxSharedBytesPerBlock: Int
  let registersPerSM: Int
  let maxRegistersPerThread: Int
  let maxThreadsPerBlock: Int
  let maxThreadsPerSM: Int
  let maxWarpsPerSM: Int
  let maxBlocksPerSM: Int
  let denseTeraOps: [String: Double]
  let sources: [String]

  init(_ gpu: GPU) {
    name = gpu.name
    aliases = gpu.aliases
    architecture = gpu.architecture
    computeCapability = "\(gpu.computeCapability)"
    target = gpu.computeCapability.target
    multiprocessors = gpu.multiprocessors
    baseClockMHz = gpu.baseClockMHz
    boostClockMHz = gpu.boostClockMHz
    dramGBPerSecond = gpu.dramGBPerSecond
    dramBytes = gpu.dramBytes
    l2Bytes = gpu.l2Bytes
    l1AndSharedBytesPerSM = gpu.limits.l1AndSharedBytes
    sharedBytesPerSM = gpu.limits.sharedBytes
    maxSharedBytesPerBlock = gpu.limits.maxSharedBytesPerBlock
    registersPerSM = gpu.limits.registers
    maxRegistersPerThread = gpu.limits.maxRegistersPerThread
    maxThreadsPerBlock = gpu.limits.maxThreadsPerBlock
    maxThreadsPerSM = gpu.limits.maxThreads
    maxWarpsPerSM = gpu.limits.maxWarps
    maxBlocksPerSM = gpu.limits.maxBlocks
    denseTeraOps = Dictionary(
      uniqueKeysWithValues: gpu.teraOps.map { ($0.key.rawValue, $0.value) })
    sources = gpu.sources
  }
}
