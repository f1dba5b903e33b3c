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
    for argument in arguments {
      switch argument.value {
      case .tensor(let shape):
        result[argument.name] = .pointer(
          try allocate(shape, argument.name), byteOffset: shape.byteOffset)
      case .tensorDescriptor(let shape, _):
        result[argument.name] = .descriptor(
          try allocate(shape, argument.name), byteOffset: shape.byteOffset, shape: shape.shape,
          strides: shape.strides)
      default: result[argument.name] = MachineArgument(argument.value)
      }
    }
    for (name, value) in config.constants {
      result[name] = MachineArgument(ArgumentValue(constant: value))
    }
    return result
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
