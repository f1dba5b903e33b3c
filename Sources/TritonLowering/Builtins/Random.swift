import PythonSyntax
import TileIR

extension BuiltinTable {
  static let random: [Builtin] = [
    Builtin("tl.philox_impl", "c0, c1, c2, c3, k0, k1, n_rounds=10") { lowerer, arguments in
      let counters = try ["c0", "c1", "c2", "c3"].map { try arguments.tensor($0) }
      return Lowerer.tuple(
        try lowerer.philoxRounds(
          counters, try arguments.tensor("k0"), try arguments.tensor("k1"),
          rounds: try arguments.integer("n_rounds")))
    },
    Builtin("tl.philox", "seed, c0, c1, c2, c3, n_rounds=10") { lowerer, arguments in
      let counters = try ["c0", "c1", "c2", "c3"].map { try lowerer.toTensor(arguments[$0]) }
      return Lowerer.tuple(
        try lowerer.philox(
          arguments["seed"], counters, rounds: try arguments.integer("n_rounds")))
    },
    Builtin("tl.randint4x", "seed, offset, n_rounds=10") { lowerer, arguments in
      Lowerer.tuple(try lowerer.randomIntegers(arguments, "offset"))
    },
    Builtin("tl.randint", "seed, offset, n_rounds=10") { lowerer, arguments in
      .tensor(try lowerer.randomIntegers(arguments, "offset")[0])
    },
    Builtin("tl.uint_to_uniform_float", "x") { lowerer, arguments in
      .tensor(try lowerer.uniform(try arguments.tensor("x")))
    },
    Builtin("tl.rand", "seed, offset, n_rounds=10") { lowerer, arguments in
      .tensor(try lowerer.uniform(try lowerer.randomIntegers(arguments, "offset")[0]))
    },
    Builtin("tl.rand4x", "seed, offsets, n_rounds=10") { lowerer, arguments in
      Lowerer.tuple(
        try lowerer.randomIntegers(arguments, "offsets").map { try lowerer.uniform($0) })
    },
    Builtin("tl.pair_uniform_to_normal", "u1, u2") { lowerer, arguments in
      Lowerer.tuple(
        try lowerer.normalPair(try arguments.tensor("u1"), try arguments.tensor("u2")))
    },
    Builtin("tl.randn", "seed, offset, n_rounds=10") { lowerer, arguments in
      let bits = try lowerer.randomIntegers(arguments, "offset")
      return .tensor(
        try lowerer.normalPair(try lowerer.uniform(bits[0]), try lowerer.uniform(bits[1]))[0])
    },
    Builtin("tl.randn4x", "seed, offset, n_rounds=10") { lowerer, arguments in
      let bits = try lowerer.randomIntegers(arguments, "offset").map { try lowerer.uniform($0) }
      return Lowerer.tuple(
        try lowerer.normalPair(bits[0], bits[1]) + (try lowerer.normalPair(bits[2], bits[3])))
    },
  ]
}

/// The counter-based generator Philox (Salmon et al., SC 2011) and what Triton derives from it.
extension Lowerer {
  static func tuple(_ tensors: [Tensor]) -> PyValue {
    .tuple(TupleValue(tensors.map { .tensor($0) }))
  }

  func philoxRounds(_ counters: [Tensor], _ key0: Tensor, _ key1: Tensor, rounds: Int) throws
    -> [Tensor]
  {
    let isNarrow = counters[0].element == .uint32
    guard isNarrow || counters[0].element == .uint64 else {
      throw failure("triton-static-assert", "dtype not supported in philox_impl")
    }
    guard rounds <= 1000 else { throw unsupported("size", "philox takes \(rounds) rounds") }
    // Multipliers and Weyl constants of Philox4x32 and Philox4x64.
    let keyA: Int128 = isNarrow ? 0x9E37_79B9 : 0x9E37_79B9_7F4A_7C15
    let keyB: Int128 = isNarrow ? 0xBB67_AE85 : 0xBB67_AE85_84CA_A73B
    let roundA = try toTensor(.int(isNarrow ? 0xD251_1F53 : 0xD2E7_470E_E14C_6C93))
    let roundB = try toTensor(.int(isNarrow ? 0xCD9E_8D57 : 0xCA5A_8263_9512_1157))
    var (c0, c1, c2, c3) = (counters[0], counters[1], counters[2], counters[3])
    var (k0, k1) = (key0, key1)
    func xor(_ a: Tensor, _ b: Tensor, _ c: Tensor) throws -> Tensor {
      try bitwise(.xor, .tensor(try bitwise(.xor, .tensor(a), .tensor(b))), .tensor(c))
    }
    for _ in 0..<max(0, rounds) {
      let (old0, old2) = (c0, c2)
      c0 = try xor(try umulhi(roundB, old2), c1, k0)
      c2 = try xor(try umulhi(roundA, old0), c3, k1)
      c1 = try multiply(.tensor(roundB), .tensor(old2))
      c3 = try multiply(.tensor(roundA), .tensor(old0))
      k0 = try add(.tensor(k0), .int(keyA))
      k1 = try add(.tensor(k1), .int(keyB))
    }
    return [c0, c1, c2, c3]
  }

  func philox(_ seed: PyValue, _ counters: [Tensor], rounds: Int) throws -> [Tensor] {
    let given = try toTensor(seed)
    guard given.element.isInteger else {
      throw failure("triton-static-assert", "the seed must be an integer")
    }
    let wide = try cast(given, to: .uint64)
    let bits = counters[0].element.bits
    let element: ElementType = bits == 32 ? .uint32 : .uint64
    let low: Tensor
    let high: Tensor
    if bits == 32 {
      let mask = PyValue.int(0xFFFF_FFFF)
      let shifted = try shiftRight(.tensor(wide), .int(32), logical: true)
      high = try cast(try bitwise(.and, .tensor(shifted), mask), to: .uint32)
      low = try cast(try bitwise(.and, .tensor(wide), mask), to: .uint32)
    } else {
      guard bits == 64 else {
        throw failure("triton-static-assert", "bitwidth not supported in philox")
      }
      high = try full([1], .int(0), .uint64)
      low = wide
    }
    return try philoxRounds(
      try counters.map { try bitcast($0, to: element) }, low, high, rounds: rounds)
  }

  func randomIntegers(_ arguments: BoundArguments, _ name: String) throws -> [Tensor] {
    guard case .tensor(let offset) = arguments[name] else {
      throw failure(
        "triton-attribute-error", "'\(name)' of '\(arguments.name)' must be a tensor")
    }
    let low = try cast(offset, to: .uint32)
    let zero = try multiply(.tensor(low), .int(0))
    var high = zero
    if offset.element.bits > 32 {
      let shifted = try shiftRight(
        .tensor(offset), .int(32), logical: !offset.element.isSignedInteger)
      high = try cast(shifted, to: .uint32)
    }
    return try philox(
      arguments["seed"], [low, high, zero, zero], rounds: try arguments.integer("n_rounds"))
  }

  func uniform(_ x: Tensor) throws -> Tensor {
    guard x.element.isInteger, x.element.bits >= 32 else {
      throw failure("triton-static-assert", "uint_to_uniform_float needs 32 or 64 bit integers")
    }
    let isNarrow = x.element.bits == 32
    let bits = try bitcast(x, to: isNarrow ? .int32 : .int64)
    // The largest factor for which the largest integer stays below 1 after rounding.
    let scale = try toTensor(.float(isNarrow ? 4.6566127342e-10 : 1.0842020432385337e-19))
    let isNegative = try compare(
      .lt, .tensor(bits), .tensor(try toTensor(.int(0))))
    let mirrored = try subtract(.tensor(try negate(bits)), .int(1))
    let folded = try select(isNegative, .tensor(mirrored), .tensor(bits))
    return try multiply(.tensor(folded), .tensor(scale))
  }

  func normalPair(_ u1: Tensor, _ u2: Tensor) throws -> [Tensor] {
    let first = try minMax(.maximum, try toTensor(.float(1.0e-7)), u1)
    let angle = try multiply(.float(6.283185307179586), .tensor(u2))
    let logarithm = try unaryMath(.log, .tensor(first))
    let radius = try unaryMath(
      .sqrt, .tensor(try multiply(.float(-2.0), .tensor(logarithm))))
    return [
      try multiply(.tensor(radius), .tensor(try unaryMath(.cos, .tensor(angle)))),
      try multiply(.tensor(radius), .tensor(try unaryMath(.sin, .tensor(angle)))),
    ]
  }
}
