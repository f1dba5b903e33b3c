import Diagnostics
import ElementMath
import TileIR

/// Copies between a strided view of raw memory and numbers side by side.
enum StridedCopy {
  /// Reads every element of a view into `target`, in row-major order of its shape.
  static func read(
    _ memory: UnsafeRawPointer, _ element: ElementType, _ layout: TensorStorage.Layout,
    _ walk: Walk,
    into target: UnsafeMutablePointer<Double>
  ) {
    switch format(element, layout) {
    case .fp64: gatherReals(memory, Double.self, walk, target)
    case .fp32: gatherReals(memory, Float.self, walk, target)
    case .int1: gatherReals(memory, BoolCell.self, walk, target)
    case .int8: gatherReals(memory, Int8.self, walk, target)
    case .int16: gatherReals(memory, Int16.self, walk, target)
    case .int32: gatherReals(memory, Int32.self, walk, target)
    case .int64: gatherReals(memory, Int64.self, walk, target)
    case .uint8: gatherReals(memory, UInt8.self, walk, target)
    case .uint16: gatherReals(memory, UInt16.self, walk, target)
    case .uint32: gatherReals(memory, UInt32.self, walk, target)
    case .uint64: gatherReals(memory, UInt64.self, walk, target)
    default:
      forEachChunk(memory, element, walk) { chunk, position, count in
        (target + position).update(from: chunk, count: count)
      }
    }
  }

  /// The same for the integer domain; floating elements are truncated as torch converts them.
  static func read(
    _ memory: UnsafeRawPointer, _ element: ElementType, _ layout: TensorStorage.Layout,
    _ walk: Walk,
    into target: UnsafeMutablePointer<Int64>
  ) {
    switch format(element, layout) {
    case .fp64: gatherIntegers(memory, Double.self, walk, target)
    case .fp32: gatherIntegers(memory, Float.self, walk, target)
    case .int1: gatherIntegers(memory, BoolCell.self, walk, target)
    case .int8: gatherIntegers(memory, Int8.self, walk, target)
    case .int16: gatherIntegers(memory, Int16.self, walk, target)
    case .int32: gatherIntegers(memory, Int32.self, walk, target)
    case .int64: gatherIntegers(memory, Int64.self, walk, target)
    case .uint8: gatherIntegers(memory, UInt8.self, walk, target)
    case .uint16: gatherIntegers(memory, UInt16.self, walk, target)
    case .uint32: gatherIntegers(memory, UInt32.self, walk, target)
    case .uint64: gatherIntegers(memory, UInt64.self, walk, target)
    default:
      forEachChunk(memory, element, walk) { chunk, position, count in
        for index in 0..<count { target[position &+ index] = truncated(chunk[index]) }
      }
    }
  }

  /// Writes numbers into every element of a view, each rounded to the element type.
  static func write(
    _ source: UnsafePointer<Double>, to memory: UnsafeMutableRawPointer, _ element: ElementType,
    _ layout: TensorStorage.Layout, _ walk: Walk
  ) {
    switch format(element, layout) {
    case .fp64: scatterReals(source, memory, Double.self, walk)
    case .fp32: scatterReals(source, memory, Float.self, walk)
    case .int1: scatterReals(source, memory, BoolCell.self, walk)
    case .int8: scatterReals(source, memory, Int8.self, walk)
    case .int16: scatterReals(source, memory, Int16.self, walk)
    case .int32: scatterReals(source, memory, Int32.self, walk)
    case .int64: scatterReals(source, memory, Int64.self, walk)
    case .uint8: scatterReals(source, memory, UInt8.self, walk)
    case .uint16: scatterReals(source, memory, UInt16.self, walk)
    case .uint32: scatterReals(source, memory, UInt32.self, walk)
    case .uint64: scatterReals(source, memory, UInt64.self, walk)
    default:
      fillChunks(memory, element, walk) { chunk, position, count in
        chunk.update(from: source + position, count: count)
      }
    }
  }

  static func write(
    _ source: UnsafePointer<Int64>, to memory: UnsafeMutableRawPointer, _ element: ElementType,
    _ layout: TensorStorage.Layout, _ walk: Walk
  ) {
    switch format(element, layout) {
    case .fp64: scatterIntegers(source, memory, Double.self, walk)
    case .fp32: scatterIntegers(source, memory, Float.self, walk)
    case .int1: scatterIntegers(source, memory, BoolCell.self, walk)
    case .int8: scatterIntegers(source, memory, Int8.self, walk)
    case .int16: scatterIntegers(source, memory, Int16.self, walk)
    case .int32: scatterIntegers(source, memory, Int32.self, walk)
    case .int64: scatterIntegers(source, memory, Int64.self, walk)
    case .uint8: scatterIntegers(source, memory, UInt8.self, walk)
    case .uint16: scatterIntegers(source, memory, UInt16.self, walk)
    case .uint32: scatterIntegers(source, memory, UInt32.self, walk)
    case .uint64: scatterIntegers(source, memory, UInt64.self, walk)
    default:
      fillChunks(memory, element, walk) { chunk, position, count in
        for index in 0..<count { chunk[index] = Double(source[position &+ index]) }
      }
    }
  }

  /// The type an element really has in memory.
  private static func format(_ element: ElementType, _ layout: TensorStorage.Layout) -> ElementType
  {
    layout == .doubles && element.isFloat ? .fp64 : element
  }

  @inline(__always)
  private static func gatherReals<C: Cell>(
    _ memory: UnsafeRawPointer, _: C.Type, _ walk: Walk, _ target: UnsafeMutablePointer<Double>
  ) {
    let cells = memory.assumingMemoryBound(to: C.self)
    let (size, step) = (walk.rowSize, walk.rowStride)
    walk.forEachRow { start, position in
      let row = target + position
      if step == 1 {
        let source = cells + start
        for index in 0..<size { row[index] = source[index].double }
      } else if step == 0 {
        let value = cells[start].double
        for index in 0..<size { row[index] = value }
      } else {
        for index in 0..<size { row[index] = cells[start &+ index &* step].double }
      }
    }
  }

  @inline(__always)
  private static func gatherIntegers<C: Cell>(
    _ memory: UnsafeRawPointer, _: C.Type, _ walk: Walk, _ target: UnsafeMutablePointer<Int64>
  ) {
    let cells = memory.assumingMemoryBound(to: C.self)
    let (size, step) = (walk.rowSize, walk.rowStride)
    walk.forEachRow { start, position in
      let row = target + position
      for index in 0..<size { row[index] = cells[start &+ index &* step].int64 }
    }
  }

  @inline(__always)
  private static func scatterReals<C: Cell>(
    _ source: UnsafePointer<Double>, _ memory: UnsafeMutableRawPointer, _: C.Type, _ walk: Walk
  ) {
    let cells = memory.assumingMemoryBound(to: C.self)
    let (size, step) = (walk.rowSize, walk.rowStride)
    walk.forEachRow { start, position in
      let row = source + position
      if step == 1 {
        let target = cells + start
        for index in 0..<size { target[index] = C(rounding: row[index]) }
      } else {
        for index in 0..<size { cells[start &+ index &* step] = C(rounding: row[index]) }
      }
    }
  }

  @inline(__always)
  private static func scatterIntegers<C: Cell>(
    _ source: UnsafePointer<Int64>, _ memory: UnsafeMutableRawPointer, _: C.Type, _ walk: Walk
  ) {
    let cells = memory.assumingMemoryBound(to: C.self)
    let (size, step) = (walk.rowSize, walk.rowStride)
    walk.forEachRow { start, position in
      let row = source + position
      for index in 0..<size { cells[start &+ index &* step] = C(wrapping: row[index]) }
    }
  }

  // MARK: Floats narrower than fp32

  /// Elements decoded at a time.
  private static let chunkSize = 512

  /// Calls `body` with pieces of each row as fp64, and how many elements stand before the piece.
  private static func forEachChunk(
    _ memory: UnsafeRawPointer, _ element: ElementType, _ walk: Walk,
    _ body: (_ chunk: UnsafePointer<Double>, _ position: Int, _ count: Int) -> Void
  ) {
    let (size, step, bytes) = (walk.rowSize, walk.rowStride, element.bytes)
    withScratch { lanes, numbers, cells in
      walk.forEachRow { start, position in
        var done = 0
        while done < size {
          let count = min(chunkSize, size &- done)
          let first = memory + (start &+ done &* step) &* bytes
          if step != 1 {
            for index in 0..<count {
              (cells + index &* bytes).copyMemory(
                from: first + index &* step &* bytes, byteCount: bytes)
            }
          }
          let source = step == 1 ? first : UnsafeRawPointer(cells)
          if let format = Float8Format.named(element) {
            for index in 0..<count {
              let code = source.load(fromByteOffset: index, as: UInt8.self)
              numbers[index] = format.decode(UInt32(code))
            }
          } else {
            ElementMath.decode(element, from: source, to: lanes, count: count)
            ElementMath.widen(lanes, to: numbers, count: count)
          }
          body(numbers, position &+ done, count)
          done &+= count
        }
      }
    }
  }

  /// Writes what `body` fills in, each number rounded once to the element type.
  private static func fillChunks(
    _ memory: UnsafeMutableRawPointer, _ element: ElementType, _ walk: Walk,
    _ body: (_ chunk: UnsafeMutablePointer<Double>, _ position: Int, _ count: Int) -> Void
  ) {
    let (size, step, bytes) = (walk.rowSize, walk.rowStride, element.bytes)
    withScratch { lanes, numbers, cells in
      walk.forEachRow { start, position in
        var done = 0
        while done < size {
          let count = min(chunkSize, size &- done)
          body(numbers, position &+ done, count)
          if let format = Float8Format.named(element) {
            for index in 0..<count {
              let code = UInt8(truncatingIfNeeded: format.encode(numbers[index]))
              cells.storeBytes(of: code, toByteOffset: index, as: UInt8.self)
            }
          } else {
            ElementMath.narrow(numbers, to: element, target: lanes, count: count)
            ElementMath.encodeExact(element, from: lanes, to: cells, count: count)
          }
          let first = memory + (start &+ done &* step) &* bytes
          if step == 1 {
            first.copyMemory(from: cells, byteCount: count &* bytes)
          } else {
            for index in 0..<count {
              (first + index &* step &* bytes).copyMemory(
                from: cells + index &* bytes, byteCount: bytes)
            }
          }
          done &+= count
        }
      }
    }
  }

  private static func withScratch(
    _ body: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Double>, UnsafeMutableRawPointer) ->
      Void
  ) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: chunkSize) { lanes in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: chunkSize) { numbers in
        withUnsafeTemporaryAllocation(byteCount: chunkSize * 2, alignment: 16) { cells in
          guard let a = lanes.baseAddress, let b = numbers.baseAddress, let c = cells.baseAddress
          else { return }
          body(a, b, c)
        }
      }
    }
  }
}
