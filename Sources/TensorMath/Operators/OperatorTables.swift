/// Every operator by torch's name, from the tables of the families.
enum OperatorTables {
  static let all: [String: OperatorCall.Body] = [
    UnaryOperators.table, ActivationOperators.table, BinaryOperators.table,
    SelectionOperators.table, CreationOperators.table, RandomOperators.table,
    MatrixOperators.table, ConvolutionOperators.table, PoolingOperators.table,
    ReductionOperators.table, ScanOperators.table, SortingOperators.table,
    SoftmaxOperators.table, NormalizationOperators.table, LossOperators.table,
    AttentionOperators.table, CopyOperators.table, JoiningOperators.table,
    IndexingOperators.table, ResamplingOperators.table, RecurrentOperators.table,
  ].reduce(into: [:]) { $0.merge($1) { first, _ in first } }
}
