import Diagnostics

/// A kernel lowered for one specialisation: typed SSA with structured control flow.
///
/// Every value has a type with a shape and is defined once: by a parameter, a region argument or
/// an operation's result. Calls to other `@triton.jit` functions are inlined.
public struct Function: Sendable {
  public var name: String
  /// The module the ranges point into.
  public var source: SourceText
  /// The parameters that remain at run time; constexpr ones are folded away.
  public var parameters: [FunctionParameter]
  public var values: [ValueInfo]
  public var body: Region
  /// Loops that lowering unrolled: there is no loop left in the IR, but reports speak of them.
  public var unrolledLoops: [UnrolledLoop]

  public init(
    name: String, source: SourceText, parameters: [FunctionParameter] = [],
    values: [ValueInfo] = [], body: Region = Region(), unrolledLoops: [UnrolledLoop] = []
  ) {
    self.name = name
    self.source = source
    self.parameters = parameters
    self.values = values
    self.body = body
    self.unrolledLoops = unrolledLoops
  }

  public func type(of value: Value) -> ValueType { values[value.index].type }
  /// The tile type of a value; nil for block pointers and descriptors.
  public func tileType(of value: Value) -> TileType? { values[value.index].type.tile }

  /// Calls `body` for every operation, outer before inner, in program order.
  public func forEachOperation(_ body: (Operation) -> Void) {
    func visit(_ region: Region) {
      for operation in region.operations {
        body(operation)
        operation.regions.forEach(visit)
      }
    }
    visit(self.body)
  }
}

/// A run-time parameter of a lowered kernel.
public struct FunctionParameter: Sendable {
  public var name: String
  public var value: Value
  /// The position in the Python signature.
  public var index: Int
  /// Facts of the specialisation, as Triton's launcher derives them.
  public var isDivisibleBy16: Bool

  public init(name: String, value: Value, index: Int, isDivisibleBy16: Bool) {
    self.name = name
    self.value = value
    self.index = index
    self.isDivisibleBy16 = isDivisibleBy16
  }
}

/// A `tl.static_range` (or a Python loop over constants) that lowering unrolled.
public struct UnrolledLoop: Sendable {
  public var range: SourceRange
  public var tripCount: Int
  public init(range: SourceRange, tripCount: Int) {
    self.range = range
    self.tripCount = tripCount
  }
}
