/// A CUDA compute capability, such as 8.9.
public struct ComputeCapability: Sendable, Hashable, Comparable, CustomStringConvertible {
  public var major: Int
  public var minor: Int

  public init(_ major: Int, _ minor: Int) {
    self.major = major
    self.minor = minor
  }

  /// Reads `8.9`, `89`, `sm_89` or `sm_90a`; nil if the text is none of these.
  public init?(_ text: String) {
    var word = text.lowercased()
    for prefix in ["sm_", "sm", "compute_", "cc"] where word.hasPrefix(prefix) {
      word.removeFirst(prefix.count)
      break
    }
    if let last = word.last, last == "a" || last == "f" { word.removeLast() }
    let parts = word.split(separator: ".", omittingEmptySubsequences: false)
    if parts.count == 2, let major = Int(parts[0]), let minor = Int(parts[1]) {
      self.init(major, minor)
    } else if parts.count == 1, (2...3).contains(word.count), let number = Int(word), number > 0 {
      self.init(number / 10, number % 10)
    } else {
      return nil
    }
    guard (1...99).contains(major), (0...9).contains(minor) else { return nil }
  }

  /// `8.9`
  public var description: String { "\(major).\(minor)" }
  /// The compiler's name for it: `sm_89`.
  public var target: String { "sm_\(major)\(minor)" }

  public static func < (left: Self, right: Self) -> Bool {
    (left.major, left.minor) < (right.major, right.minor)
  }
}

/// What one streaming multiprocessor offers to resident blocks, and in which units it hands it out.
///
/// Sources: "Technical Specifications per Compute Capability" in the CUDA C++ Programming Guide for
/// the capacities; `cuda_occupancy.h` of the CUDA toolkit (12.8) for units, sub-partitions and blocks.
public struct MultiprocessorLimits: Sendable, Hashable {
  /// Threads in one warp.
  public var warpSize: Int
  public var maxThreadsPerBlock: Int
  public var maxThreads: Int
  public var maxWarps: Int
  public var maxBlocks: Int
  /// 32-bit registers in the register file.
  public var registers: Int
  public var maxRegistersPerThread: Int
  /// Registers are given to a warp in multiples of this.
  public var registerUnit: Int
  /// The register file is split evenly among this many sub-partitions; a warp lives in one.
  public var subPartitions: Int
  /// Shared memory that blocks on one multiprocessor can have together, bytes.
  public var sharedBytes: Int
  /// The most that one block can ask for (opt-in limit), bytes.
  public var maxSharedBytesPerBlock: Int
  /// What the driver reserves for each resident block, bytes.
  public var reservedSharedBytesPerBlock: Int
  /// Shared memory is given to a block in multiples of this, bytes.
  public var sharedUnit: Int
  /// The array that L1 cache and shared memory divide between them, bytes.
  public var l1AndSharedBytes: Int
  /// The sizes that the shared part of that array can be set to, bytes, ascending.
  public var sharedCarveouts: [Int]
}

extension MultiprocessorLimits {
  /// The limits of a compute capability, or nil if the table does not have it.
  public static func of(_ capability: ComputeCapability) -> MultiprocessorLimits? {
    table[capability]
  }

  /// Every compute capability in the table, ascending.
  public static var capabilities: [ComputeCapability] { table.keys.sorted() }

  private static let table: [ComputeCapability: MultiprocessorLimits] = [
    ComputeCapability(8, 0): make(warps: 64, blocks: 32, sharedKiB: 164, arrayKiB: 192),
    ComputeCapability(8, 6): make(warps: 48, blocks: 16, sharedKiB: 100, arrayKiB: 128),
    ComputeCapability(8, 9): make(warps: 48, blocks: 24, sharedKiB: 100, arrayKiB: 128),
    ComputeCapability(9, 0): make(warps: 64, blocks: 32, sharedKiB: 228, arrayKiB: 256),
    ComputeCapability(10, 0): make(warps: 64, blocks: 32, sharedKiB: 228, arrayKiB: 256),
    ComputeCapability(12, 0): make(warps: 48, blocks: 24, sharedKiB: 100, arrayKiB: 128),
  ]

  /// What differs between the capabilities; the rest is the same for all of them.
  private static func make(
    warps: Int, blocks: Int, sharedKiB: Int, arrayKiB: Int
  ) -> MultiprocessorLimits {
    MultiprocessorLimits(
      warpSize: 32, maxThreadsPerBlock: 1024, maxThreads: warps * 32, maxWarps: warps,
      maxBlocks: blocks, registers: 65536, maxRegistersPerThread: 255, registerUnit: 256,
      subPartitions: 4, sharedBytes: sharedKiB * 1024,
      maxSharedBytesPerBlock: (sharedKiB - 1) * 1024, reservedSharedBytesPerBlock: 1024,
      sharedUnit: 128, l1AndSharedBytes: arrayKiB * 1024,
      sharedCarveouts: [0, 8, 16, 32, 64, 100, 132, 164, 196, 228]
        .filter { $0 <= sharedKiB }.map { $0 * 1024 })
  }
}
