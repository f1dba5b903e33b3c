import Foundation
import TileIR

/// Making tensors from nothing or from Python values.
enum CreationOperators {
  static let table: [String: TorchOperator] = {
    var table: [String: TorchOperator] = [:]
    let fills: [(String, Int?, TorchOperator.Recording)] = [
      ("empty", nil, .creates), ("zeros", 0, .computes), ("ones", 1, .computes),
      ("randn", nil, .computes), ("rand", nil, .computes),
    ]
    for (name, fill, recording) in fills {
      table[name] = TorchOperator("*size dtype device memory_format", recording) { ev, bound in
        let dims = try bound.sizes("*size")
        let strides =
          bound.string("memory_format") == "channels_last"
          ? TensorObject.channelsLastStrides(dims) : nil
        let tensor = try ev.makeTensor(try bound.dtype() ?? .fp32, dims, strides: strides)
        tensor.fill = fill.map(Value.int)
        tensor.rankSource = bound.sizesSource
        return .tensor(tensor)
      }
      table["\(name)_like"] = TorchOperator("input dtype device memory_format", recording) {
        ev, bound in
        let input = try bound.tensor("input")
        let element = try bound.dtype() ?? input.element
        let tensor: TensorObject
        switch bound.string("memory_format") {
        case "contiguous_format": tensor = try ev.makeTensor(element, input.dims)
        case "channels_last", "channels_last_3d":
          tensor = try ev.makeTensor(
            element, input.dims, strides: TensorObject.channelsLastStrides(input.dims))
        default: tensor = try ev.makeLike(input, element)
        }
        tensor.fill = fill.map(Value.int)
        return .tensor(tensor)
      }
    }
    return table.merging(special) { _, new in new }
  }()

  /// The longest vector whose numbers are kept for the host program to read.
  static let contentsLimit = 4096

  /// As ATen's kernel: the first half counts from the start, the second from the end.
  private static func linspace(_ start: Float, _ end: Float, _ count: Int) -> [Value] {
    let step = count > 1 ? (end - start) / Float(count - 1) : 0
    return (0..<count).map { index in
      let value =
        index < count / 2
        ? start + step * Float(index) : end - step * Float(count - index - 1)
      return .double(Double(count == 1 ? start : value))
    }
  }

  private static let special: [String: TorchOperator] = [
    "full": TorchOperator("size fill_value dtype device") { ev, bound in
      let value = try bound.require("fill_value")
      let size = try bound.require("size")
      let dims = try ev.sizeList(size)
      let tensor = try ev.makeTensor(try bound.dtype() ?? Promotion.result([value]), dims)
      if value.asDouble != nil { tensor.fill = value }
      if try bound.dtype() == nil, case .float = value { tensor.element = .fp32 }
      ev.restate(nil, ["size": size.asInt == nil ? size : .makeList([size])])
      return .tensor(tensor)
    },
    "full_like": TorchOperator("input fill_value dtype device memory_format") { ev, bound in
      let tensor = try ev.makeLike(try bound.tensor("input"), try bound.dtype())
      tensor.fill = bound.given("fill_value").flatMap { $0.asDouble == nil ? nil : $0 }
      return .tensor(tensor)
    },
    "randint": TorchOperator("low high size dtype device") { ev, bound in
      var (high, size) = (bound["high"], bound["size"])
      if size == nil, high?.asInt == nil { (high, size) = (bound["low"], high) }
      guard let size else {
        _ = try bound.require("size")
        return .none
      }
      let isShort = bound["size"] == nil
      ev.restate(
        nil,
        [
          "low": isShort || bound["high"] == nil ? .int(0) : bound["low"] ?? .int(0),
          "high": (isShort ? bound["low"] : high ?? bound["low"]) ?? Value.none, "size": size,
        ])
      let dims = try ev.sizeList(size)
      return .tensor(try ev.makeTensor(try bound.dtype() ?? .int64, dims))
    },
    "randint_like": TorchOperator("input low high dtype device") { ev, bound in
      if bound["high"] == nil {
        ev.restate(nil, ["low": .int(0), "high": bound["low"] ?? Value.none])
      }
      return try randintLike(ev, bound)
    },
    "randperm": TorchOperator("n dtype device") { ev, bound in
      .tensor(try ev.makeTensor(try bound.dtype() ?? .int64, [bound.int("n")]))
    },
    "normal": TorchOperator("mean std size dtype device") { ev, bound in
      if case .tensor(let mean)? = bound["mean"] { return .tensor(try ev.makeLike(mean)) }
      if case .tensor(let std)? = bound["std"] { return .tensor(try ev.makeLike(std)) }
      let dims = try ev.items(bound.require("size")).map { try ev.integer($0, "a size") }
      return .tensor(try ev.makeTensor(try bound.dtype() ?? .fp32, dims))
    },
    "eye": TorchOperator("n m dtype device") { ev, bound in
      let rows = try bound.int("n")
      return .tensor(
        try ev.makeTensor(try bound.dtype() ?? .fp32, [rows, try bound.optionalInt("m") ?? rows]))
    },
    "arange": TorchOperator("start end step dtype device") { ev, bound in
      var start = try bound.require("start")
      var end = bound["end"] ?? Value.none
      if end.isNone { (start, end) = (.int(0), start) }
      let step = bound["step"] ?? .int(1)
      ev.restate(nil, ["start": start, "end": end, "step": step])
      if let first = start.asInt, let last = end.asInt, let by = step.asInt {
        guard by.value != 0 else { throw ev.raise("RuntimeError", "step must be nonzero") }
        let span = by.value > 0 ? last - first : first - last
        let width = by.value > 0 ? by : by.negated
        let count = span.value <= 0 ? SymInt(0) : span.ceilDivided(by: width) ?? span
        let result = try ev.makeTensor(try bound.dtype() ?? .int64, [count])
        if !result.element.isFloat, count.value <= contentsLimit {
          result.contents = (0..<count.value).map { .integer(first + by * SymInt($0)) }
        }
        return .tensor(result)
      }
      guard let first = start.asDouble, let last = end.asDouble, let by = step.asDouble, by != 0,
        let count = Int(exactly: ((last - first) / by).rounded(.up))
      else { throw ev.raise("RuntimeError", "unsupported range") }
      return .tensor(
        try ev.makeTensor(
          try bound.dtype() ?? .fp32, [SymInt(max(0, count), origin: max(start.origin, end.origin))]
        ))
    },
    "linspace": TorchOperator("start end steps dtype device") { ev, bound in
      let result = try ev.makeTensor(try bound.dtype() ?? .fp32, [bound.int("steps")])
      if let start = bound["start"]?.asDouble, let end = bound["end"]?.asDouble,
        result.element == .fp32, result.count <= contentsLimit
      {
        result.contents = linspace(Float(start), Float(end), result.count)
      }
      return .tensor(result)
    },
    "logspace": TorchOperator("start end steps base dtype device") { ev, bound in
      .tensor(try ev.makeTensor(try bound.dtype() ?? .fp32, [bound.int("steps")]))
    },
    "tensor": TorchOperator("data dtype device requires_grad") { ev, bound in
      try copied(ev, bound, bound.dtype())
    },
    "as_tensor": TorchOperator("data dtype device", .sometimes) { ev, bound in
      if case .tensor(let tensor)? = bound["data"] {
        return .tensor(try ev.convert(tensor, try bound.dtype()))
      }
      let result = try ev.tensor(from: bound.require("data"), try bound.dtype())
      ev.recordOperator("as_tensor")
      ev.trace("tensor", bound, [result])
      return .tensor(result)
    },
    "from_numpy": TorchOperator("data", .sometimes) { ev, bound in
      if case .tensor(let tensor)? = bound["data"] { return .tensor(tensor) }
      let result = try ev.tensor(from: bound.require("data"), nil)
      ev.recordOperator("from_numpy")
      ev.trace("tensor", bound, [result])
      return .tensor(result)
    },
    "scalar_tensor": TorchOperator("data dtype device") { ev, bound in
      ev.restate("tensor")
      return .tensor(try ev.tensor(from: bound.require("data"), try bound.dtype()))
    },
    "empty_strided": TorchOperator("size stride dtype device", .creates) { ev, bound in
      let dims = try ev.items(bound.require("size")).map { try ev.integer($0, "a size") }
      let strides = try ev.items(bound.require("stride")).map { try ev.integer($0, "a stride") }
      guard dims.count == strides.count else {
        throw ev.raise("RuntimeError", "mismatch in length of strides and shape")
      }
      return .tensor(try ev.makeTensor(try bound.dtype() ?? .fp32, dims, strides: strides))
    },
    "multinomial": TorchOperator("input num_samples replacement") { ev, bound in
      let input = try bound.tensor("input")
      return .tensor(
        try ev.makeTensor(.int64, Array(input.dims.dropLast()) + [bound.int("num_samples")]))
    },
    "complex": TorchOperator("real imag") { ev, _ in
      throw ev.refuse("complex tensors are not modelled")
    },
    "polar": TorchOperator("real imag") { ev, _ in
      throw ev.refuse("complex tensors are not modelled")
    },
  ]

  private static func randintLike(_ ev: Evaluator, _ bound: Bound) throws -> Value {
    .tensor(try ev.makeLike(try bound.tensor("input"), try bound.dtype()))
  }

  /// `torch.tensor(data)`: a tensor as data is copied.
  private static func copied(_ ev: Evaluator, _ bound: Bound, _ element: ElementType?) throws
    -> Value
  {
    let data = try bound.require("data")
    let result = try ev.tensor(from: data, element)
    if case .tensor = data {
      ev.restate(
        "to", ["data": .none, "input": data, "dtype": .dtype(DTypeValue(element: result.element))])
    }
    return .tensor(result)
  }

  /// Operators that only exist in place, and their parameters.
  private static let inPlaceOnly: [(String, String)] = [
    ("normal", "mean std"), ("uniform", "from to"), ("fill", "value"), ("zero", ""),
    ("copy", "src"), ("exponential", "lambd"), ("random", "from to"), ("cauchy", "median sigma"),
    ("log_normal", "mean std"), ("geometric", "p"), ("put", "index source accumulate"),
    ("fill_diagonal", "value wrap"),
  ]

  static let methods: [String: TorchOperator] = {
    var table: [String: TorchOperator] = [:]
    let fills: [(String, Int?, TorchOperator.Recording)] = [
      ("new_empty", nil, .creates), ("new_zeros", 0, .computes),
      ("new_ones", 1, .computes),
    ]
    for (name, fill, recording) in fills {
      table[name] = TorchOperator("input *size dtype device", recording) { ev, bound in
        let input = try bound.tensor("input")
        let tensor = try ev.makeTensor(
          try bound.dtype() ?? input.element, try bound.sizes("*size"))
        tensor.fill = fill.map(Value.int)
        return .tensor(tensor)
      }
    }
    table["new_full"] = TorchOperator("input size fill_value dtype device") { ev, bound in
      let input = try bound.tensor("input")
      let dims = try ev.items(bound.require("size")).map { try ev.integer($0, "a size") }
      return .tensor(try ev.makeTensor(try bound.dtype() ?? input.element, dims))
    }
    table["new_tensor"] = TorchOperator("input data dtype device") { ev, bound in
      ev.restate("tensor", ["input": .none])
      return try copied(ev, bound, bound.dtype() ?? bound.tensor("input").element)
    }
    for (name, parameters) in inPlaceOnly {
      table[name] = TorchOperator("input \(parameters)") { ev, bound in
        let input = try bound.tensor("input")
        if case .tensor(let source)? = bound["src"] {
          guard try ev.broadcast([input.dims, source.dims]).map(\.value) == input.sizes else {
            throw ev.raise("RuntimeError", "copy_: the source does not broadcast to the target")
          }
        }
        return .tensor(input)
      }
    }
    return table
  }()
}

extension Evaluator {
  /// An int, or a sequence of ints.
  func sizeList(_ value: Value) throws -> [SymInt] {
    if let single = value.asInt { return [single] }
    return try items(value).map { try integer($0, "a size") }
  }

  /// `torch.tensor(data)`: nested sequences of numbers.
  func tensor(from data: Value, _ element: ElementType?) throws -> TensorObject {
    if case .tensor(let tensor) = data {
      let copy = clone(tensor)
      if let element { copy.element = element }
      return copy
    }
    if data.asDouble != nil {
      let result = try makeTensor(
        element ?? (Promotion.result([data]) == .fp32 ? .fp32 : Promotion.result([data])), [])
      result.fill = data
      return result
    }
    var dims: [SymInt] = []
    var level = data
    var depth = 0
    while true {
      guard case .list = level else {
        if case .tuple = level {} else { break }
        let values = try items(level)
        dims.append(SymInt(values.count))
        guard let next = values.first else { break }
        level = next
        continue
      }
      depth += 1
      if depth > 60 { throw refuse("a tensor with more than 60 axes") }
      let values = try items(level)
      dims.append(SymInt(values.count))
      guard let next = values.first else { break }
      level = next
    }
    var leaf = Promotion.result([level])
    if case .tensor(let inner) = level { leaf = inner.element }
    if case .list = level { leaf = .fp32 }
    // One float anywhere in a flat list makes it floating point.
    if let flat = try? items(data),
      flat.contains(where: { if case .float = $0 { true } else { false } })
    {
      leaf = .fp32
    }
    let result = try makeTensor(element ?? leaf, dims)
    if dims.count == 1, dims[0].value <= CreationOperators.contentsLimit,
      let numbers = try? items(data),
      numbers.allSatisfy({ $0.asDouble != nil })
    {
      result.contents = numbers
    }
    return result
  }

  /// `dtype` arguments: torch and Triton types, Python's `int`, `float`, `bool`.
  func elementType(_ value: Value) throws -> ElementType {
    switch value {
    case .dtype(let dtype): return dtype.element
    case .native(let function):
      switch function.name {
      case "float": return .fp32
      case "int": return .int64
      case "bool": return .int1
      default: break
      }
    case .opaque(let object): throw refuse(object)
    default: break
    }
    throw raise("TypeError", "dtype must be torch.dtype, not \(value.typeName)")
  }
}
