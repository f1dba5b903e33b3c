import Diagnostics
import HostProgram
import TileIR

/// Sums up what integer division costs and which parameters are behind it.
enum DivisionAnalysis {
  /// - Parameter launchWarps: warps of the whole launch.
  static func report(
    _ context: InstructionEstimate.Context, _ estimate: InstructionEstimate, launch: Launch,
    launchWarps: Double
  ) -> DivisionReport {
    let flat = context.flat
    let source = flat.function.source
    let parameters = parameterSources(flat)
    var sites: [String: DivisionReport.Site] = [:]
    var order: [String] = []
    var byParameter: [String: Double] = [:]
    var all = 0.0
    var runTime = 0.0
    for (id, mix) in estimate.division.sorted(by: { $0.key < $1.key }) {
      let node = flat.nodes[id]
      guard let kind = DivisionKind(node, flat, context.axes) else { continue }
      let instructions = mix.total * launchWarps
      all += instructions
      let isRunTime = kind.divisor == .runTime || kind.divisor == .perElement
      if isRunTime { runTime += instructions }
      let names = parameters[safe: node.operation.operands[1].index] ?? []
      if isRunTime { for name in names { byParameter[name, default: 0] += instructions } }
      let range = node.operation.location.range
      let key = "\(range.lower)-\(range.upper)"
      if sites[key] == nil { order.append(key) }
      var site =
        sites[key]
        ?? DivisionReport.Site(
          place: SourcePlace(range, in: source), text: oneLine(source.text(in: range)),
          operations: 0, warpInstructions: 0,
          divisor: describe(kind, names), isRunTime: isRunTime, bits: kind.bits,
          parameters: names.sorted())
      site.operations += 1
      site.warpInstructions += instructions
      sites[key] = site
    }
    let total = estimate.perProgram.total / Double(max(1, context.warps)) * launchWarps
    let listed = byParameter.map { name, instructions in
      let argument = launch.arguments.first { $0.name == name }
      var value: Int?
      if case .int(let number)? = argument?.value { value = number }
      return DivisionReport.Parameter(
        name: name, value: value, origin: argument?.origin ?? .unknown,
        warpInstructions: instructions)
    }.sorted { ($0.warpInstructions, $1.name) > ($1.warpInstructions, $0.name) }
    return DivisionReport(
      sites: order.compactMap { sites[$0] }.sorted { $0.warpInstructions > $1.warpInstructions },
      parameters: listed, warpInstructions: all, share: total > 0 ? all / total : 0,
      runTimeWarpInstructions: runTime)
  }

  /// The scalar parameters each value is computed from, by value index.
  static func parameterSources(_ flat: FlatFunction) -> [Set<String>] {
    var sources = Array(repeating: Set<String>(), count: flat.function.values.count)
    for parameter in flat.function.parameters where sources.indices.contains(parameter.value.index)
    {
      if flat.type(of: parameter.value)?.element.isInteger ?? false {
        sources[parameter.value.index] = [parameter.name]
      }
    }
    for node in flat.nodes where !node.operation.results.isEmpty {
      var union: Set<String> = []
      switch node.operation.kind {
      case .load, .atomicRMW, .atomicCAS: continue
      default: break
      }
      for operand in node.operation.operands {
        if let known = sources[safe: operand.index], union.count < 12 { union.formUnion(known) }
      }
      for result in node.operation.results where sources.indices.contains(result.index) {
        sources[result.index] = union
      }
    }
    return sources
  }

  private static func describe(_ kind: DivisionKind, _ names: Set<String>) -> String {
    if let constant = kind.constant { return "\(constant)" }
    let what = names.isEmpty ? "a run-time value" : names.sorted().joined(separator: "·")
    return kind.divisor == .perElement ? "\(what) (differs by element)" : what
  }

  private static func oneLine(_ text: String) -> String {
    let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return words.count > 60 ? String(words.prefix(59)) + "…" : words
  }
}
