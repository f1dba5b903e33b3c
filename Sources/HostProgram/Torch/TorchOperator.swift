import Diagnostics
import TileIR

/// One torch function at shape level, declared in the table of its family.
struct TorchOperator: Sendable {
  enum Recording: Sendable {
    /// Runs on the GPU: recorded when `forward` runs it.
    case computes
    /// Makes a tensor without filling it: part of the trace, no work for the GPU.
    case creates
    /// Only makes a new view or answers a question.
    case views
    /// Copies under some conditions; the body records it.
    case sometimes
  }
  typealias Body = @Sendable (Evaluator, Bound) throws -> Value

  let parameters: [String]
  let recording: Recording
  let body: Body

  init(_ parameters: String, _ recording: Recording = .computes, _ body: @escaping Body) {
    self.parameters = parameters.split(separator: " ").map(String.init)
    self.recording = recording
    self.body = body
  }
}

/// Every torch function by where it may be called from.
enum TorchTables {
  /// `torch.name`, `torch.nn.functional.name` and `Tensor.name`.
  static let shared: [String: TorchOperator] = merge([
    ElementwiseOperators.table, ViewOperators.shared, ReductionOperators.table,
    LinearAlgebraOperators.table, JoiningOperators.shared, NormalizationOperators.shared,
    IndexingOperators.table,
  ])
  /// `torch.name` and `torch.nn.functional.name` only.
  static let functions: [String: TorchOperator] = merge([
    ConvolutionOperators.table, PoolingOperators.table, NormalizationOperators.functional,
    JoiningOperators.functions, LossOperators.table, AttentionOperators.table,
  ])
  /// `torch.name` only.
  static let torchOnly: [String: TorchOperator] = CreationOperators.table
  /// `Tensor.name` only.
  static let methods: [String: TorchOperator] = merge([
    ViewOperators.methods, CreationOperators.methods,
  ])

  private static func merge(_ tables: [[String: TorchOperator]]) -> [String: TorchOperator] {
    tables.reduce(into: [:]) { $0.merge($1) { _, new in new } }
  }
}

extension Evaluator {
  /// Runs one operator and records it if it is the outermost one.
  ///
  /// - Parameter place: the tensor that an in-place form changes.
  func run(
    _ name: String, _ op: TorchOperator, _ arguments: Arguments, into place: TensorObject? = nil
  ) throws -> Value {
    let bound = try Bound(self, name, op.parameters, arguments)
    operatorDepth += 1
    let outer = restated
    restated = nil
    defer {
      operatorDepth -= 1
      restated = outer
    }
    let result = try op.body(self, bound)
    guard op.recording == .computes || op.recording == .creates else { return result }
    if op.recording == .computes { recordOperator(name) }
    guard let targets = try targets(of: result, place, bound, arguments) else {
      trace(name, bound, tensors(in: result))
      return result
    }
    trace(name, bound, targets)
    targets.forEach(noteWrite)
    if targets.count == 1 { return .tensor(targets[0]) }
    return .makeTuple(targets.map(Value.tensor))
  }

  /// The tensors that take the result in place of new ones: `x.name_()`, `inplace=True`, `out=`.
  private func targets(
    of result: Value, _ place: TensorObject?, _ bound: Bound, _ arguments: Arguments
  ) throws -> [TensorObject]? {
    if let out = arguments.keyword("out"), !out.isNone {
      let targets = tensors(in: out)
      for (target, made) in zip(targets, tensors(in: result)) where target.sizes != made.sizes {
        target.become(made)
      }
      return targets.isEmpty ? nil : targets
    }
    var target = place
    if target == nil, case .tensor(let input)? = bound["input"] ?? arguments.positional.first,
      let flag = bound["inplace"] ?? arguments.keyword("inplace"), try truth(flag)
    {
      target = input
    }
    guard let target else { return nil }
    if case .tensor(let made) = result, made !== target, made.sizes != target.sizes {
      throw raise(
        "RuntimeError",
        "output with shape \(target.sizes) doesn't match the broadcast shape \(made.sizes)")
    }
    return [target]
  }

  /// Records a torch operator; operators inside operators are not recorded.
  func recordOperator(_ name: String) {
    guard isRecording, operatorDepth <= 1, unit?.isModule ?? true else { return }
    operators.append((name, recordedHere))
  }

  /// The operator a function or method name stands for; `name_` is `name` in place.
  func torchFunction(_ name: String, in tables: [[String: TorchOperator]]) -> NativeFunction? {
    for table in tables {
      if let op = table[name] { return NativeFunction(name) { try $0.run(name, op, $1) } }
    }
    guard name.hasSuffix("_"), !name.hasSuffix("__") else { return nil }
    let plain = String(name.dropLast())
    for table in tables {
      guard let op = table[plain] else { continue }
      return NativeFunction(name) { ev, arguments in
        guard
          case .tensor(let target)? = arguments.positional.first ?? arguments.keyword("input")
        else {
          throw ev.raise("TypeError", "\(name)(): argument 'input' must be Tensor")
        }
        if Self.reshapesInPlace.contains(plain) {
          if case .tensor(let changed) = try ev.run(plain, op, arguments) { target.become(changed) }
        } else {
          _ = try ev.run(plain, op, arguments, into: target)
        }
        return .tensor(target)
      }
    }
    return nil
  }

  /// View operators whose in-place form changes the shape of the tensor itself.
  private static let reshapesInPlace: Set<String> = [
    "unsqueeze", "squeeze", "transpose", "t", "swapaxes", "swapdims", "as_strided",
  ]

  // MARK: Making tensors

  func makeTensor(_ element: ElementType, _ dims: [SymInt], strides: [SymInt]? = nil) throws
    -> TensorObject
  {
    guard dims.count <= 64 else { throw refuse("a tensor with \(dims.count) axes") }
    var count = 1
    for dim in dims {
      if dim.value < 0 {
        throw raise(
          "RuntimeError", "Trying to create tensor with negative dimension \(dim.value)",
          condition: dim.asFormula.map { .compare($0, .greaterEqual, .constant(0)) })
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: max(1, dim.value))
      if overflow || product > 1 << 48 {
        throw raise("RuntimeError", "a tensor of this size cannot be allocated")
      }
      count = product
    }
    return TensorObject(element, dims, strides: strides, storage: newStorage())
  }

  /// A new tensor of the same shape, layout kept as torch's `preserve_format` does.
  func makeLike(_ tensor: TensorObject, _ element: ElementType? = nil) throws -> TensorObject {
    let result = try makeTensor(
      element ?? tensor.element, tensor.dims, strides: tensor.preservedStrides)
    result.rankSource = tensor.rankSource
    return result
  }

  func clone(_ tensor: TensorObject) -> TensorObject {
    let copy = TensorObject(
      tensor.element, tensor.dims, strides: tensor.preservedStrides, storage: newStorage())
    copy.fill = knownFill(tensor)
    copy.rankSource = tensor.rankSource
    return copy
  }

  /// A view of the same storage.
  func view(
    of tensor: TensorObject, _ dims: [SymInt], _ strides: [SymInt]?, offset: Int? = nil
  ) -> TensorObject {
    let result = TensorObject(
      tensor.element, dims, strides: strides, storage: tensor.storage,
      offset: offset ?? tensor.offset)
    result.fill = knownFill(tensor)
    result.requiresGrad = tensor.requiresGrad
    result.elementSource = tensor.elementSource
    return result
  }

  // MARK: What operators require

  /// Both sizes must be equal; says so when the module fixes one of them.
  func requireEqual(_ first: SymInt, _ second: SymInt, _ message: @autoclosure () -> String) throws
  {
    let condition: Condition? =
      if first.formula != nil || second.formula != nil, let a = first.asFormula,
        let b = second.asFormula
      { .compare(a, .equal, b) } else { nil }
    guard first.value == second.value else {
      throw raise("RuntimeError", message(), condition: condition)
    }
    if let condition, decisions.count < 4096 {
      decisions.append(
        Decision(
          condition: condition, outcome: true, range: here, unit: unit, expected: true))
    }
  }

  /// The rank must be one of `ranks`; the first is what a guessed rank is corrected to.
  func requireRank(_ tensor: TensorObject, _ ranks: [Int], _ what: String) throws {
    if ranks.contains(tensor.rank) {
      // A rank that is only guessed becomes the usual one rather than the unbatched one.
      guard let source = tensor.rankSource, guessedRanks.contains(source), tensor.rank != ranks[0]
      else { return }
    }
    let condition: Condition? = tensor.rankSource.map {
      .compare(.dim(Self.rankName($0)), .equal, .constant(ranks[0]))
    }
    throw raise(
      "RuntimeError",
      "\(what): expected a \(ranks.map(String.init).joined(separator: " or "))-D tensor, got \(tensor.rank)-D",
      condition: condition)
  }

  /// `first` must be a multiple of `second`.
  func requireDivisible(
    _ first: SymInt, _ second: SymInt, _ type: String, _ message: @autoclosure () -> String
  ) throws {
    if second.value > 0, first.value % second.value == 0 { return }
    throw raise(
      type, message(),
      condition: first.asFormula.flatMap { a in
        second.asFormula.map { .compare(.mod(a, $0), .equal, .constant(0)) }
      })
  }

  func requireRank(_ tensor: TensorObject, atLeast rank: Int, _ what: String) throws {
    if tensor.rank >= rank { return }
    let condition: Condition? = tensor.rankSource.map {
      .compare(.dim(Self.rankName($0)), .greaterEqual, .constant(rank))
    }
    throw raise(
      "RuntimeError", "\(what): expected at least \(rank) axes, got \(tensor.rank)",
      condition: condition)
  }

  /// An axis, negative ones counted from the end.
  func axis(_ value: SymInt, _ tensor: TensorObject, extra: Int = 0) throws -> Int {
    let rank = tensor.rank + extra
    let index = value.value < 0 ? value.value &+ rank : value.value
    if index >= 0, index < max(1, rank) { return index }
    let needed = value.value < 0 ? 0 &- value.value : value.value &+ 1
    throw raise(
      "IndexError",
      "Dimension out of range (expected to be in range of [\(-rank), \(rank - 1)], but got \(value.value))",
      condition: tensor.rankSource.map {
        .compare(.dim(Self.rankName($0)), .greaterEqual, .constant(needed - extra))
      })
  }

  /// The axes of a reduction: none given means all.
  func axes(_ value: Value?, _ tensor: TensorObject) throws -> [Int] {
    guard let value, !value.isNone else { return Array(0..<tensor.rank) }
    if let single = value.asInt { return [try axis(single, tensor)] }
    let list = try items(value)
    if list.isEmpty { return Array(0..<tensor.rank) }
    return try list.map { try axis(integer($0, "dim"), tensor) }
  }

  /// The common shape of several, by broadcasting.
  func broadcast(_ shapes: [[SymInt]]) throws -> [SymInt] {
    guard var result = shapes.first else { return [] }
    for shape in shapes.dropFirst() {
      let rank = max(result.count, shape.count)
      var merged: [SymInt] = []
      for position in 0..<rank {
        let i = position - (rank - result.count)
        let j = position - (rank - shape.count)
        guard i >= 0 else {
          merged.append(shape[j])
          continue
        }
        guard j >= 0 else {
          merged.append(result[i])
          continue
        }
        let (a, b) = (result[i], shape[j])
        if a.value == 1 {
          merged.append(b)
        } else if b.value == 1 {
          merged.append(a)
        } else {
          try requireEqual(
            a, b,
            "The size of tensor a (\(a.value)) must match the size of tensor b (\(b.value)) at non-singleton dimension \(position)"
          )
          merged.append(a.formula == nil ? a : b.formula == nil ? b : a)
        }
      }
      result = merged
    }
    return result
  }
}
