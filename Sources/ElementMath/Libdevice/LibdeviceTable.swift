import TileIR

/// One libdevice function: the lanes it takes and gives, and its body.
struct LibdeviceEntry: Sendable {
  var operands: [ElementMath.Lane]
  var result: ElementMath.Lane
  var body: ElementFunction.Body
}

/// A part of the table: symbol and function.
typealias LibdeviceEntries = [(symbol: String, entry: LibdeviceEntry)]

/// NVIDIA's libdevice by symbol: `__nv_expf` and so on.
enum LibdeviceTable {
  static let entries: [String: LibdeviceEntry] = Dictionary(
    vectorised + elementary + special + arithmetic + rounding + conversions + integers,
    uniquingKeysWith: { first, _ in first })
}

extension ElementMath {
  /// The libdevice function that `Operation.Kind.external(symbol:)` names, or nil when there is none
  /// of that name on lanes of these types. Signed and unsigned integers of one width are taken for
  /// each other, as libdevice's declarations in Triton do.
  ///
  /// fp32 results are rounded once from an fp64 computation (2 ulp at most), integer and
  /// rounding-mode functions are exact. The `fast_` variants compute what their exact namesakes do.
  public static func function(
    symbol: String, operands: [ElementType], result: ElementType
  ) -> ElementFunction? {
    guard let entry = LibdeviceTable.entries[symbol], entry.operands.count == operands.count,
      zip(entry.operands, operands).allSatisfy({ $0.holds($1) }), entry.result.holds(result)
    else { return nil }
    return ElementFunction(operands, result, body: entry.body)
  }

  /// Every symbol that ``function(symbol:operands:result:)`` knows, sorted.
  public static var libdeviceSymbols: [String] { LibdeviceTable.entries.keys.sorted() }
}

extension ElementMath.Lane {
  fileprivate var isFloat: Bool { self == .float || self == .double }

  /// True for the element types whose own values need no rounding in these lanes.
  fileprivate func holds(_ element: ElementType) -> Bool {
    let lane = ElementMath.lane(element)
    if isFloat || lane.isFloat { return lane == self && (element == .fp32 || element == .fp64) }
    return lane.bytes == bytes && lane != .bool
  }
}

/// A Swift type with the lanes it stands for.
protocol LaneType: SendableMetatype {
  static var lane: ElementMath.Lane { get }
}
extension Float: LaneType { static var lane: ElementMath.Lane { .float } }
extension Double: LaneType { static var lane: ElementMath.Lane { .double } }
extension Int32: LaneType { static var lane: ElementMath.Lane { .int32 } }
extension UInt32: LaneType { static var lane: ElementMath.Lane { .uint32 } }
extension Int64: LaneType { static var lane: ElementMath.Lane { .int64 } }
extension UInt64: LaneType { static var lane: ElementMath.Lane { .uint64 } }

extension LibdeviceEntry {
  static func unary<A: LaneType, R: LaneType>(_ body: @escaping @Sendable (A) -> R) -> Self {
    LibdeviceEntry(operands: [A.lane], result: R.lane) { arguments, target, count in
      mapLanes(
        arguments[0].assumingMemoryBound(to: A.self), target.assumingMemoryBound(to: R.self),
        count, body)
    }
  }

  static func binary<A: LaneType, B: LaneType, R: LaneType>(
    _ body: @escaping @Sendable (A, B) -> R
  ) -> Self {
    LibdeviceEntry(operands: [A.lane, B.lane], result: R.lane) { arguments, target, count in
      let a = arguments[0].assumingMemoryBound(to: A.self)
      let b = arguments[1].assumingMemoryBound(to: B.self)
      let result = target.assumingMemoryBound(to: R.self)
      for lane in 0..<count { result[lane] = body(a[lane], b[lane]) }
    }
  }

  static func ternary<A: LaneType, B: LaneType, C: LaneType, R: LaneType>(
    _ body: @escaping @Sendable (A, B, C) -> R
  ) -> Self {
    LibdeviceEntry(operands: [A.lane, B.lane, C.lane], result: R.lane) {
      arguments, target, count in
      let a = arguments[0].assumingMemoryBound(to: A.self)
      let b = arguments[1].assumingMemoryBound(to: B.self)
      let c = arguments[2].assumingMemoryBound(to: C.self)
      let result = target.assumingMemoryBound(to: R.self)
      for lane in 0..<count { result[lane] = body(a[lane], b[lane], c[lane]) }
    }
  }

  static func quaternary<A: LaneType, R: LaneType>(
    _ body: @escaping @Sendable (A, A, A, A) -> R
  ) -> Self {
    LibdeviceEntry(operands: Array(repeating: A.lane, count: 4), result: R.lane) {
      arguments, target, count in
      let operands = arguments.map { $0.assumingMemoryBound(to: A.self) }
      let result = target.assumingMemoryBound(to: R.self)
      for lane in 0..<count {
        result[lane] = body(
          operands[0][lane], operands[1][lane], operands[2][lane], operands[3][lane])
      }
    }
  }

  static func floats(_ map: @escaping ElementMath.FloatMap) -> Self {
    LibdeviceEntry(operands: [.float], result: .float) { arguments, target, count in
      map(
        arguments[0].assumingMemoryBound(to: Float.self),
        target.assumingMemoryBound(to: Float.self), count)
    }
  }

  static func doubles(_ map: @escaping ElementMath.DoubleMap) -> Self {
    LibdeviceEntry(operands: [.double], result: .double) { arguments, target, count in
      map(
        arguments[0].assumingMemoryBound(to: Double.self),
        target.assumingMemoryBound(to: Double.self), count)
    }
  }
}
