import Diagnostics
import PythonSyntax
import Synchronization
import Testing

@Suite struct ModuleLibraryTests {
  /// The name of the file that an import in `/home/p/lab/nets/model.py` finds.
  private func found(
    _ name: String, level: Int = 0, from path: String = "/home/p/lab/nets/model.py",
    among files: [String]
  ) -> String? {
    let library = ModuleLibrary { path in
      files.contains(path) ? SourceText(name: path, text: "x = 1\n") : nil
    }
    return library.importer(for: path).module(name, level: level)?.source.name
  }

  @Test func `Relative imports start at the file's folder`() {
    let files = [
      "/home/p/lab/nets/parts.py", "/home/p/lab/nets/__init__.py", "/home/p/lab/base.py",
      "/home/p/lab/deep/__init__.py", "/home/p/lab/deep/core.py",
    ]
    #expect(found("parts", level: 1, among: files) == files[0])
    #expect(found("", level: 1, among: files) == files[1])
    #expect(found("base", level: 2, among: files) == files[2])
    #expect(found("deep", level: 2, among: files) == files[3])
    #expect(found("deep.core", level: 2, among: files) == files[4])
    #expect(found("base", level: 1, among: files) == nil)
    #expect(found("base", level: 9, among: files) == nil)
  }

  @Test func `Absolute imports are found beside the file and above it`() {
    let files = ["/home/p/lab/nets/parts.py", "/home/p/lab/base.py", "/home/p/lab/nets/math.py"]
    #expect(found("parts", among: files) == files[0])
    #expect(found("lab.base", among: files) == files[1])
    #expect(found("lab.nets.parts", among: files) == files[0])
    #expect(found("base", among: files) == files[1])
    // A library of that name is meant, not the file; the package's own file has a dot in front.
    #expect(found("math", among: files) == nil)
    #expect(found("math", level: 1, among: files) == files[2])
    #expect(found("other", among: files) == nil)
  }

  @Test func `A file is no module of itself, and odd names find nothing`() {
    let files = ["/home/p/lab/nets/model.py", "/etc/passwd.py"]
    #expect(found("model", among: files) == nil)
    for name in ["", ".", "..", "a..b", "../../etc/passwd", "a b", "/etc/passwd"] {
      #expect(found(name, among: files) == nil)
      #expect(found(name.isEmpty ? "." : name, level: 1, among: files) == nil)
    }
  }

  @Test func `Each file is read once, and edited sources keep their surroundings`() throws {
    let reads = Mutex(0)
    let library = ModuleLibrary { path in
      guard path == "/p/a.py" else { return nil }
      reads.withLock { $0 += 1 }
      return SourceText(name: path, text: "x = 1\n")
    }
    let source = SourceText(
      name: "m.py", text: "y = 2\n", surroundings: library.importer(for: "/p/m.py"))
    let tree = PythonParser.parse(source)
    let first = tree.importer?.module("a")
    #expect(first?.source === tree.importer?.module("a", level: 1)?.source)
    #expect(reads.withLock { $0 } == 1)
    var editor = SourceEditor(tree)
    editor.replace(SourceRange(4, 5), with: "3")
    #expect(try editor.appliedSource().importer != nil)
  }
}
