import TileIR

/// What is known or supposed of `forward`'s inputs while they are being found.
struct InputKnowledge: Hashable {
  /// The rank of each tensor parameter, where it has been found; for a constructor's argument that
  /// is a sequence, its length.
  var ranks: [String: Int] = [:]
  /// The element type of each tensor parameter, where the module asks for one.
  var elements: [String: ElementType] = [:]
  /// Sizes found or chosen, by symbol ("x.shape[1]", "in_channels").
  var values: [String: Int] = [:]
  /// Symbols that stand for the same size as another.
  var aliases: [String: String] = [:]
  /// Symbols whose value the caller chose.
  var pinned: Set<String> = []

  static func axisSymbol(_ input: String, _ axis: Int) -> String { "\(input).shape[\(axis)]" }

  func representative(_ symbol: String) -> String {
    var current = symbol
    var hops = 0
    while let next = aliases[current], hops < 64 {
      current = next
      hops += 1
    }
    return current
  }

  func isPinned(_ symbol: String) -> Bool { pinned.contains(symbol) }
}

/// Natural values for sizes that nothing tells.
enum StandIns {
  /// The rank a tensor is supposed to have until something says otherwise.
  static let rank = 2

  /// A size for one axis: a batch first, channels second, then space or features.
  static func size(rank: Int, axis: Int) -> Int {
    switch (rank, axis) {
    case (1, _): 4096
    case (2, 0): 128
    case (2, _): 1024
    case (3, 0): 16
    case (3, 1): 128
    case (3, _): 512
    case (4, 0): 16
    case (4, 1): 64
    case (4, _): 64
    case (5, 0): 8
    case (5, 1): 16
    case (5, _): 32
    default: 16
    }
  }

  /// An argument of a constructor by its name; nil where the name says nothing.
  static func argument(_ name: String) -> StandIn? {
    let lower = name.lowercased()
    if let exact = exact[lower] { return exact }
    for (part, value) in parts where lower.contains(part) { return value }
    return nil
  }

  enum StandIn: Hashable {
    case int(Int)
    case float(Double)
    case bool(Bool)
    case sizes([Int])

    /// The length of a sequence; nil for a number.
    var length: Int? { if case .sizes(let sizes) = self { sizes.count } else { nil } }
  }

  private static let exact: [String: StandIn] = [
    "in_channels": .int(64), "out_channels": .int(64), "kernel_size": .int(3), "stride": .int(1),
    "padding": .int(1), "dilation": .int(1), "groups": .int(1), "dim": .int(1),
    "num_classes": .int(1000), "num_layers": .int(2), "num_groups": .int(8), "num_heads": .int(8),
    "n_head": .int(8), "reduction_dim": .int(1), "axis": .int(1), "eps": .float(1e-5),
    "p": .float(0.5), "bias": .bool(true), "margin": .float(1), "momentum": .float(0.1),
    "pool_size": .int(2), "scale_factor": .float(2), "output_padding": .int(0),
  ]
  private static let parts: [(String, StandIn)] = [
    ("_shape", .sizes([64, 1, 1])), ("channels", .int(64)), ("features", .int(1024)),
    ("kernel", .int(3)), ("stride", .int(1)), ("padding", .int(1)), ("dilation", .int(1)),
    ("hidden", .int(256)), ("input_size", .int(256)), ("output_size", .int(256)),
    ("stages", .int(3)), ("batch", .int(16)), ("num_", .int(8)), ("n_", .int(8)),
    ("size", .int(64)),
    ("len", .int(128)), ("seq", .int(128)), ("dropout", .float(0)), ("slope", .float(0.01)),
    ("scale", .float(1)), ("factor", .float(1)),
    ("value", .float(1)), ("min", .float(-1)), ("max", .float(1)), ("eps", .float(1e-5)),
    ("dim", .int(64)), ("height", .int(64)), ("width", .int(64)),
    ("divi", .float(2)), ("multipl", .float(2)), ("constant", .float(1)), ("alpha", .float(1)),
    ("drop", .float(0)), ("pool", .int(2)),
  ]
}
