/// One `String` per distinct identifier of a file: open addressing over the bytes of the source.
struct NameTable {
  private struct Slot {
    var hash: UInt32
    var lower: Int32
    var count: Int32
    var name: Int32
  }

  private var slots: [Slot]
  private var names: [String] = []
  private var mask: Int

  init() {
    slots = Array(repeating: Slot(hash: 0, lower: 0, count: -1, name: 0), count: 1024)
    mask = 1023
  }

  /// The string of the bytes `lower..<upper`, made by `make` the first time they are seen.
  @inline(__always)
  mutating func intern(
    _ bytes: SourceBytes, _ lower: Int, _ upper: Int, make: (Int, Int) -> String
  ) -> String {
    let hash = UInt32(truncatingIfNeeded: bytes.hash(lower, upper))
    let count = upper - lower
    var position = Int(hash) & mask
    while true {
      let slot = slots[position]
      if slot.count < 0 { break }
      if slot.hash == hash, Int(slot.count) == count,
        bytes.equal(Int(slot.lower), lower, length: count)
      {
        return names[Int(slot.name)]
      }
      position = (position + 1) & mask
    }
    let name = make(lower, upper)
    slots[position] = Slot(
      hash: hash, lower: Int32(truncatingIfNeeded: lower), count: Int32(truncatingIfNeeded: count),
      name: Int32(truncatingIfNeeded: names.count))
    names.append(name)
    if names.count * 2 > slots.count { grow() }
    return name
  }

  private mutating func grow() {
    let old = slots
    slots = Array(
      repeating: Slot(hash: 0, lower: 0, count: -1, name: 0), count: old.count * 4)
    mask = slots.count - 1
    for slot in old where slot.count >= 0 {
      var position = Int(slot.hash) & mask
      while slots[position].count >= 0 { position = (position + 1) & mask }
      slots[position] = slot
    }
  }
}
