enum RecurrentOperators {
  static let table: [String: OperatorCall.Body] = [:]
}
