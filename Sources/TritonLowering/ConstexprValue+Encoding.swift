extension ConstexprValue {
  private enum Key: String, CodingKey { case dtype, function }

  /// Encodes the value for other programs: numbers, flags, strings and None as themselves, tuples as
  /// lists, element types and functions as `{"dtype": "fp32"}` and `{"function": "relu"}`.
  ///
  /// - Parameter float: how a float is written: JSON has one kind of number and no NaN.
  public func encode(
    to encoder: any Encoder, float: (Double, any Encoder) throws -> Void
  ) throws {
    switch self {
    case .none:
      var single = encoder.singleValueContainer()
      try single.encodeNil()
    case .bool(let flag):
      var single = encoder.singleValueContainer()
      try single.encode(flag)
    case .int(let number):
      var single = encoder.singleValueContainer()
      try single.encode(number)
    case .float(let number): try float(number, encoder)
    case .string(let text):
      var single = encoder.singleValueContainer()
      try single.encode(text)
    case .dtype(let type):
      var object = encoder.container(keyedBy: Key.self)
      try object.encode(type.description, forKey: .dtype)
    case .function(let name):
      var object = encoder.container(keyedBy: Key.self)
      try object.encode(name, forKey: .function)
    case .tuple(let values):
      var list = encoder.unkeyedContainer()
      for value in values { try value.encode(to: list.superEncoder(), float: float) }
    }
  }
}
