enum NormalizationLayers {
  static let table: [String: Layer] = {
    var table: [String: Layer] = [:]
    for name in ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm"] {
      let ranks: [String: [Int]] = [
        "BatchNorm1d": [2, 3], "BatchNorm2d": [4], "BatchNorm3d": [5],
      ]
      table[name] = Layer(
        "num_features eps momentum affine track_running_stats device dtype",
        build: { ev, object, bound in
          try fill(ev, object, bound, affine: true, tracks: true)
        },
        forward: { ev, object, arguments in
          let input = try BuiltinFunctions.first(ev, arguments, "forward")
          if case .tensor(let tensor) = input, let expected = ranks[name] {
            try ev.requireRank(tensor, expected, name)
          }
          return try ev.callTorch(
            "batch_norm",
            [
              input, object["running_mean"] ?? Value.none, object["running_var"] ?? Value.none,
              object["weight"] ?? Value.none, object["bias"] ?? Value.none,
              .bool(try usesBatchStatistics(ev, object)), object["momentum"] ?? Value.none,
              object["eps"] ?? Value.none,
            ])
        })
    }
    for name in ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"] {
      table[name] = Layer(
        "num_features eps momentum affine track_running_stats device dtype",
        build: { ev, object, bound in
          try fill(ev, object, bound, affine: false, tracks: false)
        },
        forward: { ev, object, arguments in
          try ev.callTorch(
            "instance_norm",
            [
              try BuiltinFunctions.first(ev, arguments, "forward"),
              object["running_mean"] ?? Value.none, object["running_var"] ?? Value.none,
              object["weight"] ?? Value.none, object["bias"] ?? Value.none,
              .bool(try usesBatchStatistics(ev, object)), object["momentum"] ?? Value.none,
              object["eps"] ?? Value.none,
            ])
        })
    }
    table["LayerNorm"] = Layer(
      "normalized_shape eps elementwise_affine bias device dtype",
      build: { ev, object, bound in
        let shape = try normalizedShape(ev, object, bound)
        object["eps"] = (bound["eps"] ?? .double(1e-5)).raised(to: .module)
        let affine = try bound.bool("elementwise_affine", default: true)
        object["elementwise_affine"] = .bool(affine)
        object["weight"] = affine ? try ev.makeParameter(shape, .constant(1)) : Value.none
        let hasBias = try bound.bool("bias", default: true)
        object["bias"] =
          affine && hasBias ? try ev.makeParameter(shape, .constant(0)) : Value.none
      },
      forward: { ev, object, arguments in
        try ev.callTorch(
          "layer_norm",
          [
            try BuiltinFunctions.first(ev, arguments, "forward"),
            object["normalized_shape"] ?? Value.none, object["weight"] ?? Value.none,
            object["bias"] ?? Value.none, object["eps"] ?? Value.none,
          ])
      })
    table["RMSNorm"] = Layer(
      "normalized_shape eps elementwise_affine device dtype",
      build: { ev, object, bound in
        let shape = try normalizedShape(ev, object, bound)
        object["eps"] = (bound["eps"] ?? Value.none).raised(to: .module)
        object["weight"] =
          try bound.bool("elementwise_affine", default: true)
          ? try ev.makeParameter(shape, .constant(1)) : Value.none
      },
      forward: { ev, object, arguments in
        try ev.callTorch(
          "rms_norm",
          [
            try BuiltinFunctions.first(ev, arguments, "forward"),
            object["normalized_shape"] ?? Value.none, object["weight"] ?? Value.none,
            object["eps"] ?? Value.none,
          ])
      })
    table["GroupNorm"] = Layer(
      "num_groups num_channels eps affine device dtype",
      build: { ev, object, bound in
        let channels = try bound.int("num_channels")
        let groups = try bound.int("num_groups")
        try ev.requireDivisible(
          channels, groups, "ValueError", "num_channels must be divisible by num_groups")
        object["num_groups"] = Value.integer(groups).raised(to: .module)
        object["num_channels"] = Value.integer(channels).raised(to: .module)
        object["eps"] = (bound["eps"] ?? .double(1e-5)).raised(to: .module)
        let affine = try bound.bool("affine", default: true)
        object["affine"] = .bool(affine)
        object["weight"] = affine ? try ev.makeParameter([channels], .constant(1)) : Value.none
        object["bias"] = affine ? try ev.makeParameter([channels], .constant(0)) : Value.none
      },
      forward: { ev, object, arguments in
        try ev.callTorch(
          "group_norm",
          [
            try BuiltinFunctions.first(ev, arguments, "forward"), object["num_groups"] ?? .int(1),
            object["weight"] ?? Value.none, object["bias"] ?? Value.none,
            object["eps"] ?? Value.none,
          ])
      })
    table["LocalResponseNorm"] = Layer(
      "size alpha beta k",
      build: { ev, object, bound in
        object["size"] = try bound.require("size").raised(to: .module)
        for (name, fallback) in [("alpha", 1e-4), ("beta", 0.75), ("k", 1)] {
          object[name] = (bound[name] ?? .double(fallback)).raised(to: .module)
        }
      },
      forward: { ev, object, arguments in
        try ev.callTorch(
          "local_response_norm", [try BuiltinFunctions.first(ev, arguments, "forward")],
          ["size", "alpha", "beta", "k"].map { ($0, object[$0] ?? Value.none) })
      })
    return table
  }()

  /// Whether a layer normalises by its input's statistics: while training, or where it keeps none.
  private static func usesBatchStatistics(_ ev: Evaluator, _ object: InstanceObject) throws -> Bool
  {
    if try ev.truth(object["training"] ?? .bool(true)) { return true }
    return (object["running_mean"] ?? Value.none).isNone
  }

  private static func normalizedShape(
    _ ev: Evaluator, _ object: InstanceObject, _ bound: Bound
  ) throws -> [SymInt] {
    let given = try bound.require("normalized_shape")
    let shape = try ev.sizeList(given)
    object["normalized_shape"] = Value.makeTuple(shape.map(Value.integer)).raised(to: .module)
    return shape
  }

  private static func fill(
    _ ev: Evaluator, _ object: InstanceObject, _ bound: Bound, affine: Bool, tracks: Bool
  ) throws {
    let features = try bound.int("num_features")
    object["num_features"] = Value.integer(features).raised(to: .module)
    object["eps"] = (bound["eps"] ?? .double(1e-5)).raised(to: .module)
    object["momentum"] = (bound["momentum"] ?? .double(0.1)).raised(to: .module)
    let isAffine = try bound.bool("affine", default: affine)
    let isTracked = try bound.bool("track_running_stats", default: tracks)
    object["affine"] = .bool(isAffine)
    object["track_running_stats"] = .bool(isTracked)
    object["weight"] = isAffine ? try ev.makeParameter([features], .constant(1)) : Value.none
    object["bias"] = isAffine ? try ev.makeParameter([features], .constant(0)) : Value.none
    object["running_mean"] = isTracked ? try ev.makeBuffer([features], 0) : Value.none
    object["running_var"] = isTracked ? try ev.makeBuffer([features], 1) : Value.none
    if isTracked {
      object["num_batches_tracked"] = try ev.makeBuffer([], 0, .int64)
      object.buffers.formUnion(["running_mean", "running_var", "num_batches_tracked"])
    } else {
      object["num_batches_tracked"] = Value.none
    }
  }
}

enum PoolingLayers {
  static let table: [String: Layer] = {
    var table: [String: Layer] = [:]
    for rank in 1...3 {
      table["MaxPool\(rank)d"] = pool(
        "max_pool\(rank)d", "kernel_size stride padding dilation return_indices ceil_mode",
        [
          "padding": .int(0), "dilation": .int(1), "return_indices": .bool(false),
          "ceil_mode": .bool(false),
        ])
      table["AvgPool\(rank)d"] = pool(
        "avg_pool\(rank)d",
        "kernel_size stride padding ceil_mode count_include_pad divisor_override",
        [
          "padding": .int(0), "ceil_mode": .bool(false), "count_include_pad": .bool(true),
          "divisor_override": .none,
        ])
      table["LPPool\(rank)d"] = pool(
        "lp_pool\(rank)d", "norm_type kernel_size stride ceil_mode", ["ceil_mode": .bool(false)])
      for kind in ["Avg", "Max"] {
        table["Adaptive\(kind)Pool\(rank)d"] = Layer(
          "output_size return_indices",
          build: { ev, object, bound in
            object["output_size"] = try bound.require("output_size").raised(to: .module)
            object["return_indices"] = bound["return_indices"] ?? .bool(false)
          },
          forward: { ev, object, arguments in
            try ev.callTorch(
              "adaptive_\(kind.lowercased())_pool\(rank)d",
              [
                try BuiltinFunctions.first(ev, arguments, "forward"),
                object["output_size"] ?? Value.none,
              ],
              kind == "Max"
                ? [("return_indices", object["return_indices"] ?? Value.none)] : [])
          })
      }
    }
    return table
  }()

  private enum Fallback: Sendable {
    case int(Int)
    case bool(Bool)
    case none
    var value: Value {
      switch self {
      case .int(let value): .int(value)
      case .bool(let value): .bool(value)
      case .none: Value.none
      }
    }
  }

  private static func pool(
    _ function: String, _ parameters: String, _ fallbacks: [String: Fallback]
  )
    -> Layer
  {
    let names = parameters.split(separator: " ").map(String.init)
    return Layer(
      parameters,
      build: { ev, object, bound in
        _ = try bound.require("kernel_size")
        for name in names {
          var value = bound[name] ?? fallbacks[name]?.value ?? Value.none
          if name == "stride", value.isNone { value = bound["kernel_size"] ?? Value.none }
          object[name] = value.raised(to: .module)
        }
      },
      forward: { ev, object, arguments in
        try ev.callTorch(
          function, [try BuiltinFunctions.first(ev, arguments, "forward")],
          names.map { ($0, object[$0] ?? Value.none) })
      })
  }
}
