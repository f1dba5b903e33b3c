import Diagnostics
import PythonSyntax
import TileIR

/// The Triton side of a Python module: its `@triton.jit` functions and the names they may use.
public struct TritonModule: Sendable {
  public let tree: ModuleTree
  /// The `@triton.jit` functions (autotuned and heuristic ones included), in source order.
  public let functions: [JITFunction]

  /// - Complexity: O(statements at module level).
  public init(_ tree: ModuleTree) {
    self.tree = tree
    self.functions = []
  }

  public func function(named name: String) -> JITFunction? {
    functions.first { $0.name == name }
  }

  /// Lowers a kernel for one specialisation.
  /// - Throws: a `Diagnostic` at the first line that is not supported or is wrong.
  public func lower(_ kernel: String, for specialization: Specialization) throws(Diagnostic)
    -> Function
  {
    throw Diagnostic(id: "not-lowered", "kernel '\(kernel)' is not lowered")
  }
}

/// One `@triton.jit` function.
public struct JITFunction: Sendable {
  public let name: String
  public let definition: FunctionDef
  public let parameters: [JITParameter]

  public init(name: String, definition: FunctionDef, parameters: [JITParameter]) {
    self.name = name
    self.definition = definition
    self.parameters = parameters
  }

  public func parameter(named name: String) -> JITParameter? {
    parameters.first { $0.name == name }
  }
}

/// One parameter of a `@triton.jit` function.
public struct JITParameter: Sendable {
  public let name: String
  public let isConstexpr: Bool
  /// Named in `do_not_specialize` (by name or index).
  public let isNotSpecialized: Bool
  public let syntax: Parameter

  public init(name: String, isConstexpr: Bool, isNotSpecialized: Bool, syntax: Parameter) {
    self.name = name
    self.isConstexpr = isConstexpr
    self.isNotSpecialized = isNotSpecialized
    self.syntax = syntax
  }
}
