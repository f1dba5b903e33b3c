import Diagnostics
import TileIR

/// One step of the host program, in the order in which it happens.
///
/// The steps of a run are enough to run it again on real numbers: they name every tensor by its
/// storage, so views cost nothing and in-place changes need no special case.
public enum HostStep: Sendable {
  /// A torch operator that makes or changes tensors.
  case operation(TensorOperation)
  /// The launch at this index of ``HostRun/launches``. Launches in a row that differ only in their
  /// tensors' storages are one entry there; ``HostRun/launch(at:)`` gives the one of a step.
  case launch(Int)
}

/// One torch operator as it ran: `torch.nn.functional.conv2d`, `Tensor.add_`, `torch.randn`.
///
/// Operators that only make views are not recorded; their effect is in the strides and offsets of
/// the tensors that later steps name. Creating tensors is an operator like any other (`zeros`,
/// `empty`, `randn`); so is the initialisation of a layer's parameters (`init.uniform`,
/// `init.normal`, `init.constant`).
public struct TensorOperation: Sendable {
  /// Torch's name without namespace and without the `_` of the in-place form.
  public var name: String
  /// The arguments by torch's parameter names; `None` and what does not touch contents (`device`,
  /// `requires_grad`, `memory_format`, …) are left out. A `*name` parameter is a list under `name`.
  public var arguments: [String: TraceValue]
  /// The tensors it writes. For an in-place operator or `out=`: the tensor that changes.
  public var results: [TensorShape]
  /// Where the host program asks for it.
  public var range: SourceRange

  public init(
    name: String, arguments: [String: TraceValue], results: [TensorShape], range: SourceRange
  ) {
    self.name = name
    self.arguments = arguments
    self.results = results
    self.range = range
  }
}

/// The value of an operator's argument.
public indirect enum TraceValue: Hashable, Sendable {
  case tensor(TensorShape)
  case int(Int)
  case float(Double)
  case bool(Bool)
  case string(String)
  case dtype(ElementType)
  case none
  case list([TraceValue])
}

/// A tensor that a caller or a test may set: an input of `forward`, a parameter or a buffer.
///
/// A value that is set takes the place of what the last step of ``HostTrace/setup`` that writes to
/// its storage gives (``HostTrace/lastSetupStep(writing:)``): steps after that one may use it, as a
/// constructor does which keeps a transposed copy of a weight.
public struct NamedTensor: Hashable, Sendable {
  public enum Role: String, Hashable, Sendable { case input, parameter, buffer }
  /// The parameter of `forward`, or the key in `state_dict()` ("conv.weight").
  public var name: String
  public var role: Role
  public var shape: TensorShape

  public init(name: String, role: Role, shape: TensorShape) {
    self.name = name
    self.role = role
    self.shape = shape
  }
}

/// What a run did to tensors: everything needed to run it on real numbers.
public struct HostTrace: Sendable {
  /// Steps of `get_inputs()` and of the constructor, which fill inputs, parameters and buffers.
  public var setup: [HostStep]
  /// Steps of `forward`.
  public var forward: [HostStep]
  public var tensors: [NamedTensor]
  /// The tensors `forward` returns, in order, nested results flattened.
  public var outputs: [TensorShape]
  /// The reason why the trace does not determine the result, if it does not: an operator whose
  /// outcome decided a branch or a size, contents that no step gives.
  public var gap: Diagnostic?
  /// Where a launch of `forward` runs on other tensors than its entry of ``HostRun/launches`` says:
  /// the argument values by the step's index in ``forward``.
  public var launchArguments: [Int: [ArgumentValue]] = [:]
  /// Storages whose contents the host program read: the steps hold for the contents that ``setup``
  /// gives them, and for no others.
  public var readStorages: Set<Int> = []

  public init(
    setup: [HostStep] = [], forward: [HostStep] = [], tensors: [NamedTensor] = [],
    outputs: [TensorShape] = [], gap: Diagnostic? = nil
  ) {
    self.setup = setup
    self.forward = forward
    self.tensors = tensors
    self.outputs = outputs
    self.gap = gap
  }
}

extension HostTrace {
  /// The index of the last step of ``setup`` that writes to a storage.
  /// - Complexity: linear in the steps.
  public func lastSetupStep(writing storage: Int) -> Int? {
    setup.lastIndex { step in
      guard case .operation(let operation) = step else { return false }
      return operation.results.contains { $0.storage == storage }
    }
  }
}

extension HostRun {
  /// The launch that a step of `trace.forward` makes, with the tensors of that very step; nil where
  /// the step is no launch.
  public func launch(at step: Int) -> Launch? {
    guard trace.forward.indices.contains(step), case .launch(let index) = trace.forward[step],
      launches.indices.contains(index)
    else { return nil }
    var launch = launches[index]
    if let values = trace.launchArguments[step], values.count == launch.arguments.count {
      for (position, value) in values.enumerated() { launch.arguments[position].value = value }
    }
    return launch
  }
}
