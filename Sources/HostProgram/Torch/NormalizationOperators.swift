import TileIR

/// Normalisations, losses and attention: results follow from the first operand's shape.
enum NormalizationOperators {
  static let shared: [String: TorchOperator] = [
    "layer_norm": TorchOperator("input normalized_shape weight bias eps") { ev, bound in
      let input = try bound.tensor("input")
      let given = try bound.require("normalized_shape")
      let shape = try ev.sizeList(given)
      try ev.requireRank(input, atLeast: shape.count, "layer_norm")
      for (size, wanted) in zip(input.dims.suffix(shape.count), shape) {
        try ev.requireEqual(
          size, wanted,
          "Given normalized_shape=\(shape.map(\.value)), expected input with shape [*, \(wanted.value)], but got input of size\(input.sizes)"
        )
      }
      return .tensor(try ev.makeTensor(input.element, input.dims))
    },
    "rms_norm": TorchOperator("input normalized_shape weight eps") { ev, bound in
      .tensor(try ev.makeLike(try bound.tensor("input")))
    },
    "group_norm": TorchOperator("input num_groups weight bias eps") { ev, bound in
      let input = try bound.tensor("input")
      let groups = try bound.int("num_groups")
      try ev.requireRank(input, atLeast: 2, "group_norm")
      if let weight = try bound.optionalTensor("weight") {
        try ev.requireEqual(
          input.dims[1], weight.dims.first ?? 1,
          "Expected weight to be a vector of size equal to the number of channels in input")
      }
      try ev.requireDivisible(
        input.dims[1], groups, "RuntimeError",
        "Expected number of channels in input to be divisible by num_groups")
      return .tensor(try ev.makeLike(input))
    },
    "batch_norm": TorchOperator(
      "input running_mean running_var weight bias training momentum eps cudnn_enabled"
    ) { ev, bound in
      let input = try bound.tensor("input")
      try ev.requireRank(input, atLeast: 2, "batch_norm")
      for name in ["running_mean", "running_var", "weight", "bias"] {
        if let other = try bound.optionalTensor(name) {
          try ev.requireEqual(
            input.dims[1], other.dims.first ?? 1,
            "\(name) should contain \(input.dims[1].value) elements not \(other.count)")
        }
      }
      return .tensor(try ev.makeLike(input))
    },
    "instance_norm": TorchOperator(
      "input running_mean running_var weight bias use_input_stats momentum eps cudnn_enabled"
    ) { ev, bound in
      .tensor(try ev.makeLike(try bound.tensor("input")))
    },
    "local_response_norm": TorchOperator("input size alpha beta k") { ev, bound in
      .tensor(try ev.makeLike(try bound.tensor("input")))
    },
  ]

  static let functional: [String: TorchOperator] = {
    var table: [String: TorchOperator] = [:]
    for name in [
      "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_dropout", "channel_shuffle",
    ] {
      table[name] = TorchOperator("input p training inplace") { ev, bound in
        .tensor(try ev.makeLike(try bound.tensor("input")))
      }
    }
    return table
  }()
}

enum LossOperators {
  /// The parameters before `size_average`, `reduce` and `reduction`, and those that only come by name.
  private static let parameters: [(String, String)] = [
    ("mse_loss", "input target"), ("l1_loss", "input target"),
    ("smooth_l1_loss", "input target"), ("huber_loss", "input target"),
    ("kl_div", "input target"), ("binary_cross_entropy", "input target weight"),
    ("binary_cross_entropy_with_logits", "input target weight"),
    ("cross_entropy", "input target weight"), ("nll_loss", "input target weight"),
    ("triplet_margin_loss", "anchor positive negative margin p eps swap"),
    ("cosine_embedding_loss", "input1 input2 target margin"),
    ("hinge_embedding_loss", "input target margin"),
    ("margin_ranking_loss", "input1 input2 target margin"),
    ("soft_margin_loss", "input target"), ("poisson_nll_loss", "input target log_input full"),
  ]
  /// Where a loss has more parameters than those, all of them in torch's order.
  private static let whole: [String: String] = [
    "smooth_l1_loss": "input target size_average reduce reduction beta",
    "huber_loss": "input target reduction delta weight",
    "kl_div": "input target size_average reduce reduction log_target",
    "binary_cross_entropy_with_logits":
      "input target weight size_average reduce reduction pos_weight",
    "cross_entropy":
      "input target weight size_average ignore_index reduce reduction label_smoothing",
    "nll_loss": "input target weight size_average ignore_index reduce reduction",
    "poisson_nll_loss": "input target log_input full size_average eps reduce reduction",
  ]

  static let table: [String: TorchOperator] = {
    var table: [String: TorchOperator] = [:]
    for (name, parameters) in parameters {
      table[name] = TorchOperator(
        whole[name] ?? "\(parameters) size_average reduce reduction"
      ) { ev, bound in
        let input = try bound.tensor(bound.names[0])
        guard bound.string("reduction") == "none" else {
          return .tensor(try ev.makeTensor(input.element, []))
        }
        switch name {
        case "cross_entropy", "nll_loss":
          var dims = input.dims
          if dims.count > 1 { dims.remove(at: 1) } else { dims = [] }
          return .tensor(try ev.makeTensor(input.element, dims))
        case "triplet_margin_loss", "cosine_embedding_loss":
          return .tensor(try ev.makeTensor(input.element, Array(input.dims.dropLast())))
        case "margin_ranking_loss": return .tensor(try ev.makeLike(input))
        default:
          guard case .tensor(let target)? = bound["target"] else {
            return .tensor(try ev.makeLike(input))
          }
          return .tensor(try ev.elementwise(.same, [.tensor(input), .tensor(target)]))
        }
      }
    }
    return table
  }()
}

enum AttentionOperators {
  static let table: [String: TorchOperator] = [
    "scaled_dot_product_attention": TorchOperator(
      "query key value attn_mask dropout_p is_causal scale enable_gqa"
    ) { ev, bound in
      let (query, value) = (try bound.tensor("query"), try bound.tensor("value"))
      try ev.requireRank(query, atLeast: 2, "scaled_dot_product_attention")
      try ev.requireRank(value, atLeast: 2, "scaled_dot_product_attention")
      let dims = Array(query.dims.dropLast()) + [value.dims[value.rank - 1]]
      return .tensor(try ev.makeTensor(query.element, dims))
    }
  ]
}
