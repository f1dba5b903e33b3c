import DeviceModel
import Diagnostics
import HostProgram
import Profiling

/// Words the steps of a deduction.
struct DeductionLog {
  let source: SourceText
  private(set) var steps: [String] = []

  init(source: SourceText) { self.source = source }

  mutating func add(_ text: String) { steps.append(text) }

  /// What one profile's grid and occupancy say.
  mutating func grid(_ item: GridEvidence, gpu: GPU) {
    let place = SourcePlace(item.launch.gridRange, in: source)
    let kernel = item.launch.kernel
    let formulas = item.launch.gridFormulas.map {
      "(" + $0.map(\.description).joined(separator: ", ") + ")"
    }
    add(
      "the profile gives \(NsightMetric.gridSize) = \(Number.grouped(item.gridSize)) for \(kernel); "
        + "the grid is \(formulas ?? "not a formula of the inputs") (\(place))")
    var seen: Set<String> = []
    for candidate in item.candidates {
      let constants = Self.blocks(candidate.config)
      let known = candidate.knownAxes.filter { $0.value != 1 || candidate.rest == nil }
      let axes = known.map { "axis \($0.axis) has \($0.value) programs" }.joined(separator: ", ")
      var text: String
      if candidate.rest == nil {
        let product = candidate.knownAxes.reduce(1) { $0 &* max(1, $1.value) }
        text = "\(axes); \(product) does not divide \(Number.grouped(item.gridSize)): impossible"
      } else if let unknown = candidate.unknown {
        let range = unknown.range
        text =
          (axes.isEmpty ? "" : "\(axes), so \(Number.grouped(candidate.rest ?? 0)) are left; ")
          + (range.count == 1
            ? "\(unknown.formula) = \(Number.grouped(range.lowerBound))"
            : "\(unknown.formula) lies in (\(Number.grouped(range.lowerBound - 1)), "
              + "\(Number.grouped(range.upperBound))]")
      } else {
        text = axes.isEmpty ? "possible" : "\(axes); possible"
      }
      let line = "with \(constants): \(text)"
      if seen.insert(line).inserted { add(line) }
    }
    occupancy(item, gpu: gpu)
  }

  private mutating func occupancy(_ item: GridEvidence, gpu: GPU) {
    guard let active = item.profile[NsightMetric.warpsActive], !item.possible.isEmpty else {
      return
    }
    var seen: Set<String> = []
    for candidate in item.possible {
      let warps = candidate.config.numWarps
      guard let blocks = item.residentBlocks[warps] else { continue }
      let registers = Occupancy.registerRange(
        blocksPerSM: blocks, sharedBytesPerBlock: 0, warpsPerBlock: warps, on: gpu)
      let head =
        "\(NsightMetric.warpsActive) = \(Number.short(active)) % means \(blocks * warps) of "
        + "\(gpu.limits.maxWarps) warps: \(blocks) blocks of \(warps) warps"
        + (registers.map { ", that is \($0.lowerBound) to \($0.upperBound) registers a thread" }
          ?? "")
      if seen.insert(head).inserted { add(head) }
      if let expected = candidate.predictedBlocks, let need = candidate.predictedRegisters {
        let verdict =
          expected == blocks ? "fits" : "does not fit (\(expected) blocks)"
        let line =
          "\(Self.blocks(candidate.config)) is predicted to need \(need) registers a thread: "
          + verdict
        if seen.insert(line).inserted { add(line) }
      }
    }
  }

  /// What the module itself fixes.
  mutating func constants(_ run: HostRun) {
    var facts: [String] = []
    for input in run.inputs {
      let axes = run.dimensions.filter {
        if case .axis(let name, _) = $0.source { name == input.name } else { false }
      }
      let shape = input.shape.shape.enumerated().map { axis, size in
        let dimension = axes.first {
          if case .axis(_, let place) = $0.source { place == axis } else { false }
        }
        guard let dimension else { return "\(size)" }
        return dimension.basis == .required || dimension.basis == .given
          ? "\(size)" : dimension.name
      }
      facts.append("\(input.name)[\(shape.joined(separator: ", "))]")
    }
    if !facts.isEmpty { add("the module fixes of its inputs: \(facts.joined(separator: ", "))") }
  }

  mutating func readings(
    _ readings: [ProblemDeduction.Reading], run: HostRun, isAmbiguous: Bool
  ) {
    guard let best = readings.first else {
      add("no natural sizes give the observed grid")
      return
    }
    add(
      "natural sizes that give the grid, best first: "
        + readings.prefix(4).map(Self.text).joined(separator: "; "))
    let undetermined = run.dimensions.filter { dimension in
      dimension.basis == .standIn
        && !best.reasons.contains { $0.hasPrefix("\(dimension.name) = ") }
    }.map(\.name)
    if !undetermined.isEmpty {
      add(
        "nothing in the profile determines \(Set(undetermined).sorted().joined(separator: ", ")); "
          + "stand-in values are used")
    }
    add(
      (isAmbiguous ? "this stays ambiguous; the reading taken is " : "so the reading is ")
        + Self.text(best))
  }

  static func text(_ reading: ProblemDeduction.Reading) -> String {
    let inputs = reading.inputs.map {
      "\($0.name) = \($0.shape.element)[\($0.shape.shape.map(String.init).joined(separator: ", "))]"
    }
    let configs = reading.configs.sorted { $0.key < $1.key }.map {
      "config \($0.value + 1) of \($0.key)"
    }
    return inputs.joined(separator: ", ")
      + (configs.isEmpty ? "" : " (\(configs.joined(separator: ", ")))")
  }

  /// `BLOCK_M 32, BLOCK_N 64, 4 warps`
  static func blocks(_ config: LaunchConfig) -> String {
    let constants = config.constants.sorted { $0.key < $1.key }.compactMap { name, value in
      if case .int(let number) = value { "\(name) \(number)" } else { nil }
    }
    return (constants + ["\(config.numWarps) warps"]).joined(separator: ", ")
  }
}

/// Figures as people read them.
public enum Number {
  /// `774,400`
  public static func grouped(_ value: Int) -> String {
    let digits = String(value.magnitude)
    var result = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { result += "," }
      result.append(digit)
    }
    return (value < 0 ? "-" : "") + result
  }

  /// At most two decimals, no trailing zeros: `33.05`, `64.8`, `12`.
  public static func short(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value > 0 ? "inf" : "-inf" }
    guard abs(value) < 1e15 else { return "\(value)" }
    let hundredths = Int((abs(value) * 100).rounded())
    var text = grouped(hundredths / 100)
    let rest = hundredths % 100
    if rest != 0 {
      text += "." + (rest < 10 ? "0\(rest)" : "\(rest)")
      if text.hasSuffix("0") { text.removeLast() }
    }
    return (value < 0 && hundredths != 0 ? "-" : "") + text
  }

  /// With a decimal prefix: `451.5 MB`, `53.97 G`.
  public static func scaled(_ value: Double, _ unit: String) -> String {
    let steps: [(Double, String)] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")]
    for (factor, prefix) in steps where abs(value) >= factor {
      return "\(significant(value / factor)) \(prefix)\(unit)"
    }
    return "\(significant(value)) \(unit)"
  }

  /// Four significant digits.
  public static func significant(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return value == 0 ? "0" : short(value) }
    if abs(value) >= 1000 { return grouped(Int(max(-1e15, min(1e15, value)).rounded())) }
    if abs(value) >= 100 { return short((value * 10).rounded() / 10) }
    if abs(value) < 0.01 { return "\(Float(value))" }
    return short(value)
  }
}
