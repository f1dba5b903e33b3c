import TileIR

/// Counts sectors, lines and active lanes of the sampled programs' memory requests, warp by warp.
final class AccessCollector {
  struct Statistics {
    var executions = 0.0
    var sampledRequests = 0.0
    var sectors = 0.0
    var lines = 0.0
    var usedBytes = 0.0
    var elements = 0.0
    var activeElements = 0.0
    var sawAddresses = 0
    var seen = 0
    /// For two-axis tiles: rows and columns in which the mask leaves anything on, of all.
    var liveRows = 0.0
    var liveColumns = 0.0
    var masks = 0.0
    var isMaskUnknown = false
  }

  private(set) var statistics: [Int: Statistics] = [:]
  private let context: InstructionEstimate.Context

  /// Executions of one operation that are looked at; the rest follow by weight.
  private static let executionsPerOperation = 10
  private static let requestsPerExecution = 16

  init(_ context: InstructionEstimate.Context) { self.context = context }

  func record(_ access: ProgramSampler.Access) {
    var entry = statistics[access.operation] ?? Statistics()
    entry.executions += access.weight
    entry.isMaskUnknown = entry.isMaskUnknown || access.isMaskUnknown
    noteMask(access, &entry)
    // The first few and then some later ones, so that a loop's last, partly masked steps count too.
    if entry.sawAddresses < Self.executionsPerOperation, entry.seen < 4 || entry.seen % 5 == 0 {
      entry.sawAddresses += 1
      measure(access, &entry)
    }
    entry.seen += 1
    statistics[access.operation] = entry
  }

  private func noteMask(_ access: ProgramSampler.Access, _ entry: inout Statistics) {
    let weight = access.weight
    guard let mask = access.mask else {
      entry.elements += weight
      entry.activeElements += weight
      entry.masks += weight
      entry.liveRows += weight
      entry.liveColumns += weight
      return
    }
    let columns = max(1, mask.extents.last ?? 1)
    let rows = max(1, mask.extents.count >= 2 ? mask.extents[mask.extents.count - 2] : 1)
    var liveRow = Array(repeating: false, count: rows)
    var liveColumn = Array(repeating: false, count: columns)
    var active = 0
    for row in 0..<mask.data.count / columns {
      let before = active
      for column in 0..<columns where mask.data[row &* columns &+ column] != 0 {
        active += 1
        liveColumn[column] = true
      }
      if active > before { liveRow[row % rows] = true }
    }
    entry.elements += weight
    entry.activeElements += weight * Double(active) / Double(max(1, mask.data.count))
    entry.masks += weight
    entry.liveRows += weight * Double(liveRow.count { $0 }) / Double(rows)
    entry.liveColumns += weight * Double(liveColumn.count { $0 }) / Double(columns)
  }

  /// The share of a dot's products that masks leave: (of M and K, of K and N).
  func liveShare(_ load: Int) -> (rows: Double, columns: Double) {
    guard let entry = statistics[load], entry.masks > 0, !entry.isMaskUnknown else { return (1, 1) }
    return (entry.liveRows / entry.masks, entry.liveColumns / entry.masks)
  }

  private func measure(_ access: ProgramSampler.Access, _ entry: inout Statistics) {
    let node = context.flat.nodes[access.operation]
    guard let memory = MemoryAccess(node.operation, in: context.flat) else { return }
    let bytes = max(1, memory.element.bytes)
    guard let layout = context.layouts.memory[access.operation], !memory.shape.isEmpty,
      layout.rank == memory.shape.count,
      access.addresses.extents.count == layout.rank
        || access.addresses.data.count == 1
    else {
      entry.sampledRequests += 1
      entry.sectors += 1
      entry.lines += 1
      entry.usedBytes += Double(bytes)
      return
    }
    let width = InstructionEstimate.vectorElements(access.operation, memory, context)
    let requests = RequestEnumeration(layout: layout, shape: memory.shape, width: width)
    let step = max(1, requests.count / Self.requestsPerExecution)
    var sectors: [Int] = []
    var starts: [Int] = []
    var index = Array(repeating: 0, count: memory.shape.count)
    for number in stride(from: 0, to: requests.count, by: step) {
      sectors.removeAll(keepingCapacity: true)
      var usedBytes = 0
      starts.removeAll(keepingCapacity: true)
      for lane in 0..<32 {
        requests.element(request: number, lane: lane, into: &index)
        if let mask = access.mask,
          mask.data.count == 1 ? mask.data[0] == 0 : mask.element(index) == 0
        {
          continue
        }
        let address =
          access.addresses.data.count == 1
          ? access.addresses.data[0] : access.addresses.element(index)
        starts.append(address)
        var sector = address >> 5
        let last = (address &+ width &* bytes &- 1) >> 5
        while sector <= last {
          if sectors.last != sector { sectors.append(sector) }
          sector += 1
        }
      }
      guard !starts.isEmpty else { continue }
      starts.sort()
      var previous: Int?
      for start in starts where start != previous {
        usedBytes += width * bytes
        previous = start
      }
      sectors.sort()
      var distinct = 0
      var lines = 0
      var lastSector: Int?
      for sector in sectors where sector != lastSector {
        distinct += 1
        if lastSector.map({ $0 >> 2 != sector >> 2 }) ?? true { lines += 1 }
        lastSector = sector
      }
      entry.sampledRequests += 1
      entry.sectors += Double(distinct)
      entry.lines += Double(lines)
      entry.usedBytes += Double(min(usedBytes, distinct * 32))
    }
  }
}

/// The warp-level requests that move one tile: which element each lane starts at.
struct RequestEnumeration {
  private let layout: TileLayout
  private let shape: [Int]
  private let width: Int
  /// Extents of: warps, then per axis repeats and elements a thread holds.
  private let repeats: [Int]
  private let elements: [Int]
  private let warps: Int
  let count: Int

  init(layout: TileLayout, shape: [Int], width: Int) {
    self.layout = layout
    self.shape = shape
    self.width = max(1, width)
    var repeats: [Int] = []
    var elements: [Int] = []
    for axis in shape.indices {
      let tile =
        layout.sizePerThread[axis] * layout.threadsPerWarp[axis] * layout.warpsPerBlock[axis]
      repeats.append(max(1, (shape[axis] + tile - 1) / max(1, tile)))
      elements.append(max(1, min(layout.sizePerThread[axis], shape[axis])))
    }
    if let fastest = layout.order.first {
      elements[fastest] = max(1, elements[fastest] / max(1, width))
    }
    self.repeats = repeats
    self.elements = elements
    warps = layout.warpsPerBlock.reduce(1, *)
    count = warps * repeats.reduce(1, *) * elements.reduce(1, *)
  }

  /// The full index of a lane's first element; `index` has one place for each axis.
  func element(request: Int, lane: Int, into index: inout [Int]) {
    var rest = request
    var warp = rest % warps
    rest /= warps
    var lane = lane
    for axis in layout.order {
      let threads = max(1, layout.threadsPerWarp[axis])
      let warpsHere = max(1, layout.warpsPerBlock[axis])
      let (t, w) = (lane % threads, warp % warpsHere)
      lane /= threads
      warp /= warpsHere
      let piece = rest % elements[axis]
      rest /= elements[axis]
      let turn = rest % repeats[axis]
      rest /= repeats[axis]
      let size = layout.sizePerThread[axis]
      let step = axis == layout.order.first ? width : 1
      index[axis] = ((turn * warpsHere + w) * threads + t) * size + piece * step
      index[axis] %= max(1, shape[axis])
    }
  }
}
