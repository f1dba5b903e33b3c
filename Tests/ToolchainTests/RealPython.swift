import Foundation

@testable import Toolchain

/// The pythons that tests may use.
enum RealPython {
  /// Any python3: the worker's base must run on it.
  static let any = try? PythonEnvironment.find(
    explicit: nil, environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""])
  static let anyReason = "there is no python3 in PATH"

  /// The pinned one with Triton.
  static let pinned = ProcessInfo.processInfo.environment["HONE_JUDGE_PYTHON"].flatMap {
    try? PythonEnvironment.find(explicit: $0, environment: [:])
  }
  static let pinnedReason =
    "HONE_JUDGE_PYTHON names no python with triton (export HONE_JUDGE_PYTHON=$(Scripts/python-env))"

  static var environment: [String: String] { ProcessInfo.processInfo.environment }
}
