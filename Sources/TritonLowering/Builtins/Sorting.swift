import PythonSyntax
import TileIR

extension BuiltinTable {
  static let sorting: [Builtin] = [
    Builtin("tl.sort", "x, dim=None, descending=0") { lowerer, arguments in
      .tensor(
        try lowerer.sort(
          try arguments.tensor("x"), k: nil, dim: arguments["dim"],
          descending: try arguments.bool("descending")))
    },
    Builtin("tl.topk", "x, k, dim=None") { lowerer, arguments in
      .tensor(
        try lowerer.sort(
          try arguments.tensor("x"), k: try arguments.integer("k"), dim: arguments["dim"],
          descending: true))
    },
    Builtin("tl.bitonic_merge", "x, dim=None, descending=0") { lowerer, arguments in
      let x = try arguments.tensor("x")
      try lowerer.requireMinor(arguments["dim"], x)
      let stages = Lowerer.log2(x.shape.last ?? 1)
      let cube = try lowerer.hypercube(x)
      let merged = try lowerer.mergeHypercube(
        cube, stage: stages, order: try arguments.bool("descending") ? 1 : 0)
      return .tensor(try lowerer.reshape(merged, x.shape, canReorder: false))
    },
    Builtin("tl.flip", "x, dim=None", method: true) { lowerer, arguments in
      .tensor(try lowerer.flip(try arguments.tensor("x"), arguments["dim"]))
    },
  ]
}

/// Bitonic sorting on a tile seen as a hypercube of side 2, as Triton's library does it.
extension Lowerer {
  static func log2(_ size: Int) -> Int {
    size <= 1 ? 0 : Int.bitWidth - 1 - size.leadingZeroBitCount
  }

  func requireMinor(_ dim: PyValue, _ x: Tensor) throws {
    guard x.isBlock else { throw valueError("a scalar cannot be sorted") }
    guard dim.isNone || dim.int64 == x.shape.count - 1 else {
      throw failure("triton-static-assert", "only minor dimension is currently supported")
    }
  }

  func hypercube(_ x: Tensor) throws -> Tensor {
    let dims = Self.log2(x.type.count)
    return try reshape(
      x, dims == 0 ? [1] : Array(repeating: 2, count: dims), canReorder: false)
  }

  func sort(_ x: Tensor, k: Int?, dim: PyValue, descending: Bool) throws -> Tensor {
    try requireMinor(dim, x)
    let logN = Self.log2(x.shape[x.shape.count - 1])
    let logK = k.map { Self.log2($0) } ?? logN
    guard logK <= logN else { throw valueError("k exceeds the sorted axis") }
    var cube = try hypercube(x)
    let order = descending ? 1 : 0
    for stage in 1..<(logK + 1) {
      cube = try mergeHypercube(cube, stage: stage, order: stage < logN ? 2 : order)
    }
    for stage in (logK + 1)..<max(logK + 1, logN + 1) {
      let axis = PyValue.int(Int128(Self.log2(cube.type.count) - 1 - logK))
      cube = try extremum(cube, axis, descending ? .max : .min, keepDims: false)
      cube = try mergeHypercube(cube, stage: logK, order: stage < logN ? 2 : order)
    }
    return try reshape(cube, Array(x.shape.dropLast()) + [1 << logK], canReorder: false)
  }

  /// `order`: 0 ascending, 1 descending, 2 alternating.
  func mergeHypercube(_ x: Tensor, stage: Int, order: Int) throws -> Tensor {
    let dims = Self.log2(x.type.count)
    let flip: PyValue =
      order == 2 ? .tensor(try indicator(dims, stage)) : .int(Int128(order))
    var result = x
    for step in 0..<stage {
      result = try compareAndSwap(result, flip, stage - 1 - step)
    }
    return result
  }

  /// 0 and 1 along the `axis`-th innermost dimension.
  private func indicator(_ dims: Int, _ axis: Int) throws -> Tensor {
    guard axis < dims else { throw valueError("sort stage exceeds the tile") }
    var shape = Array(repeating: 1, count: dims)
    shape[dims - axis - 1] = 2
    return try reshape(try arange(0, 2), shape, canReorder: false)
  }

  private func compareAndSwap(_ x: Tensor, _ flip: PyValue, _ axis: Int) throws -> Tensor {
    let dims = Self.log2(x.type.count)
    guard let integer = ElementType.integer(bits: x.element.bits, signed: true) else {
      throw typeError("cannot sort \(x.element)")
    }
    let bits = try bitcast(x, to: integer)
    let both = try reduce([bits], .int(Int128(dims - 1 - axis)), .xor, keepDims: true)[0]
    let other = try bitcast(try bitwise(.xor, .tensor(bits), .tensor(both)), to: x.element)
    let isRight = try indicator(dims, axis)
    let greater = try compare(.gt, .tensor(x), .tensor(other))
    let wanted = try bitwise(.xor, flip, .tensor(isRight))
    let swaps = try compare(.ne, .tensor(greater), .tensor(wanted))
    return try select(swaps, .tensor(other), .tensor(x))
  }

  func flip(_ x: Tensor, _ dim: PyValue) throws -> Tensor {
    guard let number = dim.int64 else {
      throw typeError("tl.flip needs 'dim' as a constexpr integer")
    }
    let rank = x.shape.count
    guard number >= -rank, number < rank else {
      throw failure("triton-static-assert", "flip axis \(number) is out of range")
    }
    let axis = number < 0 ? number + rank : number
    let steps = Self.log2(x.shape[axis])
    guard let integer = ElementType.integer(bits: x.element.bits, signed: true) else {
      throw typeError("cannot flip \(x.element)")
    }
    let shape =
      Array(x.shape[..<axis]) + Array(repeating: 2, count: steps) + Array(x.shape[(axis + 1)...])
    var bits = try bitcast(x, to: integer)
    bits = shape.isEmpty ? bits : try reshape(bits, shape, canReorder: false)
    for step in 0..<steps {
      let both = try reduce([bits], .int(Int128(axis + step)), .xor, keepDims: true)[0]
      bits = try bitwise(.xor, .tensor(bits), .tensor(both))
    }
    return try bitcast(try reshape(bits, x.shape, canReorder: false), to: x.element)
  }
}
