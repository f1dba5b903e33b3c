import Toolchain

/// While a run of trials lasts, Ctrl-C, SIGTERM and SIGHUP end the workers and remove the scratch
/// folder before the program goes; what is in a trial log stays. The program ends by the signal, which
/// a shell shows as 128 + its number: 130 for Ctrl-C.
final class Interruption {
  init(cleaningUp scratch: ScratchFolder) {
    TerminationSignals.beforeEnd { scratch.tearDown() }
  }
}
