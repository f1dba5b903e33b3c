import TileIR

extension Evaluator {
  /// `tensor.name`; nil where a tensor has no such attribute.
  func tensorAttribute(_ tensor: TensorObject, _ name: String) throws -> Value? {
    if let value = tensor.attributes[name] { return value }
    switch name {
    case "shape": return sizeValue(tensor)
    case "dtype":
      return .dtype(DTypeValue(element: tensor.element, source: tensor.elementSource))
    case "device": return .device(tensor.device)
    case "ndim": return .integer(rankValue(tensor))
    case "is_cuda": return .bool(true)
    case "is_cpu", "is_mps", "is_sparse", "is_quantized", "is_meta", "is_nested", "is_xpu":
      return .bool(false)
    case "requires_grad": return .bool(tensor.requiresGrad)
    case "is_leaf": return .bool(true)
    case "grad", "grad_fn", "names", "_grad": return Value.none
    case "layout": return .string("strided")
    case "itemsize": return .int(tensor.element.bytes)
    case "nbytes": return .integer(tensor.symbolicCount * SymInt(tensor.element.bytes))
    case "data":
      let result = view(of: tensor, tensor.dims, tensor.strides)
      result.requiresGrad = false
      result.rankSource = tensor.rankSource
      return .tensor(result)
    case "T":
      let strides = tensor.strides
      return .tensor(view(of: tensor, tensor.dims.reversed(), strides.reversed()))
    case "mT", "H", "mH":
      try requireRank(tensor, atLeast: 2, name)
      return .tensor(try transpose(tensor, -2, -1))
    default: break
    }
    let receiver = Value.tensor(tensor)
    if let method = TensorMethods.table[name] {
      return .native(NativeFunction(name) { try method($0, receiver, $1) })
    }
    guard let function = torchFunction(name, in: [TorchTables.methods, TorchTables.shared]) else {
      return nil
    }
    return .bound(BoundMethod(receiver, .native(function)))
  }

  func sizeValue(_ tensor: TensorObject) -> Value {
    let tuple = TupleObject(tensor.dims.map(Value.integer), kind: .size)
    tuple.rankSource = tensor.rankSource
    return .tuple(tuple)
  }

  func rankValue(_ tensor: TensorObject) -> SymInt {
    if let source = tensor.rankSource { return .dimension(Self.rankName(source), tensor.rank) }
    return SymInt(tensor.rank)
  }

  func setTensorAttribute(_ tensor: TensorObject, _ name: String, _ value: Value) throws {
    switch name {
    case "data":
      guard case .tensor(let other) = value else {
        throw raise("TypeError", "tensor.data must be a tensor")
      }
      tensor.become(other)
    case "requires_grad": tensor.requiresGrad = try truth(value)
    case "grad": break
    default: tensor.attributes[name] = value
    }
  }

  /// `x.to(…)`, `x.float()`, …: the same tensor where nothing changes.
  func convert(
    _ tensor: TensorObject, _ element: ElementType?, copies: Bool = false, format: String? = nil
  ) throws -> TensorObject {
    let wanted = element ?? tensor.element
    if let format, format.hasPrefix("channels_last") {
      let converted = try contiguous(tensor, format)
      return try convert(converted, wanted, copies: copies)
    }
    if wanted == tensor.element, !copies { return tensor }
    operatorDepth += 1
    defer { operatorDepth -= 1 }
    recordOperator("to")
    let result = try makeLike(tensor, wanted)
    result.fill = knownFill(tensor)
    trace("to", ["input": .tensor(tensor), "dtype": .dtype(DTypeValue(element: wanted))], [result])
    return result
  }
}

enum TensorMethods {
  static let table: [String: NativeMethod] = {
    var table: [String: NativeMethod] = base
    let conversions: [(String, ElementType)] = [
      ("float", .fp32), ("double", .fp64), ("half", .fp16), ("bfloat16", .bf16),
      ("int", .int32), ("long", .int64), ("short", .int16), ("char", .int8), ("byte", .uint8),
      ("bool", .int1),
    ]
    for (name, element) in conversions {
      table[name] = { ev, receiver, _ in
        .tensor(try ev.convert(try tensor(ev, receiver), element))
      }
    }
    for name in [
      "cuda", "cpu", "pin_memory", "requires_grad_", "share_memory_", "retain_grad", "resolve_conj",
      "is_shared", "record_stream", "numpy", "__tensor__", "detach_", "backward", "register_hook",
    ] {
      table[name] = { ev, receiver, _ in receiver }
    }
    return table
  }()

  private static let base: [String: NativeMethod] = [
    "size": { ev, receiver, arguments in
      let tensor = try tensor(ev, receiver)
      guard let dim = arguments.positional.first ?? arguments.keyword("dim"), !dim.isNone else {
        return ev.sizeValue(tensor)
      }
      return .integer(tensor.dims[try ev.checkedAxis(ev.integer(dim, "dim"), tensor)])
    },
    "stride": { ev, receiver, arguments in
      let tensor = try tensor(ev, receiver)
      guard let dim = arguments.positional.first ?? arguments.keyword("dim"), !dim.isNone else {
        let tuple = TupleObject(tensor.strides.map(Value.integer))
        tuple.rankSource = tensor.rankSource
        return .tuple(tuple)
      }
      return .integer(tensor.strides[try ev.checkedAxis(ev.integer(dim, "dim"), tensor)])
    },
    "dim": { ev, receiver, _ in .integer(ev.rankValue(try tensor(ev, receiver))) },
    "ndimension": { ev, receiver, _ in .integer(ev.rankValue(try tensor(ev, receiver))) },
    "numel": { ev, receiver, _ in .integer(try tensor(ev, receiver).symbolicCount) },
    "nelement": { ev, receiver, _ in .integer(try tensor(ev, receiver).symbolicCount) },
    "__len__": { ev, receiver, _ in .integer(try ev.length(receiver)) },
    "element_size": { ev, receiver, _ in .int(try tensor(ev, receiver).element.bytes) },
    "storage_offset": { ev, receiver, _ in .int(try tensor(ev, receiver).offset) },
    "data_ptr": { ev, receiver, _ in
      let tensor = try tensor(ev, receiver)
      let address = 0x7F00_0000_0000 &+ tensor.storage &* (1 << 32)
      return .integer(
        SymInt(address &+ tensor.offset &* tensor.element.bytes, origin: .unknown))
    },
    "get_device": { _, _, _ in .int(0) },
    "is_contiguous": { ev, receiver, arguments in
      let tensor = try tensor(ev, receiver)
      if case .string(let format)? = arguments.keyword("memory_format")
        ?? arguments.positional.first, format.hasPrefix("channels_last")
      {
        guard let wanted = TensorObject.channelsLastStrides(tensor.dims) else {
          return .bool(false)
        }
        return .bool(
          zip(zip(tensor.dims, tensor.strides), wanted).allSatisfy {
            $0.0.value == 1 || $0.1.value == $1.value
          })
      }
      return .bool(tensor.isContiguous)
    },
    "is_floating_point": { ev, receiver, _ in .bool(try tensor(ev, receiver).element.isFloat) },
    "is_complex": { _, _, _ in .bool(false) },
    "is_pinned": { _, _, _ in .bool(false) },
    "type": { ev, receiver, arguments in
      guard let wanted = arguments.positional.first else {
        return .string("torch.cuda.FloatTensor")
      }
      return .tensor(try ev.convert(try tensor(ev, receiver), try ev.elementType(wanted)))
    },
    "type_as": { ev, receiver, arguments in
      let other = try tensor(ev, try BuiltinFunctions.first(ev, arguments, "type_as"))
      return .tensor(try ev.convert(try tensor(ev, receiver), other.element))
    },
    "to": { ev, receiver, arguments in
      var element: ElementType?
      var format: String?
      var copies = false
      for value in arguments.positional + arguments.keywords.map(\.value) {
        switch value {
        case .dtype(let dtype): element = dtype.element
        case .tensor(let other): element = other.element
        case .string(let text) where text.hasPrefix("channels_last"): format = text
        case .native: element = try ev.elementType(value)
        default: break
        }
      }
      if let copy = arguments.keyword("copy") { copies = try ev.truth(copy) }
      return .tensor(
        try ev.convert(try tensor(ev, receiver), element, copies: copies, format: format))
    },
    "item": { ev, receiver, _ in
      let tensor = try tensor(ev, receiver)
      if let value = ev.readFill(tensor) ?? ev.readContents(tensor)?.first { return value }
      ev.note("assumed-content", "'item()' reads tensor contents; assumed 1")
      if tensor.element == .int1 { return .boolean(SymBool(value: true, origin: .unknown)) }
      return tensor.element.isFloat
        ? .double(1, origin: .unknown) : .integer(SymInt(1, origin: .unknown))
    },
    "tolist": { ev, receiver, _ in
      let tensor = try tensor(ev, receiver)
      if let contents = ev.knownContents(tensor) {
        ev.trace.readStorages.insert(tensor.storage)
        return .makeList(contents)
      }
      if let values = ev.readContents(tensor) {
        return ev.nested(values[...], tensor.dims.map(\.value)[...])
      }
      ev.note("assumed-content", "'tolist()' reads tensor contents; assumed 1")
      let one: Value =
        tensor.element.isFloat
        ? .double(1, origin: .unknown) : .integer(SymInt(1, origin: .unknown))
      if tensor.rank == 0 { return one }
      try ev.checkSize(tensor.count)
      guard tensor.rank == 1 else { throw ev.refuse("tolist() of a matrix is not modelled") }
      return .makeList(Array(repeating: one, count: tensor.count))
    },
    "storage": { ev, _, _ in throw ev.refuse("'Tensor.storage' is not modelled") },
    "new": { ev, _, _ in throw ev.refuse("'Tensor.new' is not modelled") },
    "apply_": { ev, receiver, _ in
      ev.traceGap("'apply_' changes contents in a way that is not modelled")
      return receiver
    },
    "set_": { ev, receiver, _ in
      ev.traceGap("'set_' is not modelled")
      return receiver
    },
    "resize_": { ev, receiver, arguments in
      let tensor = try tensor(ev, receiver)
      var sizes = arguments.positional
      if sizes.count == 1, sizes[0].asInt == nil { sizes = try ev.items(sizes[0]) }
      let dims = try sizes.map { try ev.integer($0, "a size") }
      tensor.become(try ev.makeTensor(tensor.element, dims))
      ev.trace("empty", ["size": .makeList(sizes)], [tensor])
      return receiver
    },
  ]

  private static func tensor(_ ev: Evaluator, _ value: Value) throws -> TensorObject {
    guard case .tensor(let tensor) = value else {
      throw ev.raise("TypeError", "a tensor is needed, not \(value.typeName)")
    }
    return tensor
  }
}

extension Evaluator {
  /// An axis of a tensor that must have axes.
  func checkedAxis(_ value: SymInt, _ tensor: TensorObject) throws -> Int {
    let index = try axis(value, tensor)
    guard index < tensor.rank else {
      throw raise(
        "IndexError", "Dimension specified as \(value.value) but tensor has no dimensions")
    }
    return index
  }
}
