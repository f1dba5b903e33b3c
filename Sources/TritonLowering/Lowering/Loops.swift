import Diagnostics
import PythonSyntax
import TileIR

extension Lowerer {
  // MARK: for

  func executeFor(_ loop: ForStmt) throws -> Flow {
    guard case .call(let callee, let arguments, let keywords) = loop.iterable.kind else {
      throw failure(
        "triton-unsupported-syntax",
        "only 'range' and 'static_range' iterators are supported by triton", at: loop.iterable.range
      )
    }
    guard case .name(let target) = loop.target.kind else {
      throw failure(
        "triton-unsupported-syntax", "a loop binds one plain name", at: loop.target.range)
    }
    guard loop.orElse.isEmpty else {
      throw failure("triton-unsupported-syntax", "'else' after a loop is not supported by triton")
    }
    guard case .builtin(let kind) = try evaluate(callee),
      ["tl.range", "tl.static_range", "python.range"].contains(kind)
    else {
      throw failure(
        "triton-unsupported-syntax",
        "only 'range' and 'static_range' iterators are supported by triton", at: callee.range)
    }
    let bound = try bindIterator(kind, arguments, keywords)
    if kind == "tl.static_range" { return try unroll(loop, target: target, bound) }
    try lowerLoop(loop, target: target, bound)
    return .falls
  }

  struct Iterator {
    var start: PyValue
    var end: PyValue
    var step: PyValue
    var attributes = LoopAttributes()
  }

  private func bindIterator(_ kind: String, _ arguments: [Expr], _ keywords: [Keyword]) throws
    -> Iterator
  {
    let positional = try arguments.map(evaluate)
    var named: [String: PyValue] = [:]
    for keyword in keywords {
      guard let name = keyword.name else {
        throw failure("triton-unsupported-syntax", "'**' arguments are not supported")
      }
      named[name] = try evaluate(keyword.value)
    }
    if kind == "python.range" {
      // Triton looks at the positional arguments only.
      guard (1...3).contains(positional.count) else {
        throw typeError("range expects 1 to 3 arguments, got \(positional.count)")
      }
      return Iterator(
        start: positional.count > 1 ? positional[0] : .int(0),
        end: positional.count > 1 ? positional[1] : positional[0],
        step: positional.count > 2 ? positional[2] : .int(1))
    }
    var order = ["arg1", "arg2", "step"]
    if kind == "tl.range" {
      order += [
        "num_stages", "loop_unroll_factor", "disallow_acc_multi_buffer", "flatten",
        "warp_specialize", "disable_licm",
      ]
    }
    guard positional.count <= order.count else {
      throw typeError("too many arguments to '\(kind)'")
    }
    for (name, value) in zip(order, positional) { named[name] = value }
    if let unknown = named.keys.first(where: { !order.contains($0) }) {
      throw typeError("'\(kind)' got an unexpected keyword argument '\(unknown)'")
    }
    guard let first = named["arg1"] else { throw typeError("'\(kind)' needs an argument") }
    var iterator = Iterator(start: .int(0), end: first, step: .int(1))
    if let second = named["arg2"], !second.isNone {
      iterator.start = first
      iterator.end = second
    }
    if let step = named["step"], !step.isNone { iterator.step = step }
    iterator.attributes.numStages = named["num_stages"]?.int64
    iterator.attributes.loopUnrollFactor = named["loop_unroll_factor"]?.int64
    iterator.attributes.disallowAccMultiBuffer =
      named["disallow_acc_multi_buffer"]?.truth ?? false
    iterator.attributes.flatten = named["flatten"]?.truth ?? false
    iterator.attributes.warpSpecialize = named["warp_specialize"]?.truth ?? false
    return iterator
  }

  // MARK: static_range

  private func unroll(_ loop: ForStmt, target: String, _ iterator: Iterator) throws -> Flow {
    func constant(_ value: PyValue, _ role: String) throws -> Int {
      guard value.tensor == nil, let number = value.int64 else {
        throw failure(
          "triton-type-error",
          "'\(value.display)' used as tl.static_range \(role) value is not a constexpr integer",
          at: loop.iterable.range)
      }
      return number
    }
    let start = try constant(iterator.start, "start")
    let end = try constant(iterator.end, "end")
    let step = try constant(iterator.step, "step")
    guard step != 0 else { throw valueError("range() step must not be zero") }
    let span = Int128(end) - Int128(start)
    let stride128 = Int128(step)
    let trips =
      step > 0
      ? (span > 0 ? (span + stride128 - 1) / stride128 : 0)
      : (span < 0 ? (span + stride128 + 1) / stride128 : 0)
    guard trips <= Int128(Limits.unrolledIterations) else {
      throw failure(
        "unsupported-size", "tl.static_range unrolls \(trips) iterations", at: loop.iterable.range)
    }
    let index = recordUnrolled(loop.iterable.range, Int(trips))
    func iterate(from first: Int) throws -> Flow {
      for iteration in first..<max(first, Int(trips)) {
        unrolledIterations += 1
        guard unrolledIterations <= Limits.unrolledIterations else {
          throw failure(
            "unsupported-size",
            "tl.static_range loops unroll more than \(Limits.unrolledIterations) iterations")
        }
        unrollPath.append(UnrollStep(loop: index, iteration: iteration))
        defer { unrollPath.removeLast() }
        frame.locals[target] = .int(Int128(start) + Int128(iteration) * stride128)
        switch try execute(loop.body[...]) {
        case .falls: continue
        case .returned(let value): return .returned(value)
        case .maybe(let flag, let value):
          if iteration + 1 == Int(trips) { return .maybe(flag, value) }
          return try unlessReturned(flag, value) { try iterate(from: iteration + 1) }
        }
      }
      return .falls
    }
    return try iterate(from: 0)
  }

  private func recordUnrolled(_ range: SourceRange, _ tripCount: Int) -> Int {
    let key = UnrolledLoopKey(range: range, callSites: callSites, tripCount: tripCount)
    if let known = unrolledLoopIndices[key] { return known }
    unrolledLoops.append(UnrolledLoop(range: range, tripCount: tripCount))
    unrolledLoopIndices[key] = unrolledLoops.count - 1
    return unrolledLoops.count - 1
  }

  // MARK: Run-time loops

  private func lowerLoop(_ loop: ForStmt, target: String, _ iterator: Iterator) throws {
    var (lowerBound, upperBound, step) = (iterator.start, iterator.end, iterator.step)
    var isNegative = false
    if step.tensor == nil, let constant = step.integer, constant < 0 {
      step = .int(-constant)
      swap(&lowerBound, &upperBound)
      isNegative = true
    }
    var bounds = [try toTensor(lowerBound), try toTensor(upperBound), try toTensor(step)]
    guard bounds.allSatisfy(\.element.isInteger) else {
      throw failure(
        "triton-type-error",
        "for loop bounds and step must all be ints, are (\(bounds.map { "\($0.element)" }.joined(separator: ", ")))",
        at: loop.iterable.range)
    }
    guard bounds.allSatisfy({ !$0.isBlock || $0.type.count == 1 }) else {
      throw failure("triton-type-error", "for loop bounds must be scalars", at: loop.iterable.range)
    }
    let element = integerPromotion(
      integerPromotion(bounds[0].element, bounds[1].element), bounds[2].element)
    bounds = try bounds.map {
      guard !$0.isBlock else {
        throw unsupported("loop-bound", "a loop bound is a tile of one element")
      }
      return try cast($0, to: element)
    }
    let type = TileType(element)
    set(target, .poison(target))
    let carried = try beginCarried(loop.body, except: target)
    let depth = builder.regionDepth
    let arguments = builder.beginRegion(
      arguments: [.tile(type)] + carried.handles.map(builder.type(of:)))
    builder.nameValue(arguments[0], target)
    var induction = Tensor(arguments[0], type)
    if isNegative {
      induction = tensor(.sub, bounds[1], induction)
      induction = tensor(.add, induction, bounds[0])
      builder.nameValue(induction.value, target)
    }
    frame.locals[target] = .tensor(induction)
    frame.definitions[target] = .tensor(induction)
    let yielded = try lowerBody(
      loop.body, carried, arguments: arguments.dropFirst(), closing: depth)
    let region = builder.endRegion()
    try finishLoop(
      carried, yielded,
      arguments: Array(arguments.dropFirst()), regions: [region], target: target
    ) { kept, regions in
      var regions = regions
      regions[0].arguments = [arguments[0]] + kept.arguments
      return builder.emit(
        .forLoop(iterator.attributes), bounds.map(\.value) + kept.initial,
        results: kept.initial.map(builder.type(of:)), regions: regions)
    }
  }

  func executeWhile(_ test: Expr, _ body: [Stmt], _ orElse: [Stmt]) throws {
    guard orElse.isEmpty else {
      throw failure("triton-unsupported-syntax", "'else' after a loop is not supported by triton")
    }
    let carried = try beginCarried(body, except: nil)
    let types = carried.handles.map(builder.type(of:))
    let depth = builder.regionDepth
    let before = builder.beginRegion(arguments: types)
    bindCarried(carried, before[...])
    do {
      let condition = try evaluate(test)
      guard case .tensor(let tensor) = condition else {
        throw failure(
          "triton-attribute-error",
          "the condition of a 'while' must be a run-time value: 'constexpr' object has no attribute 'handle'",
          at: test.range)
      }
      guard tensor.type == TileType(.int1) else {
        throw failure(
          "triton-type-error",
          "the condition of a 'while' must be a scalar int1, is \(tensor.type)",
          at: test.range)
      }
      builder.emit(.condition, [tensor.value] + before)
    } catch {
      builder.discardRegions(above: depth)
      throw error
    }
    let beforeRegion = builder.endRegion()
    let after = builder.beginRegion(arguments: types)
    let yielded = try lowerBody(body, carried, arguments: after[...], closing: depth)
    let afterRegion = builder.endRegion()
    try finishLoop(
      carried, yielded, arguments: after, alternative: before,
      regions: [beforeRegion, afterRegion],
      target: nil
    ) { kept, regions in
      var regions = regions
      regions[0].arguments = kept.alternative
      regions[1].arguments = kept.arguments
      if var last = regions[0].operations.popLast() {
        last.operands = [last.operands[0]] + kept.alternative
        regions[0].operations.append(last)
      }
      return builder.emit(
        .whileLoop, kept.initial, results: kept.initial.map(builder.type(of:)), regions: regions)
    }
  }
}
