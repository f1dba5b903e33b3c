import Diagnostics
import Synchronization

/// The Python files around a module, read when an import first asks for one.
///
/// Files are found as Python finds them, without running anything: relative imports from the
/// importing file's folder, absolute ones from that folder or any folder above it. Each file is
/// read and parsed once.
public final class ModuleLibrary: Sendable {
  /// Gives the source at an absolute path; nil where there is no readable file.
  public typealias Reader = @Sendable (_ path: String) -> SourceText?

  /// The most files that are read for one module.
  static let maximumFiles = 400
  /// The most folders above a file that are searched.
  static let maximumAncestors = 40

  private struct State {
    var trees: [String: ModuleTree?] = [:]
    var fileCount = 0
    var parts: [PartKey: any Sendable] = [:]
  }

  private struct PartKey: Hashable {
    var path: String
    var type: ObjectIdentifier
  }

  private let read: Reader
  private let state = Mutex(State())

  public init(read: @escaping Reader) { self.read = read }

  /// What the file at an absolute path imports from.
  public func importer(for path: String) -> ModuleImporter { ModuleImporter(self, path: path) }

  /// The file at a path, parsed; nil where there is none, or too many were read.
  func tree(at path: String) -> ModuleTree? {
    if let known = state.withLock({ $0.trees[path] }) { return known }
    let isWithinLimit = state.withLock { $0.fileCount < Self.maximumFiles }
    let tree = isWithinLimit ? load(path) : nil
    return state.withLock { state in
      if let known = state.trees[path] { return known }
      state.trees[path] = .some(tree)
      if tree != nil { state.fileCount += 1 }
      return tree
    }
  }

  private func load(_ path: String) -> ModuleTree? {
    guard let source = read(path) else { return nil }
    return PythonParser.parse(
      SourceText(
        name: source.name, bytes: source.bytes, firstLine: source.firstLine,
        surroundings: importer(for: path)))
  }

  /// Something made of a file, made once; two threads that ask at once get the same.
  func part<Part: Sendable>(of path: String, _ make: () -> Part) -> Part {
    let key = PartKey(path: path, type: ObjectIdentifier(Part.self))
    if let known = state.withLock({ $0.parts[key] }) as? Part { return known }
    let made = make()
    return state.withLock { state in
      if let known = state.parts[key] as? Part { return known }
      state.parts[key] = made
      return made
    }
  }
}

/// Where one file's imports are looked up.
public final class ModuleImporter: SourceSurroundings {
  /// The file's absolute path.
  public let path: String
  private let library: ModuleLibrary
  private let folder: [Substring]

  init(_ library: ModuleLibrary, path: String) {
    self.library = library
    self.path = path
    folder = Array(path.split(separator: "/").dropLast())
  }

  /// Whether the file is a package's `__init__.py`.
  public var isPackage: Bool { path.hasSuffix("/__init__.py") }

  /// The file that `import name` or `from ..name import …` means.
  ///
  /// - Parameters:
  ///   - name: dotted, without the dots in front; empty for the package itself.
  ///   - level: the number of dots in front.
  public func module(_ name: String, level: Int = 0) -> ModuleTree? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard name.isEmpty ? level > 0 : parts.allSatisfy(Self.isName) else { return nil }
    if level > 0 {
      guard level - 1 <= folder.count else { return nil }
      return file(folder.dropLast(level - 1), name.isEmpty ? [] : parts)
    }
    guard let root = parts.first, !Self.installed.contains(String(root)) else { return nil }
    var base = folder[...]
    for _ in 0..<ModuleLibrary.maximumAncestors {
      if let found = file(base, parts) { return found }
      if base.popLast() == nil { break }
    }
    return nil
  }

  /// As ``module(_:level:)``, for a name with its dots in front.
  public func module(written name: String) -> ModuleTree? {
    let level = name.prefix { $0 == "." }.count
    return module(String(name.dropFirst(level)), level: level)
  }

  /// Something made of this file, made once.
  public func part<Part: Sendable>(_ make: () -> Part) -> Part { library.part(of: path, make) }

  private func file(_ base: ArraySlice<Substring>, _ parts: [Substring]) -> ModuleTree? {
    let stem = "/" + (base + parts).joined(separator: "/")
    if !parts.isEmpty, stem + ".py" != path, let tree = library.tree(at: stem + ".py") {
      return tree
    }
    let package = stem + "/__init__.py"
    return package == path ? nil : library.tree(at: package)
  }

  /// Libraries that a file of the same name beside a module of a package does not replace.
  private static let installed: Set<String> = [
    "abc", "argparse", "ast", "collections", "contextlib", "copy", "csv", "ctypes", "dataclasses",
    "datetime", "einops", "enum", "fractions", "functools", "gc", "glob", "hashlib", "importlib",
    "inspect", "io", "itertools", "json", "logging", "math", "multiprocessing", "numbers", "numpy",
    "operator", "os", "packaging", "pathlib", "pickle", "platform", "pytest", "queue", "random",
    "re",
    "shutil", "statistics", "string", "struct", "subprocess", "sys", "tempfile", "textwrap",
    "threading", "time", "torch", "traceback", "triton", "types", "typing", "typing_extensions",
    "unittest", "uuid", "warnings", "weakref",
  ]

  private static func isName(_ part: Substring) -> Bool {
    !part.isEmpty && part.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
  }
}

extension SourceText {
  /// Where this file's imports are looked up; nil where nothing is known of the files around it.
  public var importer: ModuleImporter? { surroundings as? ModuleImporter }
}

extension ModuleTree {
  /// Where this file's imports are looked up; nil where nothing is known of the files around it.
  public var importer: ModuleImporter? { source.importer }
}
