import PythonSyntax
import TileIR

extension UsageAnalyzer {
  mutating func visitCall(_ callee: Expr, _ arguments: [Expr], _ keywords: [Keyword]) {
    let name = name(of: callee)
    func argument(_ index: Int, _ keyword: String) -> Expr? {
      keywords.first { $0.name == keyword }?.value
        ?? (arguments.indices.contains(index) ? arguments[index] : nil)
    }
    if case .name(let direct) = callee.kind {
      if parameters.contains(direct) {
        usage.update(direct) { $0.isCalled = true }
        return
      }
      if case .function(let reference)? = scope.lookUp(direct) {
        visitCallee(reference, arguments, keywords)
        return
      }
    }
    if case .attribute(let base, _, _) = callee.kind, case .name(let handle) = base.kind,
      parameters.contains(handle), ["load", "store"].contains(name),
      let offsets = argument(0, "offsets")
    {
      return markDescriptor(handle, offsets)
    }
    switch name {
    case "load", "store":
      if let pointer = argument(0, "pointer") { markAddress(pointer, pointee: nil) }
      if let mask = argument(name == "load" ? 1 : 2, "mask") { markMask(mask) }
    case "atomic_cas", "atomic_xchg":
      if let pointer = argument(0, "pointer") { markAddress(pointer, pointee: .int32) }
    case let name where name.hasPrefix("atomic_"):
      let isBitwise = ["atomic_and", "atomic_or", "atomic_xor"].contains(name)
      if let pointer = argument(0, "pointer") {
        markAddress(pointer, pointee: isBitwise ? .int32 : nil)
      }
      if let mask = argument(2, "mask") { markMask(mask) }
    case "make_block_ptr":
      if let base = argument(0, "base") { markAddress(base, pointee: nil) }
      for (index, keyword) in ["", "shape", "strides", "offsets"].enumerated() where index > 0 {
        if let value = argument(index, keyword) { markInteger(value) }
      }
      if let block = argument(4, "block_shape") { markShape(block) }
    case "make_tensor_descriptor":
      if let base = argument(0, "base") { markAddress(base, pointee: nil) }
      for (index, keyword) in ["", "shape", "strides"].enumerated() where index > 0 {
        if let value = argument(index, keyword) { markInteger(value) }
      }
      if let block = argument(3, "block_shape") { markShape(block) }
    case "arange":
      for item in arguments { markShape(item) }
      for item in keywords { markShape(item.value) }
      usage.tileRank = max(usage.tileRank, 1)
    case "zeros", "full", "broadcast_to", "reshape", "view":
      let isCreation = name == "zeros" || name == "full"
      if let shape = keywords.first(where: { $0.name == "shape" })?.value
        ?? (isCreation ? arguments.first : nil)
      {
        markShape(shape)
        if case .tuple(let sizes) = shape.kind { usage.tileRank = max(usage.tileRank, sizes.count) }
        if case .list(let sizes) = shape.kind { usage.tileRank = max(usage.tileRank, sizes.count) }
      } else {
        for item in arguments { markShape(item) }
      }
      if isCreation, let dtype = argument(name == "zeros" ? 1 : 2, "dtype") { markDtype(dtype) }
    case "to", "cast":
      if let dtype = argument(name == "to" ? 0 : 1, "dtype") { markDtype(dtype) }
    case "dot":
      usage.tileRank = max(usage.tileRank, 2)
      if let dtype = argument(6, "out_dtype") { markDtype(dtype) }
    case "program_id", "num_programs", "cdiv", "multiple_of":
      for value in arguments where name == "cdiv" { markInteger(value) }
    case "histogram":
      if let input = arguments.first { markLoads(input, .int32) }
    case "rand", "randn", "randint", "rand4x", "randint4x", "randn4x":
      for item in arguments { markInteger(item) }
    default: break
    }
  }

  /// What a called function tells of its parameters holds for the arguments.
  private mutating func visitCallee(
    _ reference: JITReference, _ arguments: [Expr], _ keywords: [Keyword]
  ) {
    let callee = reference.function
    guard !active.contains(callee.name), active.count < 12 else { return }
    var analyzer = UsageAnalyzer(
      function: callee, scope: reference.scope, active: active.union([callee.name]))
    let inner = analyzer.run()
    usage.tileRank = max(usage.tileRank, inner.tileRank)
    for (index, parameter) in callee.parameters.enumerated() {
      let value =
        keywords.first { $0.name == parameter.name }?.value
        ?? (arguments.indices.contains(index) ? arguments[index] : nil)
      guard let value else { continue }
      let facts = inner.facts(parameter.name)
      if facts.isPointer { markAddress(value, pointee: facts.pointee) }
      if facts.isInteger { markInteger(value) }
      if facts.isShape { markShape(value) }
      if facts.isDtype { markDtype(value) }
      guard case .name(let name) = value.kind, parameters.contains(name) else { continue }
      usage.update(name) {
        $0.isFlag = $0.isFlag || facts.isFlag
        $0.isFloat = $0.isFloat || facts.isFloat
        $0.isUnrolled = $0.isUnrolled || facts.isUnrolled
        $0.isComparedWithNone = $0.isComparedWithNone || facts.isComparedWithNone
        $0.isCalled = $0.isCalled || facts.isCalled
        $0.comparedStrings += facts.comparedStrings
        $0.comparedIntegers += facts.comparedIntegers
      }
    }
  }

  /// `desc.load([m * BLOCK_M, k])`: a descriptor whose block follows from its offsets.
  private mutating func markDescriptor(_ name: String, _ offsets: Expr) {
    let items: [Expr]
    switch offsets.kind {
    case .tuple(let elements), .list(let elements): items = elements
    default: return
    }
    let block = items.map { item in
      leaves(item).first { function.parameter(named: $0)?.isConstexpr == true }
    }
    usage.update(name) { $0.descriptorBlock = $0.descriptorBlock ?? block }
    for item in items { markInteger(item) }
  }

  // MARK: Marks

  mutating func markShape(_ expression: Expr) {
    for name in leaves(expression) where parameters.contains(name) {
      usage.update(name) { $0.isShape = true }
    }
  }

  mutating func markDtype(_ expression: Expr) {
    if case .name(let name) = expression.kind, parameters.contains(name) {
      usage.update(name) { $0.isDtype = true }
    }
  }

  /// Names in an expression, local names replaced by what they are assigned.
  private func leaves(_ expression: Expr, seen: Set<String> = [], depth: Int = 0) -> [String] {
    guard depth < 12 else { return [] }
    switch expression.kind {
    case .name(let name):
      if parameters.contains(name) { return [name] }
      guard !seen.contains(name) else { return [] }
      return (definitions[name] ?? []).prefix(4).flatMap {
        leaves($0, seen: seen.union([name]), depth: depth + 1)
      }
    case .binary(let left, _, let right):
      return leaves(left, seen: seen, depth: depth + 1)
        + leaves(right, seen: seen, depth: depth + 1)
    case .unary(_, let operand): return leaves(operand, seen: seen, depth: depth + 1)
    case .tuple(let elements), .list(let elements):
      return elements.flatMap { leaves($0, seen: seen, depth: depth + 1) }
    case .conditional(_, let body, let orElse):
      return leaves(body, seen: seen, depth: depth + 1)
        + leaves(orElse, seen: seen, depth: depth + 1)
    case .call(_, let arguments, _):
      return arguments.flatMap { leaves($0, seen: seen, depth: depth + 1) }
    default: return []
    }
  }

  /// An index, bound or offset: its parameters are integers, what it loads are indices.
  mutating func markInteger(_ expression: Expr, seen: Set<String> = [], depth: Int = 0) {
    guard depth < 24, spend() else { return }
    switch expression.kind {
    case .name(let name):
      if parameters.contains(name) {
        if usage.facts(name).isPointer { return }
        usage.update(name) { $0.isInteger = true }
      } else if !seen.contains(name) {
        for value in (definitions[name] ?? []).prefix(6) {
          markInteger(value, seen: seen.union([name]), depth: depth + 1)
        }
      }
    case .binary(let left, let op, let right):
      guard op != .div else { return }
      markInteger(left, seen: seen, depth: depth + 1)
      markInteger(right, seen: seen, depth: depth + 1)
    case .unary(_, let operand): markInteger(operand, seen: seen, depth: depth + 1)
    case .subscripted(let base, _): markInteger(base, seen: seen, depth: depth + 1)
    case .tuple(let elements), .list(let elements):
      for item in elements { markInteger(item, seen: seen, depth: depth + 1) }
    case .conditional(_, let body, let orElse):
      markInteger(body, seen: seen, depth: depth + 1)
      markInteger(orElse, seen: seen, depth: depth + 1)
    case .call(let callee, let arguments, _):
      switch name(of: callee) {
      case "load":
        if let pointer = arguments.first { setPointee(of: pointer, .int64) }
      case "to":
        if case .attribute(let base, _, _) = callee.kind {
          markInteger(base, seen: seen, depth: depth + 1)
        }
      case "where":
        for item in arguments.dropFirst() { markInteger(item, seen: seen, depth: depth + 1) }
      case "sum", "exp", "log", "sqrt", "dot", "arange", "program_id", "sigmoid": break
      default:
        for item in arguments { markInteger(item, seen: seen, depth: depth + 1) }
      }
    default: break
    }
  }

  /// Loaded values used with integer operators.
  mutating func markLoads(
    _ expression: Expr, _ element: ElementType, seen: Set<String> = [], depth: Int = 0
  ) {
    guard depth < 8, spend() else { return }
    switch expression.kind {
    case .name(let name) where !seen.contains(name):
      for value in (definitions[name] ?? []).prefix(3) {
        markLoads(value, element, seen: seen.union([name]), depth: depth + 1)
      }
    case .call(let callee, let arguments, _) where name(of: callee) == "load":
      if let pointer = arguments.first { setPointee(of: pointer, element) }
    case .unary(.invert, let operand): markLoads(operand, element, seen: seen, depth: depth + 1)
    default: break
    }
  }

  private mutating func markMask(_ mask: Expr, depth: Int = 0) {
    guard depth < 10 else { return }
    if case .binary(let left, .bitAnd, let right) = mask.kind {
      markMask(left, depth: depth + 1)
      markMask(right, depth: depth + 1)
    } else {
      markLoads(mask, .int1)
    }
  }

  private mutating func setPointee(of pointer: Expr, _ element: ElementType) {
    for name in bases(pointer) {
      usage.update(name) {
        $0.isPointer = true
        if $0.pointee == nil || element == .int1 { $0.pointee = element }
      }
    }
  }

  mutating func markAddress(_ expression: Expr, pointee: ElementType?) {
    for name in bases(expression) {
      usage.update(name) {
        $0.isPointer = true
        if let pointee, $0.pointee == nil { $0.pointee = pointee }
      }
    }
    markOffsets(expression)
  }

  /// Everything in an address but its base is an integer.
  private mutating func markOffsets(_ expression: Expr, seen: Set<String> = [], depth: Int = 0) {
    guard depth < 24, spend() else { return }
    switch expression.kind {
    case .binary(let left, let op, let right) where op == .add || op == .sub:
      let isLeftBase = !bases(left).isEmpty && (op == .sub || !prefersRight(left, right))
      if isLeftBase {
        markOffsets(left, seen: seen, depth: depth + 1)
        markInteger(right)
      } else {
        markInteger(left)
        markOffsets(right, seen: seen, depth: depth + 1)
      }
    case .name(let name) where !parameters.contains(name) && !seen.contains(name):
      for value in (definitions[name] ?? []).prefix(6) {
        markOffsets(value, seen: seen.union([name]), depth: depth + 1)
      }
    case .subscripted(let base, _): markOffsets(base, seen: seen, depth: depth + 1)
    default: break
    }
  }

  private func prefersRight(_ left: Expr, _ right: Expr) -> Bool {
    let l = bases(left)
    let r = bases(right)
    guard !l.isEmpty, !r.isEmpty else { return l.isEmpty }
    func isKnown(_ name: String) -> Bool {
      SpecializationGuesser.soundsLikePointer(name) || usage.facts(name).isPointer
    }
    return r.contains(where: isKnown) && !l.contains(where: isKnown)
  }

  /// The parameters that may be the base of an address.
  func bases(_ expression: Expr, seen: Set<String> = [], depth: Int = 0) -> Set<String> {
    guard depth < 24 else { return [] }
    switch expression.kind {
    case .name(let name):
      if parameters.contains(name), function.parameter(named: name)?.isConstexpr != true {
        // A parameter that is itself reassigned may be advanced in place.
        return [name]
      }
      guard !seen.contains(name) else { return [] }
      var result: Set<String> = []
      for value in (definitions[name] ?? []).prefix(6) {
        result.formUnion(bases(value, seen: seen.union([name]), depth: depth + 1))
      }
      return result
    case .binary(let left, .sub, _): return bases(left, seen: seen, depth: depth + 1)
    case .binary(let left, .add, let right):
      let l = bases(left, seen: seen, depth: depth + 1)
      let r = bases(right, seen: seen, depth: depth + 1)
      if l.isEmpty { return r }
      if r.isEmpty { return l }
      func isKnown(_ name: String) -> Bool {
        SpecializationGuesser.soundsLikePointer(name) || usage.facts(name).isPointer
      }
      return r.contains(where: isKnown) && !l.contains(where: isKnown) ? r : l
    case .subscripted(let base, _): return bases(base, seen: seen, depth: depth + 1)
    case .conditional(_, let body, let orElse):
      return bases(body, seen: seen, depth: depth + 1)
        .union(bases(orElse, seen: seen, depth: depth + 1))
    case .call(let callee, let arguments, _):
      switch name(of: callee) {
      case "multiple_of", "max_contiguous", "max_constancy", "broadcast_to", "expand_dims",
        "advance", "make_block_ptr":
        return arguments.first.map { bases($0, seen: seen, depth: depth + 1) } ?? []
      case "where":
        return arguments.dropFirst().reduce(into: []) {
          $0.formUnion(bases($1, seen: seen, depth: depth + 1))
        }
      case "to":
        if case .attribute(let base, _, _) = callee.kind {
          return bases(base, seen: seen, depth: depth + 1)
        }
        return []
      default: return []
      }
    default: return []
    }
  }
}
