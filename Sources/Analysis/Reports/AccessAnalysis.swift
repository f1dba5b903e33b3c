import HostProgram
import TileIR

/// Joins what is proved and what was sampled into one ``AccessPattern`` per source line.
struct AccessAnalysis {
  let context: InstructionEstimate.Context
  let roots: PointerRoots
  let launch: Launch
  /// Programs of the launch.
  let programs: Double
  /// Loads whose data reaches a dot.
  let dotLoads: Set<Int>

  func patterns(_ statistics: [Int: AccessCollector.Statistics], sampledPrograms: Int)
    -> [AccessPattern]
  {
    var byPlace: [String: AccessPattern] = [:]
    var order: [String] = []
    for node in context.flat.nodes {
      guard let access = MemoryAccess(node.operation, in: context.flat),
        context.counts[node.id] > 0 || statistics[node.id] != nil
      else { continue }
      let pattern = pattern(node, access, statistics[node.id], sampledPrograms)
      let location = node.operation.location
      let key = "\(location.range.lower)-\(location.callSites)-\(pattern.kind)-\(pattern.shape)"
      if let known = byPlace[key] {
        byPlace[key] = merged(known, pattern)
      } else {
        byPlace[key] = pattern
        order.append(key)
      }
    }
    return order.compactMap { byPlace[$0] }
  }

  private func pattern(
    _ node: FlatFunction.Node, _ access: MemoryAccess, _ seen: AccessCollector.Statistics?,
    _ sampledPrograms: Int
  ) -> AccessPattern {
    let flat = context.flat
    let layout = context.layouts.memory[node.id]
    let facts = context.axes.facts(of: access.pointer)
    let depends = context.axes.dependences(of: access.pointer)
    let width = InstructionEstimate.vectorElements(node.id, access, context)
    let bytes = access.element.bytes
    let fastest = layout?.order.first
    var contiguous: Int?
    if access.isBlock {
      contiguous = access.blockOrder.first
    } else if let fastest, facts.rank > fastest, facts.contiguity[fastest] > 1 {
      contiguous = fastest
    }
    let count = access.shape.reduce(1, TileLayout.product)
    let executions = context.counts[node.id]
    let perThread = layout.map { Double($0.elementsPerThread(access.shape)) } ?? 1
    let requests =
      max(1, perThread / Double(width)) * Double(layout == nil ? 1 : context.warps) * executions
      * programs
    let active = seen.flatMap {
      $0.elements > 0 && !$0.isMaskUnknown
        ? $0.activeElements / $0.elements : nil
    }
    let sampled = seen.flatMap { $0.sampledRequests > 0 ? $0 : nil }
    let name = roots.parameter(of: access.pointer)
      .flatMap { flat.function.parameters[safe: $0]?.name }
    let programAxes = context.launchGridAxes(launch)
    let kind: AccessPattern.Kind = access.isLoad ? .load : access.isStore ? .store : .atomic
    return AccessPattern(
      kind: kind, place: SourcePlace(node.operation.location.range, in: flat.function.source),
      tensor: name, copies: 1, shape: access.shape, element: access.element,
      contiguousAxis: contiguous, threadOrder: layout?.order ?? [], vectorBytes: width * bytes,
      vectorLimit: limit(node, access, facts, fastest, width, layout),
      isMasked: access.mask != nil, isThroughBlock: access.isBlock,
      cacheModifier: access.cacheModifier, evictionPolicy: access.evictionPolicy,
      isDataDependent: depends.contains(.memory),
      invariantPrograms: access.isBlock
        ? [] : programAxes.filter { !depends.contains(.program($0)) },
      invariantLoops: access.isBlock
        ? []
        : node.loops.filter { loop in
          guard let index = context.axes.loopIndex[loop] else { return false }
          return !depends.contains(.loop(index))
        }.map {
          SourcePlace(flat.nodes[$0].operation.location.range, in: flat.function.source)
        },
      feedsDot: dotLoads.contains(node.id), requests: requests,
      sectorsPerRequest: sampled.map { $0.sectors / $0.sampledRequests },
      bytesPerSector: sampled.flatMap { $0.sectors > 0 ? $0.usedBytes / $0.sectors : nil },
      linesPerRequest: sampled.map { $0.lines / $0.sampledRequests }, activeFraction: active,
      bytesRequested: Double(count * bytes) * executions * programs * (active ?? 1),
      tensorBytes: name.flatMap(tensorBytes))
  }

  func tensorBytes(_ name: String) -> Double? {
    guard let argument = launch.arguments.first(where: { $0.name == name }) else { return nil }
    switch argument.value {
    case .tensor(let tensor), .tensorDescriptor(let tensor, _):
      return tensor.shape.reduce(Double(tensor.element.bytes)) { $0 * Double(max(0, $1)) }
    default: return nil
    }
  }

  /// What keeps the access from 16 bytes a thread.
  private func limit(
    _ node: FlatFunction.Node, _ access: MemoryAccess, _ facts: AxisFacts, _ fastest: Int?,
    _ width: Int, _ layout: TileLayout?
  ) -> String? {
    let bytes = access.element.bytes
    guard let fastest, !access.shape.isEmpty else {
      return access.shape.isEmpty ? "a single element" : nil
    }
    guard width * bytes < 16, !access.isBlock, facts.rank > fastest else { return nil }
    if facts.contiguity[fastest] == 1 {
      return "no axis is provably contiguous"
    }
    let aligned = max(1, facts.divisibility[fastest] / max(1, bytes))
    if aligned <= width {
      return "the address is provably aligned to \(aligned * bytes) bytes only"
    }
    if let mask = access.mask {
      let mask = context.axes.facts(of: mask)
      if mask.rank > fastest, mask.constancy[fastest] <= width {
        return "the mask may change after every \(mask.constancy[fastest]) elements"
      }
    }
    if facts.contiguity[fastest] <= width {
      return "runs of \(facts.contiguity[fastest]) elements are contiguous"
    }
    if let layout, layout.sizePerThread[fastest] <= width {
      return "the tile gives each thread \(layout.sizePerThread[fastest]) elements in a row"
    }
    return nil
  }

  private func merged(_ a: AccessPattern, _ b: AccessPattern) -> AccessPattern {
    var result = a
    let total = a.requests + b.requests
    func mean(_ x: Double?, _ y: Double?) -> Double? {
      guard let x else { return y }
      guard let y, total > 0 else { return x }
      return (x * a.requests + y * b.requests) / total
    }
    result.copies += b.copies
    result.requests = total
    result.sectorsPerRequest = mean(a.sectorsPerRequest, b.sectorsPerRequest)
    result.bytesPerSector = mean(a.bytesPerSector, b.bytesPerSector)
    result.linesPerRequest = mean(a.linesPerRequest, b.linesPerRequest)
    result.activeFraction = mean(a.activeFraction, b.activeFraction)
    result.bytesRequested += b.bytesRequested
    if b.vectorBytes < a.vectorBytes {
      result.vectorBytes = b.vectorBytes
      result.vectorLimit = b.vectorLimit
    }
    result.invariantPrograms = a.invariantPrograms.filter(b.invariantPrograms.contains)
    result.isDataDependent = a.isDataDependent || b.isDataDependent
    return result
  }
}

extension InstructionEstimate.Context {
  /// Grid axes with more than one program in some config.
  func launchGridAxes(_ launch: Launch) -> [Int] {
    (0..<3).filter { axis in launch.configs.contains { $0.grid.count > axis && $0.grid[axis] > 1 } }
  }
}
