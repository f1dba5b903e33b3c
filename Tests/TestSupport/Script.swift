import Foundation

/// Scripts that tests run.
public enum Script {
  /// Writes an executable file.
  ///
  /// Another process does it: a file that this one has open for writing, if only for a moment, may
  /// be open in a process that another test starts in that moment, and cannot be run then.
  public static func write(_ text: String, to path: String) throws {
    try text.write(toFile: path + ".text", atomically: false, encoding: .utf8)
    let copy = ChildProcess(
      "/bin/sh", ["-c", #"cat "$0.text" > "$0" && chmod 755 "$0" && rm "$0.text""#, path])
    guard copy?.wait() == 0 else { throw CocoaError(.fileWriteUnknown) }
  }
}
