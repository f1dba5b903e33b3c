import Diagnostics
import Foundation

/// Compiled kernels by content, one JSON file each, in a folder of the caller's.
///
/// A file that cannot be read counts as missing, and one that cannot be written is let go: the cache
/// never fails. Any file may be removed at any time.
public struct CompileCache: Sendable {
  public let folder: String

  public init(folder: String) { self.folder = folder }

  /// What a job's answer depends on.
  struct Key: Sendable {
    let hash: String

    /// nil where the job cannot be written down: then nothing may be taken for the same.
    init?(
      fingerprint: String, job: CompileJob, detail: CompileDetail, triton: String,
      variables: [String: String]
    ) {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys]
      guard let arguments = try? encoder.encode(job.arguments),
        let options = try? encoder.encode(job.options)
      else { return nil }
      // What a user sets of these changes the compiler itself (another ptxas, other passes).
      let settings = variables.filter {
        $0.key.hasPrefix("TRITON_") || $0.key.hasPrefix("MLIR_") || $0.key.hasPrefix("LLVM_")
      }.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      let parts = [
        "hone compiled kernel 1", triton, job.target.target, job.kernel, fingerprint,
        String(decoding: arguments, as: UTF8.self), String(decoding: options, as: UTF8.self),
        "\(detail.rawValue)", settings.joined(separator: "\n"),
      ]
      hash = ContentHash(of: parts.joined(separator: "\u{0}")).hex
    }
  }

  private struct Entry: Codable {
    var kernel: CompiledKernel?
    var failure: WorkerFailure?
    /// Hash of the module that failed: what the compiler says names its lines.
    var module: String?
  }

  /// - Parameter module: hash of the module's text.
  func read(_ key: Key, module: String) -> Result<CompiledKernel, WorkerFailure>? {
    guard let data = FileManager.default.contents(atPath: path(key)),
      let entry = try? JSONDecoder().decode(Entry.self, from: data),
      entry.kernel != nil || entry.module == module
    else { return nil }
    return entry.kernel.map(Result.success) ?? entry.failure.map(Result.failure)
  }

  /// Keeps what does not depend on the moment: a kernel, or what the compiler said against it.
  func write(
    _ result: Result<CompiledKernel, WorkerFailure>, for key: Key, module: String
  ) {
    var entry = Entry(module: module)
    switch result {
    case .success(let kernel): entry.kernel = kernel
    case .failure(let failure) where failure.kind == .compile: entry.failure = failure
    case .failure: return
    }
    let path = path(key)
    try? FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    guard let data = try? JSONEncoder().encode(entry) else { return }
    try? data.write(to: URL(fileURLWithPath: path), options: .atomic)
  }

  private func path(_ key: Key) -> String {
    "\(folder)/\(key.hash.prefix(2))/\(key.hash).json"
  }
}
