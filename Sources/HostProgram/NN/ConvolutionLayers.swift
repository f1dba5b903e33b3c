enum ConvolutionLayers {
  static let table: [String: Layer] = {
    var table: [String: Layer] = [:]
    for rank in 1...3 {
      table["Conv\(rank)d"] = Layer(
        "in_channels out_channels kernel_size stride padding dilation groups bias padding_mode device dtype",
        build: { ev, object, bound in
          try fill(ev, object, bound, rank)
          let groups = try bound.int("groups", default: 1)
          let (input, output) = (try bound.int("in_channels"), try bound.int("out_channels"))
          for channels in [input, output] {
            try ev.requireDivisible(
              channels, groups, "ValueError", "channels must be divisible by groups")
          }
          let kernel = try bound.ints("kernel_size", count: rank)
          let shape = [output, input.floorDivided(by: groups) ?? input] + kernel
          object["weight"] = try ev.makeParameter(shape, .fanIn(shape))
          object["bias"] =
            try bound.bool("bias", default: true)
            ? try ev.makeParameter([output], .fanIn(shape)) : Value.none
          object["padding_mode"] = bound["padding_mode"] ?? .string("zeros")
        },
        forward: { ev, object, arguments in
          var input = try BuiltinFunctions.first(ev, arguments, "forward")
          var padding = object["padding"] ?? .int(0)
          if case .string(let mode)? = object["padding_mode"], mode != "zeros" {
            // As `_conv_forward`: pad first, then convolve without padding.
            input = try ev.callTorch(
              "pad", [input, try bothSides(ev, object, rank), .string(mode)])
            padding = .int(0)
          }
          return try ev.callTorch(
            "conv\(rank)d",
            [
              input, try ev.attribute(.instance(object), "weight"),
              try ev.attribute(.instance(object), "bias"), object["stride"] ?? .int(1),
              padding, object["dilation"] ?? .int(1),
              object["groups"] ?? .int(1),
            ])
        })
      table["ConvTranspose\(rank)d"] = Layer(
        "in_channels out_channels kernel_size stride padding output_padding groups bias dilation padding_mode device dtype",
        build: { ev, object, bound in
          try fill(ev, object, bound, rank)
          object["output_padding"] = Value.makeTuple(
            try bound.ints("output_padding", count: rank, default: 0).map(Value.integer)
          ).raised(to: .module)
          let groups = try bound.int("groups", default: 1)
          let (input, output) = (try bound.int("in_channels"), try bound.int("out_channels"))
          for channels in [input, output] {
            try ev.requireDivisible(
              channels, groups, "ValueError", "channels must be divisible by groups")
          }
          let shape =
            [input, output.floorDivided(by: groups) ?? output]
            + (try bound.ints("kernel_size", count: rank))
          object["weight"] = try ev.makeParameter(shape, .fanIn(shape))
          object["bias"] =
            try bound.bool("bias", default: true)
            ? try ev.makeParameter([output], .fanIn(shape)) : Value.none
        },
        forward: { ev, object, arguments in
          let input = try BuiltinFunctions.first(ev, arguments, "forward")
          return try ev.callTorch(
            "conv_transpose\(rank)d",
            [
              input, try ev.attribute(.instance(object), "weight"),
              try ev.attribute(.instance(object), "bias"), object["stride"] ?? .int(1),
              object["padding"] ?? .int(0), object["output_padding"] ?? .int(0),
              object["groups"] ?? .int(1), object["dilation"] ?? .int(1),
            ])
        })
    }
    return table
  }()

  /// A layer's padding as `pad` takes it: last axis first, both sides.
  private static func bothSides(_ ev: Evaluator, _ object: InstanceObject, _ rank: Int) throws
    -> Value
  {
    if case .string(let text)? = object["padding"] {
      guard text == "same" else { return .makeList(Array(repeating: .int(0), count: 2 * rank)) }
      let kernel = try ev.integers(object["kernel_size"] ?? .none, count: rank, "kernel_size")
      let dilation = try ev.integers(object["dilation"] ?? .int(1), count: rank, "dilation")
      return .makeList(
        (0..<rank).reversed().flatMap { axis -> [Value] in
          let total = dilation[axis].value &* (kernel[axis].value &- 1)
          return [.int(total / 2), .int(total - total / 2)]
        })
    }
    let sizes = try ev.integers(object["padding"] ?? .int(0), count: rank, "padding")
    return .makeList(sizes.reversed().flatMap { [.integer($0), .integer($0)] })
  }

  /// What both kinds hold: tuples per axis, as torch keeps them.
  private static func fill(
    _ ev: Evaluator, _ object: InstanceObject, _ bound: Bound, _ rank: Int
  ) throws {
    for (name, fallback) in [("in_channels", nil), ("out_channels", nil), ("groups", 1)]
      as [(String, Int?)]
    {
      object[name] = .integer(
        try fallback.map { try bound.int(name, default: $0) } ?? bound.int(name)
      ).raised(to: .module)
    }
    for (name, fallback) in [("kernel_size", nil), ("stride", 1), ("padding", 0), ("dilation", 1)]
      as [(String, Int?)]
    {
      if name == "padding", let text = bound.string("padding") {
        object[name] = .string(text)
        continue
      }
      object[name] = Value.makeTuple(
        try bound.ints(name, count: rank, default: fallback).map(Value.integer)
      ).raised(to: .module)
    }
    object["transposed"] = .bool(object.type.name.hasPrefix("ConvTranspose"))
  }
}
