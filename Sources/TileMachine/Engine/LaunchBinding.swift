import Diagnostics
import HostProgram
import TritonLowering

extension Launch {
  /// What the kernel's parameters are given under one of the launch's configs.
  ///
  /// - Parameter allocate: the allocation of the storage that a tensor views; called once for each
  ///   tensor argument, with the parameter's name.
  public func machineArguments(
    _ config: LaunchConfig,
    allocate: (TensorShape, String) throws(Diagnostic) -> DeviceMemory.Allocation
  ) throws(Diagnostic) -> [String: MachineArgument] {
    var result: [String: MachineArgument] = [:]
    for (name, value) in arguments.flatMap({ $0.value.leaves(named: $0.name) }) {
      switch value {
      case .tensor(let shape):
        result[name] = .pointer(try allocate(shape, name), byteOffset: shape.byteOffset)
      case .tensorDescriptor(let shape, _):
        result[name] = .descriptor(
          try allocate(shape, name), byteOffset: shape.byteOffset, shape: shape.shape,
          strides: shape.strides)
      default: result[name] = MachineArgument(value)
      }
    }
    for (name, value) in config.constants {
      result[name] = MachineArgument(ArgumentValue(constant: value))
    }
    return result
  }
}

extension ArgumentValue {
  /// The value, or the items of a tuple as the lowered kernel takes them: `name.0`, `name.1`.
  public func leaves(named name: String) -> [(name: String, value: ArgumentValue)] {
    guard case .tuple(let items) = self else { return [(name, self)] }
    return items.enumerated().flatMap { $1.leaves(named: "\(name).\($0)") }
  }
}

extension MachineArgument {
  /// A scalar; nil for what is a constant of the specialised kernel anyway.
  init?(_ value: ArgumentValue) {
    switch value {
    case .int(let number): self = .int(number)
    case .bool(let flag): self = .int(flag ? 1 : 0)
    case .float(let number): self = .float(number)
    default: return nil
    }
  }
}

extension TensorShape {
  /// Bytes from the storage's start to the view's first element.
  var byteOffset: Int { offset * element.bytes }

  /// Bytes from the storage's start to the end of the view's last element; nil past 2^63.
  public var byteExtent: Int? {
    if shape.contains(0) { return 0 }
    var last = offset
    for (size, stride) in zip(shape, strides) {
      let (span, a) = (size - 1).multipliedReportingOverflow(by: stride)
      let (sum, b) = last.addingReportingOverflow(span)
      if a || b { return nil }
      last = sum
    }
    let (bytes, overflow) = (last &+ 1).multipliedReportingOverflow(by: element.bytes)
    return overflow ? nil : bytes
  }
}

extension DeviceMemory.Label {
  /// The label of the storage that a tensor argument views.
  public init(_ name: String, _ shape: TensorShape) {
    self.init(
      name: name, element: shape.element, shape: shape.shape, strides: shape.strides,
      offset: shape.offset)
  }
}
