/// `einops.rearrange`, `reduce` and `repeat` for patterns of names, parentheses and 1.
enum Einops {
  static let table: [String: NativeBody] = [
    "rearrange": { ev, arguments in try apply(ev, arguments, "rearrange") },
    "reduce": { ev, arguments in try apply(ev, arguments, "reduce") },
    "repeat": { ev, arguments in try apply(ev, arguments, "repeat") },
  ]

  private static func parse(_ side: Substring) -> [[String]] {
    var groups: [[String]] = []
    var open = false
    var word = ""
    func flush() {
      guard !word.isEmpty else { return }
      if open { groups[groups.count - 1].append(word) } else { groups.append([word]) }
      word = ""
    }
    for character in side {
      switch character {
      case "(":
        flush()
        groups.append([])
        open = true
      case ")":
        flush()
        open = false
      case " ": flush()
      default: word.append(character)
      }
    }
    flush()
    return groups
  }

  private static func apply(_ ev: Evaluator, _ arguments: Arguments, _ name: String) throws -> Value
  {
    guard arguments.positional.count >= 2, case .tensor(let input) = arguments.positional[0],
      case .string(let pattern) = arguments.positional[1]
    else { throw ev.refuse("this call of einops.\(name) is not modelled") }
    let sides = pattern.split(separator: ">", maxSplits: 1)
    guard sides.count == 2, sides[0].hasSuffix("-") else {
      throw ev.refuse("this einops pattern is not modelled")
    }
    var left = parse(sides[0].dropLast())
    var right = parse(sides[1])
    if left.contains(["..."]) {  // the axes an ellipsis stands for get names of their own
      let count = input.rank - (left.count - 1)
      guard count >= 0 else { throw ev.raise("RuntimeError", "einops: too few axes") }
      let spread = (0..<count).map { ["...\($0)"] }
      func expand(_ groups: [[String]]) -> [[String]] {
        groups.flatMap { group in
          group == ["..."]
            ? spread : [group.flatMap { $0 == "..." ? spread.flatMap { $0 } : [$0] }]
        }
      }
      left = expand(left)
      right = expand(right)
    }
    try ev.requireRank(input, [left.count], "einops.\(name)")
    var sizes: [String: SymInt] = ["1": 1]
    for (key, value) in arguments.keywords { if let size = value.asInt { sizes[key] = size } }
    for (group, dim) in zip(left, input.dims) {
      let open = group.filter { sizes[$0] == nil }
      let known = group.compactMap { sizes[$0] }.reduce(SymInt(1)) { $0 * $1 }
      guard open.count <= 1 else { throw ev.raise("RuntimeError", "einops: sizes are ambiguous") }
      if let missing = open.first {
        guard known.value > 0, dim.value % known.value == 0, let rest = dim.floorDivided(by: known)
        else {
          throw ev.raise(
            "RuntimeError",
            "einops: an axis of \(dim.value) cannot be cut into parts of \(known.value)",
            condition: dim.asFormula.flatMap { a in
              known.asFormula.map { .compare(.mod(a, $0), .equal, .constant(0)) }
            })
        }
        sizes[missing] = rest
      } else {
        try ev.requireEqual(dim, known, "einops: an axis has another size than its parts")
      }
    }
    var dims: [SymInt] = []
    for group in right {
      var size = SymInt(1)
      for axis in group {
        guard let part = sizes[axis] else {
          throw ev.raise("RuntimeError", "einops: '\(axis)' has no size")
        }
        size = size * part
      }
      dims.append(size)
    }
    // As einops does it: view, reduction, permutation with new axes, reshape (which may copy).
    var leftAxes = left.flatMap { $0 }.filter { $0 != "1" }
    let rightAxes = right.flatMap { $0 }.filter { $0 != "1" }
    let (known, wanted) = (Set(leftAxes), Set(rightAxes))
    guard
      name == "rearrange" ? known == wanted : name == "reduce" || known.isSubset(of: wanted)
    else { throw ev.raise("RuntimeError", "einops: both sides must name the same axes") }
    var split = try ev.reshape(input, leftAxes.compactMap { sizes[$0] })
    if name == "reduce" {
      guard wanted.isSubset(of: known) else {
        throw ev.raise("RuntimeError", "einops: the right side names an axis the left side lacks")
      }
      split = try reduced(
        ev, split, leftAxes.indices.filter { !wanted.contains(leftAxes[$0]) }, arguments)
      leftAxes.removeAll { !wanted.contains($0) }
    }
    let strides = split.strides
    let order = rightAxes.map { leftAxes.firstIndex(of: $0) }
    let permuted = ev.view(
      of: split, zip(order, rightAxes).map { $0.map { split.dims[$0] } ?? sizes[$1] ?? 1 },
      order.map { $0.map { strides[$0] } ?? 0 })
    return .tensor(try ev.reshape(permuted, dims))
  }

  /// `einops.reduce`'s reduction by name over some axes.
  private static func reduced(
    _ ev: Evaluator, _ input: TensorObject, _ axes: [Int], _ arguments: Arguments
  ) throws -> TensorObject {
    let given = arguments.positional.dropFirst(2).first ?? arguments.keyword("reduction")
    let functions = ["mean": "mean", "sum": "sum", "max": "amax", "min": "amin"]
    guard case .string(let text)? = given, let function = functions[text] else {
      throw ev.refuse("this reduction of einops is not modelled")
    }
    if axes.isEmpty { return input }
    let result = try ev.callTorch(
      function, [.tensor(input), .makeList(axes.map(Value.int))])
    guard case .tensor(let tensor) = result else { return input }
    return tensor
  }
}
