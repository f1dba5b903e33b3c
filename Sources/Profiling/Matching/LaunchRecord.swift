/// One launch of a `@triton.jit` function as a run of the module made it.
public struct LaunchRecord: Sendable, Hashable, Decodable {
  /// The function's name in the module.
  public var function: String
  /// The name of the compiled kernel, as profilers show it.
  public var name: String
  /// The constexpr arguments that the launch or its config gave, as text.
  public var constants: [String: String]
  public var numWarps: Int?
  public var numStages: Int?

  public init(
    function: String, name: String? = nil, constants: [String: String] = [:], numWarps: Int? = nil,
    numStages: Int? = nil
  ) {
    self.function = function
    self.name = name ?? function
    self.constants = constants
    self.numWarps = numWarps
    self.numStages = numStages
  }

  private enum CodingKeys: String, CodingKey {
    case function, name, constants
    case numWarps = "num_warps"
    case numStages = "num_stages"
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    function = try values.decode(String.self, forKey: .function)
    name = try values.decodeIfPresent(String.self, forKey: .name) ?? function
    constants =
      try values.decodeIfPresent([String: Constant].self, forKey: .constants)?.mapValues(\.text)
      ?? [:]
    numWarps = try values.decodeIfPresent(Int.self, forKey: .numWarps)
    numStages = try values.decodeIfPresent(Int.self, forKey: .numStages)
  }

  /// A Python literal as its text.
  private struct Constant: Decodable {
    var text: String

    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      if let flag = try? value.decode(Bool.self) {
        text = flag ? "True" : "False"
      } else if let integer = try? value.decode(Int.self) {
        text = String(integer)
      } else if let number = try? value.decode(Double.self) {
        text = String(number)
      } else {
        text = try value.decode(String.self)
      }
    }
  }

  /// "BLOCK=1024 num_warps=4 num_stages=3"; empty where nothing is known.
  public var configText: String {
    var parts = constants.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    if let numWarps { parts.append("num_warps=\(numWarps)") }
    if let numStages { parts.append("num_stages=\(numStages)") }
    return parts.joined(separator: " ")
  }
}
