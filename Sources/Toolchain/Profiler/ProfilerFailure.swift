import Diagnostics

/// Why there is no profile.
public struct ProfilerFailure: Error, Sendable {
  /// Whose fault it is.
  public enum Blame: Sendable, Hashable {
    /// The module or the problem: it raised, or lacks a part.
    case input
    /// A tool, a driver, a permission, a GPU.
    case environment
  }

  public var blame: Blame
  public var diagnostic: Diagnostic

  init(_ blame: Blame, _ id: String, _ message: String, next: String? = nil) {
    self.blame = blame
    self.diagnostic = Diagnostic(id: id, message, nextStep: next)
  }

  /// What ncu's own words say went wrong; nil where they say nothing of the kind.
  ///
  /// The texts are those of Nsight Compute's messages; the cures are from its documentation.
  static func cause(in words: String) -> ProfilerFailure? {
    if words.contains("ERR_NVGPUCTRPERM") {
      return ProfilerFailure(
        .environment, "ncu-no-permission",
        "ncu may not read the GPU's performance counters (ERR_NVGPUCTRPERM)",
        next: "run as root (in a container with --cap-add=SYS_ADMIN), or let every user read them: "
          + "'options nvidia NVreg_RestrictProfilingToAdminUsers=0' in /etc/modprobe.d, and reboot")
    }
    if words.contains("ERR_NVCMPGPU") || words.contains("No GPU")
      || words.contains("no CUDA-capable")
    {
      return ProfilerFailure(
        .environment, "ncu-no-gpu", "ncu finds no GPU that it can profile",
        next: "run it on a machine with an NVIDIA GPU, or import a report made there with --import")
    }
    if words.contains("Driver resource was unavailable") || words.contains("ResourceUnavailable") {
      return ProfilerFailure(
        .environment, "ncu-busy", "another profiler holds the GPU's counters",
        next: "stop the other profiler (DCGM: 'dcgmi profile --pause'), and run again")
    }
    return nil
  }

  /// ncu's first line that says it is an error.
  static func firstError(in words: String) -> String? {
    words.split(whereSeparator: \.isNewline).first { $0.contains("==ERROR==") }.map {
      $0.replacing("==ERROR==", with: "").split(whereSeparator: \.isWhitespace)
        .joined(separator: " ")
    }
  }
}
