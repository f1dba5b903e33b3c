/// Layers without weights: activations, losses, and what else maps onto one function.
enum ActivationLayers {
  /// Class, function, constructor parameters that become attributes with their defaults.
  private static let simple: [(String, String, [(String, Double?)])] = [
    ("ReLU", "relu", []), ("ReLU6", "relu6", []), ("GELU", "gelu", []), ("SiLU", "silu", []),
    ("Mish", "mish", []), ("SELU", "selu", []), ("Sigmoid", "sigmoid", []), ("Tanh", "tanh", []),
    ("Softsign", "softsign", []), ("Hardswish", "hardswish", []), ("LogSigmoid", "logsigmoid", []),
    ("Hardsigmoid", "hardsigmoid", []), ("Tanhshrink", "tanhshrink", []),
    ("ELU", "elu", [("alpha", 1)]), ("CELU", "celu", [("alpha", 1)]),
    ("LeakyReLU", "leaky_relu", [("negative_slope", 0.01)]),
    ("Softplus", "softplus", [("beta", 1), ("threshold", 20)]),
    ("Hardtanh", "hardtanh", [("min_val", -1), ("max_val", 1)]),
    ("Threshold", "threshold", [("threshold", 0), ("value", 0)]),
    ("Hardshrink", "hardshrink", [("lambd", 0.5)]), ("Softshrink", "softshrink", [("lambd", 0.5)]),
    ("RReLU", "rrelu", [("lower", 0.125), ("upper", 1.0 / 3.0)]),
    ("Dropout", "dropout", [("p", 0.5)]), ("Dropout1d", "dropout1d", [("p", 0.5)]),
    ("Dropout2d", "dropout2d", [("p", 0.5)]), ("Dropout3d", "dropout3d", [("p", 0.5)]),
    ("AlphaDropout", "alpha_dropout", [("p", 0.5)]),
  ]

  /// Those that have no `inplace`.
  private static let withoutFlag: Set<String> = [
    "GELU", "Sigmoid", "Tanh", "Softsign", "LogSigmoid", "Tanhshrink", "Softplus", "Hardshrink",
    "Softshrink",
  ]

  static let table: [String: Layer] = {
    var table: [String: Layer] = [:]
    for (name, function, attributes) in simple {
      let hasFlag = !withoutFlag.contains(name)
      let parameters =
        attributes.map(\.0).joined(separator: " ")
        + (name == "GELU" ? " approximate" : hasFlag ? " inplace" : "")
      table[name] = Layer(
        parameters,
        build: { ev, object, bound in
          for (attribute, fallback) in attributes {
            object[attribute] =
              (bound[attribute] ?? fallback.map { .double($0) } ?? Value.none).raised(to: .module)
          }
          if hasFlag { object["inplace"] = bound["inplace"] ?? .bool(false) }
          if name == "GELU" { object["approximate"] = bound["approximate"] ?? .string("none") }
        },
        forward: { ev, object, arguments in
          var names = attributes.map(\.0)
          if name == "GELU" { names.append("approximate") }
          if hasFlag { names.append("inplace") }
          if name.hasSuffix("ropout") || name.contains("Dropout") || name == "RReLU" {
            names.append("training")
          }
          return try ev.callTorch(
            function, [try BuiltinFunctions.first(ev, arguments, "forward")],
            names.map { ($0, object[$0] ?? Value.none) })
        })
    }
    for (name, function) in [
      ("Softmax", "softmax"), ("LogSoftmax", "log_softmax"), ("Softmin", "softmin"), ("GLU", "glu"),
    ] {
      table[name] = Layer(
        "dim",
        build: { ev, object, bound in
          object["dim"] = (bound["dim"] ?? (name == "GLU" ? .int(-1) : .none)).raised(to: .module)
        },
        forward: { ev, object, arguments in
          try ev.callTorch(
            function, [try BuiltinFunctions.first(ev, arguments, "forward")],
            [("dim", object["dim"] ?? Value.none)])
        })
    }
    table["PReLU"] = Layer(
      "num_parameters init device dtype",
      build: { ev, object, bound in
        let count = try bound.int("num_parameters", default: 1)
        object["num_parameters"] = Value.integer(count).raised(to: .module)
        object["weight"] = try ev.makeParameter(
          [count], .constant(bound["init"]?.asDouble ?? 0.25))
      },
      forward: { ev, object, arguments in
        try ev.callTorch(
          "prelu",
          [try BuiltinFunctions.first(ev, arguments, "forward"), object["weight"] ?? Value.none])
      })
    return table
  }()
}

enum LossLayers {
  /// Class, function, constructor's parameters without `size_average`, `reduce` and `reduction`.
  private static let losses: [(name: String, function: String, parameters: String)] = [
    ("MSELoss", "mse_loss", ""), ("L1Loss", "l1_loss", ""),
    ("SmoothL1Loss", "smooth_l1_loss", "beta"), ("HuberLoss", "huber_loss", "delta"),
    ("KLDivLoss", "kl_div", "log_target"), ("BCELoss", "binary_cross_entropy", "weight"),
    ("BCEWithLogitsLoss", "binary_cross_entropy_with_logits", "weight pos_weight"),
    ("NLLLoss", "nll_loss", "weight ignore_index"),
    ("CrossEntropyLoss", "cross_entropy", "weight ignore_index label_smoothing"),
    ("TripletMarginLoss", "triplet_margin_loss", "margin p eps swap"),
    ("CosineEmbeddingLoss", "cosine_embedding_loss", "margin"),
    ("HingeEmbeddingLoss", "hinge_embedding_loss", "margin"),
    ("MarginRankingLoss", "margin_ranking_loss", "margin"),
    ("SoftMarginLoss", "soft_margin_loss", ""),
  ]
  /// The whole signature where the deprecated parameters do not stand at the end.
  private static let signatures: [String: String] = [
    "SmoothL1Loss": "size_average reduce reduction beta", "HuberLoss": "reduction delta",
    "KLDivLoss": "size_average reduce reduction log_target",
    "BCEWithLogitsLoss": "weight size_average reduce reduction pos_weight",
    "NLLLoss": "weight size_average ignore_index reduce reduction",
    "CrossEntropyLoss":
      "weight size_average ignore_index reduce reduction label_smoothing",
  ]

  static let table: [String: Layer] = {
    var table: [String: Layer] = [:]
    for loss in losses {
      let names = loss.parameters.split(separator: " ").map(String.init) + ["reduction"]
      table[loss.name] = Layer(
        signatures[loss.name] ?? loss.parameters + " size_average reduce reduction",
        build: { ev, object, bound in
          object["reduction"] = .string("mean")
          if names.contains("margin") {
            object["margin"] = .double(loss.name == "CosineEmbeddingLoss" ? 0 : 1)
          }
          for name in names {
            if let value = bound[name] { object[name] = value.raised(to: .module) }
          }
          if names.contains("weight") { object.buffers.insert("weight") }
        },
        forward: { ev, object, arguments in
          try ev.callTorch(
            loss.function, arguments.positional, names.map { ($0, object[$0] ?? Value.none) })
        })
    }
    return table
  }()
}

enum OtherLayers {
  static let table: [String: Layer] = {
    var table: [String: Layer] = [
      "Linear": Layer(
        "in_features out_features bias device dtype",
        build: { ev, object, bound in
          let (input, output) = (try bound.int("in_features"), try bound.int("out_features"))
          object["in_features"] = Value.integer(input).raised(to: .module)
          object["out_features"] = Value.integer(output).raised(to: .module)
          let initialization = Initialization.fanIn([output, input])
          object["weight"] = try ev.makeParameter([output, input], initialization)
          object["bias"] =
            try bound.bool("bias", default: true)
            ? try ev.makeParameter([output], initialization) : Value.none
        },
        forward: { ev, object, arguments in
          try ev.callTorch(
            "linear",
            [
              try BuiltinFunctions.first(ev, arguments, "forward"),
              try ev.attribute(.instance(object), "weight"),
              try ev.attribute(.instance(object), "bias"),
            ])
        }),
      "Embedding": Layer(
        "num_embeddings embedding_dim padding_idx max_norm norm_type scale_grad_by_freq sparse device dtype",
        build: { ev, object, bound in
          let (count, width) = (try bound.int("num_embeddings"), try bound.int("embedding_dim"))
          object["num_embeddings"] = Value.integer(count).raised(to: .module)
          object["embedding_dim"] = Value.integer(width).raised(to: .module)
          object["padding_idx"] = bound["padding_idx"] ?? Value.none
          let weight = try ev.makeParameter([count, width], .normal)
          object["weight"] = weight
          if case .tensor(let tensor) = weight, let row = try bound.optionalInt("padding_idx") {
            ev.initialize(try ev.select(tensor, 0, row), .constant(0))
          }
        },
        forward: { ev, object, arguments in
          try ev.callTorch(
            "embedding",
            [try BuiltinFunctions.first(ev, arguments, "forward"), object["weight"] ?? Value.none],
            [("padding_idx", object["padding_idx"] ?? Value.none)])
        }),
      "Identity": Layer("*rest") { ev, object, arguments in
        try BuiltinFunctions.first(ev, arguments, "forward")
      },
      "Flatten": Layer(
        "start_dim end_dim",
        build: { _, object, bound in
          object["start_dim"] = bound["start_dim"] ?? .int(1)
          object["end_dim"] = bound["end_dim"] ?? .int(-1)
        },
        forward: { ev, object, arguments in
          try ev.callTorch(
            "flatten",
            [
              try BuiltinFunctions.first(ev, arguments, "forward"), object["start_dim"] ?? .int(1),
              object["end_dim"] ?? .int(-1),
            ])
        }),
      "Unflatten": Layer(
        "dim unflattened_size",
        build: { _, object, bound in
          object["dim"] = bound["dim"] ?? Value.none
          object["unflattened_size"] = bound["unflattened_size"] ?? Value.none
        },
        forward: { ev, object, arguments in
          try ev.callTorch(
            "unflatten",
            [
              try BuiltinFunctions.first(ev, arguments, "forward"), object["dim"] ?? Value.none,
              object["unflattened_size"] ?? Value.none,
            ])
        }),
      "Upsample": Layer(
        "size scale_factor mode align_corners recompute_scale_factor",
        build: { _, object, bound in
          for name in ["size", "scale_factor", "mode", "align_corners"] {
            object[name] = (bound[name] ?? Value.none).raised(to: .module)
          }
        },
        forward: { ev, object, arguments in
          try ev.callTorch(
            "interpolate", [try BuiltinFunctions.first(ev, arguments, "forward")],
            ["size", "scale_factor", "mode", "align_corners"].map {
              ($0, object[$0] ?? Value.none)
            })
        }),
      "PixelShuffle": Layer(
        "upscale_factor",
        build: { _, object, bound in
          object["upscale_factor"] = bound["upscale_factor"] ?? Value.none
        },
        forward: { ev, object, arguments in
          try ev.callTorch(
            "pixel_shuffle",
            [
              try BuiltinFunctions.first(ev, arguments, "forward"),
              object["upscale_factor"] ?? Value.none,
            ])
        }),
      "Unfold": Layer(
        "kernel_size dilation padding stride",
        build: { _, object, bound in
          for name in ["kernel_size", "dilation", "padding", "stride"] {
            object[name] = (bound[name] ?? Value.none).raised(to: .module)
          }
        },
        forward: { ev, object, arguments in
          try ev.callTorch(
            "unfold", [try BuiltinFunctions.first(ev, arguments, "forward")],
            ["kernel_size", "dilation", "padding", "stride"].map { ($0, object[$0] ?? Value.none) })
        }),
      "CosineSimilarity": Layer(
        "dim eps",
        build: { _, object, bound in
          object["dim"] = bound["dim"] ?? .int(1)
          object["eps"] = bound["eps"] ?? .double(1e-8)
        },
        forward: { ev, object, arguments in
          try ev.callTorch(
            "cosine_similarity", arguments.positional,
            ["dim", "eps"].map { ($0, object[$0] ?? Value.none) })
        }),
    ]
    for kind in ["ZeroPad", "ConstantPad", "ReflectionPad", "ReplicationPad", "CircularPad"] {
      let mode = ["Reflection": "reflect", "Replication": "replicate", "Circular": "circular"][
        String(kind.dropLast(3))]
      for rank in 1...3 {
        table["\(kind)\(rank)d"] = Layer(
          "padding value",
          build: { ev, object, bound in
            object["padding"] = Value.makeTuple(
              try bound.ints("padding", count: 2 * rank).map(Value.integer)
            ).raised(to: .module)
            if kind == "ConstantPad" { object["value"] = try bound.require("value") }
          },
          forward: { ev, object, arguments in
            try ev.callTorch(
              "pad",
              [
                try BuiltinFunctions.first(ev, arguments, "forward"),
                object["padding"] ?? Value.none,
              ],
              [
                ("mode", mode.map(Value.string) ?? Value.none),
                ("value", object["value"] ?? Value.none),
              ])
          })
      }
    }
    return table
  }()
}
