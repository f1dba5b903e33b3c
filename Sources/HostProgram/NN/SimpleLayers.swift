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

  static let table: [String: Layer] = {
    var table: [String: Layer] = [:]
    for (name, function, attributes) in simple {
      let parameters =
        attributes.map(\.0).joined(separator: " ") + (name == "GELU" ? " approximate" : " inplace")
      table[name] = Layer(
        parameters,
        build: { ev, object, bound in
          for (attribute, fallback) in attributes {
            object[attribute] =
              (bound[attribute] ?? fallback.map { .double($0) } ?? Value.none).raised(to: .module)
          }
          object["inplace"] = bound["inplace"] ?? .bool(false)
          if name == "GELU" { object["approximate"] = bound["approximate"] ?? .string("none") }
        },
        forward: { ev, object, arguments in
          try ev.callTorch(function, [try BuiltinFunctions.first(ev, arguments, "forward")])
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
        object["weight"] = try ev.makeParameter([count])
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
  private static let names: [(String, String)] = [
    ("MSELoss", "mse_loss"), ("L1Loss", "l1_loss"), ("SmoothL1Loss", "smooth_l1_loss"),
    ("HuberLoss", "huber_loss"), ("KLDivLoss", "kl_div"), ("BCELoss", "binary_cross_entropy"),
    ("BCEWithLogitsLoss", "binary_cross_entropy_with_logits"), ("NLLLoss", "nll_loss"),
    ("CrossEntropyLoss", "cross_entropy"), ("TripletMarginLoss", "triplet_margin_loss"),
    ("CosineEmbeddingLoss", "cosine_embedding_loss"),
    ("HingeEmbeddingLoss", "hinge_embedding_loss"),
    ("MarginRankingLoss", "margin_ranking_loss"),
  ]

  static let table: [String: Layer] = {
    var table: [String: Layer] = [:]
    for (name, function) in names {
      table[name] = Layer(
        (name == "TripletMarginLoss" ? "margin p eps swap" : "weight")
          + " size_average reduce reduction ignore_index label_smoothing beta delta log_target pos_weight margin",
        build: { ev, object, bound in
          object["reduction"] = bound["reduction"] ?? .string("mean")
          object["margin"] = (bound["margin"] ?? .double(1)).raised(to: .module)
          object["p"] = (bound["p"] ?? .double(2)).raised(to: .module)
          object["eps"] = (bound["eps"] ?? .double(1e-6)).raised(to: .module)
          object["weight"] = bound["weight"] ?? Value.none
        },
        forward: { ev, object, arguments in
          try ev.callTorch(
            function, arguments.positional, [("reduction", object["reduction"] ?? Value.none)])
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
          object["weight"] = try ev.makeParameter([output, input])
          object["bias"] =
            try bound.bool("bias", default: true) ? try ev.makeParameter([output]) : Value.none
          if let element = try bound.dtype() {
            for name in ["weight", "bias"] {
              if case .tensor(let tensor)? = object[name] { tensor.element = element }
            }
          }
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
          object["weight"] = try ev.makeParameter([count, width])
        },
        forward: { ev, object, arguments in
          try ev.callTorch(
            "embedding",
            [try BuiltinFunctions.first(ev, arguments, "forward"), object["weight"] ?? Value.none])
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
            ["size", "scale_factor"].map { ($0, object[$0] ?? Value.none) })
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
        build: { _, object, bound in object["dim"] = bound["dim"] ?? .int(1) },
        forward: { ev, object, arguments in
          try ev.callTorch(
            "cosine_similarity", arguments.positional, [("dim", object["dim"] ?? .int(1))])
        }),
    ]
    for kind in ["ZeroPad", "ConstantPad", "ReflectionPad", "ReplicationPad", "CircularPad"] {
      for rank in 1...3 {
        table["\(kind)\(rank)d"] = Layer(
          "padding value",
          build: { ev, object, bound in
            object["padding"] = Value.makeTuple(
              try bound.ints("padding", count: 2 * rank).map(Value.integer)
            ).raised(to: .module)
          },
          forward: { ev, object, arguments in
            try ev.callTorch(
              "pad",
              [
                try BuiltinFunctions.first(ev, arguments, "forward"),
                object["padding"] ?? Value.none,
              ])
          })
      }
    }
    return table
  }()
}
