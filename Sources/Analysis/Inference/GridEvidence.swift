import DeviceModel
import HostProgram
import Profiling
import TritonLowering

/// What one profile says of one launch: which configs its grid and occupancy allow.
struct GridEvidence {
  /// What a config's grid implies.
  struct Candidate {
    var configIndex: Int
    var config: LaunchConfig
    /// The grid's axes as formulas with this config's constants filled in.
    var formulas: [SymbolicInt]?
    /// The grid's axes that are known for this config, and their product.
    var knownAxes: [(axis: Int, value: Int)]
    /// What is left of the observed grid for the other axes; nil where it does not divide.
    var rest: Int?
    /// For one remaining axis of the form cdiv(U, B): U and its bounds.
    var unknown: (formula: SymbolicInt, block: Int, range: ClosedRange<Int>)?
    /// The blocks per SM that the model expects, and its register estimate.
    var predictedBlocks: Int?
    var predictedRegisters: Int?
  }

  var launch: Launch
  var profile: KernelProfile
  var gridSize: Int
  var candidates: [Candidate]
  /// Blocks per SM that `sm__warps_active` points to, by number of warps.
  var residentBlocks: [Int: Int]

  /// nil if the profile has no grid size or the grid no formula.
  init?(launch: Launch, profile: KernelProfile, gpu: GPU) {
    guard let size = profile[NsightMetric.gridSize], size >= 1, size < 1e15,
      size == size.rounded()
    else { return nil }
    self.launch = launch
    self.profile = profile
    gridSize = Int(size)
    residentBlocks = [:]
    candidates = []
    let blockSize = profile[NsightMetric.blockSize].map { Int($0) }
    for (index, entry) in launch.configs.enumerated() {
      if let blockSize, blockSize != entry.config.numWarps * 32 { continue }
      candidates.append(Self.candidate(index, entry.config, launch, gridSize))
    }
    if let active = profile[NsightMetric.warpsActive] {
      for warps in Set(launch.configs.map(\.config.numWarps)) {
        residentBlocks[warps] = Occupancy.residentBlocks(
          warpsActivePercent: active, warpsPerBlock: warps, on: gpu)
      }
    }
  }

  /// The formulas of the grid under a config, constants filled in.
  static func formulas(_ launch: Launch, _ config: LaunchConfig) -> [SymbolicInt]? {
    guard let formulas = launch.gridFormulas else { return nil }
    var replacements: [String: SymbolicInt] = [:]
    for (name, value) in config.constants {
      if case .int(let number) = value { replacements[name] = .constant(number) }
    }
    return formulas.map { $0.substituting(replacements).simplified() }
  }

  private static func candidate(
    _ index: Int, _ config: LaunchConfig, _ launch: Launch, _ gridSize: Int
  ) -> Candidate {
    var candidate = Candidate(
      configIndex: index, config: config, formulas: formulas(launch, config), knownAxes: [],
      rest: gridSize)
    guard let formulas = candidate.formulas else { return candidate }
    var open: [SymbolicInt] = []
    for (axis, formula) in formulas.enumerated() {
      if let value = formula.evaluate([:]) {
        candidate.knownAxes.append((axis, value))
        guard let rest = candidate.rest, value > 0, rest % value == 0 else {
          candidate.rest = nil
          continue
        }
        candidate.rest = rest / value
      } else {
        open.append(formula)
      }
    }
    if open.isEmpty, candidate.rest != 1 { candidate.rest = nil }
    if open.count == 1, let rest = candidate.rest {
      switch open[0] {
      case .ceilDiv(let unknown, .constant(let block)) where block > 0 && rest < 1 << 31:
        candidate.unknown = (unknown, block, (rest - 1) * block + 1...rest * block)
      case .constant: break
      default: candidate.unknown = (open[0], 1, rest...rest)
      }
    }
    return candidate
  }

  /// Configs whose constant axes divide the observed grid.
  var possible: [Candidate] { candidates.filter { $0.rest != nil } }

  /// How far a config's expected occupancy is from the observed one; 0 where nothing is known.
  func occupancyDistance(_ candidate: Candidate) -> Int {
    guard let seen = residentBlocks[candidate.config.numWarps],
      let expected = candidate.predictedBlocks
    else { return 0 }
    return abs(seen - expected)
  }
}
