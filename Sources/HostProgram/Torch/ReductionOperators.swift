import TileIR

/// Reductions and scans.
enum ReductionOperators {
  enum Kind: Sendable { case same, sumLike, toFloat, toBool, index }

  private static let names: [(Kind, String)] = [
    (.sumLike, "sum nansum"),
    (.toFloat, "mean nanmean std var logsumexp norm"),
    (.same, "amax amin"),
    (.toBool, "all any"),
    (.index, "argmax argmin count_nonzero"),
  ]

  static let table: [String: TorchOperator] = {
    var table: [String: TorchOperator] = [:]
    for (kind, list) in names {
      for name in list.split(separator: " ").map(String.init) where name != "norm" {
        let last = ["logsumexp", "amax", "amin", "all", "any", "argmax", "argmin"].contains(name)
        table[name] = TorchOperator(
          name == "count_nonzero" ? "input dim" : "input dim keepdim" + (last ? "" : " dtype")
        ) { ev, bound in
          let input = try bound.tensor("input")
          let result = try ev.reduce(
            input, bound["dim"], keepsDims: bound.bool("keepdim", default: false), kind,
            dtype: bound.dtype())
          if name == "sum", result.rank == 0, let contents = ev.knownContents(input) {
            ev.trace.readStorages.insert(input.storage)
            result.fill = try contents.reduce(Value.int(0)) { try ev.binary(.add, $0, $1) }
          }
          return .tensor(result)
        }
      }
    }
    for name in ["std", "var"] {
      table[name] = TorchOperator("input dim unbiased keepdim correction") { ev, bound in
        let dim = restateCorrection(ev, bound)
        return .tensor(
          try ev.reduce(
            try bound.tensor("input"), dim, keepsDims: bound.bool("keepdim", default: false),
            .toFloat, dtype: nil))
      }
      table["\(name)_mean"] = TorchOperator("input dim unbiased keepdim correction") { ev, bound in
        let input = try bound.tensor("input")
        let dim = restateCorrection(ev, bound)
        let keeps = try bound.bool("keepdim", default: false)
        return .makeTuple([
          .tensor(try ev.reduce(input, dim, keepsDims: keeps, .toFloat, dtype: nil)),
          .tensor(try ev.reduce(input, dim, keepsDims: keeps, .toFloat, dtype: nil)),
        ])
      }
    }
    for name in ["cumsum", "cumprod", "logcumsumexp"] {
      table[name] = TorchOperator("input dim dtype") { ev, bound in
        let input = try bound.tensor("input")
        _ = try ev.axis(bound.int("dim"), input)
        let element = try bound.dtype() ?? (input.element.isFloat ? input.element : .int64)
        return .tensor(try ev.makeLike(input, element))
      }
    }
    for name in ["cummax", "cummin"] {
      table[name] = TorchOperator("input dim") { ev, bound in
        let input = try bound.tensor("input")
        return .makeTuple([
          .tensor(try ev.makeLike(input)), .tensor(try ev.makeLike(input, .int64)),
        ])
      }
    }
    return table.merging(special) { _, new in new }
  }()

  private static let special: [String: TorchOperator] = [
    "max": TorchOperator("input dim keepdim other") { ev, bound in try extreme(ev, bound) },
    "min": TorchOperator("input dim keepdim other") { ev, bound in try extreme(ev, bound) },
    "median": TorchOperator("input dim keepdim") { ev, bound in try extreme(ev, bound) },
    "prod": TorchOperator("input dim keepdim dtype") { ev, bound in
      let input = try bound.tensor("input")
      let result = try ev.reduce(
        input, bound["dim"], keepsDims: bound.bool("keepdim", default: false), .sumLike,
        dtype: bound.dtype())
      if result.rank == 0, let contents = ev.knownContents(input) {
        ev.trace.readStorages.insert(input.storage)
        result.fill = try contents.reduce(Value.int(1)) { try ev.binary(.mul, $0, $1) }
      }
      return .tensor(result)
    },
    "norm": TorchOperator("input p dim keepdim dtype") { ev, bound in
      .tensor(
        try ev.reduce(
          try bound.tensor("input"), bound["dim"], keepsDims: bound.bool("keepdim", default: false),
          .toFloat, dtype: bound.dtype()))
    },
    "sort": TorchOperator("input dim descending stable") { ev, bound in
      let input = try bound.tensor("input")
      return .makeTuple([
        .tensor(try ev.makeLike(input)), .tensor(try ev.makeLike(input, .int64)),
      ])
    },
    "argsort": TorchOperator("input dim descending stable") { ev, bound in
      .tensor(try ev.makeLike(try bound.tensor("input"), .int64))
    },
    "topk": TorchOperator("input k dim largest sorted") { ev, bound in
      let input = try bound.tensor("input")
      let axis = try ev.axis(bound.int("dim", default: -1), input)
      var dims = input.dims
      if !dims.isEmpty { dims[axis] = try bound.int("k") }
      return .tuple(
        TupleObject(
          [
            .tensor(try ev.makeTensor(input.element, dims)),
            .tensor(try ev.makeTensor(.int64, dims)),
          ],
          fields: ["values", "indices"]))
    },
    "bincount": TorchOperator("input weights minlength") { ev, bound in
      let least = try bound.int("minlength", default: 1)
      if case .tensor(let input)? = bound.given("input"), let values = ev.readContents(input) {
        let largest = values.compactMap(\.asInt).map(\.value).max() ?? -1
        return .tensor(
          try ev.makeTensor(
            .int64, [SymInt(max(least.value, largest &+ 1), origin: .inputShape)]))
      }
      ev.note("assumed-content", "the size of this result depends on tensor contents")
      let count = least
      return .tensor(try ev.makeTensor(.int64, [count.raised(to: .unknown)]))
    },
    "softmax": TorchOperator("input dim _stacklevel dtype") { ev, bound in
      try softmax(ev, bound)
    },
    "log_softmax": TorchOperator("input dim _stacklevel dtype") { ev, bound in
      try softmax(ev, bound)
    },
    "softmin": TorchOperator("input dim _stacklevel dtype") { ev, bound in try softmax(ev, bound) },
    "normalize": TorchOperator("input p dim eps") { ev, bound in
      .tensor(try ev.makeLike(try bound.tensor("input")))
    },
    "cosine_similarity": TorchOperator("x1 x2 dim eps") { ev, bound in
      let tensors = [try bound.tensor("x1"), try bound.tensor("x2")]
      let first = tensors[0]
      let dims = try ev.broadcast(tensors.map(\.dims))
      let full = try ev.makeTensor(first.element, dims)
      return .tensor(
        try ev.reduce(
          full, .integer(bound.int("dim", default: 1)), keepsDims: false, .toFloat, dtype: nil))
    },
  ]

  /// `std` and `var` have `unbiased` where others have `keepdim`, and may be called with it alone:
  /// gives the axes, and records the correction.
  private static func restateCorrection(_ ev: Evaluator, _ bound: Bound) -> Value? {
    var (dim, flag) = (bound["dim"], bound["unbiased"])
    if case .boolean? = dim { (dim, flag) = (nil, dim) }
    var arguments: [String: Value] = ["dim": dim ?? .none, "unbiased": .none]
    if case .boolean(let isUnbiased)? = flag {
      arguments["correction"] = .int(isUnbiased.value ? 1 : 0)
    }
    ev.restate(nil, arguments)
    return dim
  }

  private static func softmax(_ ev: Evaluator, _ bound: Bound) throws -> Value {
    let input = try bound.tensor("input")
    if let dim = try bound.optionalInt("dim") {
      _ = try ev.axis(dim, input)
    } else {
      // Torch's choice where none is made (`_get_softmax_dim`).
      ev.restate(nil, ["dim": .int([0, 1, 3].contains(input.rank) ? 0 : 1)])
    }
    let result = try ev.makeTensor(try bound.dtype() ?? input.element, input.dims)
    result.rankSource = input.rankSource
    return .tensor(result)
  }

  /// `max`, `min` and `median`: one value, values and indices along an axis, or elementwise.
  private static func extreme(_ ev: Evaluator, _ bound: Bound) throws -> Value {
    let input = try bound.tensor("input")
    guard let dim = bound.given("other") ?? bound.given("dim") else {
      return .tensor(try ev.makeTensor(input.element, []))
    }
    if case .tensor = dim {
      ev.restate(bound.function == "min" ? "minimum" : "maximum", ["dim": .none, "other": dim])
      return .tensor(try ev.elementwise(.same, [.tensor(input), dim]))
    }
    let keeps = try bound.bool("keepdim", default: false)
    let values = try ev.reduce(input, dim, keepsDims: keeps, .same, dtype: nil)
    let indices = try ev.reduce(input, dim, keepsDims: keeps, .index, dtype: nil)
    return .tuple(TupleObject([.tensor(values), .tensor(indices)], fields: ["values", "indices"]))
  }
}

extension Evaluator {
  func reduce(
    _ input: TensorObject, _ dim: Value?, keepsDims: Bool, _ kind: ReductionOperators.Kind,
    dtype: ElementType?
  ) throws -> TensorObject {
    let gone = Set(try axes(dim, input))
    var dims: [SymInt] = []
    for (position, size) in input.dims.enumerated() {
      if gone.contains(position) {
        if keepsDims { dims.append(1) }
      } else {
        dims.append(size)
      }
    }
    let element: ElementType =
      if let dtype { dtype } else {
        switch kind {
        case .same: input.element
        case .sumLike: input.element.isFloat ? input.element : .int64
        case .toFloat: input.element.isFloat ? input.element : .fp32
        case .toBool: .int1
        case .index: .int64
        }
      }
    return try makeTensor(element, dims)
  }
}
