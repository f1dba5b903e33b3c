/// RNN, LSTM, GRU, their cells, and multi-head attention.
enum RecurrentLayers {
  static let table: [String: Layer] = {
    var table: [String: Layer] = [:]
    for (name, gates) in [("RNN", 1), ("GRU", 3), ("LSTM", 4)] {
      let middle = name == "RNN" ? "num_layers nonlinearity" : "num_layers"
      table[name] = Layer(
        "input_size hidden_size \(middle) bias batch_first dropout bidirectional proj_size device dtype",
        build: { ev, object, bound in try build(ev, object, bound, gates) },
        forward: { ev, object, arguments in
          try forward(ev, object, arguments, name)
        })
      table["\(name)Cell"] = Layer(
        "input_size hidden_size bias nonlinearity device dtype",
        build: { ev, object, bound in
          let (input, hidden) = (try bound.int("input_size"), try bound.int("hidden_size"))
          object["input_size"] = Value.integer(input).raised(to: .module)
          object["hidden_size"] = Value.integer(hidden).raised(to: .module)
          let wide = hidden * SymInt(gates)
          let initial = initialization(hidden)
          object["weight_ih"] = try ev.makeParameter([wide, input], initial)
          object["weight_hh"] = try ev.makeParameter([wide, hidden], initial)
          let hasBias = try bound.bool("bias", default: true)
          object["bias"] = .bool(hasBias)
          object["nonlinearity"] = bound["nonlinearity"] ?? .string("tanh")
          object["bias_ih"] = hasBias ? try ev.makeParameter([wide], initial) : Value.none
          object["bias_hh"] = hasBias ? try ev.makeParameter([wide], initial) : Value.none
        },
        forward: { ev, object, arguments in
          guard case .tensor(let input)? = arguments.positional.first,
            let hidden = object["hidden_size"]?.asInt
          else { throw ev.raise("TypeError", "a tensor is needed") }
          let dims = Array(input.dims.dropLast()) + [hidden]
          ev.recordOperator(name.lowercased() + "_cell")
          var results = [try ev.makeTensor(input.element, dims)]
          if name == "LSTM" { results.append(try ev.makeTensor(input.element, dims)) }
          ev.trace(
            kindName(name, object) + "_cell",
            [
              "input": .tensor(input),
              "hx": arguments.positional.dropFirst().first ?? arguments.keyword("hx") ?? Value.none,
              "w_ih": object["weight_ih"] ?? Value.none, "w_hh": object["weight_hh"] ?? Value.none,
              "b_ih": object["bias_ih"] ?? Value.none, "b_hh": object["bias_hh"] ?? Value.none,
            ], results)
          return name == "LSTM" ? .makeTuple(results.map(Value.tensor)) : .tensor(results[0])
        })
    }
    table["MultiheadAttention"] = Layer(
      "embed_dim num_heads dropout bias add_bias_kv add_zero_attn kdim vdim batch_first device dtype",
      build: { ev, object, bound in
        let (width, heads) = (try bound.int("embed_dim"), try bound.int("num_heads"))
        object["embed_dim"] = Value.integer(width).raised(to: .module)
        object["num_heads"] = Value.integer(heads).raised(to: .module)
        guard let size = width.floorDivided(by: heads), width.value % heads.value == 0 else {
          throw ev.raise("AssertionError", "embed_dim must be divisible by num_heads")
        }
        object["head_dim"] = Value.integer(size).raised(to: .module)
        object["dropout"] = bound["dropout"] ?? .double(0)
        object["batch_first"] = bound["batch_first"] ?? .bool(false)
        for name in ["add_bias_kv", "add_zero_attn", "kdim", "vdim"] {
          guard let value = bound.given(name) else { continue }
          if case .boolean(let flag) = value, !flag.value { continue }
          if value.asInt?.value == width.value { continue }
          throw ev.refuse("'MultiheadAttention(\(name)=…)' is not modelled")
        }
        // Xavier: the fans are width and three times width.
        object["in_proj_weight"] = try ev.makeParameter(
          [width * 3, width], .uniform((6 / Double(max(1, width.value) * 4)).squareRoot()))
        let hasBias = try bound.bool("bias", default: true)
        object["in_proj_bias"] =
          hasBias ? try ev.makeParameter([width * 3], .constant(0)) : Value.none
        object["out_proj"] = try ev.instantiate(
          ev.nativeClass("Linear"),
          Arguments([.integer(width), .integer(width), .bool(hasBias)], range: ev.here))
        if case .instance(let layer)? = object["out_proj"], case .tensor(let bias)? = layer["bias"]
        {
          ev.initialize(bias, .constant(0))
        }
      },
      forward: { ev, object, arguments in
        let bound = try Bound(
          ev, "MultiheadAttention",
          "query key value key_padding_mask need_weights attn_mask average_attn_weights is_causal"
            .split(separator: " ").map(String.init), arguments)
        let (query, key) = (try bound.tensor("query"), try bound.tensor("key"))
        try ev.requireRank(query, [3, 2], "MultiheadAttention")
        ev.recordOperator("multi_head_attention_forward")
        let isBatchFirst = try object["batch_first"].map { try ev.truth($0) } ?? false
        let output = try ev.makeTensor(
          query.element, query.dims,
          strides: isBatchFirst && query.rank == 3
            ? TensorObject.strides(query.dims, order: [1, 0, 2]) : nil)
        let arguments = try attentionArguments(ev, object, bound, isBatchFirst)
        guard try bound.bool("need_weights", default: true) else {
          ev.trace("multi_head_attention_forward", arguments, [output])
          return .makeTuple([.tensor(output), .none])
        }
        let time = isBatchFirst || query.rank == 2 ? query.rank - 2 : 0
        var dims = [query.dims[time], key.dims[time]]
        if try !bound.bool("average_attn_weights", default: true) {
          dims.insert(try ev.integer(object["num_heads"] ?? .int(1), "num_heads"), at: 0)
        }
        if query.rank == 3 { dims.insert(query.dims[isBatchFirst ? 0 : 1], at: 0) }
        let weights = try ev.makeTensor(query.element, dims)
        ev.trace("multi_head_attention_forward", arguments, [output, weights])
        return .makeTuple([.tensor(output), .tensor(weights)])
      })
    return table
  }()

  /// Recurrent weights and biases start evenly within 1/√hidden.
  private static func initialization(_ hidden: SymInt) -> Initialization {
    .uniform(hidden.value > 0 ? 1 / Double(hidden.value).squareRoot() : 0)
  }

  /// `torch._VF`'s name of the recurrence: a plain one is named after its nonlinearity.
  private static func kindName(_ name: String, _ object: InstanceObject) -> String {
    guard name == "RNN" else { return name.lowercased() }
    if case .string(let function)? = object["nonlinearity"] { return "rnn_\(function)" }
    return "rnn_tanh"
  }

  private static func attentionArguments(
    _ ev: Evaluator, _ object: InstanceObject, _ bound: Bound, _ isBatchFirst: Bool
  ) throws -> [String: Value] {
    var arguments: [String: Value] = [
      "num_heads": object["num_heads"] ?? Value.none,
      "in_proj_weight": object["in_proj_weight"] ?? Value.none,
      "in_proj_bias": object["in_proj_bias"] ?? Value.none,
      "dropout_p": object["dropout"] ?? Value.none,
      "training": object["training"] ?? .bool(true), "batch_first": .bool(isBatchFirst),
    ]
    if case .instance(let layer)? = object["out_proj"] {
      arguments["out_proj_weight"] = layer["weight"] ?? Value.none
      arguments["out_proj_bias"] = layer["bias"] ?? Value.none
    }
    for (name, value) in zip(bound.names, bound.values) {
      if let value { arguments[name] = value }
    }
    return arguments
  }

  private static func build(
    _ ev: Evaluator, _ object: InstanceObject, _ bound: Bound, _ gates: Int
  ) throws {
    let (input, hidden) = (try bound.int("input_size"), try bound.int("hidden_size"))
    let layers = try bound.int("num_layers", default: 1)
    let hasBias = try bound.bool("bias", default: true)
    let isBidirectional = try bound.bool("bidirectional", default: false)
    object["input_size"] = Value.integer(input).raised(to: .module)
    object["hidden_size"] = Value.integer(hidden).raised(to: .module)
    object["num_layers"] = Value.integer(layers).raised(to: .module)
    object["bias"] = .bool(hasBias)
    object["batch_first"] = bound["batch_first"] ?? .bool(false)
    object["dropout"] = bound["dropout"] ?? .double(0)
    object["bidirectional"] = .bool(isBidirectional)
    object["mode"] = .string(object.type.name)
    object["nonlinearity"] = bound["nonlinearity"] ?? .string("tanh")
    if let size = try bound.optionalInt("proj_size"), size.value != 0 {
      throw ev.refuse("'proj_size' is not modelled")
    }
    let initial = initialization(hidden)
    try ev.checkSize(layers.value)
    let wide = hidden * SymInt(gates)
    for layer in 0..<max(0, layers.value) {
      for suffix in isBidirectional ? ["", "_reverse"] : [""] {
        let width = layer == 0 ? input : isBidirectional ? hidden * 2 : hidden
        object["weight_ih_l\(layer)\(suffix)"] = try ev.makeParameter([wide, width], initial)
        object["weight_hh_l\(layer)\(suffix)"] = try ev.makeParameter([wide, hidden], initial)
        if hasBias {
          object["bias_ih_l\(layer)\(suffix)"] = try ev.makeParameter([wide], initial)
          object["bias_hh_l\(layer)\(suffix)"] = try ev.makeParameter([wide], initial)
        }
      }
    }
    let flatten = NativeFunction("flatten_parameters") { _, _ in .none }
    object["flatten_parameters"] = .native(flatten)
  }

  private static func forward(
    _ ev: Evaluator, _ object: InstanceObject, _ arguments: Arguments, _ name: String
  ) throws -> Value {
    guard case .tensor(let input)? = arguments.positional.first ?? arguments.keyword("input"),
      let hidden = object["hidden_size"]?.asInt, let layers = object["num_layers"]?.asInt,
      let width = object["input_size"]?.asInt
    else { throw ev.raise("TypeError", "\(name): a tensor is needed") }
    try ev.requireRank(input, [3, 2], name)
    try ev.requireEqual(
      input.dims[input.rank - 1], width,
      "input.size(-1) must be equal to input_size. Expected \(width.value), got \(input.dims[input.rank - 1].value)"
    )
    let directions = try object["bidirectional"].map { try ev.truth($0) } == true ? 2 : 1
    let isBatchFirst = try object["batch_first"].map { try ev.truth($0) } ?? false
    ev.recordOperator(name.lowercased())
    // The library works on (time, batch, features); batch_first gives a transposed view of that.
    let outputDims = Array(input.dims.dropLast()) + [hidden * SymInt(directions)]
    let output = try ev.makeTensor(
      input.element, outputDims,
      strides: isBatchFirst && input.rank == 3
        ? TensorObject.strides(outputDims, order: [1, 0, 2]) : nil)
    var state = [layers * SymInt(directions)]
    if input.rank == 3 { state.append(input.dims[isBatchFirst ? 0 : 1]) }
    state.append(hidden)
    let last = try ev.makeTensor(input.element, state)
    var results = [output, last]
    if name == "LSTM" { results.append(try ev.makeTensor(input.element, state)) }
    let parts = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
    var parameters: [Value] = []
    for layer in 0..<max(0, layers.value) {
      for suffix in directions == 2 ? ["", "_reverse"] : [""] {
        parameters += parts.compactMap { object["\($0)_l\(layer)\(suffix)"] }
      }
    }
    ev.trace(
      kindName(name, object),
      [
        "input": .tensor(input),
        "hx": arguments.positional.dropFirst().first ?? arguments.keyword("hx") ?? Value.none,
        "params": .makeList(parameters), "has_biases": object["bias"] ?? Value.none,
        "num_layers": .integer(layers), "dropout": object["dropout"] ?? Value.none,
        "train": object["training"] ?? .bool(true), "bidirectional": .bool(directions == 2),
        "batch_first": .bool(isBatchFirst),
      ], results)
    guard name == "LSTM" else { return .makeTuple([.tensor(output), .tensor(last)]) }
    return .makeTuple([.tensor(output), .makeTuple([.tensor(last), .tensor(results[2])])])
  }
}
