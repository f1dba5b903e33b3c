import DeviceModel
import Diagnostics
import HostProgram
import Profiling
import TritonLowering

/// Finds the input shapes behind a profile: from grid size, occupancy and the module's constants to
/// the most natural sizes that explain them.
///
/// ```
/// ProblemInference(host: host, profiles: request.profiles, gpu: request.gpu).deduction().best
/// ```
/// A deduction, not a fact: every step is stated, other readings are listed.
public struct ProblemInference: Sendable {
  public var host: HostProgram
  public var profiles: [KernelProfile]
  public var gpu: GPU

  public init(host: HostProgram, profiles: [KernelProfile], gpu: GPU) {
    self.host = host
    self.profiles = profiles
    self.gpu = gpu
  }

  /// The most readings that are verified by running the host program.
  static let verified = 6

  /// - Complexity: bounded: at most `SizeSearch.limit` formula evaluations and a few host runs.
  public func deduction() -> ProblemDeduction {
    var log = DeductionLog(source: host.module.source)
    let run: HostRun
    do throws(Diagnostic) {
      run = try host.run(.unknown)
    } catch {
      log.add("the host program could not be followed without shapes: \(error.headline)")
      return ProblemDeduction(steps: log.steps, readings: [], isAmbiguous: true)
    }
    var evidence: [GridEvidence] = []
    for profile in profiles {
      guard let launch = Self.launch(of: profile, in: run) else {
        log.add("the profile's kernel '\(profile.kernel)' is not launched by the module")
        continue
      }
      guard var item = GridEvidence(launch: launch, profile: profile, gpu: gpu) else { continue }
      predictOccupancy(&item)
      log.grid(item, gpu: gpu)
      evidence.append(item)
    }
    guard !evidence.isEmpty else {
      log.add("no profile has \(NsightMetric.gridSize), so nothing bounds the sizes")
      return ProblemDeduction(steps: log.steps, readings: [], isAmbiguous: true)
    }
    log.constants(run)
    var readings = SizeSearch(run: run, evidence: evidence).readings()
    readings = Array(readings.prefix(Self.verified)).compactMap { verify($0, run, evidence) }
    readings.sort { $0.score > $1.score }
    let isAmbiguous =
      readings.isEmpty
      || (readings.count > 1 && readings[1].score > readings[0].score * 0.9)
    log.readings(readings, run: run, isAmbiguous: isAmbiguous)
    return ProblemDeduction(steps: log.steps, readings: readings, isAmbiguous: isAmbiguous)
  }

  /// The launch a profile is of: by name, with Triton's suffixes allowed.
  static func launch(of profile: KernelProfile, in run: HostRun) -> Launch? {
    let exact = run.launches.filter { $0.kernel == profile.kernel }
    let all =
      exact.isEmpty ? run.launches.filter { profile.kernel.hasPrefix($0.kernel) } : exact
    return all.indices.contains(profile.launch) ? all[profile.launch] : all.first
  }

  /// Registers and blocks that the model expects of each config.
  private func predictOccupancy(_ evidence: inout GridEvidence) {
    let triton = TritonModule(host.module)
    for index in evidence.candidates.indices where evidence.candidates[index].rest != nil {
      guard
        let analysis = try? LaunchLowering.analysis(
          of: evidence.launch, configIndex: evidence.candidates[index].configIndex, in: triton,
          gpu: gpu)
      else { continue }
      evidence.candidates[index].predictedBlocks = analysis.cost.occupancy.blocksPerSM
      evidence.candidates[index].predictedRegisters = analysis.cost.registersPerThread
    }
  }

  /// Runs the module with a reading's shapes; the grids must come out as observed.
  private func verify(
    _ reading: ProblemDeduction.Reading, _ base: HostRun, _ evidence: [GridEvidence]
  ) -> ProblemDeduction.Reading? {
    let shapes = Dictionary(reading.inputs.map { ($0.name, $0.shape) }) { first, _ in first }
    guard let run = try? host.run(.tensors(shapes)) else { return nil }
    var result = reading
    for item in evidence {
      guard let launch = Self.launch(of: item.profile, in: run) else { return nil }
      let matching = launch.configs.indices.filter { index in
        launch.configs[index].grid.reduce(1.0) { $0 * Double($1) } == Double(item.gridSize)
          && item.candidates.contains { $0.configIndex == index }
      }
      guard !matching.isEmpty else { return nil }
      let chosen = reading.configs[item.launch.kernel]
      result.configs[item.launch.kernel] =
        chosen.flatMap { matching.contains($0) ? $0 : nil } ?? matching[0]
    }
    result.inputs = run.inputs
    return result
  }
}
