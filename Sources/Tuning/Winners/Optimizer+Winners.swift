import Analysis
import DeviceModel
import Diagnostics
import HostProgram
import Rewrites
import Toolchain

extension WinnerKey {
  /// The key of a kernel as a module launches it; nil where its launches are not known.
  ///
  /// - Parameter device: a GPU's name in any spelling that `hone gpus` knows, or another's.
  init?(
    of kernel: String, in state: ModuleState, device: String, driver: String? = nil,
    triton: String? = nil, torch: String? = nil
  ) {
    let launches = state.subject.run?.launches.filter { $0.kernel == kernel } ?? []
    guard !launches.isEmpty, state.subject.run?.inputsAreKnown == true,
      let content = KernelFingerprint(state.tree).content(of: kernel)
    else { return nil }
    self.init(
      device: GPU.find(device)?.name ?? device, driver: driver, triton: triton, torch: torch,
      kernel: kernel, content: content, shape: ShapeClass.text(of: launches))
  }
}

extension Optimizer {
  /// The kernel as a measured winner of an earlier run has it; nil where there is none, or it no
  /// longer fits, which a note says.
  func fromStore(_ kernel: String, _ start: ModuleState, _ problem: KnownProblem)
    -> (result: KernelResult?, notes: [Diagnostic])
  {
    guard let winners, let key = WinnerKey(of: kernel, in: start, device: request.gpu.name) else {
      return (nil, [])
    }
    let winner: Winner
    do throws(Diagnostic) {
      // A prediction is made anew: it costs little, and the model may know better by now.
      guard let found = try winners.lookup(key), found.level == .measured else { return (nil, []) }
      winner = found
    } catch {
      return (nil, [Self.warning(error)])
    }
    var tuner = tuner(of: kernel, problem)
    let originals = tuner.originals(in: start)
    do throws(Diagnostic) {
      let next = try WinnerReplay(kernel: kernel, inputs: problem.inputs).replay(winner, on: start)
      guard next.applied.count > start.applied.count else { return (nil, []) }
      var outcome = KernelOutcome(
        name: kernel, launches: tuner.launches(in: start).reduce(0) { $0 + $1.repetitions },
        originalConfigs: originals, configs: tuner.originals(in: next))
      outcome.parameterNames =
        start.triton.function(named: kernel)?.parameters.map(\.name) ?? []
      // Predictions beside what was measured then: where there are none, none are shown.
      let before = try? tuner.evaluate(originals, in: start)
      let after = try? tuner.evaluate(outcome.configs, in: next)
      outcome.referenceConfig = tuner.referenceConfig(originals, before)
      outcome.microsecondsBefore = before?.microseconds
      outcome.microsecondsAfter = after?.microseconds
      for site in next.applied.dropFirst(start.applied.count) {
        tuner.trials.append(
          Trial(
            rewrite: site.rewrite, kernel: kernel, what: site.what,
            why: Self.words(of: winner), outcome: .accepted, basis: .winner,
            microsecondsBefore: before?.microseconds, microsecondsAfter: after?.microseconds,
            location: start.triton.function(named: kernel).map {
              start.source.location(at: $0.definition.nameRange.lower)
            }))
      }
      let protected = tuner.protectTuning(next)
      let emitted = emit(kernel, outcome.configs, on: protected, &tuner)
      return (([next, protected, emitted], outcome, tuner.trials), [])
    } catch {
      var note = error
      note.severity = .warning
      note.message = "the stored winner of '\(kernel)' is not used: \(error.message)"
      return (nil, [note])
    }
  }

  /// "from the store: measured 1.7× (95 % 1.68 to 1.72) with Triton 3.6.0 on H200, 2026-11-21 …".
  private static func words(of winner: Winner) -> String {
    var text = "from the store of winners: measured \((winner.speedup * 1000).rounded() / 1000)×"
    if let lower = winner.lower, let upper = winner.upper {
      text += " (95 %: \(lower) to \(upper))"
    }
    text += " on \(winner.key.device)"
    if let triton = winner.key.triton { text += " with Triton \(triton)" }
    return text + ", \(winner.date.prefix(10)); checked again here, not timed"
  }

  /// Writes the kernel's configs in the form that is asked for, stored winners of other shapes
  /// included.
  func emit(
    _ kernel: String, _ configs: [LaunchConfig], on state: ModuleState, _ tuner: inout KernelTuner
  ) -> ModuleState {
    guard emission != .list else { return state }
    var choices = tuner.predictedChoices(configs, in: state)
    let start = ModuleState(tree: request.tree, run: state.subject.run)
    if let winners, let key = WinnerKey(of: kernel, in: start, device: request.gpu.name) {
      let steps = Winner.steps(of: kernel, in: state, after: start)
      var stored: [Winner] = []
      do throws(Diagnostic) {
        stored = try winners.shapes(of: key)
      } catch {
        tuner.refuseStoredShapes(error, in: state)
      }
      for winner in stored where winner.steps == steps {
        guard let best = winner.configs.first?.launchConfig else { continue }
        choices += winner.keyArguments.map {
          ShapeChoice(values: $0, config: best, level: winner.level)
        }
      }
    }
    return tuner.emit(emission, choices, on: state)
  }

  /// Keeps what was predicted, where the user names a file for it.
  func recordPredictions(
    _ kernels: [KernelOutcome], from start: ModuleState, to end: ModuleState
  ) -> [Diagnostic] {
    guard recordsPredictions, let winners else { return [] }
    var notes: [Diagnostic] = []
    for kernel in kernels {
      guard let key = WinnerKey(of: kernel.name, in: start, device: request.gpu.name),
        let before = kernel.microsecondsBefore, let after = kernel.microsecondsAfter,
        end.applied.contains(where: { $0.kernel == kernel.name })
      else { continue }
      let launches = start.subject.run?.launches.filter { $0.kernel == kernel.name } ?? []
      let configs = kernel.configs.compactMap { Winner.Config($0) }
      guard configs.count == kernel.configs.count else { continue }
      do throws(Diagnostic) {
        try winners.record(
          Winner(
            key: key, keyArguments: ShapeClass.keyArguments(of: launches), configs: configs,
            steps: Winner.steps(of: kernel.name, in: end, after: start), level: .predicted,
            microsecondsBefore: before, microsecondsAfter: after, date: WinnerDate.now,
            tool: WinnerDate.tool))
      } catch {
        notes.append(Self.warning(error))
      }
    }
    return notes
  }

  /// Whether the text that is printed lacks what a stored winner brought.
  static func losesWinner(_ trials: [Trial], after count: Int) -> Bool {
    trials.filter(\.isAccepted).dropFirst(count).contains { $0.basis == .winner }
  }

  /// The same run without the store, after a winner of it failed the final checks.
  func withoutWinners(_ found: [Diagnostic]) throws(Diagnostic) -> Optimization {
    var plain = self
    plain.winners = nil
    var result = try plain.run()
    result.notes.insert(
      Diagnostic(
        id: "winner-refused", severity: .warning,
        "a stored winner does not pass the checks of this module and is not used"
          + (found.first.map { ": \($0.message)" } ?? ""), source: request.module,
        nextStep: "remove it: hone winners clear KERNEL"), at: 0)
    return result
  }

  private static func warning(_ error: Diagnostic) -> Diagnostic {
    var note = error
    note.severity = .warning
    return note
  }
}
