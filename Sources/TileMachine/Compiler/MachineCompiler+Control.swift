import Diagnostics
import TileIR

extension MachineCompiler {
  private mutating func newLabel() -> Int {
    labels += 1
    return labels - 1
  }

  private mutating func emitLabel(_ label: Int) {
    emit(Pending(instruction: Instruction(handler: FrameHandlers.jump), flow: .label(label)))
  }

  private mutating func emitJump(
    _ handler: @escaping Handler, to label: Int, condition: Operand? = nil
  ) {
    var instruction = Instruction(handler: handler)
    var pending = Pending(instruction: instruction, hasEffect: true, flow: .jump(label))
    if let condition {
      instruction.a = condition.slot
      pending.instruction = instruction
      pending.reads = [condition.slot]
      pending.fields = .a
    }
    emit(pending)
  }

  private mutating func emitMarker(_ flow: Pending.Flow) {
    emit(Pending(instruction: Instruction(handler: FrameHandlers.tick), flow: flow))
  }

  /// Copies a tile into one that exists, spreading it if need be.
  private mutating func emitMove(_ source: Operand, into target: Operand) {
    if source.slot == target.slot, source.shape == target.shape { return }
    if Walk(over: target.shape, [source.shape]) != nil {
      emitElementwise(
        IntegerHandlers.copy(bytes: target.lane.bytes), [source], into: target, hasEffect: true)
    } else {
      emitElementwise(
        IntegerHandlers.copy(bytes: target.lane.bytes), [materialize(source, target.shape)],
        into: target, hasEffect: true)
    }
  }

  /// Moves all of `sources` into `targets` as if at once.
  private mutating func emitMoves(_ sources: [Operand], into targets: [Operand]) {
    let targetSlots = Set(targets.map(\.slot))
    // What is both read and overwritten goes through a copy.
    let safe = zip(sources, targets).map { source, target in
      guard targetSlots.contains(source.slot), source.slot != target.slot else { return source }
      let copy = newOperand(source.lane, source.shape)
      emitMove(source, into: copy)
      return copy
    }
    for (source, target) in zip(safe, targets) { emitMove(source, into: target) }
  }

  // MARK: for

  /// How a loop-carried value lives across iterations.
  private enum Carried {
    /// A tile of its own, of the whole IR shape.
    case tile(Operand)
    /// A pointer: what it was before the loop, plus bytes added since.
    /// `twin` is the delta without 32-bit wrapping, where the steps may wrap.
    case moving(PointerParts, delta: Operand, twin: Operand?, steps: [Value])
  }

  mutating func compileFor(_ operation: Operation) throws(Diagnostic) {
    let region = operation.regions[0]
    let lower = try operand(operation.operands[0], operation)
    let upper = try operand(operation.operands[1], operation)
    let step = try operand(operation.operands[2], operation)
    let site = currentSite
    let variable = newOperand(lower.lane, [])
    let carried = try carry(
      Array(operation.operands.dropFirst(3)), Array(region.arguments.dropFirst()), region,
      operation)
    emitMove(lower, into: variable)
    operands[region.arguments[0].index] = variable
    let (top, exit) = (newLabel(), newLabel())
    emitMarker(.loopBegin)
    emitLabel(top)
    var test = Instruction(handler: FrameHandlers.loopTest(lower.lane))
    (test.a, test.b, test.c, test.site) = (variable.slot, upper.slot, step.slot, site)
    emit(
      Pending(
        instruction: test, reads: [variable.slot, upper.slot, step.slot], fields: [.a, .b, .c],
        hasEffect: true, flow: .jump(exit)))
    depth += 1
    try compile(region)
    let yields = region.operations.last?.kind == .yield ? region.operations.last : nil
    try advance(carried, yields?.operands ?? [], operation)
    depth -= 1
    guard let add = IntegerHandlers.wrapping(.add, lower.lane) else { return }
    let next = emitElementwise(add, [variable, step], lane: lower.lane)
    emitMove(next, into: variable)
    emitJump(FrameHandlers.jump, to: top)
    emitLabel(exit)
    emitMarker(.loopEnd)
    bind(operation.results, carried)
  }

  /// Gives the carried values their places and fills them with the initial values.
  private mutating func carry(
    _ initial: [Value], _ arguments: [Value], _ region: Region, _ operation: Operation
  ) throws(Diagnostic) -> [Carried] {
    let yields =
      region.operations.last?.kind == .yield ? region.operations.last?.operands ?? [] : []
    var result: [Carried] = []
    for (index, value) in initial.enumerated() {
      let argument = arguments[index]
      let type = tile(argument)
      if type.element.isPointer, index < yields.count, let start = parts(of: value),
        let steps = pointerSteps(from: argument, to: yields[index], region)
      {
        let shape = joined([type.shape.map { _ in 1 }] + steps.map { stored[$0] })
        let delta = newOperand(.int64, shape)
        emitMove(constant(0, .int64, shape), into: delta)
        var twin: Operand?
        if steps.contains(where: { wrapsInSlice[$0.index] }) {
          let place = newOperand(.int64, shape)
          emitMove(constant(0, .int64, shape), into: place)
          twin = place
        }
        pointers[argument.index] = moved(start, delta, twin)
        result.append(.moving(start, delta: delta, twin: twin, steps: steps))
      } else {
        let place = newOperand(Lane(type.element), type.shape)
        emitMove(try lanes(value, operation), into: place)
        operands[argument.index] = place
        pointers[argument.index] = nil
        result.append(.tile(place))
      }
    }
    return result
  }

  /// What a pointer is after `delta` bytes were added to it.
  private func moved(_ start: PointerParts, _ delta: Operand, _ twin: Operand?) -> PointerParts {
    let step = PointerParts.Term(operand: delta, scale: 1)
    var parts = start
    parts.terms.append(step)
    if twin != nil || start.twin != nil {
      let wide = twin.map { PointerParts.Term(operand: $0, scale: 1) } ?? step
      parts.twin = (start.twin ?? start.terms) + [wide]
    }
    return parts
  }

  /// The offsets added on the way from a region argument to what the region yields for it; nil
  /// unless it is nothing but additions.
  private func pointerSteps(from argument: Value, to yielded: Value, _ region: Region) -> [Value]? {
    var steps: [Value] = []
    var value = yielded
    while value != argument {
      guard steps.count < 64,
        let addition = region.operations.first(where: { $0.results.first == value }),
        case .addPointer = addition.kind
      else { return nil }
      let element = tile(addition.operands[1]).element
      guard element == .int32 || element == .int64 else { return nil }
      steps.append(addition.operands[1])
      value = addition.operands[0]
    }
    return steps
  }

  private mutating func advance(
    _ carried: [Carried], _ yields: [Value], _ operation: Operation
  ) throws(Diagnostic) {
    var sources: [Operand] = []
    var targets: [Operand] = []
    for (place, value) in zip(carried, yields) {
      switch place {
      case .tile(let target):
        sources.append(try lanes(value, operation))
        targets.append(target)
      case .moving(_, let delta, let twin, let steps):
        let size = tile(value).element.pointee?.bytes ?? 1
        if let twin {
          var terms = [PointerParts.Term(operand: twin, scale: 1)]
          for step in steps {
            guard let wide = self.twin(of: step) else { continue }
            terms.append(.init(operand: wide, scale: size))
          }
          if let total = sum(terms) {
            sources.append(total)
            targets.append(twin)
          }
        }
        var terms = [PointerParts.Term(operand: delta, scale: 1)]
        for step in steps {
          terms.append(.init(operand: try operand(step, operation), scale: size))
        }
        if let total = sum(terms) {
          sources.append(total)
          targets.append(delta)
        }
      }
    }
    emitMoves(sources, into: targets)
  }

  private mutating func bind(_ results: [Value], _ carried: [Carried]) {
    for (result, place) in zip(results, carried) {
      switch place {
      case .tile(let operand): operands[result.index] = operand
      case .moving(let start, let delta, let twin, _):
        pointers[result.index] = moved(start, delta, twin)
      }
    }
  }

  // MARK: while

  mutating func compileWhile(_ operation: Operation) throws(Diagnostic) {
    let (before, after) = (operation.regions[0], operation.regions[1])
    openSite(operation, shape: [], element: .int1)
    let site = currentSite
    var places: [Operand] = []
    for (index, value) in operation.operands.enumerated() {
      let type = tile(value)
      let place = newOperand(Lane(type.element), type.shape)
      emitMove(try lanes(value, operation), into: place)
      operands[before.arguments[index].index] = place
      places.append(place)
    }
    let (top, exit) = (newLabel(), newLabel())
    emitMarker(.loopBegin)
    emitLabel(top)
    var tick = Instruction(handler: FrameHandlers.tick)
    tick.site = site
    emit(Pending(instruction: tick, hasEffect: true))
    depth += 1
    try compile(before)
    guard let last = before.operations.last, last.kind == .condition else {
      throw unsupported("a while loop without a condition", operation)
    }
    // What the condition hands over is what both the body and the results see.
    var handed: [Operand] = []
    for value in last.operands.dropFirst() {
      let type = tile(value)
      let place = newOperand(Lane(type.element), type.shape)
      emitMove(try lanes(value, operation), into: place)
      handed.append(place)
    }
    emitJump(
      FrameHandlers.jumpUnless, to: exit, condition: try operand(last.operands[0], operation))
    for (argument, place) in zip(after.arguments, handed) { operands[argument.index] = place }
    try compile(after)
    if let yield = after.operations.last, yield.kind == .yield {
      var sources: [Operand] = []
      for value in yield.operands { sources.append(try lanes(value, operation)) }
      emitMoves(sources, into: places)
    }
    depth -= 1
    emitJump(FrameHandlers.jump, to: top)
    emitLabel(exit)
    emitMarker(.loopEnd)
    for (result, place) in zip(operation.results, handed) { operands[result.index] = place }
  }

  // MARK: if

  mutating func compileIf(_ operation: Operation) throws(Diagnostic) {
    let condition = try operand(operation.operands[0], operation)
    var places: [Operand] = []
    for result in operation.results {
      let type = tile(result)
      let place = newOperand(Lane(type.element), type.shape)
      operands[result.index] = place
      places.append(place)
    }
    let (otherwise, end) = (newLabel(), newLabel())
    emitJump(FrameHandlers.jumpUnless, to: otherwise, condition: condition)
    depth += 1
    for (index, region) in operation.regions.enumerated() {
      try compile(region)
      if let yield = region.operations.last, yield.kind == .yield {
        var sources: [Operand] = []
        for value in yield.operands { sources.append(try lanes(value, operation)) }
        emitMoves(sources, into: places)
      }
      if index == 0 {
        emitJump(FrameHandlers.jump, to: end)
        emitLabel(otherwise)
      }
    }
    depth -= 1
    emitLabel(end)
  }
}
