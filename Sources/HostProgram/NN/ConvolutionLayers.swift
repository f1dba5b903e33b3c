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
          object["weight"] = try ev.makeParameter(
            [output, input.floorDivided(by: groups) ?? input] + kernel)
          object["bias"] =
            try bound.bool("bias", default: true) ? try ev.makeParameter([output]) : Value.none
          // Kept under a private name: users read `padding` as the tuple or string it was.
          object["padding_mode"] = bound["padding_mode"] ?? .string("zeros")
        },
        forward: { ev, object, arguments in
          let input = try BuiltinFunctions.first(ev, arguments, "forward")
          return try ev.callTorch(
            "conv\(rank)d",
            [
              input, try ev.attribute(.instance(object), "weight"),
              try ev.attribute(.instance(object), "bias"), object["stride"] ?? .int(1),
              object["padding"] ?? .int(0), object["dilation"] ?? .int(1),
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
          object["weight"] = try ev.makeParameter(
            [input, output.floorDivided(by: groups) ?? output]
              + (try bound.ints("kernel_size", count: rank)))
          object["bias"] =
            try bound.bool("bias", default: true) ? try ev.makeParameter([output]) : Value.none
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
