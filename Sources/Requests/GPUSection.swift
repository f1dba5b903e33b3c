import DeviceModel
import Diagnostics

/// Reads the lines of a document's GPU section.
struct GPUSection {
  /// The GPU's name with its place, if a line gives one.
  private(set) var name: (text: String, range: SourceRange)?
  private(set) var facts: [GPUFact] = []
  private(set) var notes: [Diagnostic] = []
  /// Lines (indices) that gave a fact.
  private(set) var understood: Set<Int> = []
  private var changes: [Change] = []

  private struct Change {
    var property: Property
    var value: Double
    var fact: GPUFact
  }

  /// What a line can be about, with the words that tell it, most specific first.
  private enum Property: CaseIterable {
    case capability, registersPerThread, registersPerSM, threadsPerBlock, threadsPerSM, warpsPerSM
    case blocksPerSM, warpSize, sharedPerBlock, sharedPerSM, l1PerSM, l2, sms, bandwidth
    case tf32, bf16, fp16, fp8, int8, fp64, fp32, baseClock, boostClock, memory

    /// Each inner list must be in the key in full; `!word` must not.
    var keys: [[String]] {
      switch self {
      case .capability: [["compute capability"], ["capability"]]
      case .registersPerThread: [["register", "thread"]]
      case .registersPerSM: [["register"]]
      case .threadsPerBlock: [["thread", "block", "!shared"]]
      case .threadsPerSM: [["thread", "sm", "!shared"], ["thread", "multiprocessor", "!shared"]]
      case .warpsPerSM: [["warps"]]
      case .blocksPerSM: [["blocks", "sm", "!shared"]]
      case .warpSize: [["warp size"]]
      case .sharedPerBlock: [["shared memory", "block"], ["smem", "block"]]
      case .sharedPerSM: [["shared memory"], ["smem"]]
      case .l1PerSM: [["l1"]]
      case .l2: [["l2"]]
      case .sms: [["number of sm"], ["sm count"], ["multiprocessor"], ["sms"]]
      case .bandwidth: [["bandwidth"]]
      case .tf32: [["tf32"]]
      case .bf16: [["bf16"], ["bfloat16"]]
      case .fp16: [["fp16"], ["float16"], ["half"]]
      case .fp8: [["fp8"]]
      case .int8: [["int8"]]
      case .fp64: [["fp64"], ["double"]]
      case .fp32: [["fp32"], ["float32"], ["single precision"]]
      case .baseClock: [["base clock"]]
      case .boostClock: [["boost clock"], ["clock"]]
      case .memory:
        [["memory size"], ["vram"], ["dram"], ["memory capacity"], ["global memory"], ["memory"]]
      }
    }

    /// The values that are believed.
    var bounds: ClosedRange<Double> {
      switch self {
      case .capability: 1...99
      case .registersPerThread: 16...4096
      case .registersPerSM: 1024...16_777_216
      case .threadsPerBlock, .threadsPerSM: 32...65_536
      case .warpsPerSM, .blocksPerSM: 1...1024
      case .warpSize: 32...32
      case .sharedPerBlock, .sharedPerSM, .l1PerSM: 1024...16_777_216
      case .l2: 65_536...17_179_869_184
      case .sms: 1...10_000
      case .bandwidth: 1...1_000_000
      case .tf32, .bf16, .fp16, .fp8, .int8, .fp64, .fp32: 0.001...10_000_000
      case .baseClock, .boostClock: 10...100_000
      case .memory: 1_048_576...1e14
      }
    }
  }

  /// Reads lines (indices) of a source; headings and fences are the caller's.
  mutating func read(_ source: SourceText, lines: some Sequence<Int>, isPreamble: Bool = false) {
    for index in lines {
      let raw = source.lineText(index)
      guard raw.contains(where: { !$0.isWhitespace }), raw.utf8.count < 2000 else { continue }
      let place = Self.keyAndValue(raw)
      let start = source.lineStarts[index]
      guard let (key, value, valueOffset) = place, !value.isEmpty else {
        if !isPreamble { unread(source, index, raw) }
        continue
      }
      let range = SourceRange(start + valueOffset, start + valueOffset + value.utf8.count)
      let fact = GPUFact(key: key, value: value, range: range)
      let isRead = readFact(fact, isPreamble: isPreamble, source)
      if isRead {
        facts.append(fact)
        understood.insert(index)
      } else if !isPreamble {
        unread(source, index, raw)
      }
    }
  }

  private mutating func unread(_ source: SourceText, _ index: Int, _ raw: String) {
    let lead = raw.utf8.prefix { $0 == 0x20 || $0 == 0x09 }.count
    let start = source.lineStarts[index]
    notes.append(
      Diagnostic(
        id: "gpu-line-unread", severity: .note, "this line about the GPU is not understood",
        source: source, range: SourceRange(start + lead, start + raw.utf8.count)))
  }

  /// Splits `• Number of SMs: 128`; the offset is in bytes.
  private static func keyAndValue(_ raw: String) -> (key: String, value: String, offset: Int)? {
    guard let colon = raw.firstIndex(where: { $0 == ":" || $0 == "=" }) else { return nil }
    let key = raw[..<colon].filter { !"•*`|".contains($0) }.drop {
      $0.isWhitespace || $0 == "-" || $0 == "+"
    }
    let rest = raw[raw.index(after: colon)...]
    let skipped = rest.prefix { $0.isWhitespace || $0 == "*" || $0 == "`" }
    let bare = rest.dropFirst(skipped.count)
    let kept = bare.prefix(
      upTo: bare.lastIndex { !$0.isWhitespace && $0 != "*" && $0 != "`" && $0 != "|" }
        .map { bare.index(after: $0) } ?? bare.startIndex)
    let offset = raw[..<colon].utf8.count + raw[colon...colon].utf8.count + skipped.utf8.count
    let trimmedKey = String(key).split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return trimmedKey.isEmpty ? nil : (trimmedKey, String(kept), offset)
  }

  private mutating func readFact(_ fact: GPUFact, isPreamble: Bool, _ source: SourceText) -> Bool {
    let key = fact.key.lowercased()
    if [
      "gpu name", "gpu", "name", "device", "gpu model", "model", "target gpu", "target",
      "device name",
    ]
    .contains(key) {
      if isPreamble, !key.contains("gpu") { return false }
      if name == nil { name = (fact.value, fact.range) }
      return true
    }
    if isPreamble { return false }
    if key == "architecture" || key == "arch" { return true }
    guard let property = Property.allCases.first(where: { Self.matches(key, $0.keys) }) else {
      return false
    }
    guard let value = Self.number(fact.value, for: property) else { return false }
    guard property.bounds.contains(value) else {
      notes.append(
        Diagnostic(
          id: "gpu-value-unlikely", severity: .warning,
          "'\(fact.value)' cannot be right for '\(fact.key)' and is ignored", source: source,
          range: fact.range))
      return true
    }
    changes.append(Change(property: property, value: value, fact: fact))
    return true
  }

  private static func matches(_ key: String, _ keys: [[String]]) -> Bool {
    keys.contains { words in
      words.allSatisfy { $0.hasPrefix("!") ? !key.contains($0.dropFirst()) : key.contains($0) }
    }
  }

  /// The value in the property's unit: bytes, GB/s, MHz, TFLOPS or a count.
  private static func number(_ text: String, for property: Property) -> Double? {
    let lower = text.lowercased()
    if property == .capability {
      let word = lower.split { $0 == " " || $0 == "(" }.first.map(String.init) ?? ""
      return ComputeCapability(word).map { Double($0.major) + Double($0.minor) / 10 }
    }
    let digits = lower.filter { $0 != "," }
    let start = digits.firstIndex { $0.isASCII && $0.isNumber } ?? digits.endIndex
    let numberText = digits[start...].prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    guard let value = Double(numberText), value.isFinite else { return nil }
    let unit = digits[digits.index(start, offsetBy: numberText.count)...].drop { $0 == " " }
    let isSparse = unit.contains("spars") && !unit.contains("dense") && !unit.contains("without")
    func prefixed(_ factors: [(String, Double)]) -> Double {
      factors.first { unit.hasPrefix($0.0) }?.1 ?? 1
    }
    switch property {
    case .sharedPerBlock, .sharedPerSM, .l1PerSM, .l2, .memory:
      return value
        * prefixed([("k", 1024), ("m", 1_048_576), ("g", 1_073_741_824), ("t", 1_099_511_627_776)])
    case .registersPerSM: return value * prefixed([("k", 1024)])
    case .bandwidth: return value * prefixed([("tb", 1000), ("mb", 0.001)])
    case .baseClock, .boostClock: return value * prefixed([("ghz", 1000)])
    case .tf32, .bf16, .fp16, .fp8, .int8, .fp64, .fp32:
      return value * prefixed([("p", 1000), ("g", 0.001)]) * (isSparse ? 0.5 : 1)
    default: return value
    }
  }

  /// The GPU with every stated fact over the built-in one.
  func applied(to base: GPU, source: SourceText) -> (gpu: GPU, notes: [Diagnostic]) {
    var gpu = base
    var notes: [Diagnostic] = []
    for change in changes where change.property == .capability {
      let tenths = Int((change.value * 10).rounded())
      let capability = ComputeCapability(tenths / 10, tenths % 10)
      guard capability != gpu.computeCapability else { continue }
      notes.append(
        Diagnostic(
          id: "gpu-capability", severity: .warning,
          "\(base.name) has compute capability \(base.computeCapability); the request says \(capability)",
          source: source, range: change.fact.range))
      guard let limits = MultiprocessorLimits.of(capability) else { continue }
      gpu.computeCapability = capability
      gpu.limits = limits
    }
    for change in changes { Self.set(change.property, change.value, on: &gpu) }
    gpu.limits.maxThreads = min(gpu.limits.maxThreads, gpu.limits.maxWarps * gpu.limits.warpSize)
    return (gpu, notes)
  }

  private static func set(_ property: Property, _ value: Double, on gpu: inout GPU) {
    let whole = Int(value.rounded())
    switch property {
    case .capability, .warpSize: break
    case .registersPerThread: gpu.limits.maxRegistersPerThread = whole
    case .registersPerSM: gpu.limits.registers = whole
    case .threadsPerBlock: gpu.limits.maxThreadsPerBlock = whole
    case .threadsPerSM:
      gpu.limits.maxThreads = whole
      gpu.limits.maxWarps = max(1, whole / gpu.limits.warpSize)
    case .warpsPerSM: gpu.limits.maxWarps = whole
    case .blocksPerSM: gpu.limits.maxBlocks = whole
    case .sharedPerBlock: gpu.limits.maxSharedBytesPerBlock = whole
    case .sharedPerSM: gpu.limits.sharedBytes = whole
    case .l1PerSM: gpu.limits.l1AndSharedBytes = whole
    case .l2: gpu.l2Bytes = whole
    case .sms: gpu.multiprocessors = whole
    case .bandwidth: gpu.dramGBPerSecond = value
    case .tf32: gpu.teraOps[.tf32] = value
    case .bf16: gpu.teraOps[.bf16] = value
    case .fp16: gpu.teraOps[.fp16] = value
    case .fp8: gpu.teraOps[.fp8] = value
    case .int8: gpu.teraOps[.int8] = value
    case .fp64: gpu.teraOps[.fp64] = value
    case .fp32: gpu.teraOps[.fp32] = value
    case .baseClock: gpu.baseClockMHz = value
    case .boostClock: gpu.boostClockMHz = value
    case .memory: gpu.dramBytes = whole
    }
  }
}
