/// One way of running a module in a check.
public struct CheckSetting: Sendable, Hashable, Codable {
  public enum Kind: String, Sendable, Codable {
    /// The problem's own inputs under a seed.
    case given
    /// Floating-point inputs times 2^exponent.
    case scaled
    case zeros
    /// Each element times a power of two from 2^-12 to 2^12.
    case wide
    /// Neighbours that cancel.
    case cancelling
    /// Another size of the first axis.
    case resized
    /// Other numbers in the tensors of an earlier call.
    case refill
    /// One autotune config by itself.
    case config
  }
  public var label: String
  public var kind: Kind
  public var seed = 1
  public var exponent: Int?
  public var batch: Int?
  public var oldSeed: Int?
  /// The config's position, from 0.
  public var index: Int?

  public init(
    _ label: String, _ kind: Kind = .given, seed: Int = 1, exponent: Int? = nil, batch: Int? = nil,
    oldSeed: Int? = nil, index: Int? = nil
  ) {
    self.label = label
    self.kind = kind
    self.seed = seed
    self.exponent = exponent
    self.batch = batch
    self.oldSeed = oldSeed
    self.index = index
  }

  /// What a search step needs: other numbers, another magnitude, and numbers put in place.
  public static let quick = [
    CheckSetting("seed 1"), CheckSetting("times 2^18", .scaled, seed: 2, exponent: 18),
    CheckSetting("refilled", .refill, seed: 2, oldSeed: 1),
  ]

  /// Everything, for what is handed out.
  /// - Parameter leadingSize: the first axis that all inputs share, if they do.
  public static func full(leadingSize: Int?) -> [CheckSetting] {
    var settings = [
      CheckSetting("seed 1"), CheckSetting("seed 2", seed: 2),
      CheckSetting("times 2^18", .scaled, seed: 2, exponent: 18),
      CheckSetting("times 2^-20", .scaled, seed: 3, exponent: -20),
      CheckSetting("zeros", .zeros), CheckSetting("wide", .wide, seed: 4),
      CheckSetting("cancelling", .cancelling, seed: 5),
      CheckSetting("refilled", .refill, seed: 2, oldSeed: 1),
    ]
    guard let size = leadingSize, size > 0 else { return settings }
    // One, a prime, and one away from the given size: what is cut into blocks has tails there.
    for other in [1, 7, size - 1, size + 1] where other > 0 && other != size {
      if settings.contains(where: { $0.batch == other }) { continue }
      settings.append(CheckSetting("first axis \(other)", .resized, seed: 1, batch: other))
    }
    return settings
  }

  static func configs(_ count: Int) -> [CheckSetting] {
    guard count > 1 else { return [] }
    return (0..<count).map { CheckSetting("config \($0 + 1)", .config, seed: 1, index: $0) }
  }
}
