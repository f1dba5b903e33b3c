import TileIR

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What the machine knows of one block of memory, in the form the handlers read.
///
/// Addresses that kernels see are virtual: allocation `i` starts at ``DeviceMemory/base(of:)`` and
/// lies in the middle of a region of 2^40 bytes that belongs to it alone, so that an address that
/// runs over either end is still known to be meant for this tensor.
struct AllocationRecord {
  /// Where the bytes really are.
  var real: UnsafeMutableRawPointer
  /// The virtual address of the first byte.
  var base: Int
  var byteCount: Int
  /// log2 of the bytes of one granule, the unit of ``states`` and ``readers``.
  var granuleShift: Int
  /// One state per granule, see ``GranuleState``; nil while every byte is initialised and no
  /// launch writes here.
  var states: UnsafeMutablePointer<UInt16>?
  /// Which program of this launch read the granule last; nil unless the launch reads and writes.
  var readers: UnsafeMutablePointer<UInt16>?
  /// Whether some of it may be uninitialised: then `states` outlives a launch.
  var mayBeUninitialized = false
  var granules: Int { (byteCount + (1 << granuleShift) - 1) >> granuleShift }
}

/// The meaning of a shadow word.
enum GranuleState {
  /// Initialised before this launch.
  static let initialized: UInt16 = 0
  /// Nothing wrote it yet.
  static let uninitialized: UInt16 = 0xFFFF
  /// Read by more than one program (readers only).
  static let several: UInt16 = 0xFFFE
  /// Last changed by an atomic operation.
  static let atomic: UInt16 = 0xFFFD
  /// Programs are told apart modulo this number.
  static let programs = 0xFFFC

  /// The shadow word of the program with this number; never one of the words above.
  static func word(program: Int) -> UInt16 {
    UInt16(truncatingIfNeeded: program % programs) &+ 1
  }
}

/// The memory that a sequence of launches works on.
///
/// Confined to one task at a time; the programs of a launch share it.
public final class DeviceMemory: @unchecked Sendable {
  /// One tensor's storage.
  public struct Allocation: Hashable, Sendable {
    public let index: Int
  }

  /// How messages name an allocation and its elements.
  public struct Label: Sendable {
    public var name: String
    public var element: ElementType
    public var shape: [Int]
    public var strides: [Int]
    /// In elements, from the storage's start.
    public var offset: Int

    public init(
      name: String, element: ElementType, shape: [Int], strides: [Int], offset: Int = 0
    ) {
      self.name = name
      self.element = element
      self.shape = shape
      self.strides = strides
      self.offset = offset
    }
  }

  static let regionShift = 40

  var records: [AllocationRecord] = []
  public internal(set) var labels: [Label] = []

  public init() {}

  deinit {
    for record in records {
      free(record.states)
      free(record.readers)
    }
  }

  /// Makes `byteCount` bytes at `pointer` known; the caller keeps them alive.
  /// - Parameter isInitialized: false for memory that nothing wrote yet (`torch.empty`).
  /// - Returns: nil when the machine has no memory left for the shadow.
  public func register(
    _ pointer: UnsafeMutableRawPointer, byteCount: Int, label: Label, isInitialized: Bool
  ) -> Allocation? {
    let index = records.count
    guard index < 1 << 20, byteCount >= 0, byteCount < 1 << (Self.regionShift - 2) else {
      return nil
    }
    var record = AllocationRecord(
      real: pointer, base: Self.base(of: index), byteCount: byteCount,
      granuleShift: label.element.bytes.trailingZeroBitCount)
    if !isInitialized {
      guard let states = Self.shadow(record.granules) else { return nil }
      states.update(repeating: GranuleState.uninitialized, count: record.granules)
      record.states = states
      record.mayBeUninitialized = true
    }
    records.append(record)
    labels.append(label)
    return Allocation(index: index)
  }

  /// The address a kernel is given for the first byte.
  public static func base(of index: Int) -> Int {
    ((index &+ 1) << regionShift) &+ (1 << (regionShift - 1))
  }

  /// Takes note that something other than a launch wrote an element of so many bytes.
  public func markInitialized(_ allocation: Allocation, element: Int, bytes: Int) {
    guard records.indices.contains(allocation.index) else { return }
    let record = records[allocation.index]
    guard let states = record.states else { return }
    let first = (element * bytes) >> record.granuleShift
    let last = (element * bytes + bytes - 1) >> record.granuleShift
    for granule in max(0, first)...max(0, last) where granule < record.granules {
      states[granule] = GranuleState.initialized
    }
  }

  /// Whether any byte of the storage was never written.
  public func hasUninitialized(_ allocation: Allocation) -> Bool {
    guard records.indices.contains(allocation.index),
      let states = records[allocation.index].states
    else { return false }
    return Self.hasUninitialized(states, records[allocation.index].granules)
  }

  /// The number of granules (elements, as the label counts them) that were never written.
  public func uninitializedElements(_ allocation: Allocation) -> [Bool] {
    guard records.indices.contains(allocation.index) else { return [] }
    let record = records[allocation.index]
    guard let states = record.states else { return Array(repeating: false, count: record.granules) }
    return (0..<record.granules).map { states[$0] == GranuleState.uninitialized }
  }

  /// Gets shadows ready for a launch that writes `written` and reads `read` (allocation indices).
  /// - Returns: false when there is no memory for them.
  func prepare(written: Set<Int>, read: Set<Int>) -> Bool {
    for index in records.indices {
      let granules = records[index].granules
      if let states = records[index].states {
        for granule in 0..<granules where states[granule] != GranuleState.uninitialized {
          states[granule] = GranuleState.initialized
        }
      } else if written.contains(index) {
        guard let states = Self.shadow(granules) else { return false }
        records[index].states = states
      }
      if written.contains(index), read.contains(index) {
        free(records[index].readers)
        guard let readers = Self.shadow(granules) else { return false }
        records[index].readers = readers
      }
    }
    return true
  }

  /// Frees what only a launch needs.
  func finish() {
    for index in records.indices {
      free(records[index].readers)
      records[index].readers = nil
      guard let states = records[index].states else { continue }
      if records[index].mayBeUninitialized,
        Self.hasUninitialized(states, records[index].granules)
      {
        continue
      }
      free(states)
      records[index].states = nil
      records[index].mayBeUninitialized = false
    }
  }

  /// Looks at blocks without a branch inside: this is the part of a launch that one thread does.
  private static func hasUninitialized(
    _ states: UnsafeMutablePointer<UInt16>, _ count: Int
  ) -> Bool {
    var start = 0
    while start < count {
      let end = min(count, start + 4096)
      var largest: UInt16 = 0
      for granule in start..<end { largest = max(largest, states[granule]) }
      if largest == GranuleState.uninitialized { return true }
      start = end
    }
    return false
  }

  /// Zeroed words, touched only where used.
  private static func shadow(_ count: Int) -> UnsafeMutablePointer<UInt16>? {
    calloc(max(1, count), MemoryLayout<UInt16>.stride)?.assumingMemoryBound(to: UInt16.self)
  }
}
