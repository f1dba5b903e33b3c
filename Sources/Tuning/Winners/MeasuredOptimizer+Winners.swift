import Diagnostics
import HostProgram

extension MeasuredOptimizer {
  private func key(of kernel: String, in state: ModuleState) -> WinnerKey? {
    let identity = backend.identity
    return WinnerKey(
      of: kernel, in: state, device: identity.device, triton: identity.triton,
      torch: identity.torch)
  }

  /// Gives a kernel's search what an earlier run measured on this device with these versions.
  func seed(_ tuner: inout KernelTuner, _ start: ModuleState) -> [Diagnostic] {
    guard let winners, let key = key(of: tuner.kernel, in: start) else { return [] }
    do throws(Diagnostic) {
      guard let winner = try winners.lookup(key), winner.level == .measured else { return [] }
      tuner.stored = winner
      return []
    } catch {
      var note = error
      note.severity = .warning
      return [note]
    }
  }

  /// Keeps what was confirmed, for each kernel that was changed.
  func keep(
    _ tuners: [KernelTuner], _ record: TrialRecord, from start: ModuleState, to end: ModuleState
  ) -> [Diagnostic] {
    guard let winners, let timing = record.timing, record.verdict == .accepted else { return [] }
    var notes: [Diagnostic] = []
    for tuner in tuners where end.applied.contains(where: { $0.kernel == tuner.kernel }) {
      guard let key = key(of: tuner.kernel, in: start) else { continue }
      let hasNewConfigs = end.applied.contains { $0.kernel == tuner.kernel && $0.isKnobs }
      let configs = hasNewConfigs ? tuner.originals(in: end) : []
      let kept = configs.compactMap { Winner.Config($0) }
      guard kept.count == configs.count else { continue }
      do throws(Diagnostic) {
        try winners.record(
          Winner(
            key: key, keyArguments: ShapeClass.keyArguments(of: tuner.launches(in: start)),
            configs: kept, steps: Winner.steps(of: tuner.kernel, in: end, after: start),
            level: .measured, microsecondsBefore: timing.originalMicroseconds,
            microsecondsAfter: timing.microseconds, lower: timing.lower, upper: timing.upper,
            date: WinnerDate.now, tool: WinnerDate.tool))
      } catch {
        var note = error
        note.severity = .warning
        notes.append(note)
      }
    }
    return notes
  }
}
