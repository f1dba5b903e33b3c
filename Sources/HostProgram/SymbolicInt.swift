/// An integer as a formula over named dimensions, as the host program computes it.
///
/// `SymbolicInt.floorDiv(.add(.dim("H"), .constant(-7)), .constant(4))` prints as `(H - 7) // 4`.
public indirect enum SymbolicInt: Hashable, Sendable {
  case constant(Int)
  /// A dimension of an input ("x.shape[0]", or the name the module binds it to: "N") or a config constant.
  case dim(String)
  case add(SymbolicInt, SymbolicInt)
  case mul(SymbolicInt, SymbolicInt)
  /// Python's `//` and `%`.
  case floorDiv(SymbolicInt, SymbolicInt)
  case mod(SymbolicInt, SymbolicInt)
  /// `triton.cdiv` and its spellings.
  case ceilDiv(SymbolicInt, SymbolicInt)
  case min(SymbolicInt, SymbolicInt)
  case max(SymbolicInt, SymbolicInt)
  case nextPowerOf2(SymbolicInt)
}
