import PythonSyntax
import TileIR

extension BuiltinTable {
  static let reductions: [Builtin] = [
    Builtin("tl.sum", "input, axis=None, keep_dims=False, dtype=None", method: true) {
      lowerer, arguments in
      let input = try lowerer.widenForSum(try arguments.tensor("input"), arguments["dtype"])
      return .tensor(
        try lowerer.reduce(
          [input], arguments["axis"], .sum, keepDims: try arguments.bool("keep_dims"))[0])
    },
    extremum("max", .max, left: .argmaxLeft, fast: .argmaxFast),
    extremum("min", .min, left: .argminLeft, fast: .argminFast),
    argument("argmax", left: .argmaxLeft, fast: .argmaxFast),
    argument("argmin", left: .argminLeft, fast: .argminFast),
    Builtin("tl.xor_sum", "input, axis=None, keep_dims=False", method: true) { lowerer, arguments in
      .tensor(
        try lowerer.integerReduce(
          "xor_sum", try arguments.tensor("input"), arguments["axis"], .xor,
          keepDims: try arguments.bool("keep_dims")))
    },
    Builtin("tl.reduce_or", "input, axis, keep_dims=False", method: true) { lowerer, arguments in
      .tensor(
        try lowerer.integerReduce(
          "reduce_or", try arguments.tensor("input"), arguments["axis"], .or,
          keepDims: try arguments.bool("keep_dims")))
    },
    Builtin("tl.reduce", "input, axis, combine_fn, keep_dims=False", method: true) {
      lowerer, arguments in
      let inputs = try lowerer.inputs(arguments["input"])
      let results = try lowerer.reduce(
        inputs, arguments["axis"], combine: arguments["combine_fn"],
        keepDims: try arguments.bool("keep_dims"))
      if case .tuple = arguments["input"] {
        return .tuple(TupleValue(results.map { .tensor($0) }))
      }
      return .tensor(results[0])
    },
    Builtin("core._reduce_with_indices", "input, axis, combine_fn, keep_dims=False") {
      lowerer, arguments in
      let input = try arguments.tensor("input")
      let axis = arguments["axis"]
      let index = try lowerer.indexTile(input, axis)
      let results = try lowerer.reduce(
        [input, index], axis, combine: arguments["combine_fn"],
        keepDims: try arguments.bool("keep_dims"))
      return Lowerer.tuple(results)
    },
    Builtin("tl.histogram", "input, num_bins, mask=None", method: true) { lowerer, arguments in
      let input = try arguments.tensor("input")
      guard input.shape.count == 1, input.element.isInteger else {
        throw lowerer.failure("triton-assertion", "histogram only supports 1D integer input")
      }
      let bins = try arguments.integer("num_bins")
      try lowerer.checkShape([bins])
      var mask: Tensor?
      if !arguments["mask"].isNone {
        mask = try lowerer.broadcast(try lowerer.toTensor(arguments["mask"]), to: input.shape)
      }
      try lowerer.checkMask(mask)
      let type = TileType(.int32, [bins])
      return .tensor(
        Tensor(
          lowerer.builder.emitTile(
            .histogram(bins: bins, hasMask: mask != nil),
            [input.value] + (mask.map { [$0.value] } ?? []), type), type))
    },
  ]

  private static func extremum(
    _ name: String, _ combine: CombineKind, left: CombineKind, fast: CombineKind
  ) -> Builtin {
    Builtin(
      "tl.\(name)",
      "input, axis=None, return_indices=False, return_indices_tie_break_left=True, keep_dims=False",
      method: true
    ) { lowerer, arguments in
      let input = try arguments.tensor("input")
      let keep = try arguments.bool("keep_dims")
      if try arguments.bool("return_indices") {
        let isLeft = try arguments.bool("return_indices_tie_break_left")
        return try lowerer.reduceWithIndices(
          try lowerer.promoteBFloat(input), arguments["axis"], isLeft ? left : fast,
          keepDims: keep)
      }
      return .tensor(try lowerer.extremum(input, arguments["axis"], combine, keepDims: keep))
    }
  }

  private static func argument(_ name: String, left: CombineKind, fast: CombineKind) -> Builtin {
    Builtin("tl.\(name)", "input, axis, tie_break_left=True, keep_dims=False", method: true) {
      lowerer, arguments in
      let isLeft = try arguments.bool("tie_break_left")
      let pair = try lowerer.reduceWithIndices(
        try lowerer.promoteBFloat(try arguments.tensor("input")), arguments["axis"],
        isLeft ? left : fast, keepDims: try arguments.bool("keep_dims"))
      guard case .tuple(let tuple) = pair else { return pair }
      return tuple.elements[1]
    }
  }

  static let scans: [Builtin] = [
    Builtin("tl.cumsum", "input, axis=0, reverse=False, dtype=None", method: true) {
      lowerer, arguments in
      let input = try lowerer.widenForSum(
        try lowerer.promoteBFloat(try arguments.tensor("input")), arguments["dtype"])
      return .tensor(
        try lowerer.scan([input], arguments["axis"], .sum, reverse: try arguments.bool("reverse"))[
          0])
    },
    Builtin("tl.cumprod", "input, axis=0, reverse=False", method: true) { lowerer, arguments in
      let input = try lowerer.promoteBFloat(try arguments.tensor("input"))
      return .tensor(
        try lowerer.scan([input], arguments["axis"], .prod, reverse: try arguments.bool("reverse"))[
          0])
    },
    Builtin("tl.associative_scan", "input, axis, combine_fn, reverse=False", method: true) {
      lowerer, arguments in
      let inputs = try lowerer.inputs(arguments["input"])
      let axis = try lowerer.wrapAxis(arguments["axis"], rank: inputs[0].shape.count)
      let (kind, region) = try lowerer.combine(arguments["combine_fn"], inputs)
      let results = lowerer.builder.emit(
        .scan(axis: axis, combine: kind, reverse: try arguments.bool("reverse")),
        inputs.map(\.value), results: inputs.map { .tile($0.type) }, regions: region
      )
      let tensors = zip(results, inputs).map { PyValue.tensor(Tensor($0, $1.type)) }
      if case .tuple = arguments["input"] { return .tuple(TupleValue(tensors)) }
      return tensors[0]
    },
  ]
}

extension Lowerer {
  /// Triton's own combine functions, for code that names them.
  static let namedCombines: [String: CombineKind] = [
    "standard._sum_combine": .sum, "standard._prod_combine": .prod,
    "standard._elementwise_max": .max, "standard._elementwise_min": .min,
    "standard._xor_combine": .xor, "standard._or_combine": .or,
    "standard._argmax_combine_tie_break_left": .argmaxLeft,
    "standard._argmax_combine_tie_break_fast": .argmaxFast,
    "standard._argmin_combine_tie_break_left": .argminLeft,
    "standard._argmin_combine_tie_break_fast": .argminFast,
  ]

  func inputs(_ value: PyValue) throws -> [Tensor] {
    var items: [PyValue] = [value]
    if case .tuple(let tuple) = value { items = tuple.elements }
    let tensors = try items.map { item -> Tensor in
      guard let tensor = item.tensor else {
        throw typeError("'\(item.typeName)' cannot be reduced or scanned")
      }
      return tensor
    }
    guard let first = tensors.first else { throw typeError("nothing to reduce or scan") }
    guard tensors.allSatisfy({ $0.shape == first.shape }) else {
      throw failure("triton-assertion", "all inputs must have the same shape")
    }
    guard first.isBlock else { throw valueError("a scalar cannot be reduced or scanned") }
    return tensors
  }

  /// `tl.sum` and `tl.cumsum` widen small integers.
  func widenForSum(_ input: Tensor, _ dtype: PyValue) throws -> Tensor {
    if case .type(let type) = dtype, let element = type.element {
      return try cast(input, to: element)
    }
    guard input.element.isInteger, input.element.bits < 32 else { return input }
    return try cast(input, to: input.element.isSignedInteger ? .int32 : .uint32)
  }

  func extremum(_ input: Tensor, _ axis: PyValue, _ combine: CombineKind, keepDims: Bool) throws
    -> Tensor
  {
    var input = try promoteBFloat(input)
    if input.element.bits < 32 {
      input = try cast(input, to: input.element.isFloat ? .fp32 : .int32)
    }
    return try reduce([input], axis, combine, keepDims: keepDims)[0]
  }

  func integerReduce(
    _ name: String, _ input: Tensor, _ axis: PyValue, _ combine: CombineKind, keepDims: Bool
  ) throws -> Tensor {
    guard input.element.isInteger else {
      throw failure("triton-static-assert", "\(name) only supported for integers")
    }
    return try reduce([input], axis, combine, keepDims: keepDims)[0]
  }

  func reduce(
    _ inputs: [Tensor], _ axis: PyValue, _ combine: CombineKind, keepDims: Bool,
    region: [Region] = []
  ) throws -> [Tensor] {
    let first = inputs[0]
    guard first.isBlock else { throw valueError("a scalar cannot be reduced") }
    var place: Int?
    var shape = first.shape
    if axis.isNone {
      shape = keepDims ? Array(repeating: 1, count: shape.count) : []
    } else {
      let wrapped = try wrapAxis(axis, rank: shape.count)
      place = wrapped
      if keepDims { shape[wrapped] = 1 } else { shape.remove(at: wrapped) }
    }
    let types = inputs.map { TileType($0.element, shape) }
    let results = builder.emit(
      .reduce(axis: place, combine: combine, keepDims: keepDims), inputs.map(\.value),
      results: types.map { .tile($0) }, regions: region)
    return zip(results, types).map { Tensor($0, $1) }
  }

  func reduce(_ inputs: [Tensor], _ axis: PyValue, combine function: PyValue, keepDims: Bool) throws
    -> [Tensor]
  {
    let (kind, region) = try combine(function, inputs)
    return try reduce(inputs, axis, kind, keepDims: keepDims, region: region)
  }

  func reduceWithIndices(
    _ input: Tensor, _ axis: PyValue, _ combine: CombineKind, keepDims: Bool
  ) throws -> PyValue {
    let index = try indexTile(input, axis)
    return Self.tuple(try reduce([input, index], axis, combine, keepDims: keepDims))
  }

  /// The position along `axis` of each element.
  func indexTile(_ input: Tensor, _ axis: PyValue) throws -> Tensor {
    guard input.isBlock else { throw valueError("a scalar has no index of its maximum") }
    guard !axis.isNone else { throw typeError("'axis' is required where indices are returned") }
    let place = try wrapAxis(axis, rank: input.shape.count)
    var index = try arange(0, Int128(input.shape[place]))
    for other in input.shape.indices where other != place { index = expandDims(index, axis: other) }
    return try broadcast(index, to: input.shape)
  }

  func scan(_ inputs: [Tensor], _ axis: PyValue, _ combine: CombineKind, reverse: Bool) throws
    -> [Tensor]
  {
    guard inputs[0].isBlock else { throw valueError("a scalar cannot be scanned") }
    let place = try wrapAxis(axis, rank: inputs[0].shape.count)
    let results = builder.emit(
      .scan(axis: place, combine: combine, reverse: reverse), inputs.map(\.value),
      results: inputs.map { .tile($0.type) })
    return zip(results, inputs).map { Tensor($0, $1.type) }
  }

  /// The combine function as a named kind, or `.custom` with its region.
  func combine(_ function: PyValue, _ inputs: [Tensor]) throws -> (CombineKind, [Region]) {
    if case .builtin(let name) = function, let known = Self.namedCombines[name] {
      return (known, [])
    }
    guard case .function(let reference) = function else {
      throw typeError("the combine function must be a @triton.jit function")
    }
    let types = inputs.map { TileType($0.element) }
    let depth = builder.regionDepth
    let arguments = builder.beginRegion(arguments: (types + types).map { .tile($0) })
    do {
      let operands = zip(arguments, types + types).map { PyValue.tensor(Tensor($0, $1)) }
      let result = try inline(reference, operands, [])
      var results: [PyValue] = [result]
      if case .tuple(let tuple) = result { results = tuple.elements }
      let tensors = try results.map { try toTensor($0) }
      guard tensors.map(\.type) == types else {
        throw typeError(
          "the combine function returns \(tensors.map(\.type.description)) for \(types.map(\.description))"
        )
      }
      builder.emit(.yield, tensors.map(\.value))
    } catch {
      builder.discardRegions(above: depth)
      throw error
    }
    let region = builder.endRegion()
    if let known = Self.recognize(region) { return (known, []) }
    return (.custom, [region])
  }

  /// A region of one commutative operation on its two arguments.
  private static func recognize(_ region: Region) -> CombineKind? {
    guard region.arguments.count == 2, region.operations.count == 2,
      case .binary(let op) = region.operations[0].kind,
      Set(region.operations[0].operands) == Set(region.arguments),
      region.operations[1].operands == region.operations[0].results
    else { return nil }
    switch op {
    case .add: return .sum
    case .mul: return .prod
    case .maximum: return .max
    case .minimum: return .min
    case .and: return .and
    case .or: return .or
    case .xor: return .xor
    default: return nil
    }
  }
}
