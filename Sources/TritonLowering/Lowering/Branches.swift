import Diagnostics
import PythonSyntax
import TileIR

/// One lowered branch of a run-time `if`: its region is kept open until the merge is known.
struct Branch {
  var region = Region()
  var locals: [String: PyValue] = [:]
  /// Names the branch itself assigned.
  var definitions: [String: PyValue] = [:]
  var flow = Flow.falls
}

extension Lowerer {
  /// Lowers `work` into a region of its own, starting from the current names.
  func capture(_ branch: inout Branch, _ work: () throws -> Flow) throws {
    let locals = frame.locals
    let definitions = frame.definitions
    let depth = builder.regionDepth
    frame.definitions = [:]
    _ = builder.beginRegion()
    do {
      branch.flow = try work()
      branch.locals = frame.locals
      branch.definitions = frame.definitions
      branch.region = builder.endRegion()
    } catch {
      builder.discardRegions(above: depth)
      frame.locals = locals
      frame.definitions = definitions
      throw error
    }
    frame.locals = locals
    frame.definitions = definitions
  }

  /// Lowers an `if`. Returns nil when control goes on with the next statement, else the flow of
  /// the whole list: then `rest` has been lowered as well.
  func conditional(
    _ test: Expr, _ then: [Stmt], _ orElse: [Stmt], followedBy rest: ArraySlice<Stmt>
  ) throws -> Flow? {
    let condition = try evaluate(test)
    guard case .tensor(var tensor) = condition else {
      let body = try staticCondition(condition) ? then : orElse
      switch try execute(body[...]) {
      case .falls: return nil
      case let flow: return try finish(flow, rest)
      }
    }
    if tensor.isBlock {
      guard tensor.type.count == 1 else {
        throw failure(
          "triton-unsupported-syntax",
          "boolean value of a tensor with more than one value is ambiguous", at: test.range)
      }
      tensor = unsplat(tensor)
    }
    let bit = try cast(tensor, to: .int1)
    let before = frame.locals
    var first = Branch()
    var second = Branch()
    try capture(&first) { try execute(then[...]) }
    try capture(&second) { try execute(orElse[...]) }
    let names = try mergedNames(before, first, second)
    switch (first.flow, second.flow) {
    case (.falls, .falls):
      try mergeFalling(bit, before, names, &first, &second)
      return nil
    case (.returned, .falls):
      // What follows runs only where the first branch did not return: it moves into the second.
      try resume(&second, rest)
      return try join(condition: bit, before: before, then: &first, otherwise: second)
    case (.falls, .returned):
      try resume(&first, rest)
      return try join(condition: bit, before: before, then: &first, otherwise: second)
    default:
      let flow = try join(condition: bit, before: before, then: &first, otherwise: second)
      return try finish(flow, rest)
    }
  }

  /// The flow of a list whose last lowered statement ended with `flow` before `rest`.
  private func finish(_ flow: Flow, _ rest: ArraySlice<Stmt>) throws -> Flow {
    switch flow {
    case .falls: return try execute(rest)
    case .returned(let value):
      try afterReturn(rest)
      return .returned(value)
    case .maybe(let flag, let value): return try unlessReturned(flag, value, rest)
    }
  }

  /// Continues a branch with the statements after its `if`.
  private func resume(_ branch: inout Branch, _ rest: ArraySlice<Stmt>) throws {
    let outer = frame.locals
    let definitions = frame.definitions
    let depth = builder.regionDepth
    _ = builder.beginRegion()
    for operation in branch.region.operations { builder.reappend(operation) }
    frame.locals = branch.locals
    frame.definitions = branch.definitions
    do {
      branch.flow = try execute(rest)
    } catch {
      builder.discardRegions(above: depth)
      throw error
    }
    branch.locals = frame.locals
    branch.definitions = frame.definitions
    branch.region = builder.endRegion()
    frame.locals = outer
    frame.definitions = definitions
  }

  /// The names whose values differ after the branches, checked as Triton checks them.
  private func mergedNames(_ before: [String: PyValue], _ first: Branch, _ second: Branch) throws
    -> [String]
  {
    var names: [String] = []
    for name in before.keys.sorted() {
      guard let initial = before[name], initial.isTritonValue else { continue }
      guard let a = first.locals[name], let b = second.locals[name] else { continue }
      if a.handles == b.handles { continue }
      for (value, block) in [(a, "then"), (b, "else")] where value.typeName != initial.typeName {
        throw failure(
          "triton-type-error",
          "initial value for '\(name)' is of type \(initial.typeName), but the \(block) block "
            + "redefines it as \(value.typeName)")
      }
      names.append(name)
    }
    let known = Set(names)
    for name in first.definitions.keys.sorted() where !known.contains(name) {
      guard let a = first.definitions[name], let b = second.definitions[name] else { continue }
      if before[name]?.isTritonValue == true, a.handles == b.handles { continue }
      guard a.typeName == b.typeName else {
        throw failure(
          "triton-type-error",
          "mismatched type for '\(name)' between then block (\(a.typeName)) and else block "
            + "(\(b.typeName))")
      }
      if a.isNone {
        throw failure("triton-attribute-error", "'NoneType' object has no attribute 'type'")
      }
      names.append(name)
    }
    return names
  }

  /// Merges two branches that both go on.
  private func mergeFalling(
    _ condition: Tensor, _ before: [String: PyValue], _ names: [String], _ first: inout Branch,
    _ second: inout Branch
  ) throws {
    let thenValues = names.map { first.locals[$0] ?? .none }
    let elseValues = names.map { second.locals[$0] ?? .none }
    let results = emitIf(
      condition, (first.region, thenValues.flatMap(\.handles)),
      (second.region, elseValues.flatMap(\.handles)))
    var remaining = results[...]
    for (name, value) in zip(names, thenValues) {
      let merged = value.replacingHandles(&remaining)
      set(name, merged)
    }
  }

  private func emitIf(
    _ condition: Tensor, _ then: (region: Region, values: [Value]),
    _ otherwise: (region: Region, values: [Value])
  ) -> [Value] {
    func closed(_ branch: (region: Region, values: [Value])) -> Region {
      var region = branch.region
      if !branch.values.isEmpty {
        region.operations.append(
          Operation(.yield, operands: branch.values, at: builder.location))
      }
      return region
    }
    return builder.emit(
      .ifElse, [condition.value], results: then.values.map(builder.type(of:)),
      regions: [closed(then), closed(otherwise)])
  }

  /// Merges two branches of which at least one returns. Names keep the values of the paths that
  /// go on; on the others they are never read.
  func join(
    condition: Tensor, before: [String: PyValue], then: inout Branch, otherwise: Branch
  ) throws -> Flow {
    var otherwise = otherwise
    if case .returned(let a) = then.flow, case .returned(let b) = otherwise.flow {
      let results = emitIf(condition, (then.region, a.handles), (otherwise.region, b.handles))
      var remaining = results[...]
      return .returned(a.replacingHandles(&remaining))
    }
    // Names: a branch that has returned for certain lends its side placeholder values.
    var names: [String] = []
    for name in Set(then.locals.keys).union(otherwise.locals.keys).sorted() {
      let a = then.locals[name]
      let b = otherwise.locals[name]
      if case .returned = then.flow, b != nil {
        names.append(name)
      } else if case .returned = otherwise.flow, a != nil {
        names.append(name)
      } else if let a, let b, a.handles != b.handles, a.typeName == b.typeName {
        names.append(name)
      }
    }
    names = names.filter { name in
      let a = then.locals[name] ?? otherwise.locals[name] ?? .none
      let b = otherwise.locals[name] ?? a
      let old = before[name]
      return !(a.handles.isEmpty && b.handles.isEmpty)
        && !(old?.handles == a.handles && old?.handles == b.handles)
    }
    let sample = value(of: then.flow) ?? value(of: otherwise.flow) ?? .none
    func side(_ branch: inout Branch, other: Branch) throws -> [Value] {
      var handles: [Value] = []
      _ = builder.beginRegion()
      for name in names {
        // What goes on decides the type: the other side may have returned before a name changed it.
        let going: PyValue? =
          if case .returned = other.flow { branch.locals[name] } else { other.locals[name] }
        let model = going ?? other.locals[name] ?? branch.locals[name] ?? .none
        if let own = branch.locals[name], own.typeName == model.typeName {
          handles += own.handles
        } else {
          handles += model.handles.map { placeholder(builder.type(of: $0)) }
        }
      }
      switch branch.flow {
      case .falls:
        handles.append(builder.integer(0, .int1))
        handles += sample.handles.map { placeholder(builder.type(of: $0)) }
      case .returned(let value):
        handles.append(builder.integer(1, .int1))
        handles += value.handles
      case .maybe(let flag, let value):
        handles.append(flag.value)
        handles += value.handles
      }
      branch.region.operations += builder.endRegion().operations
      return handles
    }
    let thenCopy = then
    let thenHandles = try side(&then, other: otherwise)
    let elseHandles = try side(&otherwise, other: thenCopy)
    let results = emitIf(condition, (then.region, thenHandles), (otherwise.region, elseHandles))
    var remaining = results[...]
    for name in names {
      let going: PyValue? =
        if case .returned = thenCopy.flow { otherwise.locals[name] } else { thenCopy.locals[name] }
      if let going { set(name, going.replacingHandles(&remaining)) }
    }
    guard let flag = remaining.popFirst() else { return .falls }
    return .maybe(Tensor(flag, TileType(.int1)), sample.replacingHandles(&remaining))
  }

  private func value(of flow: Flow) -> PyValue? {
    switch flow {
    case .falls: nil
    case .returned(let value), .maybe(_, let value): value
    }
  }

  /// A value nobody reads, for paths on which a name is not defined.
  private func placeholder(_ type: ValueType) -> Value {
    guard case .tile(let tile) = type else {
      return builder.emit(.constant(.int(0)), results: [type])[0]
    }
    if tile.element.isPointer {
      let zero = builder.integer(0, .int64, shape: tile.shape)
      return builder.cast(zero, to: tile.element)
    }
    return builder.integer(0, tile.element, shape: tile.shape)
  }
}
