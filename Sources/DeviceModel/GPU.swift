import Diagnostics

/// The operand type of a matrix product or arithmetic pipe, for peak rates.
public enum OperandType: String, Sendable, CaseIterable, Hashable {
  /// Tensor cores, TF32 operands, fp32 accumulation.
  case tf32
  /// Tensor cores, fp16 operands, fp32 accumulation.
  case fp16
  /// Tensor cores, bf16 operands, fp32 accumulation.
  case bf16
  /// Tensor cores, fp8 operands, fp32 accumulation.
  case fp8
  /// Tensor cores, int8 operands, int32 accumulation (operations, not floating-point).
  case int8
  /// The fp32 pipes; one fused multiply-add is two operations.
  case fp32
  /// The fp64 pipes (not the fp64 tensor cores).
  case fp64
}

/// One GPU model: what it can hold and how fast it can go at best.
///
/// Every number is a vendor's figure (see `sources`), not a measurement. `GPU.table` has the
/// built-in ones; a request may override any of them for one run.
public struct GPU: Sendable, Hashable {
  /// NVIDIA's product name without "NVIDIA GeForce": `RTX 4090`.
  public var name: String
  /// Other spellings that mean this GPU, lower-case, without spaces and punctuation.
  public var aliases: [String]
  /// `Ada Lovelace`
  public var architecture: String
  public var computeCapability: ComputeCapability
  /// Streaming multiprocessors.
  public var multiprocessors: Int
  /// MHz; nil where NVIDIA publishes none.
  public var baseClockMHz: Double?
  /// MHz, the clock behind the peak rates.
  public var boostClockMHz: Double
  /// 10⁹ bytes per second.
  public var dramGBPerSecond: Double
  /// Bytes.
  public var dramBytes: Int
  /// Bytes, shared by all multiprocessors.
  public var l2Bytes: Int
  /// What one multiprocessor holds.
  public var limits: MultiprocessorLimits
  /// Peak dense rates in 10¹² operations per second; a type the GPU lacks is absent.
  public var teraOps: [OperandType: Double]
  /// The documents that the numbers come from.
  public var sources: [String]

  public init(
    name: String, aliases: [String], architecture: String, computeCapability: ComputeCapability,
    multiprocessors: Int, baseClockMHz: Double?, boostClockMHz: Double, dramGBPerSecond: Double,
    dramBytes: Int, l2Bytes: Int, limits: MultiprocessorLimits,
    teraOps: [OperandType: Double], sources: [String]
  ) {
    self.name = name
    self.aliases = aliases
    self.architecture = architecture
    self.computeCapability = computeCapability
    self.multiprocessors = multiprocessors
    self.baseClockMHz = baseClockMHz
    self.boostClockMHz = boostClockMHz
    self.dramGBPerSecond = dramGBPerSecond
    self.dramBytes = dramBytes
    self.l2Bytes = l2Bytes
    self.limits = limits
    self.teraOps = teraOps
    self.sources = sources
  }
}

extension GPU {
  /// The GPU that `name` means: `4090`, `rtx4090`, `NVIDIA GeForce RTX 4090`, …
  ///
  /// - Throws: a `Diagnostic` (`unknown-gpu`) that offers the nearest known spelling.
  public static func named(_ name: String) throws(Diagnostic) -> GPU {
    if let found = find(name) { return found }
    throw unknown(name)
  }

  /// The GPU that `name` means, or nil.
  public static func find(_ name: String) -> GPU? {
    let key = normalized(name)
    guard !key.isEmpty else { return nil }
    return table.first { $0.spellings.contains(key) }
  }

  /// The error for a name that no GPU has; `source` and `range` say where it was written.
  public static func unknown(
    _ name: String, source: SourceText? = nil, range: SourceRange? = nil
  ) -> Diagnostic {
    let shown = String(name.unicodeScalars.prefix(60))
    let key = normalized(shown)
    let spellings = table.flatMap { gpu in gpu.spellings.map { ($0, gpu) } }
    var message = "unknown GPU '\(shown)'"
    if let near = Spelling.nearest(to: key, in: spellings.map(\.0)),
      let gpu = spellings.first(where: { $0.0 == near })?.1
    {
      message += "; did you mean '\(gpu.name)'?"
    }
    return Diagnostic(
      id: "unknown-gpu", message, source: source, range: range,
      nextStep: "run 'hone gpus' for the list of known GPUs")
  }

  private var spellings: [String] { [Self.normalized(name)] + aliases }

  /// Lower-case letters and digits; vendor and brand words removed.
  static func normalized(_ name: String) -> String {
    var words = name.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
      .map(String.init)
    words.removeAll { ["nvidia", "geforce", "tensor", "core", "gpu", "graphics"].contains($0) }
    var key = words.joined()
    for prefix in ["nvidia", "geforce"] where key.hasPrefix(prefix) && key.count > prefix.count {
      key.removeFirst(prefix.count)
    }
    return key
  }
}
