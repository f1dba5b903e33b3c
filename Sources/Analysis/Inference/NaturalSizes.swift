/// How natural a size is for one axis of an input: what people choose when they write a benchmark.
///
/// Scores are 0…1 and only rank readings against each other.
struct NaturalSizes {
  enum Role: Hashable, Sendable {
    case batch, channels, space, sequence, features, length, other
  }

  /// The usual meaning of an axis, by the rank of its tensor.
  static func role(axis: Int, rank: Int) -> Role {
    switch (rank, axis) {
    case (1, _): .length
    case (2, 0): .batch
    case (2, _): .features
    case (3, 0): .batch
    case (3, 1): .sequence
    case (3, _): .features
    case (4, 0), (5, 0): .batch
    case (4, 1), (5, 1): .channels
    case (4, _), (5, _): .space
    default: .other
    }
  }

  /// Sizes to try, most natural first.
  static func candidates(_ role: Role) -> [Int] {
    switch role {
    case .batch: powers(0...13) + [10, 100, 3, 24, 48, 96, 1000]
    case .channels: [3, 1] + powers(1...11) + [96, 192, 384, 768, 24, 48, 12]
    case .space:
      [
        224, 256, 32, 28, 128, 64, 56, 112, 512, 227, 14, 7, 299, 384, 16, 8, 1024, 96, 192, 448,
        640,
        480, 320, 100, 200, 2048,
      ]
    case .sequence:
      powers(4...14) + [197, 196, 577, 50, 49, 100, 77, 384, 768, 1536]
    case .features:
      powers(4...16) + Self.listedFeatures
    case .length: powers(10...28) + [1000, 10_000, 100_000, 1_000_000, 10_000_000]
    case .other: powers(0...14) + [96, 192, 384, 768]
    }
  }

  /// Widths that models and benchmarks use beside powers of two.
  private static let listedFeatures = [
    768, 384, 192, 96, 1536, 3072, 1280, 5120, 1000, 10, 100, 393_216, 11008, 14336, 28672, 50257,
    32000, 128_256,
  ]

  private static func powers(_ range: ClosedRange<Int>) -> [Int] { range.map { 1 << $0 } }

  static func score(_ size: Int, _ role: Role) -> Double {
    guard size > 0 else { return 0 }
    let isPower = size & (size - 1) == 0
    switch role {
    case .space:
      switch size {
      case 224: return 1
      case 256, 32, 28: return 0.95
      case 128, 64, 56, 112, 512: return 0.9
      case 227: return 0.85
      case 14, 7, 16, 8, 299, 384, 1024: return 0.8
      case 96, 192, 448: return 0.7
      default: return isPower ? 0.75 : size % 32 == 0 ? 0.55 : size % 10 == 0 ? 0.45 : 0.15
      }
    case .batch:
      // Beyond 65,536 nobody calls an axis a batch.
      if size > 65_536 { return isPower ? 0.1 : 0.05 }
      if isPower {
        return size <= 128
          ? 1 : size <= 1024 ? 0.9 : size <= 4096 ? 0.75 : size <= 16384 ? 0.65 : 0.5
      }
      if size == 10 || size == 100 { return 0.6 }
      return size % 64 == 0 ? 0.5 : size % 16 == 0 ? 0.4 : size % 10 == 0 ? 0.3 : 0.1
    case .features:
      if isPower {
        return size > 1 << 20
          ? 0.15
          : size > 16384
            ? 0.75
            : size > 8192
              ? 0.9
              : size >= 512 ? 1 : size >= 16 || size == 1 ? 0.9 : 0.7
      }
      if [768, 1280, 1536, 3072, 1000].contains(size) { return 0.85 }
      if Self.listedFeatures.contains(size) { return 0.6 }
      if size > 1 << 20 { return 0.1 }
      return size % 64 == 0 ? 0.5 : size % 16 == 0 ? 0.4 : size % 10 == 0 ? 0.3 : 0.1
    case .channels:
      if isPower { return size > 1024 ? 0.6 : size >= 16 || size == 1 ? 1 : 0.8 }
      if [3, 768, 96, 192, 384].contains(size) { return 0.85 }
      return size % 64 == 0 ? 0.6 : size % 16 == 0 ? 0.5 : size % 10 == 0 ? 0.4 : 0.15
    case .sequence:
      if isPower { return size >= 32 ? 1 : 0.7 }
      return [196, 197, 577, 77].contains(size) ? 0.8 : size % 64 == 0 ? 0.6 : 0.2
    case .length, .other:
      if isPower { return 1 }
      return size % 1024 == 0 ? 0.7 : size % 1000 == 0 ? 0.6 : size % 64 == 0 ? 0.45 : 0.15
    }
  }

  /// The most natural size in a range; nil if the range is empty.
  static func best(in range: ClosedRange<Int>, _ role: Role) -> Int {
    if let listed = candidates(role).filter(range.contains).max(by: {
      score($0, role) < score($1, role)
    }) {
      return listed
    }
    // The roundest number in the range: the one with the most factors of two, then of ten.
    var unit = 1 << 40
    while unit > 1 {
      let first = (range.lowerBound + unit - 1) / unit * unit
      if range.contains(first) { return first }
      unit /= 2
    }
    return range.upperBound
  }
}
