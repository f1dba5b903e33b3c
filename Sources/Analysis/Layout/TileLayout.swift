/// How the elements of a tile lie over the threads of a block: Triton's blocked layout, and the
/// accumulator layout of tensor-core instructions written as one.
///
/// The product of `threadsPerWarp` is 32 and that of `warpsPerBlock` the number of warps unless axes
/// were removed; threads along a removed axis hold copies, which is why an index vector of 16 elements
/// beside a 64 × 16 tile costs 8 elements a thread and not 16 / 128.
struct TileLayout: Hashable, Sendable {
  var sizePerThread: [Int]
  var threadsPerWarp: [Int]
  var warpsPerBlock: [Int]
  /// Axes, fastest first.
  var order: [Int]

  var rank: Int { sizePerThread.count }

  /// The registers one thread needs for a tile of this shape (elements, copies included).
  func elementsPerThread(_ shape: [Int]) -> Int {
    guard shape.count == rank else {
      return max(1, shape.reduce(1, TileLayout.product) / 128)
    }
    var result = 1
    for axis in 0..<rank {
      let own = max(1, min(sizePerThread[axis], shape[axis]))
      let tile = max(1, sizePerThread[axis] * threadsPerWarp[axis] * warpsPerBlock[axis])
      let repeats = max(1, (shape[axis] + tile - 1) / tile)
      result = TileLayout.product(result, own * repeats)
    }
    return result
  }

  /// The layout of a tile that lacks `axis` (Triton's slice layout).
  func removing(axis: Int) -> TileLayout {
    guard (0..<rank).contains(axis) else { return self }
    var copy = self
    copy.sizePerThread.remove(at: axis)
    copy.threadsPerWarp.remove(at: axis)
    copy.warpsPerBlock.remove(at: axis)
    copy.order = order.filter { $0 != axis }.map { $0 > axis ? $0 - 1 : $0 }
    return copy
  }

  /// The layout of the transposed tile's source: `order[i]` is the source axis of result axis i.
  func permuted(back permutation: [Int]) -> TileLayout {
    guard permutation.count == rank, permutation.allSatisfy({ (0..<rank).contains($0) }) else {
      return self
    }
    var copy = self
    for (target, source) in permutation.enumerated() {
      copy.sizePerThread[source] = sizePerThread[target]
      copy.threadsPerWarp[source] = threadsPerWarp[target]
      copy.warpsPerBlock[source] = warpsPerBlock[target]
    }
    copy.order = order.map { permutation[$0] }
    return copy
  }

  static func product(_ a: Int, _ b: Int) -> Int {
    let (value, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? Int.max : value
  }
}

extension TileLayout {
  /// Triton's rule for a blocked layout: threads go along the fastest axis first, then warps; the
  /// last axis takes what is left.
  static func blocked(
    shape: [Int], sizePerThread: [Int], order: [Int], warps: Int
  ) -> TileLayout {
    let rank = shape.count
    var threads = Array(repeating: 1, count: rank)
    var warpsPer = Array(repeating: 1, count: rank)
    var lanesLeft = 32
    var warpsLeft = max(1, warps)
    var threadsLeft = 32 * warpsLeft
    for axis in order.dropLast() {
      let wanted = max(1, shape[axis] / max(1, sizePerThread[axis]))
      let block = max(1, min(threadsLeft, wanted))
      threads[axis] = max(1, min(block, lanesLeft))
      warpsPer[axis] = max(1, min(block / threads[axis], warpsLeft))
      warpsLeft = max(1, warpsLeft / warpsPer[axis])
      lanesLeft = max(1, lanesLeft / threads[axis])
      threadsLeft = max(1, threadsLeft / block)
    }
    if let last = order.last {
      threads[last] = lanesLeft
      warpsPer[last] = warpsLeft
    }
    return TileLayout(
      sizePerThread: sizePerThread, threadsPerWarp: threads, warpsPerBlock: warpsPer, order: order)
  }

  /// One element a thread, last axis fastest: what Triton gives a tile nothing else decides.
  static func standard(shape: [Int], warps: Int) -> TileLayout {
    blocked(
      shape: shape, sizePerThread: shape.map { _ in 1 }, order: Array((0..<shape.count).reversed()),
      warps: warps)
  }

  /// The axes by falling contiguity, fastest first; equal ones keep their order, so a tile nothing
  /// is known of has its threads along axis 0 (seen in Triton 3.6's output).
  static func order(byContiguity contiguity: [Int]) -> [Int] {
    Array(0..<contiguity.count).sorted {
      contiguity[$0] != contiguity[$1] ? contiguity[$0] > contiguity[$1] : $0 < $1
    }
  }

  /// The elements one thread may take in one access: contiguous, aligned, at most 16 bytes.
  static func elementsPerAccess(_ facts: AxisFacts, axis: Int, elementBytes: Int, extent: Int)
    -> Int
  {
    guard facts.rank > axis else { return 1 }
    let multiple = max(1, facts.divisibility[axis] / max(1, elementBytes))
    let run = min(facts.contiguity[axis], extent)
    return max(1, min(min(multiple, run), 16 / max(1, elementBytes)))
  }
}

/// How a dot's tiles lie over the warps.
struct DotLayout: Hashable, Sendable {
  enum Unit: String, Sendable {
    /// Warp-wide `mma.sync` m16n8: operands in registers.
    case warp
    /// Four-warp `wgmma`: operands in shared memory.
    case warpGroup
    /// No tensor cores: fused multiply-adds.
    case fma
  }
  var unit: Unit
  var warpsM: Int
  var warpsN: Int

  /// Triton's choice for a dot of this shape.
  /// - Parameter isChained: a dot's result reaches another dot (as unrolled loops make it).
  static func choose(
    m: Int, n: Int, warps: Int, usesTensorCores: Bool, hasWarpGroups: Bool, isChained: Bool
  ) -> DotLayout {
    guard usesTensorCores else { return DotLayout(unit: .fma, warpsM: warps, warpsN: 1) }
    if hasWarpGroups, warps % 4 == 0, m >= 64 {
      let groups = max(1, warps / 4)
      let alongM = max(1, min(groups, m / 64))
      return DotLayout(unit: .warpGroup, warpsM: 4 * alongM, warpsN: max(1, groups / alongM))
    }
    if isChained {
      return m >= n
        ? DotLayout(unit: .warp, warpsM: warps, warpsN: 1)
        : DotLayout(unit: .warp, warpsM: 1, warpsN: warps)
    }
    var (rows, columns) = (1, 1)
    while rows * columns < warps {
      if m / 16 / rows >= n / 16 / columns, rows < m / 16 { rows *= 2 } else { columns *= 2 }
    }
    return DotLayout(unit: .warp, warpsM: rows, warpsN: columns)
  }

  /// The accumulator's layout; batch axes in front are held by every warp.
  func accumulator(rank: Int, shape: [Int], warps: Int) -> TileLayout {
    guard unit != .fma, rank >= 2 else {
      let order = Array((0..<rank).reversed())
      var size = Array(repeating: 1, count: rank)
      let count = shape.reduce(1, TileLayout.product)
      // The FMA dot holds 4 × 4 (or smaller) patches a thread.
      if rank >= 2, count >= 32 * warps * 16 { (size[rank - 1], size[rank - 2]) = (4, 4) }
      return .blocked(shape: shape, sizePerThread: size, order: order, warps: warps)
    }
    var size = Array(repeating: 1, count: rank)
    var threads = size
    var warps = size
    (size[rank - 2], size[rank - 1]) = (2, 2)
    (threads[rank - 2], threads[rank - 1]) = (8, 4)
    (warps[rank - 2], warps[rank - 1]) = (warpsM, warpsN)
    return TileLayout(
      sizePerThread: size, threadsPerWarp: threads, warpsPerBlock: warps,
      order: Array((0..<rank).reversed()))
  }
}
