/// A fault as a handler sees it; ``MachineFault`` is what people read.
struct RawFault: Sendable {
  enum Kind: Sendable, Equatable {
    /// An access outside every tensor, at `address`, of `bytes` bytes.
    case outOfBounds(isStore: Bool)
    case uninitialized
    /// `other` is the shadow word of the program that got there first.
    case writeWriteRace(other: UInt16)
    case readAfterForeignWrite(other: UInt16)
    case writeAfterForeignRead(other: UInt16)
    /// Two lanes of one store write different values to one address.
    case laneRace(otherLane: Int)
    case misaligned
    case divisionByZero
    /// 32-bit arithmetic wrapped: `used` is the address it led to, `address` the one meant.
    case offsetOverflow(used: Int)
    case wrongHint(HintProblem)
    case assumption
    case assertion
    case endless
    case indexOutOfRange(index: Int, count: Int)
  }

  struct HintProblem: Sendable, Equatable {
    var hint: String
    var value: Int
    var stated: Int
  }

  var kind: Kind
  var site: Int
  /// The lane in row-major order over the operation's tile.
  var lane: Int = 0
  var address: Int = 0
  var bytes: Int = 0
}
