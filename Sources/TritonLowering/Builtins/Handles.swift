import PythonSyntax
import TileIR

extension BuiltinTable {
  static let handles: [Builtin] =
    [
      Builtin("tl.make_block_ptr", "base, shape, strides, offsets, block_shape, order") {
        lowerer, arguments in try lowerer.makeBlockPointer(arguments)
      },
      Builtin("tl.advance", "base, offsets", method: true) { lowerer, arguments in
        guard case .blockPointer(let handle, let element, let block) = arguments["base"] else {
          throw lowerer.typeError("tl.advance needs a block pointer")
        }
        let offsets = try lowerer.indices(arguments["offsets"], wide: false)
        guard offsets.count == block.count else {
          throw lowerer.valueError("tl.advance needs \(block.count) offsets, got \(offsets.count)")
        }
        let type = ValueType.blockPointer(element: element, block: block)
        let result = lowerer.builder.emit(.advance, [handle] + offsets, results: [type])[0]
        return .blockPointer(result, element: element, block: block)
      },
      Builtin("tl.make_tensor_descriptor", "base, shape, strides, block_shape, padding_option=zero")
      {
        lowerer, arguments in .descriptor(try lowerer.makeDescriptor(arguments))
      },
      Builtin("tl.load_tensor_descriptor", "desc, offsets") { lowerer, arguments in
        .tensor(try lowerer.descriptorLoad(arguments["desc"], arguments["offsets"]))
      },
      Builtin("tl.store_tensor_descriptor", "desc, offsets, value") { lowerer, arguments in
        try lowerer.descriptorStore(
          arguments["desc"], arguments["offsets"], arguments["value"], nil)
        return .none
      },
      Builtin("descriptor.load", "desc, offsets") { lowerer, arguments in
        .tensor(try lowerer.descriptorLoad(arguments["desc"], arguments["offsets"]))
      },
      Builtin("descriptor.store", "desc, offsets, value") { lowerer, arguments in
        try lowerer.descriptorStore(
          arguments["desc"], arguments["offsets"], arguments["value"], nil)
        return .none
      },
      Builtin("descriptor.gather", "desc, *args") { lowerer, arguments in
        guard case .descriptor(let descriptor) = arguments["desc"], arguments.variadic.count == 2,
          let rows = arguments.variadic[0].tensor
        else {
          throw lowerer.failure(
            "triton-assertion", "descriptor gather takes x offsets and a y offset")
        }
        try lowerer.checkRows(descriptor, rows, "gather")
        let column = try lowerer.indices(arguments.variadic[1], wide: false)
        let type = TileType(descriptor.element, [rows.shape[0], descriptor.block[1]])
        return .tensor(
          Tensor(
            lowerer.builder.emitTile(
              .descriptorGather, [descriptor.value, rows.value, column[0]], type), type))
      },
      Builtin("descriptor.scatter", "desc, value, *args") { lowerer, arguments in
        guard case .descriptor(let descriptor) = arguments["desc"], arguments.variadic.count == 2,
          let rows = arguments.variadic[0].tensor, let value = arguments["value"].tensor
        else {
          throw lowerer.failure(
            "triton-assertion", "descriptor scatter takes a value, x offsets and a y offset")
        }
        try lowerer.checkRows(descriptor, rows, "scatter")
        let column = try lowerer.indices(arguments.variadic[1], wide: false)
        lowerer.builder.emit(
          .descriptorScatter, [descriptor.value, value.value, rows.value, column[0]])
        return .none
      },
    ]
    + ["add", "min", "max", "and", "or", "xor"].map { name in
      Builtin("descriptor.atomic_\(name)", "desc, offsets, value") { lowerer, arguments in
        try lowerer.descriptorStore(
          arguments["desc"], arguments["offsets"], arguments["value"],
          AtomicOp(rawValue: name) ?? .add)
        return .none
      }
    }
}

extension Lowerer {
  /// Shape, strides or offsets of a handle as scalars of int64 (`wide`) or int32.
  func indices(_ value: PyValue, wide: Bool) throws -> [Value] {
    var items: [PyValue] = [value]
    if case .tuple(let tuple) = value { items = tuple.elements }
    return try items.map { item in
      if let tensor = item.tensor {
        guard tensor.type.count == 1, !tensor.isBlock else {
          throw failure("triton-assertion", "expected a scalar in shape/strides/offsets")
        }
        guard tensor.element.isInteger else {
          throw failure(
            "triton-assertion", "expected an integer scalar type in shape/strides/offsets")
        }
        if wide, tensor.element != .int64 { return try cast(tensor, to: .int64).value }
        if !wide, tensor.element == .int64 {
          throw failure(
            "triton-assertion",
            "block pointers only support 32 bit 'offsets/block_shape', add a '.to(tl.int32)'")
        }
        return tensor.value
      }
      guard let number = item.int64, wide || Int32(exactly: number) != nil else {
        throw failure(
          "triton-assertion",
          "'\(item.display)' is no \(wide ? 64 : 32) bit integer for shape/strides/offsets")
      }
      return builder.integer(number, wide ? .int64 : .int32)
    }
  }

  func makeBlockPointer(_ arguments: BoundArguments) throws -> PyValue {
    let shape = try indices(arguments["shape"], wide: true)
    let strides = try indices(arguments["strides"], wide: true)
    let offsets = try indices(arguments["offsets"], wide: false)
    guard var base = arguments["base"].tensor, !base.isBlock, base.element.isPointer else {
      throw valueError(
        "expected 'base' to be a pointer type (but not a block pointer type or others)")
    }
    if base.element == .pointer(to: .int1) { base = try cast(base, to: .pointer(to: .int8)) }
    let element = base.element.pointee ?? .int8
    let block = try self.shape(
      from: { if case .tuple = $0 { $0 } else { .tuple(TupleValue([$0])) } }(
        arguments["block_shape"]))
    var orderItems: [PyValue] = [arguments["order"]]
    if case .tuple(let tuple) = arguments["order"] { orderItems = tuple.elements }
    let order = orderItems.compactMap(\.int64)
    guard order.count == orderItems.count, order.sorted() == Array(order.indices) else {
      throw failure(
        "triton-assertion", "expected a permutation of (0, 1, ..., len(order)-1) in order")
    }
    guard
      [shape.count, strides.count, offsets.count, order.count].allSatisfy({ $0 == block.count })
    else {
      throw failure(
        "triton-assertion",
        "expected shape/strides/offsets/block_shape to have the same length")
    }
    let type = ValueType.blockPointer(element: element, block: block)
    let handle = builder.emit(
      .makeBlockPointer(order: order), [base.value] + shape + strides + offsets, results: [type])[0]
    return .blockPointer(handle, element: element, block: block)
  }

  func makeDescriptor(_ arguments: BoundArguments) throws -> DescriptorValue {
    guard case .tuple(let shape) = arguments["shape"],
      case .tuple(let strides) = arguments["strides"]
    else { throw typeError("shape and strides of a tensor descriptor must be tuples") }
    let rank = shape.elements.count
    guard (1...5).contains(rank) else {
      throw valueError("expected 1 <= ndim <= 5 but got \(rank) dimensions")
    }
    guard strides.elements.count == rank else {
      throw valueError("expected \(rank) strides but got \(strides.elements.count)")
    }
    let block = try self.shape(from: arguments["block_shape"])
    guard block.count == rank else {
      throw valueError("expected block_shape to have \(rank) dimensions but got \(block.count)")
    }
    guard let base = arguments["base"].tensor, !base.isBlock, let element = base.element.pointee
    else { throw failure("triton-assertion", "base of a tensor descriptor must be a pointer") }
    let bytes = block[rank - 1] * (element.bits / 8)
    guard bytes >= 16 else {
      throw valueError(
        "descriptor block shape must have at least 16 bytes in the last dimension, but got \(bytes) bytes"
      )
    }
    guard strides.elements[rank - 1].integer == 1 else {
      throw valueError(
        "tensor descriptor last dim must be 1 but got '\(strides.elements[rank - 1].display)'")
    }
    let padding = try arguments.string("padding_option")
    guard ["", "zero", "nan"].contains(padding) else {
      throw valueError("padding option '\(padding)' not supported")
    }
    if element.isInteger, padding == "nan" {
      throw valueError("padding option 'nan' is not supported for integer blocks")
    }
    func scalars(_ values: [PyValue], _ element: ElementType) throws -> [Tensor] {
      try values.map { value in
        if let tensor = value.tensor { return try cast(tensor, to: element) }
        return try scalarConstant(value, element)
      }
    }
    let sizes = try scalars(shape.elements, .int32)
    let steps = try scalars(strides.elements, .int64)
    let handle = builder.emit(
      .makeTensorDescriptor(padding: padding.isEmpty ? nil : padding),
      [base.value] + sizes.map(\.value) + steps.map(\.value),
      results: [.tensorDescriptor(element: element, block: block)])[0]
    return DescriptorValue(
      value: handle, element: element, block: block, shape: sizes, strides: steps)
  }

  func descriptor(_ value: PyValue) throws -> DescriptorValue {
    guard case .descriptor(let descriptor) = value else {
      throw failure("triton-assertion", "expected a tensor descriptor, got '\(value.typeName)'")
    }
    return descriptor
  }

  func descriptorLoad(_ value: PyValue, _ offsets: PyValue) throws -> Tensor {
    let descriptor = try descriptor(value)
    let places = try indices(offsets, wide: false)
    guard places.count == descriptor.block.count else {
      throw failure(
        "triton-assertion", "expected \(descriptor.block.count) offsets, but got \(places.count)")
    }
    let type = TileType(descriptor.element, descriptor.block)
    return Tensor(
      builder.emitTile(.descriptorLoad(LoadAttributes()), [descriptor.value] + places, type), type)
  }

  func descriptorStore(
    _ target: PyValue, _ offsets: PyValue, _ value: PyValue, _ reduction: AtomicOp?
  ) throws {
    let descriptor = try descriptor(target)
    guard var tensor = value.tensor, tensor.shape == descriptor.block else {
      throw failure(
        "triton-assertion", "value shape does not match descriptor block \(descriptor.block)")
    }
    if reduction == nil {
      tensor = try cast(tensor, to: descriptor.element)
    } else if tensor.element != descriptor.element {
      throw failure("triton-assertion", "unsupported dtype \(tensor.element)")
    }
    let places = try indices(offsets, wide: false)
    guard places.count == descriptor.block.count else {
      throw failure(
        "triton-assertion", "expected \(descriptor.block.count) offsets, but got \(places.count)")
    }
    builder.emit(
      .descriptorStore(reduction: reduction), [descriptor.value, tensor.value] + places)
  }

  /// Triton's limits for gathers and scatters through a descriptor.
  func checkRows(_ descriptor: DescriptorValue, _ rows: Tensor, _ name: String) throws {
    guard descriptor.block.count == 2, descriptor.block[0] == 1 else {
      throw failure("triton-assertion", "descriptor block must have 1 row, is \(descriptor.block)")
    }
    guard rows.shape.count == 1, rows.shape[0] >= 8 else {
      throw failure("triton-assertion", "descriptor \(name) must have at least 8 rows")
    }
    let columns = 32 / max(1, descriptor.element.bits) * 8
    guard descriptor.block[1] >= columns else {
      throw failure(
        "triton-assertion", "descriptor \(name) must have at least \(columns) columns")
    }
  }
}
