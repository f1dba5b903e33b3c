import Diagnostics
import PythonSyntax
import TileIR

extension Lowerer {
  func call(_ callee: Expr, _ arguments: [Expr], _ keywords: [Keyword]) throws -> PyValue {
    let function = try evaluate(callee)
    switch function {
    case .builtin("tl.static_assert"): return try staticAssert(arguments, keywords)
    case .builtin("tl.static_print"):
      for argument in arguments { _ = try evaluate(argument) }
      return .none
    default: break
    }
    var named: [(String, PyValue)] = []
    for keyword in keywords {
      guard let name = keyword.name else {
        throw failure("triton-unsupported-syntax", "'**' arguments are not supported")
      }
      named.append((name, try evaluate(keyword.value)))
    }
    var positional: [PyValue] = []
    for argument in arguments {
      if case .starred(let inner) = argument.kind {
        guard case .tuple(let tuple) = try evaluate(inner) else {
          throw typeError("'*' needs a tuple")
        }
        positional += tuple.elements
      } else {
        positional.append(try evaluate(argument))
      }
    }
    return try apply(function, positional, named, at: callee.range)
  }

  private func staticAssert(_ arguments: [Expr], _ keywords: [Keyword]) throws -> PyValue {
    guard (1...2).contains(arguments.count), keywords.isEmpty else {
      throw typeError("'static_assert' requires one or two positional arguments only")
    }
    guard case .bool(let holds) = try evaluate(arguments[0]) else {
      throw failure(
        "triton-static-assert",
        "assertion condition could not be determined at compile-time", at: arguments[0].range)
    }
    if holds { return .none }
    let message = arguments.count == 2 ? (try? evaluate(arguments[1]).display) ?? "" : ""
    throw failure(
      "triton-static-assert", "static assertion fails\(message.isEmpty ? "" : ": \(message)")",
      at: arguments[0].range)
  }

  func apply(
    _ function: PyValue, _ positional: [PyValue], _ named: [(String, PyValue)],
    at range: SourceRange
  ) throws -> PyValue {
    switch function {
    case .function(let reference): return try inline(reference, positional, named)
    case .builtin(let name): return try callBuiltin(name, positional, named)
    case .method(let receiver, let name):
      return try callMethod(receiver, name, positional, named)
    case .constexprFunction(let scope, let definition):
      try requireCompileTime(positional + named.map(\.1), definition.name)
      var evaluator = CompileTimeEvaluator(scope: frame.reference.scope)
      return try evaluator.apply(.constexprFunction(scope, definition), positional, named)
    case .type(.python("tl.constexpr")):
      guard let value = positional.first ?? named.first?.1 else {
        throw typeError("constexpr() needs a value")
      }
      if case .tensor(let tensor) = value { return .wrapped(tensor) }
      return value
    case .type(.python("tl.tuple")):
      guard case .tuple? = positional.first else { throw typeError("tl.tuple() needs a sequence") }
      return positional[0]
    case .type(.python("tl.pointer_type")), .type(.python("tl.dtype")):
      var evaluator = CompileTimeEvaluator(scope: frame.reference.scope)
      return try evaluator.apply(function, positional, named)
    case .type(.python("tl.block_type")):
      guard positional.count == 2, case .type(.scalar(let element)) = positional[0] else {
        throw typeError("block_type() needs an element type and a shape")
      }
      return .type(.block(TileType(element, try shape(from: positional[1]))))
    case .type(let type): throw typeError("'\(type.name)' object is not callable")
    case .foreign(let path) where path.hasPrefix("math."):
      // Python's own functions run on constants when Triton walks the kernel.
      try requireCompileTime(positional + named.map(\.1), path)
      var evaluator = CompileTimeEvaluator(scope: frame.reference.scope)
      return try evaluator.apply(function, positional, named)
    case .foreign(let path):
      throw unsupported("import", "'\(path)' is not a function this tool knows")
    default: throw typeError("'\(function.typeName)' object is not callable")
    }
  }

  func requireCompileTime(_ values: [PyValue], _ name: String) throws {
    for value in values where value.tensor != nil {
      throw typeError("'\(name)' is evaluated at compile time and got a run-time value")
    }
  }

  /// Whether `fn` of a call is one function for `tl.reduce`, by value.
  func functionArgument(_ value: PyValue, _ role: String) throws -> PyValue {
    switch value {
    case .function, .builtin: return value
    default: throw typeError("'\(role)' must be a @triton.jit function, is '\(value.typeName)'")
    }
  }

  // MARK: Calls of @triton.jit functions

  /// Inlines a call; Triton compiles it as a function and inlines that.
  func inline(
    _ reference: JITReference, _ positional: [PyValue], _ named: [(String, PyValue)]
  ) throws -> PyValue {
    let function = reference.function
    let arguments = try bind(reference, positional, named)
    let signature = "\(function.name)(" + arguments.map(\.1.typeName).joined(separator: ",") + ")"
    if frames.contains(where: {
      $0.signature == signature && $0.reference.scope === reference.scope
    }) {
      throw failure("triton-recursion", "'\(function.name)' calls itself with the same types")
    }
    guard frames.count < Limits.calls else {
      throw unsupported("nesting", "calls nest more than \(Limits.calls) deep")
    }
    let callSite = here
    let isForeign = frame.isForeign || reference.scope !== rootScope
    let inner = Frame(reference: reference, signature: signature, isForeign: isForeign)
    for (name, value) in arguments {
      inner.locals[name] = value
      inner.definitions[name] = value
    }
    let location = builder.location
    callSites.append(callSite)
    frames.append(inner)
    defer {
      frames.removeLast()
      callSites.removeLast()
      here = callSite
      builder.location = location
    }
    try checkParameters(function)
    switch try execute(function.definition.body[...]) {
    case .falls: return .none
    case .returned(let value), .maybe(_, let value): return value
    }
  }

  private func bind(
    _ reference: JITReference, _ positional: [PyValue], _ named: [(String, PyValue)]
  ) throws -> [(String, PyValue)] {
    let name = reference.function.name
    var rest = positional[...]
    var keywords: [String: PyValue] = [:]
    for (keyword, value) in named {
      guard keywords.updateValue(value, forKey: keyword) == nil else {
        throw typeError("'\(name)' got '\(keyword)' twice")
      }
    }
    var bound: [(String, PyValue)] = []
    for parameter in reference.function.parameters {
      let value: PyValue
      if parameter.syntax.kind == .variadic {
        value = .tuple(TupleValue(Array(rest)))
        rest = []
      } else if parameter.syntax.kind != .keywordOnly, let next = rest.popFirst() {
        if keywords[parameter.name] != nil {
          throw typeError("'\(name)' got multiple values for argument '\(parameter.name)'")
        }
        value = next
      } else if let next = keywords.removeValue(forKey: parameter.name) {
        value = next
      } else if let initial = parameter.syntax.defaultValue {
        var evaluator = CompileTimeEvaluator(scope: reference.scope)
        value = try evaluator.evaluate(initial)
      } else {
        throw typeError("'\(name)' missing required argument '\(parameter.name)'")
      }
      bound.append((parameter.name, value))
    }
    guard rest.isEmpty else {
      throw typeError(
        "'\(name)' takes \(reference.function.parameters.count) arguments but \(positional.count) were given"
      )
    }
    if let extra = keywords.keys.sorted().first {
      throw typeError("'\(name)' got an unexpected keyword argument '\(extra)'")
    }
    return bound
  }

  // MARK: Calls of built-ins

  func callBuiltin(_ name: String, _ positional: [PyValue], _ named: [(String, PyValue)]) throws
    -> PyValue
  {
    if let builtin = BuiltinTable.all[name] {
      let bound = try BoundArguments(builtin, positional, named)
      return try builtin.body(self, bound)
    }
    if name.hasPrefix("libdevice.") {
      guard named.isEmpty else { throw typeError("libdevice functions take positional arguments") }
      return .tensor(try libdevice(String(name.dropFirst(10)), positional))
    }
    if name.hasPrefix("python.") || name.hasPrefix("triton.") || name.hasPrefix("standard.")
      || name.hasPrefix("core.")
    {
      try requireCompileTime(positional + named.map(\.1), name)
      var evaluator = CompileTimeEvaluator(scope: frame.reference.scope)
      return try evaluator.apply(.builtin(name), positional, named)
    }
    throw unsupported("builtin", "'\(name)' is not supported")
  }

  // MARK: Methods and attributes

  private func callMethod(
    _ receiver: PyValue, _ name: String, _ positional: [PyValue], _ named: [(String, PyValue)]
  ) throws -> PyValue {
    switch receiver {
    case .tensor, .blockPointer:
      let own = "method.\(name)"
      return try callBuiltin(
        BuiltinTable.all[own] == nil ? "tl.\(name)" : own, [receiver] + positional, named)
    case .descriptor: return try callBuiltin("descriptor.\(name)", [receiver] + positional, named)
    default:
      try requireCompileTime(positional, name)
      var evaluator = CompileTimeEvaluator(scope: frame.reference.scope)
      return try evaluator.apply(.method(receiver, name), positional, named)
    }
  }

  func attribute(_ base: PyValue, _ name: String) throws -> PyValue {
    switch base {
    case .tensor(let tensor): return try tensorAttribute(tensor, name)
    case .blockPointer(_, let element, let block):
      switch name {
      case "type", "dtype": return .type(.blockPointer(element, block))
      case "shape": return .tuple(TupleValue([]))
      default:
        if BuiltinTable.isTensorMethod(name) { return .method(base, name) }
      }
    case .descriptor(let descriptor):
      switch name {
      case "shape": return .tuple(TupleValue(descriptor.shape.map { .tensor($0) }))
      case "strides": return .tuple(TupleValue(descriptor.strides.map { .tensor($0) }))
      case "block_shape": return .shape(descriptor.block)
      case "dtype": return .type(.scalar(descriptor.element))
      case "type": return .type(.descriptor(descriptor.element, descriptor.block))
      case "block_type": return .type(.block(TileType(descriptor.element, descriptor.block)))
      default:
        if BuiltinTable.all["descriptor.\(name)"] != nil { return .method(base, name) }
      }
    case .module(let module):
      if let found = TritonNames.attribute(name, of: module) { return found }
      let nearest = Spelling.nearest(to: name, in: TritonNames.languageFunctionNames)
      throw failure(
        "triton-attribute-error",
        "module '\(module)' has no attribute '\(name)'"
          + (nearest.map { "; did you mean '\($0)'?" } ?? ""))
    case .importedModule(let scope):
      if let found = scope.member(name, CompileTimeEvaluator.Budget()) {
        if case .foreign(let path) = found.value { throw unknownSource(name, path) }
        return found.value
      }
      throw failure(
        "triton-attribute-error", "'\(scope.source.name)' has no attribute '\(name)'")
    case .wrapped(let tensor) where name == "value": return .tensor(tensor)
    case .wrapped(let tensor): return try tensorAttribute(tensor, name)
    case .tuple(let tuple):
      if let index = tuple.fields?.firstIndex(of: name) { return tuple.elements[index] }
      if name == "values" { return base }
      throw failure("triton-attribute-error", "tuple has no attribute '\(name)'")
    case .bool, .int, .float:
      if name == "value" { return base }
      if name == "type" { return .type(.python("constexpr_type")) }
      if name == "to" || BuiltinTable.isTensorMethod(name) {
        throw failure(
          "triton-attribute-error",
          "'\(base.display)' is a compile-time value and has no attribute '\(name)'")
      }
      throw failure("triton-attribute-error", "'\(base.display)' has no attribute '\(name)'")
    case .string, .type, .none, .dict, .symbol, .foreign:
      if name == "value", case .foreign = base {} else if name == "value" { return base }
      if base.isNone {
        throw failure("triton-attribute-error", "'NoneType' object has no attribute '\(name)'")
      }
      let evaluator = CompileTimeEvaluator(scope: frame.reference.scope)
      return try evaluator.attribute(base, name)
    default: break
    }
    throw failure("triton-attribute-error", "'\(base.typeName)' has no attribute '\(name)'")
  }

  private func tensorAttribute(_ tensor: Tensor, _ name: String) throws -> PyValue {
    switch name {
    case "shape": return .shape(tensor.shape)
    case "dtype": return .type(.scalar(tensor.element))
    case "type": return .type(tensor.isBlock ? .block(tensor.type) : .scalar(tensor.element))
    case "numel": return .int(Int128(tensor.type.count))
    case "T": return .tensor(try permute(tensor, [1, 0]))
    default:
      if BuiltinTable.isTensorMethod(name) { return .method(.tensor(tensor), name) }
      throw failure("triton-attribute-error", "'tensor' object has no attribute '\(name)'")
    }
  }

  // MARK: Subscripts

  func subscripted(_ base: PyValue, _ index: PyValue) throws -> PyValue {
    switch base {
    case .tensor(let tensor):
      let parts: [PyValue]
      if case .tuple(let tuple) = index { parts = tuple.elements } else { parts = [index] }
      var result = tensor
      for (axis, part) in parts.enumerated() {
        switch part {
        case .none:
          guard axis <= result.shape.count else {
            throw valueError("index has more axes than the tensor")
          }
          result = try expandDimsChecked(result, axis: axis)
        case .slice(.none, .none, .none): continue
        default: throw valueError("unsupported tensor index: '\(part.display)'")
        }
      }
      return .tensor(result)
    case .blockPointer, .descriptor, .wrapped:
      throw typeError("'\(base.typeName)' cannot be indexed")
    default:
      if index.tensor != nil { throw typeError("a tuple is indexed by compile-time integers") }
      return try CompileTimeEvaluator.subscript(base, index)
    }
  }

  func expandDimsChecked(_ tensor: Tensor, axis: Int) throws -> Tensor {
    guard tensor.isBlock else { return splat(tensor, [1]) }
    return expandDims(tensor, axis: axis)
  }
}
