import TileIR

/// `torch.nn.Module`.
enum ModuleMethods {
  static let table: [String: NativeBody] = {
    var table: [String: NativeBody] = base
    for name in [
      "cuda", "cpu", "eval", "train", "zero_grad", "requires_grad_", "share_memory",
      "to_empty", "compile",
    ] {
      table[name] = { ev, arguments in
        let receiver = arguments.positional.first ?? Value.none
        if case .instance(let object) = receiver, name == "eval" || name == "train" {
          let mode =
            name == "train"
            ? try arguments.positional.dropFirst().first.map { try ev.truth($0) } ?? true : false
          try walk(ev, object) { $0["training"] = .bool(mode) }
        }
        return receiver
      }
    }
    let types: [(String, ElementType)] = [
      ("half", .fp16), ("bfloat16", .bf16), ("double", .fp64), ("float", .fp32),
    ]
    for (name, element) in types {
      table[name] = { ev, arguments in
        try convert(ev, arguments.positional.first ?? Value.none, element)
      }
    }
    for name in [
      "register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook",
      "_register_load_state_dict_pre_hook", "_check_input_dim",
    ] {
      table[name] = { _, _ in .none }
    }
    return table
  }()

  private static let base: [String: NativeBody] = [
    "__init__": { ev, arguments in
      let object = try receiver(ev, arguments)
      object["training"] = .bool(true)
      return .none
    },
    "__call__": { ev, arguments in
      let object = try receiver(ev, arguments)
      guard let forward = object.type.lookup("forward") else {
        throw ev.raise(
          "NotImplementedError",
          "Module [\(object.type.name)] is missing the required \"forward\" function")
      }
      if let own = object["forward"] { return try ev.call(own, arguments.droppingFirst()) }
      if case .descriptor = forward {
        return try ev.call(ev.attribute(.instance(object), "forward"), arguments.droppingFirst())
      }
      return try ev.call(forward, arguments)
    },
    "to": { ev, arguments in
      let value = arguments.positional.first ?? Value.none
      var element: ElementType?
      for item in arguments.positional.dropFirst() + arguments.keywords.map(\.value) {
        if case .dtype(let dtype) = item { element = dtype.element }
      }
      guard let element else { return value }
      return try convert(ev, value, element)
    },
    "register_buffer": { ev, arguments in
      let object = try receiver(ev, arguments)
      let bound = try Bound(
        ev, "register_buffer", ["name", "tensor", "persistent"], arguments.droppingFirst())
      guard let name = bound.string("name") else {
        throw ev.raise("TypeError", "buffer name should be a string")
      }
      object.buffers.insert(name)
      object[name] = bound["tensor"] ?? Value.none
      return .none
    },
    "register_parameter": { ev, arguments in
      let object = try receiver(ev, arguments)
      let bound = try Bound(ev, "register_parameter", ["name", "param"], arguments.droppingFirst())
      guard let name = bound.string("name") else {
        throw ev.raise("TypeError", "parameter name should be a string")
      }
      object[name] = bound["param"] ?? Value.none
      return .none
    },
    "add_module": { ev, arguments in
      let object = try receiver(ev, arguments)
      let bound = try Bound(ev, "add_module", ["name", "module"], arguments.droppingFirst())
      object[bound.string("name") ?? ""] = bound["module"] ?? Value.none
      return .none
    },
    "register_module": { ev, arguments in
      let object = try receiver(ev, arguments)
      let bound = try Bound(ev, "register_module", ["name", "module"], arguments.droppingFirst())
      object[bound.string("name") ?? ""] = bound["module"] ?? Value.none
      return .none
    },
    "apply": { ev, arguments in
      let object = try receiver(ev, arguments)
      guard let function = arguments.positional.dropFirst().first else { return .none }
      var all: [InstanceObject] = []
      try walk(ev, object) { all.append($0) }
      for module in all.reversed() { _ = try ev.call(function, [.instance(module)]) }
      return .instance(object)
    },
    "parameters": { ev, arguments in
      .makeList(try named(ev, arguments, wantsBuffers: false).map(\.1))
    },
    "named_parameters": { ev, arguments in
      .makeList(
        try named(ev, arguments, wantsBuffers: false).map { .makeTuple([.string($0.0), $0.1]) })
    },
    "buffers": { ev, arguments in
      .makeList(try named(ev, arguments, wantsBuffers: true).map(\.1))
    },
    "named_buffers": { ev, arguments in
      .makeList(
        try named(ev, arguments, wantsBuffers: true).map { .makeTuple([.string($0.0), $0.1]) })
    },
    "state_dict": { ev, arguments in
      .dict(
        DictObject(
          strings: try named(ev, arguments, wantsBuffers: false)
            + named(ev, arguments, wantsBuffers: true)))
    },
    "load_state_dict": { ev, arguments in
      let object = try receiver(ev, arguments)
      guard
        case .dict(let given)? = arguments.positional.dropFirst().first
          ?? arguments.keyword("state_dict")
      else {
        ev.traceGap("what 'load_state_dict' loads is not known")
        return .none
      }
      for wantsBuffers in [false, true] {
        for (name, tensor) in try named(ev, object, wantsBuffers: wantsBuffers) {
          guard case .tensor(let source)? = given[string: name] else { continue }
          guard source.sizes == tensor.sizes else {
            throw ev.raise("RuntimeError", "size mismatch for \(name)")
          }
          ev.trace("copy", ["input": .tensor(tensor), "src": .tensor(source)], [tensor])
          ev.noteWrite(tensor)
        }
      }
      return .none
    },
    "children": { ev, arguments in
      .makeList(children(try receiver(ev, arguments)).map { .instance($0.1) })
    },
    "named_children": { ev, arguments in
      .makeList(
        children(try receiver(ev, arguments)).map {
          .makeTuple([.string($0.0), .instance($0.1)])
        })
    },
    "modules": { ev, arguments in
      var all: [Value] = []
      try walk(ev, try receiver(ev, arguments)) { all.append(.instance($0)) }
      return .makeList(all)
    },
    "named_modules": { ev, arguments in
      var all: [Value] = []
      try walk(ev, try receiver(ev, arguments)) {
        all.append(.makeTuple([.string(""), .instance($0)]))
      }
      return .makeList(all)
    },
    "extra_repr": { _, _ in .string("") },
    "_get_name": { ev, arguments in .string(try receiver(ev, arguments).type.name) },
  ]

  static func receiver(_ ev: Evaluator, _ arguments: Arguments) throws -> InstanceObject {
    guard case .instance(let object)? = arguments.positional.first else {
      throw ev.raise("TypeError", "a module is needed")
    }
    return object
  }

  /// A module's direct children, in the order of their registration.
  static func children(_ object: InstanceObject) -> [(String, InstanceObject)] {
    object.order.compactMap { name in
      guard case .instance(let child)? = object[name], child.type.isSubclass(ofNamed: "Module")
      else { return nil }
      return (name, child)
    }
  }

  /// A module and all modules below it, each once.
  static func walk(
    _ ev: Evaluator, _ root: InstanceObject, _ visit: (InstanceObject) throws -> Void
  ) throws {
    var seen: Set<ObjectIdentifier> = []
    var stack = [root]
    while let object = stack.popLast() {
      guard seen.insert(ObjectIdentifier(object)).inserted else { continue }
      try ev.step()
      try visit(object)
      stack.append(contentsOf: children(object).reversed().map(\.1))
    }
  }

  /// A module's parameters or buffers by their keys in `state_dict()`.
  static func named(_ ev: Evaluator, _ object: InstanceObject, wantsBuffers: Bool) throws
    -> [(name: String, tensor: TensorObject)]
  {
    try named(
      ev, Arguments([.instance(object)], range: ev.here), wantsBuffers: wantsBuffers
    ).compactMap { name, value in
      if case .tensor(let tensor) = value { (name, tensor) } else { nil }
    }
  }

  private static func named(_ ev: Evaluator, _ arguments: Arguments, wantsBuffers: Bool) throws
    -> [(String, Value)]
  {
    var result: [(String, Value)] = []
    var seen: Set<ObjectIdentifier> = []
    func collect(_ object: InstanceObject, _ prefix: String, _ depth: Int) throws {
      guard depth < 200, seen.insert(ObjectIdentifier(object)).inserted else { return }
      try ev.step()
      for name in object.order {
        guard case .tensor(let tensor)? = object[name] else { continue }
        let isWanted = wantsBuffers ? object.buffers.contains(name) : tensor.isParameter
        if isWanted { result.append((prefix + name, .tensor(tensor))) }
      }
      for (name, child) in children(object) { try collect(child, "\(prefix)\(name).", depth + 1) }
    }
    try collect(receiver(ev, arguments), "", 0)
    return result
  }

  private static func convert(_ ev: Evaluator, _ value: Value, _ element: ElementType) throws
    -> Value
  {
    guard case .instance(let object) = value else { return value }
    try walk(ev, object) { module in
      for name in module.order {
        if case .tensor(let tensor)? = module[name], tensor.element.isFloat,
          tensor.element != element, tensor.isParameter || module.buffers.contains(name)
        {
          tensor.become(try ev.convert(tensor, element))
        }
      }
    }
    return value
  }
}

extension Evaluator {
  /// `Sequential`, `ModuleList`, `ParameterList`, `ModuleDict`, `ParameterDict`.
  func makeContainerClass(_ name: String) -> ClassObject {
    let type = ClassObject(name: name, bases: [nativeClass("Module")], unit: nil)
    func method(_ name: String, _ body: @escaping NativeFunction.Body) {
      type.namespace[name] = .native(NativeFunction(name, body))
    }
    func entries(_ object: InstanceObject) -> [String] {
      object.order.filter { $0 != "training" }
    }
    method("__init__") { ev, arguments in
      let object = try ModuleMethods.receiver(ev, arguments)
      object["training"] = .bool(true)
      var given = Array(arguments.positional.dropFirst())
      if given.count == 1, case .dict(let dict) = given[0] {
        for entry in dict.items { object[try ev.toString(entry.key)] = entry.value }
        return .none
      }
      if name != "Sequential", let first = given.first { given = try ev.items(first) }
      for value in given { object[String(entries(object).count)] = value }
      return .none
    }
    method("forward") { ev, arguments in
      let object = try ModuleMethods.receiver(ev, arguments)
      var value = arguments.positional.dropFirst().first ?? Value.none
      for entry in entries(object) {
        value = try ev.call(object[entry] ?? Value.none, [value])
      }
      return value
    }
    method("__len__") { ev, arguments in
      .int(entries(try ModuleMethods.receiver(ev, arguments)).count)
    }
    method("__iter__") { ev, arguments in
      let object = try ModuleMethods.receiver(ev, arguments)
      if name.hasSuffix("Dict") { return .makeList(entries(object).map(Value.string)) }
      return .makeList(entries(object).compactMap { object[$0] })
    }
    method("__getitem__") { ev, arguments in
      let object = try ModuleMethods.receiver(ev, arguments)
      let key = arguments.positional.dropFirst().first ?? Value.none
      if case .string(let text) = key {
        guard let value = object[text] else { throw ev.raise("KeyError", text) }
        return value
      }
      let names = entries(object)
      if case .slice(let slice) = key {
        let part = InstanceObject(object.type)
        part["training"] = .bool(true)
        for index in try ev.resolve(slice, count: names.count) {
          part[String(entries(part).count)] = object[names[index]]
        }
        return .instance(part)
      }
      return object[names[try ev.index(key, count: names.count, name)]] ?? Value.none
    }
    method("__setitem__") { ev, arguments in
      let object = try ModuleMethods.receiver(ev, arguments)
      guard arguments.positional.count == 3 else { return .none }
      if case .string(let text) = arguments.positional[1] {
        object[text] = arguments.positional[2]
      } else {
        let names = entries(object)
        object[names[try ev.index(arguments.positional[1], count: names.count, name)]] =
          arguments.positional[2]
      }
      return .none
    }
    method("__contains__") { ev, arguments in
      let object = try ModuleMethods.receiver(ev, arguments)
      guard case .string(let text)? = arguments.positional.dropFirst().first else {
        return .bool(false)
      }
      return .bool(object[text] != nil)
    }
    method("append") { ev, arguments in
      let object = try ModuleMethods.receiver(ev, arguments)
      object[String(entries(object).count)] = arguments.positional.dropFirst().first ?? Value.none
      return .instance(object)
    }
    method("extend") { ev, arguments in
      let object = try ModuleMethods.receiver(ev, arguments)
      for value in try ev.items(arguments.positional.dropFirst().first ?? Value.none) {
        object[String(entries(object).count)] = value
      }
      return .instance(object)
    }
    for listing in ["keys", "values", "items"] {
      method(listing) { ev, arguments in
        let object = try ModuleMethods.receiver(ev, arguments)
        return .makeList(
          entries(object).map { entry in
            let value = object[entry] ?? Value.none
            return listing == "keys"
              ? .string(entry)
              : listing == "values" ? value : .makeTuple([.string(entry), value])
          })
      }
    }
    return type
  }
}
