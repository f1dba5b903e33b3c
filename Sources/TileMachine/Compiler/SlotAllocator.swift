/// Gives virtual slots their place in the arena: slots that are never alive at once share bytes.
struct SlotAllocator {
  private(set) var offsets: [Int]
  private(set) var byteCount = 0

  /// - Parameters:
  ///   - fixed: slots that live throughout (constants, what the prologue makes), in order.
  ///   - isShared: false gives every slot bytes of its own.
  init(
    _ code: [MachineCompiler.Pending], slotBytes: [Int], fixed: [Int], isShared: Bool
  ) {
    offsets = Array(repeating: -1, count: slotBytes.count)
    for slot in fixed {
      offsets[slot] = byteCount
      byteCount += slotBytes[slot]
    }
    let ranges = Self.liveRanges(code, slots: slotBytes.count)
    var starts: [[Int]] = Array(repeating: [], count: code.count + 1)
    var ends: [[Int]] = Array(repeating: [], count: code.count + 1)
    for slot in slotBytes.indices where offsets[slot] < 0 {
      guard let range = ranges[slot] else {
        offsets[slot] = 0
        continue
      }
      starts[range.lowerBound].append(slot)
      ends[range.upperBound].append(slot)
    }
    // Free blocks by size: tiles come in few sizes, powers of two.
    var free: [Int: [Int]] = [:]
    for position in code.indices {
      for slot in starts[position] {
        let size = slotBytes[slot]
        if isShared, let place = free[size]?.popLast() {
          offsets[slot] = place
        } else {
          offsets[slot] = byteCount
          byteCount += size
        }
      }
      // A slot whose last use is here may be reused by later instructions only: handlers do not
      // expect their result to overlap an operand.
      for slot in ends[position] { free[slotBytes[slot], default: []].append(offsets[slot]) }
    }
  }

  /// First and last position at which each slot holds something that is still wanted. What lives
  /// when a loop begins and is used in it lives until the loop ends.
  private static func liveRanges(
    _ code: [MachineCompiler.Pending], slots: Int
  ) -> [ClosedRange<Int>?] {
    var loopEnds: [Int: Int] = [:]
    var open: [Int] = []
    for (position, pending) in code.enumerated() {
      if pending.flow == .loopBegin { open.append(position) }
      if pending.flow == .loopEnd, let begin = open.popLast() { loopEnds[begin] = position }
    }
    var ranges = [ClosedRange<Int>?](repeating: nil, count: slots)
    var loops: [(begin: Int, end: Int)] = []
    for (position, pending) in code.enumerated() {
      if pending.flow == .loopBegin, let end = loopEnds[position] { loops.append((position, end)) }
      if pending.flow == .loopEnd { loops.removeLast() }
      for slot in pending.writes + pending.reads {
        guard let range = ranges[slot] else {
          ranges[slot] = position...position
          continue
        }
        var last = max(range.upperBound, position)
        for loop in loops where range.lowerBound < loop.begin {
          last = max(last, loop.end)
          break
        }
        ranges[slot] = range.lowerBound...last
      }
    }
    return ranges
  }
}
