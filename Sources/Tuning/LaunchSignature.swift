import HostProgram

/// What the cost of a launch depends on: two launches with one signature cost the same.
///
/// Left out are what no analysis reads: which storage a tensor lies in (only which arguments share
/// one counts), its offset beyond the 16 bytes that Triton specialises on, formulas, and where the
/// call stands.
struct LaunchSignature: Hashable, Sendable {
  private var kernel: String
  private var names: [String]
  private var values: [ArgumentValue]
  private var grids: [[Int]]
  private var configs: [ConfigKey]
  private var isAutotuned: Bool

  init(_ launch: Launch) {
    kernel = launch.kernel
    names = launch.arguments.map(\.name)
    var storages: [Int: Int] = [:]
    values = launch.arguments.map { Self.normalised($0.value, &storages) }
    grids = launch.configs.map(\.grid)
    configs = launch.configs.map { ConfigKey($0.config) }
    isAutotuned = launch.isAutotuned
  }

  private static func normalised(_ value: ArgumentValue, _ storages: inout [Int: Int])
    -> ArgumentValue
  {
    switch value {
    case .tensor(let tensor): .tensor(normalised(tensor, &storages))
    case .tensorDescriptor(let tensor, let block):
      .tensorDescriptor(normalised(tensor, &storages), block: block)
    case .tuple(let parts): .tuple(parts.map { normalised($0, &storages) })
    case .int, .float, .bool, .none, .string, .dtype, .function: value
    }
  }

  private static func normalised(_ tensor: TensorShape, _ storages: inout [Int: Int])
    -> TensorShape
  {
    var tensor = tensor
    let number = storages[tensor.storage] ?? storages.count
    storages[tensor.storage] = number
    tensor.storage = number
    let (bytes, overflow) = tensor.offset.multipliedReportingOverflow(by: tensor.element.bytes)
    // The sign of a remainder does not matter to "is it aligned".
    tensor.offset = overflow ? 1 : abs(bytes % 16)
    return tensor
  }
}
