/// What is provable about an integer or pointer tile along each axis, for every launch of the
/// specialisation: the same three facts that Triton's compiler tracks, with its rules.
///
/// `pid * 64 + arange(0, 64)` has contiguity 64, divisibility 64 and constancy 1.
public struct AxisFacts: Hashable, Sendable {
  /// Along each axis, groups of so many elements that rise by one.
  public var contiguity: [Int]
  /// The first element of each such group is a multiple of this (bytes for pointers).
  public var divisibility: [Int]
  /// Along each axis, groups of so many equal elements.
  public var constancy: [Int]
  /// The value, where every element is one known integer.
  public var constant: Int?

  public init(
    contiguity: [Int], divisibility: [Int], constancy: [Int], constant: Int? = nil
  ) {
    self.contiguity = contiguity
    self.divisibility = divisibility
    self.constancy = constancy
    self.constant = constant
  }

  /// Nothing known.
  public static func unknown(rank: Int) -> AxisFacts {
    let ones = Array(repeating: 1, count: max(1, rank))
    return AxisFacts(contiguity: ones, divisibility: ones, constancy: ones)
  }

  var rank: Int { contiguity.count }

  /// The largest power of two in a divisibility; everything divides zero.
  static let most = 1 << 30

  static func powerOfTwoDivisor(_ value: Int) -> Int {
    guard value != 0 else { return most }
    return min(most, 1 << min(30, value.trailingZeroBitCount))
  }

  static func gcd(_ a: Int, _ b: Int) -> Int {
    var (x, y) = (a.magnitude, b.magnitude)
    while y != 0 { (x, y) = (y, x % y) }
    return Int(min(x, UInt(most)))
  }

  static func product(_ a: Int, _ b: Int) -> Int {
    let (value, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow || value > most ? most : max(1, value)
  }

  /// What holds in both.
  func joined(_ other: AxisFacts) -> AxisFacts {
    guard rank == other.rank else { return .unknown(rank: rank) }
    func meet(_ a: [Int], _ b: [Int]) -> [Int] { zip(a, b).map(Self.gcd) }
    return AxisFacts(
      contiguity: meet(contiguity, other.contiguity),
      divisibility: meet(divisibility, other.divisibility),
      constancy: meet(constancy, other.constancy),
      constant: constant == other.constant ? constant : nil)
  }

  /// True where every element along every axis of `shape` is the same.
  func isUniform(_ shape: [Int]) -> Bool {
    zip(constancy, shape).allSatisfy { $0 >= $1 }
  }
}

/// What a value is computed from.
public struct Dependences: OptionSet, Hashable, Sendable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public static let programX = Dependences(rawValue: 1)
  public static let programY = Dependences(rawValue: 2)
  public static let programZ = Dependences(rawValue: 4)
  /// The contents of memory.
  public static let memory = Dependences(rawValue: 8)
  /// A run-time parameter.
  public static let parameter = Dependences(rawValue: 16)
  /// The position in the tile.
  public static let lane = Dependences(rawValue: 32)

  static func program(_ axis: Int) -> Dependences {
    switch axis {
    case 0: .programX
    case 1: .programY
    default: .programZ
    }
  }

  /// The loop with this index in program order; loops past the 50th share one mark.
  static func loop(_ index: Int) -> Dependences {
    Dependences(rawValue: 1 << UInt64(8 + min(index, 50)))
  }

  static let anyProgram: Dependences = [.programX, .programY, .programZ]
}
