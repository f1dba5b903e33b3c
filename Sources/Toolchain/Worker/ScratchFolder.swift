import Diagnostics
import Foundation
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The one folder that workers write to, and the processes that do.
///
/// It is removed by `tearDown()`, at the latest when the last reference to it goes. A program that
/// can be interrupted calls `tearDown()` from its signal handling as well: it may be called from any
/// thread, and more than once. Should Hone itself be killed, its workers notice and remove it.
public final class ScratchFolder: Sendable {
  public let path: String

  private struct State {
    var groups: Set<Int32> = []
    var count = 0
    var program: String?
    var isGone = false
  }
  private let state = Mutex(State())
  /// Held while the folder is being removed.
  private let removal = Mutex(())

  /// Makes a new folder that only this user can enter.
  ///
  /// - Parameter parent: where to; a command hands in `TMPDIR`. Default: `/tmp`.
  /// - Throws: a `Diagnostic` where that is not possible.
  public init(in parent: String? = nil) throws(Diagnostic) {
    let base = parent.flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    let absolute = URL(fileURLWithPath: base).path
    var template = Array("\(absolute)/hone-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else {
      throw Diagnostic(
        id: "no-scratch-folder",
        "cannot make a folder in '\(base)': \(String(cString: strerror(errno)))",
        nextStep: "set TMPDIR to a folder that can be written to")
    }
    path = String(cString: made)
    // By this the workers know a folder that they may remove when Hone is killed.
    _ = FileManager.default.createFile(atPath: path + "/.hone-scratch", contents: Data())
  }

  deinit { tearDown() }

  /// Whether `tearDown()` has begun: what fails from then on fails because the run is being ended.
  public var isGone: Bool { state.withLock { $0.isGone } }

  /// A new folder in it, named after `purpose` and a number.
  ///
  /// - Throws: a `Diagnostic`, also after `tearDown()`: nothing comes back to life.
  public func makeFolder(_ purpose: String) throws(Diagnostic) -> String {
    let path = path
    return try state.withLock { state throws(Diagnostic) in
      guard !state.isGone else {
        throw Diagnostic(id: "no-scratch-folder", "the run is being ended")
      }
      state.count += 1
      let folder = "\(path)/\(purpose)-\(state.count)"
      do {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      } catch {
        throw Diagnostic(
          id: "no-scratch-folder", "cannot make '\(folder)': \(error.localizedDescription)")
      }
      return folder
    }
  }

  /// The worker's program in this folder, written on first use.
  func program() throws(Diagnostic) -> String {
    if let program = state.withLock({ $0.program }) { return program }
    let folder = try makeFolder("program")
    do {
      let main = try WorkerProgram.write(to: folder)
      state.withLock { $0.program = main }
      return main
    } catch {
      throw Diagnostic(
        id: "no-scratch-folder",
        "cannot write the worker to '\(folder)': \(error.localizedDescription)")
    }
  }

  /// Notes a process group that must not outlive the folder; false when it is gone already.
  func register(group: Int32) -> Bool {
    state.withLock { state in
      guard !state.isGone else { return false }
      state.groups.insert(group)
      return true
    }
  }

  func unregister(group: Int32) {
    state.withLock { state in _ = state.groups.remove(group) }
  }

  /// Kills the processes that still run in it and removes the folder with all it holds. Returns when
  /// that is done, also where another thread has begun it.
  public func tearDown() {
    let groups = state.withLock { state -> Set<Int32> in
      state.isGone = true
      defer { state.groups = [] }
      return state.groups
    }
    for group in groups where group > 1 { kill(-group, SIGKILL) }
    removal.withLock { _ in
      // A process that is just ending may still make a file behind the removal's back.
      for attempt in 0..<5 {
        guard FileManager.default.fileExists(atPath: path) else { return }
        // Tried again below; nobody is left to tell of what cannot be removed at all.
        try? FileManager.default.removeItem(atPath: path)
        if attempt > 0 { usleep(20_000 << UInt32(attempt)) }
      }
    }
  }
}
