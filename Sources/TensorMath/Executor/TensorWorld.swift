import Diagnostics
import HostProgram
import TileIR

/// The tensors of one run of a host program, with the operators that fill them.
///
/// ```
/// let world = TensorWorld(precision: .reference, seed: 1, source: module)
/// try world.reserve(trace, launches: [])
/// try world.run(trace.setup)
/// try world.run(trace.forward)
/// let result = try world.values(trace.outputs[0])   // row-major
/// ```
/// Every operator computes in fp64 (integers: in 64 bits) and rounds once, to the element type of its
/// result: `.native` is therefore at least as exact as torch on a GPU, which computes in fp32, and
/// equal to it where torch rounds correctly (`+ - * /`, square root, conversions). `.reference`
/// does not round at all. Views cost nothing: a tensor is its storage, offset and strides.
///
/// Not `Sendable`: one task owns it and the memory of its storages.
public final class TensorWorld {
  public enum Precision: Hashable, Sendable {
    /// Floating tensors hold what their element type can hold.
    case native
    /// Every floating tensor holds fp64, whatever its declared type.
    case reference
  }

  public let precision: Precision
  /// What random operators start from. The numbers are the same in both precisions: they are rounded
  /// to the declared type in both.
  public let seed: UInt64
  /// The byte that `torch.empty*` leaves.
  public let poison: UInt8
  /// The most bytes all storages together may take.
  public let limitBytes: Int
  /// The module whose ranges the operations carry, for messages.
  public let source: SourceText?
  /// The storages in use by their id in the trace.
  public private(set) var storages: [Int: TensorStorage] = [:]
  /// How many random operators ran: the stream of the next one.
  var randomOrdinal: UInt64 = 0
  private var wantedBytes: [Int: Int] = [:]
  private var heldBytes = 0

  public init(
    precision: Precision = .native, seed: UInt64 = 0, poison: UInt8 = 0xFF,
    limitBytes: Int = 8 << 30, source: SourceText? = nil
  ) {
    self.precision = precision
    self.seed = seed
    self.poison = poison
    self.limitBytes = limitBytes
    self.source = source
  }

  // MARK: Running

  /// Runs steps in order; launches go to `launch` with their index.
  /// - Throws: what an operator refuses, located at the operator; `launch-without-machine` for a
  ///   launch where nobody takes it.
  public func run(
    _ steps: [HostStep], launch: ((Int) throws(Diagnostic) -> Void)? = nil
  ) throws(Diagnostic) {
    for step in steps {
      switch step {
      case .operation(let operation): try execute(operation)
      case .launch(let index):
        guard let launch else {
          throw Diagnostic(
            id: "launch-without-machine", "a kernel launch cannot run on torch operators alone",
            source: source)
        }
        try launch(index)
      }
    }
  }

  /// Runs one operator on the tensors it names.
  /// - Throws: `unsupported-torch-operator` for what is missing; otherwise a finding about the
  ///   operands. All carry the operation's range.
  public func execute(_ operation: TensorOperation) throws(Diagnostic) {
    do {
      let call = OperatorCall(operation: operation, world: self)
      guard let body = OperatorTables.all[operation.name] else {
        throw call.refusal("torch operator '\(operation.name)' is not supported on real numbers")
      }
      // Operators rest on this: every view lies inside its storage and has a size one can hold. A
      // result's storage is as large as the result, whichever part of it is written first.
      for shape in operation.results { try validate(.tensor(shape), depth: 0) }
      for argument in operation.arguments.values { try validate(argument, depth: 0) }
      try body(call)
    } catch {
      // Everything an operator throws is a diagnostic.
      var located =
        error as? Diagnostic
        ?? Diagnostic(id: "torch-operator-fault", "\(operation.name): \(error)")
      if located.range == nil { located.range = operation.range }
      if located.source == nil { located.source = source }
      throw located
    }
  }

  /// Passes over an operator whose results the caller writes itself or never looks at: operators
  /// that draw numbers later on draw the same ones as if it had run.
  /// - Returns: false for an operator that has to be run, as only running it tells how much it draws.
  public func skip(_ operation: TensorOperation) -> Bool {
    guard RandomOperators.table[operation.name] != nil else { return true }
    guard !operation.name.contains("dropout") else { return false }
    randomOrdinal += 1
    return true
  }

  private func validate(_ value: TraceValue, depth: Int) throws(Diagnostic) {
    switch value {
    case .tensor(let shape):
      _ = try storage(of: shape)
      // A broadcast view can name more elements than memory has.
      guard shape.rank <= 64, shape.count <= limitBytes / 4 + 1 << 17 else {
        throw Diagnostic(
          id: "out-of-memory", "a view of shape \(shape.shape) has too many elements",
          nextStep: "use smaller sizes")
      }
    case .list(let items) where depth < 16:
      for item in items { try validate(item, depth: depth + 1) }
    default: break
    }
  }

  /// Makes room for every tensor that the trace and the launches name, so that a storage is as large
  /// as its widest view. Without it a storage is as large as the first view of it that is used.
  public func reserve(_ trace: HostTrace, launches: [Launch] = []) throws(Diagnostic) {
    for step in trace.setup + trace.forward {
      guard case .operation(let operation) = step else { continue }
      for shape in operation.results { try reserve(shape) }
      for argument in operation.arguments.values { try reserve(argument, depth: 0) }
    }
    for tensor in trace.tensors { try reserve(tensor.shape) }
    for shape in trace.outputs { try reserve(shape) }
    for launch in launches {
      for argument in launch.arguments { try reserve(argument.value, depth: 0) }
    }
    for values in trace.launchArguments.values {
      for value in values { try reserve(value, depth: 0) }
    }
  }

  private func reserve(_ value: TraceValue, depth: Int) throws(Diagnostic) {
    switch value {
    case .tensor(let shape): try reserve(shape)
    case .list(let items) where depth < 16:
      for item in items { try reserve(item, depth: depth + 1) }
    default: break
    }
  }

  private func reserve(_ value: ArgumentValue, depth: Int) throws(Diagnostic) {
    switch value {
    case .tensor(let shape): try reserve(shape)
    case .tensorDescriptor(let shape, _): try reserve(shape)
    case .tuple(let items) where depth < 16:
      for item in items { try reserve(item, depth: depth + 1) }
    default: break
    }
  }

  /// Makes room for one view.
  public func reserve(_ shape: TensorShape) throws(Diagnostic) {
    let bytes = try byteExtent(shape)
    if bytes > wantedBytes[shape.storage] ?? -1 { wantedBytes[shape.storage] = bytes }
  }

  // MARK: Storages

  private func layout(of element: ElementType) -> TensorStorage.Layout {
    precision == .reference && element.isFloat ? .doubles : .native
  }

  /// The bytes from the storage's start to the end of the view's last element.
  private func byteExtent(_ shape: TensorShape) throws(Diagnostic) -> Int {
    guard shape.shape.count == shape.strides.count, shape.offset >= 0,
      shape.shape.allSatisfy({ $0 >= 0 }), !shape.element.isPointer
    else {
      throw Diagnostic(id: "malformed-tensor", "a tensor of shape \(shape.shape) is malformed")
    }
    if shape.shape.contains(0) { return 0 }
    var last = shape.offset
    var count = 1
    var overflows = false
    for (size, stride) in zip(shape.shape, shape.strides) {
      guard stride >= 0 || size == 1 else {
        throw Diagnostic(id: "malformed-tensor", "a tensor has the stride \(stride)")
      }
      let (span, a) = (size - 1).multipliedReportingOverflow(by: size == 1 ? 0 : stride)
      let (sum, b) = last.addingReportingOverflow(span)
      let (product, c) = count.multipliedReportingOverflow(by: size)
      overflows = overflows || a || b || c || product > 1 << 44
      last = sum
      count = product
    }
    let width = layout(of: shape.element) == .doubles ? 8 : shape.element.bytes
    let (bytes, a) = last.addingReportingOverflow(1)
    let (total, b) = bytes.multipliedReportingOverflow(by: width)
    guard !overflows, !a, !b else {
      throw Diagnostic(id: "out-of-memory", "a tensor of shape \(shape.shape) cannot be held")
    }
    return total
  }

  /// The storage a tensor views, made (all zero) on first use.
  /// - Throws: `tensor-outside-storage` where the view does not fit in what exists.
  public func storage(of shape: TensorShape) throws(Diagnostic) -> TensorStorage {
    let bytes = try byteExtent(shape)
    let layout = layout(of: shape.element)
    if let known = storages[shape.storage] {
      guard known.layout == layout else {
        throw Diagnostic(
          id: "reinterpreted-storage",
          "a view reads floating elements as another type, which fp64 evaluation cannot follow")
      }
      guard bytes <= known.byteCount else {
        throw Diagnostic(
          id: "tensor-outside-storage",
          "a view of shape \(shape.shape) needs \(bytes) bytes of a storage of \(known.byteCount)")
      }
      return known
    }
    let size = max(bytes, wantedBytes[shape.storage] ?? 0)
    let (held, overflow) = heldBytes.addingReportingOverflow(size)
    guard !overflow, held <= limitBytes else {
      throw Diagnostic(
        id: "out-of-memory",
        "the tensors need more than the \(limitBytes >> 20) MiB that are allowed",
        nextStep: "use smaller sizes")
    }
    let made = try TensorStorage(byteCount: size, layout: layout)
    heldBytes = held
    storages[shape.storage] = made
    return made
  }

  /// Gives a storage's memory back; views of it start anew.
  public func release(_ storage: Int) {
    guard let gone = storages.removeValue(forKey: storage) else { return }
    heldBytes -= gone.byteCount
  }

  // MARK: Contents

  /// The elements of a tensor in row-major order, each exactly as held (integers past 2⁵³ rounded).
  public func values(_ shape: TensorShape) throws(Diagnostic) -> [Double] {
    try reals(shape).array
  }

  /// Writes numbers in row-major order, each rounded to the tensor's declared type in both
  /// precisions, so that two worlds given the same numbers hold the same ones.
  /// - Throws: `malformed-tensor` where the count differs.
  public func write(_ values: [Double], to shape: TensorShape) throws(Diagnostic) {
    let numbers = try Reals(values)
    Rounding.round(numbers, to: shape.element)
    try store(numbers, to: shape)
  }

  /// Multiplies a tensor by 2^`exponent`, rounding to its declared type.
  public func scale(_ shape: TensorShape, exponent: Int) throws(Diagnostic) {
    let numbers = try reals(shape).owned()
    let clamped = max(-1100, min(1100, exponent))
    for index in 0..<numbers.count {
      numbers.base[index] = Double(
        sign: numbers.base[index].sign, exponent: clamped,
        significand: numbers.base[index].magnitude)
    }
    Rounding.round(numbers, to: shape.element)
    try store(numbers, to: shape)
  }

  /// A tensor's elements side by side as fp64.
  func reals(_ shape: TensorShape) throws(Diagnostic) -> Reals {
    let storage = try storage(of: shape)
    let walk = Walk(shape: shape.shape, strides: shape.strides, offset: shape.offset)
    if walk.isContiguous, storage.layout == .doubles || shape.element == .fp64 {
      let cells = storage.baseAddress.assumingMemoryBound(to: Double.self) + shape.offset
      return Reals(viewing: cells, count: walk.count, of: storage)
    }
    let numbers = try Reals(walk.count)
    StridedCopy.read(
      storage.baseAddress, shape.element, storage.layout, walk, into: numbers.base)
    return numbers
  }

  /// A tensor's elements side by side in 64 bits.
  func integers(_ shape: TensorShape) throws(Diagnostic) -> Integers {
    let storage = try storage(of: shape)
    let walk = Walk(shape: shape.shape, strides: shape.strides, offset: shape.offset)
    if walk.isContiguous, shape.element == .int64 {
      let cells = storage.baseAddress.assumingMemoryBound(to: Int64.self) + shape.offset
      return Integers(viewing: cells, count: walk.count, of: storage)
    }
    let numbers = try Integers(walk.count)
    StridedCopy.read(
      storage.baseAddress, shape.element, storage.layout, walk, into: numbers.base)
    return numbers
  }

  func store(_ numbers: Reals, to shape: TensorShape) throws(Diagnostic) {
    let (storage, walk) = try target(shape, numbers.count)
    StridedCopy.write(numbers.base, to: storage.baseAddress, shape.element, storage.layout, walk)
    note(shape, written: storage)
  }

  func store(_ numbers: Integers, to shape: TensorShape) throws(Diagnostic) {
    let (storage, walk) = try target(shape, numbers.count)
    StridedCopy.write(numbers.base, to: storage.baseAddress, shape.element, storage.layout, walk)
    note(shape, written: storage)
  }

  private func target(_ shape: TensorShape, _ count: Int) throws(Diagnostic)
    -> (TensorStorage, Walk)
  {
    let walk = Walk(shape: shape.shape, strides: shape.strides, offset: shape.offset)
    guard walk.count == count else {
      throw Diagnostic(
        id: "malformed-tensor",
        "an operator's result has \(count) elements where the trace expects \(shape.shape)")
    }
    return (try storage(of: shape), walk)
  }

  /// A view without gaps from the start to the end initialises its storage.
  private func note(_ shape: TensorShape, written storage: TensorStorage) {
    let width = storage.layout == .doubles ? 8 : shape.element.bytes
    let count = shape.shape.reduce(1, &*)
    if count &* width == storage.byteCount { storage.isInitialized = true }
  }
}
