import TileIR

/// How one load, store or atomic of the source reaches memory.
///
/// What the compiler can prove (contiguity, vector width) is separate from what the sampled programs
/// of the launch do (sectors, masked lanes); the latter is nil where addresses depend on data.
public struct AccessPattern: Sendable {
  public enum Kind: String, Sendable, Codable { case load, store, atomic }

  public var kind: Kind
  public var place: SourcePlace
  /// The kernel parameter the address starts from; nil if it is not one.
  public var tensor: String?
  /// Operations at this place: more than one where a loop was unrolled.
  public var copies: Int
  public var shape: [Int]
  public var element: ElementType
  /// The axis along which neighbouring elements are provably neighbours in memory; nil: none is.
  public var contiguousAxis: Int?
  /// Axes as threads run over them, fastest first.
  public var threadOrder: [Int]
  /// Bytes one thread moves with one instruction.
  public var vectorBytes: Int
  /// What keeps `vectorBytes` under 16; nil where nothing does.
  public var vectorLimit: String?
  public var isMasked: Bool
  public var isThroughBlock: Bool
  public var cacheModifier: String
  public var evictionPolicy: String
  /// The address depends on values loaded before.
  public var isDataDependent: Bool
  /// Program-id axes the address does not depend on: all programs along one read the same bytes.
  public var invariantPrograms: [Int]
  /// Lines of enclosing loops that the address does not depend on.
  public var invariantLoops: [SourcePlace]
  /// Loaded data feeds a dot.
  public var feedsDot: Bool

  /// Warp-level requests of the whole launch.
  public var requests: Double
  /// 32-byte sectors one request touches (sampled).
  public var sectorsPerRequest: Double?
  /// Of the 32 bytes of a sector, those the request asks for (sampled).
  public var bytesPerSector: Double?
  /// Distinct 128-byte lines one request touches (sampled).
  public var linesPerRequest: Double?
  /// Lanes that the mask leaves on, 0…1 (sampled).
  public var activeFraction: Double?
  /// Bytes all threads of the launch ask for.
  public var bytesRequested: Double
  /// The tensor's own size in bytes; nil if unknown.
  public var tensorBytes: Double?

  /// How often each byte of the tensor is asked for.
  public var reuse: Double? {
    guard let tensorBytes, tensorBytes > 0 else { return nil }
    return bytesRequested / tensorBytes
  }

  /// Bytes of all sectors touched by the launch's requests.
  public var sectorBytes: Double {
    guard let sectorsPerRequest else { return bytesRequested }
    return requests * sectorsPerRequest * 32
  }
}
