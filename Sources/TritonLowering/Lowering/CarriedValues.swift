import Diagnostics
import PythonSyntax
import TileIR

/// The variables a loop may change: those its body assigns that hold run-time values before it.
struct CarriedValues {
  var names: [String] = []
  var initial: [PyValue] = []
  /// The scope before the loop.
  var locals: [String: PyValue] = [:]
  var definitions: [String: PyValue] = [:]
  /// Assigned in the body, but known at compile time or not a Triton value before the loop.
  var fixed: [String] = []
  var handles: [Value] { initial.flatMap(\.handles) }
}

/// What is left of the carried values once those the body does not change are dropped.
struct KeptValues {
  var initial: [Value] = []
  var arguments: [Value] = []
  var alternative: [Value] = []
}

extension Lowerer {
  func beginCarried(_ body: [Stmt], except target: String?) throws -> CarriedValues {
    var assigned: Set<String> = []
    AssignedNames.collect(body, into: &assigned)
    var carried = CarriedValues(locals: frame.locals, definitions: frame.definitions)
    for name in assigned.sorted() where name != target {
      guard let value = frame.locals[name] else { continue }
      if case .poison = value { continue }
      if value.isTritonValue, !value.handles.isEmpty {
        carried.names.append(name)
        carried.initial.append(value)
      } else {
        carried.fixed.append(name)
      }
    }
    return carried
  }

  func bindCarried(_ carried: CarriedValues, _ arguments: ArraySlice<Value>) {
    var rest = arguments
    for (name, value) in zip(carried.names, carried.initial) {
      let bound = value.replacingHandles(&rest)
      frame.locals[name] = bound
      if case .tensor(let tensor) = bound { builder.nameValue(tensor.value, name) }
    }
  }

  /// Lowers a loop's body in the open region and returns what it yields.
  func lowerBody(
    _ body: [Stmt], _ carried: CarriedValues, arguments: ArraySlice<Value>, closing depth: Int
  ) throws -> [[Value]] {
    bindCarried(carried, arguments)
    frame.definitions = [:]
    frame.loopDepth += 1
    defer { frame.loopDepth -= 1 }
    do {
      _ = try execute(body[...])
      for name in carried.fixed {
        guard let now = frame.locals[name], frame.definitions[name] != nil else { continue }
        let initial = carried.locals[name] ?? .none
        guard initial.isTritonValue else {
          throw failure(
            "triton-assertion", "loop carried variable '\(name)' is not a triton value",
            at: frame.assignments[name])
        }
        guard now.handles.isEmpty else {
          throw failure(
            "triton-type-error",
            "loop carried variable '\(name)' changed type, was \(initial.typeName) but is now \(now.typeName)",
            at: frame.assignments[name])
        }
      }
      return try zip(carried.names, carried.initial).map { name, initial in
        let now = frame.locals[name] ?? initial
        guard now.typeName == initial.typeName else {
          throw failure(
            "triton-type-error",
            "loop-carried variable '\(name)' has initial type \(initial.typeName) but is "
              + "re-assigned to \(now.typeName) in loop; make sure that the type stays consistent",
            at: frame.assignments[name])
        }
        return now.handles
      }
    } catch {
      builder.discardRegions(above: depth)
      throw error
    }
  }

  /// Drops the values the body leaves alone, emits the loop and binds its results.
  func finishLoop(
    _ carried: CarriedValues, _ yielded: [[Value]], arguments: [Value],
    alternative: [Value] = [], regions: [Region], target: String?,
    emit: (KeptValues, [Region]) -> [Value]
  ) throws {
    var kept = KeptValues()
    var yields: [Value] = []
    var keptNames: [(String, PyValue)] = []
    var replacements: [Value: Value] = [:]
    var position = 0
    for (index, value) in carried.initial.enumerated() {
      let count = value.handles.count
      let slots = position..<(position + count)
      position += count
      if Array(arguments[slots]) == yielded[index] {
        for (slot, handle) in zip(slots, value.handles) {
          replacements[arguments[slot]] = handle
          if !alternative.isEmpty { replacements[alternative[slot]] = handle }
        }
        continue
      }
      kept.initial += value.handles
      kept.arguments += arguments[slots]
      if !alternative.isEmpty { kept.alternative += alternative[slots] }
      yields += yielded[index]
      keptNames.append((carried.names[index], value))
    }
    var finished = regions
    let last = finished.count - 1
    if !yields.isEmpty {
      finished[last].operations.append(Operation(.yield, operands: yields, at: builder.location))
    }
    finished = finished.map { $0.replacing(replacements) }
    frame.locals = carried.locals
    frame.definitions = carried.definitions
    var results = emit(kept, finished)[...]
    for (name, value) in keptNames { set(name, value.replacingHandles(&results)) }
    if let target {
      frame.locals[target] = .poison(target)
      frame.definitions[target] = .poison(target)
    }
  }
}

/// The names a list of statements assigns, nested statements included.
enum AssignedNames {
  static func collect(_ body: [Stmt], into names: inout Set<String>, depth: Int = 0) {
    guard depth < 100 else { return }
    for statement in body {
      switch statement.kind {
      case .assign(let targets, _):
        for target in targets { add(target, &names) }
      case .augAssign(let target, _, _), .annAssign(let target, _, _, _): add(target, &names)
      case .for(let loop):
        add(loop.target, &names)
        collect(loop.body, into: &names, depth: depth + 1)
      case .while(_, let body, _): collect(body, into: &names, depth: depth + 1)
      case .if(_, let then, let orElse):
        collect(then, into: &names, depth: depth + 1)
        collect(orElse, into: &names, depth: depth + 1)
      default: break
      }
    }
  }

  private static func add(_ target: Expr, _ names: inout Set<String>) {
    switch target.kind {
    case .name(let name): names.insert(name)
    case .tuple(let elements), .list(let elements):
      for element in elements { add(element, &names) }
    default: break
    }
  }
}
