import PythonSyntax
import TileIR

extension BuiltinTable {
  static let creation: [Builtin] = [
    Builtin("tl.arange", "start, end") { lowerer, arguments in
      guard let start = arguments["start"].integer, let end = arguments["end"].integer else {
        throw lowerer.valueError("arange's arguments must be of type tl.constexpr")
      }
      return .tensor(try lowerer.arange(start, end))
    },
    Builtin("tl.full", "shape, value, dtype") { lowerer, arguments in
      .tensor(
        try lowerer.full(
          try lowerer.shape(from: arguments["shape"]), arguments["value"],
          try arguments.element("dtype")))
    },
    Builtin("tl.zeros", "shape, dtype") { lowerer, arguments in
      .tensor(
        try lowerer.full(
          try lowerer.shape(from: arguments["shape"]), .int(0), try arguments.element("dtype")))
    },
    Builtin("tl.zeros_like", "input") { lowerer, arguments in
      let input = try arguments.tensor("input")
      return .tensor(try lowerer.full(input.shape, .int(0), input.element))
    },
    Builtin("core.to_tensor", "x") { lowerer, arguments in
      .tensor(try lowerer.toTensor(arguments["x"]))
    },
    Builtin("tl.cast", "input, dtype, fp_downcast_rounding=None, bitcast=False", method: true) {
      lowerer, arguments in try lowerer.castBuiltin(arguments)
    },
    Builtin("tl.to", "input, dtype, fp_downcast_rounding=None, bitcast=False", method: true) {
      lowerer, arguments in try lowerer.castBuiltin(arguments)
    },
    Builtin("core._promote_bfloat16_to_float32", "t") { lowerer, arguments in
      .tensor(try lowerer.promoteBFloat(try arguments.tensor("t")))
    },
  ]

  static let shapes: [Builtin] = [
    Builtin("tl.broadcast", "input, other") { lowerer, arguments in
      let (a, b) = try lowerer.broadcast(
        try arguments.tensor("input"), try arguments.tensor("other"))
      return .tuple(TupleValue([.tensor(a), .tensor(b)]))
    },
    Builtin("tl.broadcast_to", "input, *shape", method: true) { lowerer, arguments in
      let shape = try lowerer.shape(variadic: arguments.variadic)
      return .tensor(try lowerer.broadcast(try arguments.tensor("input"), to: shape))
    },
    Builtin("tl.expand_dims", "input, axis", method: true) { lowerer, arguments in
      let input = try lowerer.toTensor(arguments["input"])
      var axes: [PyValue] = [arguments["axis"]]
      if case .tuple(let tuple) = arguments["axis"] { axes = tuple.elements }
      let rank = input.shape.count + axes.count
      let places = try axes.map { try lowerer.wrapAxis($0, rank: rank) }
      guard Set(places).count == places.count else {
        throw lowerer.valueError("expand_dims received duplicate axes, normalized axes = \(places)")
      }
      return .tensor(
        try places.sorted().reduce(input) { try lowerer.expandDimsChecked($0, axis: $1) })
    },
    Builtin("tl.reshape", "input, *shape, can_reorder=False", method: true) { lowerer, arguments in
      let input = try arguments.tensor("input")
      let shape = try lowerer.shape(variadic: arguments.variadic)
      if shape.isEmpty { return .tensor(try lowerer.item(input)) }
      return .tensor(
        try lowerer.reshape(input, shape, canReorder: try arguments.bool("can_reorder")))
    },
    Builtin("tl.view", "input, *shape", method: true) { lowerer, arguments in
      .tensor(
        try lowerer.reshape(
          try arguments.tensor("input"), try lowerer.shape(variadic: arguments.variadic),
          canReorder: true))
    },
    Builtin("tl.ravel", "x, can_reorder=False", method: true) { lowerer, arguments in
      let input = try arguments.tensor("x")
      return .tensor(
        try lowerer.reshape(
          input, [input.type.count], canReorder: try arguments.bool("can_reorder")))
    },
    Builtin("tl.trans", "input, *dims", method: true) { lowerer, arguments in
      let input = try arguments.tensor("input")
      let rank = input.shape.count
      if arguments.variadic.isEmpty {
        guard rank >= 2 else {
          throw lowerer.valueError("tl.trans invoked with a 0- or 1-dimensional tensor")
        }
        return .tensor(try lowerer.permute(input, Array(0..<(rank - 2)) + [rank - 1, rank - 2]))
      }
      return .tensor(
        try lowerer.permute(input, try lowerer.integers(variadic: arguments.variadic)))
    },
    Builtin("tl.permute", "input, *dims", method: true) { lowerer, arguments in
      .tensor(
        try lowerer.permute(
          try arguments.tensor("input"), try lowerer.integers(variadic: arguments.variadic)))
    },
    Builtin("tl.cat", "input, other, can_reorder=False") { lowerer, arguments in
      let a = try arguments.tensor("input")
      let b = try arguments.tensor("other")
      guard try arguments.bool("can_reorder") else {
        throw lowerer.failure(
          "triton-assertion", "current implementation of 'cat' always may reorder elements")
      }
      guard a.shape.count == 1, b.shape.count == 1, a.element == b.element else {
        throw lowerer.failure("triton-assertion", "'cat' takes two 1-D tensors of one type")
      }
      let shape = [a.shape[0] + b.shape[0]]
      try lowerer.checkShape(shape)
      let type = TileType(a.element, shape)
      return .tensor(Tensor(lowerer.builder.emitTile(.cat, [a.value, b.value], type), type))
    },
    Builtin("tl.join", "a, b") { lowerer, arguments in
      .tensor(try lowerer.join(try arguments.tensor("a"), try arguments.tensor("b")))
    },
    Builtin("tl.interleave", "a, b") { lowerer, arguments in
      let joined = try lowerer.join(try arguments.tensor("a"), try arguments.tensor("b"))
      let rank = joined.shape.count
      if rank == 1 { return .tensor(joined) }
      let shape = Array(joined.shape.dropLast(2)) + [2 * joined.shape[rank - 2]]
      return .tensor(try lowerer.reshape(joined, shape, canReorder: false))
    },
    Builtin("tl.split", "a", method: true) { lowerer, arguments in
      var input = try arguments.tensor("a")
      let isFlat = input.shape.count == 1
      if isFlat { input = lowerer.expandDims(input, axis: 0) }
      guard input.shape.last == 2 else {
        throw lowerer.failure("triton-assertion", "'split' needs an innermost axis of 2")
      }
      let type = TileType(input.element, Array(input.shape.dropLast()))
      let halves = lowerer.builder.emit(
        .split, [input.value], results: [.tile(type), .tile(type)]
      ).map { Tensor($0, type) }
      return .tuple(
        TupleValue(halves.map { .tensor(isFlat ? lowerer.unsplat($0) : $0) }))
    },
    Builtin("tl.item", "input", method: true) { lowerer, arguments in
      .tensor(try lowerer.item(try arguments.tensor("input")))
    },
    Builtin("tl.gather", "src, index, axis", method: true) { lowerer, arguments in
      let source = try arguments.tensor("src")
      let index = try arguments.tensor("index")
      guard index.element.isInteger, index.shape.count == source.shape.count else {
        throw lowerer.failure(
          "triton-assertion", "'gather' needs an integer index of the source's rank")
      }
      let axis = try lowerer.wrapAxis(arguments["axis"], rank: source.shape.count)
      for other in source.shape.indices
      where other != axis && source.shape[other] != index.shape[other] {
        throw lowerer.failure(
          "triton-assertion", "index dim \(other) must match the corresponding source dim")
      }
      let type = TileType(source.element, index.shape)
      return .tensor(
        Tensor(
          lowerer.builder.emitTile(.gather(axis: axis), [source.value, index.value], type), type))
    },
  ]
}

extension Lowerer {
  func arange(_ start: Int128, _ end: Int128) throws -> Tensor {
    guard start >> 32 == 0, end >> 32 == 0 else { throw valueError("arange must fit in int32") }
    guard end > start else {
      throw valueError("arange's end argument must be greater than the start argument")
    }
    let count = end - start
    guard count & (count - 1) == 0 else {
      throw valueError("arange's range must be a power of 2, is \(count)")
    }
    try checkShape([Int(count)])
    return Tensor(
      builder.makeRange(Int(start), Int(end)), TileType(.int32, [Int(count)]))
  }

  func full(_ shape: [Int], _ value: PyValue, _ element: ElementType) throws -> Tensor {
    try checkFloat8(element)
    let scalar: Tensor
    if let tensor = value.tensor {
      guard tensor.type.count == 1 else {
        throw failure("triton-assertion", "'full' takes a scalar value")
      }
      scalar = try cast(tensor, to: element)
      guard !scalar.isBlock else {
        throw failure("triton-assertion", "cannot splat a block tensor")
      }
    } else {
      scalar = try scalarConstant(value, element)
    }
    return splat(scalar, shape)
  }

  func castBuiltin(_ arguments: BoundArguments) throws -> PyValue {
    let input = try toTensor(arguments["input"])
    let element = try arguments.element("dtype")
    if try arguments.bool("bitcast") { return .tensor(try bitcast(input, to: element)) }
    let rounding = try arguments.string("fp_downcast_rounding")
    return .tensor(try cast(input, to: element, rounding: rounding.isEmpty ? nil : rounding))
  }

  /// A shape given as a tuple of compile-time integers, checked.
  func shape(from value: PyValue) throws -> [Int] {
    guard case .tuple(let tuple) = value else {
      throw typeError("a shape must be a tuple or list, is '\(value.display)'")
    }
    var shape: [Int] = []
    for (axis, size) in tuple.elements.enumerated() {
      guard size.tensor == nil, let number = size.int64 else {
        throw typeError(
          "shape element \(axis) must have type 'constexpr[int]', is '\(size.typeName)'")
      }
      shape.append(number)
    }
    try checkShape(shape)
    return shape
  }

  /// `f(x, a, b)` or `f(x, (a, b))`.
  func shape(variadic values: [PyValue]) throws -> [Int] {
    if values.count == 1, case .tuple = values[0] { return try shape(from: values[0]) }
    return try shape(from: .tuple(TupleValue(values)))
  }

  func integers(variadic values: [PyValue]) throws -> [Int] {
    var items = values
    if values.count == 1, case .tuple(let tuple) = values[0] { items = tuple.elements }
    return try items.map {
      guard let number = $0.int64 else { throw valueError("dims must be constexpr integers") }
      return number
    }
  }

  func wrapAxis(_ axis: PyValue, rank: Int) throws -> Int {
    guard let number = axis.int64 else {
      throw valueError("axis must be a constexpr integer, is '\(axis.display)'")
    }
    guard number >= -rank, number < rank else {
      throw valueError("invalid axis \(number); expected \(-rank) <= axis < \(rank)")
    }
    return number < 0 ? number + rank : number
  }

  func reshape(_ tensor: Tensor, _ shape: [Int], canReorder: Bool) throws -> Tensor {
    try checkShape(shape)
    let type = TileType(tensor.element, shape)
    guard type.count == tensor.type.count else {
      throw valueError("reshape() cannot change total number of elements in tensor")
    }
    guard tensor.isBlock else { return splat(tensor, shape) }
    return Tensor(builder.reshape(tensor.value, shape, canReorder: canReorder), type)
  }

  func permute(_ tensor: Tensor, _ order: [Int]) throws -> Tensor {
    guard tensor.shape.count == order.count else {
      throw valueError("permute dims must have the same length as input shape")
    }
    guard order.sorted() == Array(tensor.shape.indices) else {
      throw valueError("permute dims must be a permutation of 0, 1, ..., n-1, but were \(order)")
    }
    let value = builder.trans(tensor.value, order: order)
    return Tensor(value, builder.tile(of: value))
  }

  func join(_ left: Tensor, _ right: Tensor) throws -> Tensor {
    guard left.element == right.element else {
      throw typeError("'join' needs operands of one type, got \(left.element) and \(right.element)")
    }
    var (a, b) = try broadcast(left, right)
    let isScalar = !a.isBlock
    if isScalar { (a, b) = (splat(a, [1]), splat(b, [1])) }
    try checkShape(a.shape + [2])
    let type = TileType(a.element, a.shape + [2])
    let joined = Tensor(builder.emitTile(.join, [a.value, b.value], type), type)
    return isScalar ? try reshape(joined, [2], canReorder: false) : joined
  }

  func item(_ tensor: Tensor) throws -> Tensor {
    guard tensor.isBlock else { return tensor }
    guard tensor.type.count == 1 else {
      throw failure("triton-assertion", "can only unsplat single-element tensors")
    }
    return unsplat(tensor)
  }

  /// A tile of one element as a scalar.
  func unsplat(_ tensor: Tensor) -> Tensor {
    let type = TileType(tensor.element)
    let combine: CombineKind = tensor.element.isInteger || tensor.element.isFloat ? .sum : .max
    let result = builder.emitTile(
      .reduce(axis: nil, combine: combine, keepDims: false), [tensor.value], type)
    return Tensor(result, type)
  }
}
