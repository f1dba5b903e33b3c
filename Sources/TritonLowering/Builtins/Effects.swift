import PythonSyntax
import TileIR

extension BuiltinTable {
  static let effects: [Builtin] = [
    Builtin("tl.debug_barrier", "") { lowerer, _ in
      lowerer.builder.emit(.barrier)
      return .none
    },
    hint("multiple_of", .multipleOf), hint("max_contiguous", .maxContiguous),
    hint("max_constancy", .maxConstancy),
    Builtin("tl.assume", "cond") { lowerer, arguments in
      let condition = try lowerer.toTensor(arguments["cond"])
      guard condition.element == .int1 else {
        throw lowerer.typeError(
          "tl.assume needs a condition of type int1, got \(condition.element)")
      }
      lowerer.builder.emit(.assume, [condition.value])
      return .none
    },
    Builtin("tl.device_print", "prefix, *args, hex=False") { lowerer, arguments in
      try lowerer.devicePrint(arguments)
    },
    Builtin("python.print", "prefix, *args, hex=False") { lowerer, arguments in
      try lowerer.devicePrint(arguments)
    },
    Builtin("tl.device_assert", "cond, msg=\"\", mask=None") { lowerer, arguments in
      // Without TRITON_DEBUG Triton checks the operands and emits nothing.
      var condition = try lowerer.toTensor(arguments["cond"])
      guard lowerer.keepsAssertions else { return .none }
      if !arguments["mask"].isNone {
        let mask = try lowerer.toTensor(arguments["mask"])
        condition = try lowerer.bitwise(
          .or, .tensor(try lowerer.cast(condition, to: .int1)),
          .tensor(try lowerer.logicalNot(try lowerer.cast(mask, to: .int1))))
      }
      try lowerer.emitAssertion(condition, arguments["msg"])
      return .none
    },
    Builtin("tl.inline_asm_elementwise", "asm, constraints, args, dtype, is_pure, pack") {
      lowerer, arguments in try lowerer.inlineAssembly(arguments)
    },
    Builtin("tl.map_elementwise", "scalar_fn, *args, pack=1") { lowerer, _ in
      throw lowerer.unsupported("builtin", "tl.map_elementwise is not supported")
    },
  ]

  private static func hint(_ name: String, _ kind: HintKind) -> Builtin {
    Builtin("tl.\(name)", "input, values") { lowerer, arguments in
      var items: [PyValue] = [arguments["values"]]
      if case .tuple(let tuple) = arguments["values"] { items = tuple.elements }
      let values = try items.enumerated().map { index, item -> Int in
        guard case .int = item, let number = item.int64 else {
          throw lowerer.typeError("values element \(index) must have type 'constexpr[int]'")
        }
        return number
      }
      guard case .tensor(let input) = arguments["input"] else {
        throw lowerer.failure(
          "triton-attribute-error",
          "'\(arguments["input"].display)' is a compile-time value: tl.\(name) needs a tensor")
      }
      let rank = kind == .multipleOf ? max(1, input.shape.count) : input.shape.count
      guard values.count == rank else {
        throw lowerer.valueError("shape of input to \(name) does not match the length of values")
      }
      return .tensor(
        Tensor(
          lowerer.builder.emitTile(.hint(kind, values), [input.value], input.type), input.type))
    }
  }

  static let queries: [Builtin] = [
    Builtin("tl.program_id", "axis") { lowerer, arguments in
      let axis = try lowerer.programAxis(arguments, "program_id")
      let type = TileType(.int32)
      return .tensor(Tensor(lowerer.builder.emitTile(.programID(axis: axis), [], type), type))
    },
    Builtin("tl.num_programs", "axis") { lowerer, arguments in
      let axis = try lowerer.programAxis(arguments, "num_programs")
      let type = TileType(.int32)
      return .tensor(Tensor(lowerer.builder.emitTile(.numPrograms(axis: axis), [], type), type))
    },
    Builtin("cuda.num_warps", "") { lowerer, _ in .int(Int128(lowerer.specialization.numWarps)) },
    Builtin("cuda.num_threads", "") { lowerer, _ in
      .int(Int128(lowerer.specialization.numWarps) * 32)
    },
    Builtin("cuda.globaltimer", "") { lowerer, _ in
      .tensor(lowerer.register("mov.u64 $0, %globaltimer;", "=l", .int64, isPure: false))
    },
    Builtin("cuda.smid", "") { lowerer, _ in
      .tensor(lowerer.register("mov.u32 $0, %smid;", "=r", .int32, isPure: true))
    },
    Builtin("cuda.gdc_wait", "") { lowerer, _ in
      _ = lowerer.register("griddepcontrol.wait; // dummy $0", "=r", .int32, isPure: false)
      return .none
    },
    Builtin("cuda.gdc_launch_dependents", "") { lowerer, _ in
      _ = lowerer.register(
        "griddepcontrol.launch_dependents; // dummy $0", "=r", .int32, isPure: false)
      return .none
    },
    Builtin("target_info.is_cuda", "") { _, _ in .bool(true) },
    Builtin("target_info.is_hip", "") { _, _ in .bool(false) },
    Builtin("target_info.is_hip_cdna3", "") { _, _ in .bool(false) },
    Builtin("target_info.is_hip_cdna4", "") { _, _ in .bool(false) },
    Builtin("target_info.cuda_capability_geq", "major, minor=0") { lowerer, arguments in
      let wanted = try arguments.integer("major") &* 10 &+ (try arguments.integer("minor"))
      return .bool(lowerer.specialization.computeCapability >= wanted)
    },
    Builtin("python.isinstance", "value, type") { _, arguments in
      .bool(PythonFunctions.isInstance(arguments["value"], arguments["type"]))
    },
    Builtin("python.getattr", "value, name, default=None") { lowerer, arguments in
      try lowerer.attribute(arguments["value"], try arguments.string("name"))
    },
    Builtin("python.hasattr", "value, name") { lowerer, arguments in
      .bool((try? lowerer.attribute(arguments["value"], try arguments.string("name"))) != nil)
    },
    Builtin("python.len", "value") { lowerer, arguments in
      guard case .tuple(let tuple) = arguments["value"] else {
        if case .string(let text) = arguments["value"] { return .int(Int128(text.count)) }
        throw lowerer.typeError("object of type '\(arguments["value"].typeName)' has no len()")
      }
      return .int(Int128(tuple.elements.count))
    },
    Builtin("python.range", "*args") { lowerer, _ in
      throw lowerer.typeError("range() is only of use as the iterator of a 'for' loop")
    },
    Builtin("tl.range", "*args") { lowerer, _ in
      throw lowerer.typeError("tl.range is only of use as the iterator of a 'for' loop")
    },
    Builtin("tl.static_range", "*args") { lowerer, _ in
      throw lowerer.typeError("tl.static_range is only of use as the iterator of a 'for' loop")
    },
  ]
}

extension Lowerer {
  func programAxis(_ arguments: BoundArguments, _ name: String) throws -> Int {
    guard let axis = arguments["axis"].int64, (0...2).contains(axis) else {
      throw valueError("\(name) axis must be 0, 1, or 2 but got '\(arguments["axis"].display)'")
    }
    return axis
  }

  func register(_ text: String, _ constraints: String, _ element: ElementType, isPure: Bool)
    -> Tensor
  {
    let type = TileType(element)
    let kind = Operation.Kind.inlineAssembly(
      text: text, constraints: constraints, isPure: isPure, pack: 1)
    return Tensor(builder.emitTile(kind, [], type), type)
  }

  func emitAssertion(_ condition: Tensor, _ message: PyValue) throws {
    var text = ""
    if case .string(let given) = message { text = given }
    builder.emit(.deviceAssert(message: text), [try cast(condition, to: .int1).value])
  }

  func devicePrint(_ arguments: BoundArguments) throws -> PyValue {
    guard case .string(let prefix) = arguments["prefix"] else {
      throw failure("triton-assertion", "the first argument of device_print must be a string")
    }
    guard prefix.utf8.allSatisfy({ $0 < 0x80 }) else {
      throw failure("triton-assertion", "'\(prefix)' is not an ascii string")
    }
    let values = try arguments.variadic.map { try toTensor($0).value }
    builder.emit(.devicePrint(prefix: prefix), values)
    return .none
  }

  func inlineAssembly(_ arguments: BoundArguments) throws -> PyValue {
    var items: [PyValue] = []
    if case .tuple(let tuple) = arguments["args"] { items = tuple.elements }
    var operands = try items.map(toTensor)
    var elements: [ElementType] = []
    var isSingle = false
    switch arguments["dtype"] {
    case .tuple(let tuple):
      elements = tuple.elements.compactMap {
        if case .type(let type) = $0 { type.element } else { nil }
      }
      guard elements.count == tuple.elements.count, !elements.isEmpty else {
        throw typeError("'dtype' must hold dtypes")
      }
    default:
      elements = [try arguments.element("dtype")]
      isSingle = true
    }
    if var shared = operands.first {
      for operand in operands { shared = try broadcast(operand, shared).1 }
      operands = try operands.map { try broadcast($0, shared).0 }
    }
    let shape = operands.first?.shape ?? []
    let types = elements.map { TileType($0, shape) }
    let results = builder.emit(
      .inlineAssembly(
        text: try arguments.string("asm"), constraints: try arguments.string("constraints"),
        isPure: try arguments.bool("is_pure"), pack: try arguments.integer("pack")),
      operands.map(\.value), results: types.map { .tile($0) })
    let tensors = zip(results, types).map { PyValue.tensor(Tensor($0, $1)) }
    return isSingle ? tensors[0] : .tuple(TupleValue(tensors))
  }
}
