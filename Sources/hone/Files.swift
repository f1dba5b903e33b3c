import Diagnostics
import PythonSyntax
import Requests

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Reading and writing files, with errors that say what to do.
enum Files {
  /// The bytes of a file, or of standard input for `-`.
  ///
  /// - Throws: a `Diagnostic` if it is missing, a directory, unreadable or too large.
  static func read(_ path: String) throws(Diagnostic) -> (bytes: [UInt8], name: String) {
    if path == "-" { return (try readAll(0, name: "<stdin>", expected: 0), "<stdin>") }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw cannotRead(path, errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw cannotRead(path, errno) }
    if status.st_mode & S_IFMT == S_IFDIR {
      throw Diagnostic(
        id: "is-directory", "'\(path)' is a directory",
        nextStep: "give a request document or a Python module in it")
    }
    let size = Int(status.st_size)
    guard size <= SourceBytes.limit else {
      throw SourceBytes.tooLarge(name: "'\(path)'", bytes: size)
    }
    return (try readAll(descriptor, name: "'\(path)'", expected: size), path)
  }

  /// A file as checked source.
  static func source(_ path: String) throws(Diagnostic) -> SourceText {
    let (bytes, name) = try read(path)
    return try SourceBytes.check(bytes, name: name, surroundings: surroundings(name))
  }

  /// Where the imports of a Python file are looked up: the files beside it and in the folders above.
  static func surroundings(_ path: String) -> (any SourceSurroundings)? {
    guard path.hasSuffix(".py"), let here = realpath(".", nil) else { return nil }
    defer { free(here) }
    let base = String(cString: here)
    let absolute = path.hasPrefix("/") ? path : "\(base)/\(path)"
    let library = ModuleLibrary { file in
      // Ordinary files only: an import must not wait for a pipe.
      var status = stat()
      guard stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
        let (bytes, _) = try? read(file)
      else { return nil }
      let name = file.hasPrefix(base + "/") ? String(file.dropFirst(base.utf8.count + 1)) : file
      return try? SourceBytes.check(bytes, name: name)
    }
    return library.importer(for: normalized(absolute))
  }

  /// A path without `.`, `..` and doubled slashes.
  private static func normalized(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }

  private static func readAll(
    _ descriptor: Int32, name: String, expected: Int
  ) throws(Diagnostic) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(expected + 1)
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      #if canImport(Darwin)
        let count = Darwin.read(descriptor, &buffer, buffer.count)
      #elseif canImport(Musl)
        let count = Musl.read(descriptor, &buffer, buffer.count)
      #else
        let count = Glibc.read(descriptor, &buffer, buffer.count)
      #endif
      if count == 0 { return bytes }
      if count < 0 {
        if errno == EINTR { continue }
        throw cannotRead(name, errno)
      }
      bytes.append(contentsOf: buffer[..<count])
      // Also for pipes and for files that grow: stop as soon as it is too much.
      if bytes.count > SourceBytes.limit { throw SourceBytes.tooLarge(name: name, bytes: nil) }
    }
  }

  private static func cannotRead(_ path: String, _ code: Int32) -> Diagnostic {
    switch code {
    case ENOENT, ENOTDIR:
      return Diagnostic(
        id: "no-such-file", "no such file: '\(path)'",
        nextStep: nearbyFile(path) ?? "check the path")
    case EACCES, EPERM:
      return Diagnostic(
        id: "unreadable", "may not read '\(path)'", nextStep: "check the file's permissions")
    case EISDIR:
      return Diagnostic(
        id: "is-directory", "'\(path)' is a directory",
        nextStep: "give a request document or a Python module in it")
    default:
      return Diagnostic(
        id: "unreadable", "cannot read '\(path)': \(reason(code))", nextStep: "check the path")
    }
  }

  /// "did you mean …" from the names in the same directory.
  private static func nearbyFile(_ path: String) -> String? {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard let wanted = parts.last, !wanted.isEmpty else { return nil }
    let directory = parts.dropLast().joined(separator: "/")
    let root = directory.isEmpty ? (path.hasPrefix("/") ? "/" : ".") : directory
    guard let stream = opendir(root) else { return nil }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream), names.count < 2000 {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 1) { String(cString: $0) }
      }
      names.append(name)
    }
    guard let near = Spelling.nearest(to: String(wanted), in: names.sorted()) else { return nil }
    return "did you mean '\(directory.isEmpty ? "" : directory + "/")\(near)'?"
  }

  static func reason(_ code: Int32) -> String {
    strerror(code).map { String(cString: $0).lowercased() } ?? "error \(code)"
  }

  /// Writes a file in one step: readers see the old bytes or the new ones, never a part.
  ///
  /// - Throws: a `Diagnostic`; the path is then as it was.
  static func write(_ bytes: [UInt8], to path: String) throws(Diagnostic) {
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      throw Diagnostic(
        id: "unwritable", "cannot write '\(path)': it is a directory",
        nextStep: "give a file's path")
    }
    let isFile = status.st_mode & S_IFMT == S_IFREG
    if status.st_mode != 0, !isFile {  // a device or pipe: nothing to replace
      let descriptor = open(path, O_WRONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw cannotWrite(path, errno) }
      defer { close(descriptor) }
      if let code = put(bytes, descriptor) { throw cannotWrite(path, code) }
      return
    }
    if isFile, access(path, W_OK) != 0 { throw cannotWrite(path, errno) }
    let temporary = "\(path).hone-\(getpid()).tmp"
    let mode = isFile ? status.st_mode & 0o777 : 0o644
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw cannotWrite(path, errno) }
    var failure = put(bytes, descriptor)
    if failure == nil, fsync(descriptor) != 0, errno != EINVAL { failure = errno }
    if close(descriptor) != 0, failure == nil { failure = errno }
    if failure == nil, rename(temporary, path) != 0 { failure = errno }
    if let failure {
      unlink(temporary)
      throw cannotWrite(path, failure)
    }
  }

  private static func cannotWrite(_ path: String, _ code: Int32) -> Diagnostic {
    let next =
      code == ENOENT
      ? "create the directory first"
      : code == ENOSPC ? "free some space" : "check the path and its permissions"
    return Diagnostic(
      id: "unwritable", "cannot write '\(path)': \(reason(code))", nextStep: next)
  }

  /// Writes all bytes; the error's code, or nil.
  static func put(_ bytes: [UInt8], _ descriptor: Int32) -> Int32? {
    var offset = 0
    return bytes.withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress else { return nil }
      while offset < buffer.count {
        #if canImport(Darwin)
          let count = Darwin.write(descriptor, base + offset, buffer.count - offset)
        #elseif canImport(Musl)
          let count = Musl.write(descriptor, base + offset, buffer.count - offset)
        #else
          let count = Glibc.write(descriptor, base + offset, buffer.count - offset)
        #endif
        if count < 0 {
          if errno == EINTR { continue }
          return errno
        }
        offset += count
      }
      return nil
    }
  }
}

/// Thrown when the reader of standard output has gone.
struct ClosedPipe: Error {}

/// Data goes here, and nothing else.
enum StandardOutput {
  /// A reader that goes away ends the run quietly instead of killing it.
  static func ignoreClosedPipes() { signal(SIGPIPE, SIG_IGN) }

  static func write(_ text: String) throws { try write(Array(text.utf8)) }

  static func write(_ bytes: [UInt8]) throws {
    guard let code = Files.put(bytes, 1) else { return }
    if code == EPIPE { throw ClosedPipe() }
    throw Failure(
      outcome: .environment,
      diagnostics: [
        Diagnostic(
          id: "unwritable", "cannot write to standard output: \(Files.reason(code))",
          nextStep: "check where the output goes")
      ])
  }
}

/// Everything that is not data.
enum StandardError {
  static func write(_ text: String) { _ = Files.put(Array(text.utf8), 2) }

  /// Each diagnostic with its quoted line and next step.
  static func print(_ diagnostics: [Diagnostic]) {
    for diagnostic in diagnostics { write(diagnostic.rendered() + "\n") }
  }
}
