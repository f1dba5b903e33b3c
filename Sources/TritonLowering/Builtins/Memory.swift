import PythonSyntax
import TileIR

extension BuiltinTable {
  static let memory: [Builtin] = [
    Builtin(
      "tl.load",
      "pointer, mask=None, other=None, boundary_check=(), padding_option=\"\", cache_modifier=\"\", eviction_policy=\"\", volatile=False"
    ) { lowerer, arguments in
      .tensor(try lowerer.load(arguments))
    },
    Builtin(
      "tl.store",
      "pointer, value, mask=None, boundary_check=(), cache_modifier=\"\", eviction_policy=\"\"",
      method: true
    ) { lowerer, arguments in
      try lowerer.store(arguments)
      return .none
    },
  ]
}

extension Lowerer {
  // MARK: Options

  func cacheModifier(_ text: String, _ accepted: Set<String>) throws -> String {
    guard text.isEmpty || accepted.contains(text) else {
      throw valueError("cache modifier '\(text)' not supported")
    }
    return text
  }

  func evictionPolicy(_ text: String) throws -> String {
    guard ["", "evict_last", "evict_first"].contains(text) else {
      throw valueError("eviction policy '\(text)' not supported")
    }
    return text
  }

  private func boundaryCheck(_ value: PyValue, rank: Int) throws -> [Int] {
    var items: [PyValue] = [value]
    if case .tuple(let tuple) = value { items = tuple.elements }
    if value.isNone { items = [] }
    let axes = try items.map {
      guard let axis = $0.int64, axis >= 0, axis < rank else {
        throw failure("triton-assertion", "boundary_check axis '\($0.display)' is out of range")
      }
      return axis
    }
    guard Set(axes).count == axes.count else {
      throw failure("triton-assertion", "duplicate dimension in 'boundary_check'")
    }
    return axes.sorted()
  }

  // MARK: Load

  func load(_ arguments: BoundArguments) throws -> Tensor {
    let mask = arguments["mask"].isNone ? nil : try toTensor(arguments["mask"])
    let other = arguments["other"].isNone ? nil : try toTensor(arguments["other"])
    var attributes = LoadAttributes()
    attributes.cacheModifier = try cacheModifier(
      try arguments.string("cache_modifier"), [".ca", ".cg", ".cv"])
    attributes.evictionPolicy = try evictionPolicy(try arguments.string("eviction_policy"))
    attributes.isVolatile = try arguments.bool("volatile")
    let padding = try arguments.string("padding_option")
    guard ["", "zero", "nan"].contains(padding) else {
      throw valueError("padding option '\(padding)' not supported")
    }
    if case .blockPointer(let handle, let element, let block) = arguments["pointer"] {
      guard mask == nil, other == nil else {
        throw valueError(
          "'mask' and 'other' arguments cannot be specified for loading block pointers")
      }
      if element.isInteger, padding == "nan" {
        throw valueError("padding option 'nan' is not supported for integer block pointers")
      }
      let axes = try boundaryCheck(arguments["boundary_check"], rank: block.count)
      let type = TileType(element, block)
      return Tensor(
        builder.emitTile(
          .blockLoad(boundaryCheck: axes, padding: padding.isEmpty ? nil : padding, attributes),
          [handle], type), type)
    }
    guard let pointer = arguments["pointer"].tensor, pointer.element.isPointer else {
      throw valueError("unsupported ptr type \(arguments["pointer"].typeName) in 'tl.load'")
    }
    if mask == nil, other != nil { throw valueError("'other' cannot be provided without 'mask'") }
    if !padding.isEmpty || arguments["boundary_check"].truth == true {
      throw valueError(
        "'padding_option' or 'boundary_check' argument is not supported for loading a tensor of "
          + "pointers or loading a scalar; use block pointers instead")
    }
    return try load(pointer, mask: mask, other: other, attributes)
  }

  private func load(
    _ address: Tensor, mask: Tensor?, other: Tensor?, _ options: LoadAttributes
  ) throws -> Tensor {
    var pointer = address
    var mask = mask
    var other = other
    var attributes = options
    if !pointer.isBlock {
      if mask?.isBlock == true {
        throw valueError("mask argument cannot be block type if pointer argument is not a block")
      }
      if other?.isBlock == true {
        throw valueError("other argument cannot be block type if pointer argument is not a block")
      }
    } else {
      if let given = mask { (pointer, mask) = try broadcast(pointer, given) as (Tensor, Tensor?) }
      if let given = other { (pointer, other) = try broadcast(pointer, given) as (Tensor, Tensor?) }
      if let given = mask, given.shape != pointer.shape {
        mask = try broadcast(given, to: pointer.shape)
      }
    }
    var element = pointer.element.pointee ?? .int8
    let isBool = element == .int1
    if isBool {
      element = .int8
      pointer = try cast(pointer, to: .pointer(to: .int8))
    }
    if let given = other { other = try cast(given, to: element) }
    try checkMask(mask)
    attributes.hasMask = mask != nil
    attributes.hasOther = other != nil
    let type = TileType(element, pointer.shape)
    let operands =
      [pointer.value] + (mask.map { [$0.value] } ?? []) + (other.map { [$0.value] } ?? [])
    let result = Tensor(builder.emitTile(.load(attributes), operands, type), type)
    return isBool ? try cast(result, to: .int1) : result
  }

  private func broadcast(_ left: Tensor, _ right: Tensor) throws -> (Tensor, Tensor?) {
    let (a, b): (Tensor, Tensor) = try broadcast(left, right)
    return (a, b)
  }

  func checkMask(_ mask: Tensor?) throws {
    if let mask, mask.element != .int1 {
      throw valueError("mask must have boolean scalar type, is \(mask.element)")
    }
  }

  // MARK: Store

  func store(_ arguments: BoundArguments) throws {
    var value = try toTensor(arguments["value"])
    var mask = arguments["mask"].isNone ? nil : try toTensor(arguments["mask"])
    var attributes = StoreAttributes()
    attributes.cacheModifier = try cacheModifier(
      try arguments.string("cache_modifier"), [".wb", ".cg", ".cs", ".wt"])
    attributes.evictionPolicy = try evictionPolicy(try arguments.string("eviction_policy"))
    if case .blockPointer(let handle, let element, let block) = arguments["pointer"] {
      guard mask == nil else {
        throw valueError(
          "'mask' and 'other' arguments cannot be specified for loading block pointers")
      }
      if !value.isBlock { value = try broadcast(value, to: block) }
      guard value.shape == block else {
        throw failure(
          "triton-assertion", "block shape \(block) and value shape \(value.shape) mismatch")
      }
      guard value.element == element else {
        throw failure(
          "triton-assertion",
          "block element type \(element) and value element type \(value.element) mismatch")
      }
      let axes = try boundaryCheck(arguments["boundary_check"], rank: block.count)
      builder.emit(.blockStore(boundaryCheck: axes, attributes), [handle, value.value])
      return
    }
    guard var pointer = arguments["pointer"].tensor, pointer.element.isPointer else {
      throw valueError("unsupported ptr type \(arguments["pointer"].typeName) in 'tl.store'")
    }
    if arguments["boundary_check"].truth == true {
      throw valueError(
        "'boundary_check' argument is not supported for storing a tensor of pointers or storing a scalar"
      )
    }
    if !pointer.isBlock {
      if value.isBlock {
        throw valueError("value argument cannot be block type if pointer argument is not a block")
      }
      if mask?.isBlock == true {
        throw valueError("mask argument cannot be block type if pointer argument is not a block")
      }
    } else {
      let shape = pointer.shape
      (pointer, value) = try broadcast(pointer, value)
      if let given = mask { (pointer, mask) = try broadcast(pointer, given) as (Tensor, Tensor?) }
      (pointer, value) = try broadcast(pointer, value)
      guard pointer.shape == shape else {
        throw valueError(
          "expected pointer argument to have shape \(pointer.shape) but got \(shape)")
      }
    }
    var element = pointer.element.pointee ?? .int8
    if element == .int1 {
      element = .int8
      pointer = try cast(pointer, to: .pointer(to: .int8))
    }
    value = try cast(value, to: element)
    try checkMask(mask)
    attributes.hasMask = mask != nil
    builder.emit(
      .store(attributes), [pointer.value, value.value] + (mask.map { [$0.value] } ?? []))
  }
}
