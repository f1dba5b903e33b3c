import Diagnostics
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
    case .fp16: gatherReals(memory, HalfCell.self, walk, target)
    case .bf16: gatherReals(memory, BrainCell.self, walk, target)
    case .int1: gatherReals(memory, BoolCell.self, walk, target)
    case .int8: gatherReals(memory, Int8.self, walk, target)
    case .int16: gatherReals(memory, Int16.self, walk, target)
    case .int32: gatherReals(memory, Int32.self, walk, target)
    case .int64: gatherReals(memory, Int64.self, walk, target)
    case .uint8: gatherReals(memory, UInt8.self, walk, target)
    case .uint16: gatherReals(memory, UInt16.self, walk, target)
    case .uint32: gatherReals(memory, UInt32.self, walk, target)
    case .uint64: gatherReals(memory, UInt64.self, walk, target)
    case .fp8e4nv, .fp8e5, .fp8e4b15, .fp8e4b8, .fp8e5b16, .pointer:
      guard let small = SmallFloat.eightBits(element) else { return }
      let table = (0..<256).map { small.decode($0) }
      let (size, step) = (walk.rowSize, walk.rowStride)
      let cells = memory.assumingMemoryBound(to: UInt8.self)
      walk.forEachRow { start, position in
        for index in 0..<size {
          target[position &+ index] = table[Int(cells[start &+ index &* step])]
        }
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
    case .fp16: gatherIntegers(memory, HalfCell.self, walk, target)
    case .bf16: gatherIntegers(memory, BrainCell.self, walk, target)
    case .int1: gatherIntegers(memory, BoolCell.self, walk, target)
    case .int8: gatherIntegers(memory, Int8.self, walk, target)
    case .int16: gatherIntegers(memory, Int16.self, walk, target)
    case .int32: gatherIntegers(memory, Int32.self, walk, target)
    case .int64: gatherIntegers(memory, Int64.self, walk, target)
    case .uint8: gatherIntegers(memory, UInt8.self, walk, target)
    case .uint16: gatherIntegers(memory, UInt16.self, walk, target)
    case .uint32: gatherIntegers(memory, UInt32.self, walk, target)
    case .uint64: gatherIntegers(memory, UInt64.self, walk, target)
    case .fp8e4nv, .fp8e5, .fp8e4b15, .fp8e4b8, .fp8e5b16, .pointer:
      guard let small = SmallFloat.eightBits(element) else { return }
      let (size, step) = (walk.rowSize, walk.rowStride)
      let cells = memory.assumingMemoryBound(to: UInt8.self)
      walk.forEachRow { start, position in
        for index in 0..<size {
          target[position &+ index] = truncated(
            small.decode(UInt32(cells[start &+ index &* step])))
        }
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
    case .fp16: scatterReals(source, memory, HalfCell.self, walk)
    case .bf16: scatterReals(source, memory, BrainCell.self, walk)
    case .int1: scatterReals(source, memory, BoolCell.self, walk)
    case .int8: scatterReals(source, memory, Int8.self, walk)
    case .int16: scatterReals(source, memory, Int16.self, walk)
    case .int32: scatterReals(source, memory, Int32.self, walk)
    case .int64: scatterReals(source, memory, Int64.self, walk)
    case .uint8: scatterReals(source, memory, UInt8.self, walk)
    case .uint16: scatterReals(source, memory, UInt16.self, walk)
    case .uint32: scatterReals(source, memory, UInt32.self, walk)
    case .uint64: scatterReals(source, memory, UInt64.self, walk)
    case .fp8e4nv, .fp8e5, .fp8e4b15, .fp8e4b8, .fp8e5b16, .pointer:
      guard let small = SmallFloat.eightBits(element) else { return }
      let (size, step) = (walk.rowSize, walk.rowStride)
      let cells = memory.assumingMemoryBound(to: UInt8.self)
      walk.forEachRow { start, position in
        for index in 0..<size {
          cells[start &+ index &* step] = UInt8(
            truncatingIfNeeded: small.encode(source[position &+ index]))
        }
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
    case .fp16: scatterIntegers(source, memory, HalfCell.self, walk)
    case .bf16: scatterIntegers(source, memory, BrainCell.self, walk)
    case .int1: scatterIntegers(source, memory, BoolCell.self, walk)
    case .int8: scatterIntegers(source, memory, Int8.self, walk)
    case .int16: scatterIntegers(source, memory, Int16.self, walk)
    case .int32: scatterIntegers(source, memory, Int32.self, walk)
    case .int64: scatterIntegers(source, memory, Int64.self, walk)
    case .uint8: scatterIntegers(source, memory, UInt8.self, walk)
    case .uint16: scatterIntegers(source, memory, UInt16.self, walk)
    case .uint32: scatterIntegers(source, memory, UInt32.self, walk)
    case .uint64: scatterIntegers(source, memory, UInt64.self, walk)
    case .fp8e4nv, .fp8e5, .fp8e4b15, .fp8e4b8, .fp8e5b16, .pointer:
      guard let small = SmallFloat.eightBits(element) else { return }
      let (size, step) = (walk.rowSize, walk.rowStride)
      let cells = memory.assumingMemoryBound(to: UInt8.self)
      walk.forEachRow { start, position in
        for index in 0..<size {
          cells[start &+ index &* step] = UInt8(
            truncatingIfNeeded: small.encode(Double(source[position &+ index])))
        }
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
}

/// Rounding numbers to an element type without storing them.
enum Rounding {
  /// The value a tensor of this type would hold.
  static func round(_ value: Double, to element: ElementType) -> Double {
    switch element {
    case .fp64: value
    case .fp32: Double(Float(value))
    case .fp16: HalfCell(rounding: value).double
    case .bf16: BrainCell(rounding: value).double
    case .fp8e4nv, .fp8e5, .fp8e4b15, .fp8e4b8, .fp8e5b16:
      SmallFloat.eightBits(element).map { $0.decode($0.encode(value)) } ?? value
    default: value
    }
  }

  static func round(_ numbers: Reals, to element: ElementType) {
    guard element.isFloat, element != .fp64 else { return }
    let base = numbers.base
    if element == .fp32 {
      for index in 0..<numbers.count { base[index] = Double(Float(base[index])) }
    } else {
      for index in 0..<numbers.count { base[index] = round(base[index], to: element) }
    }
  }
}
