import Diagnostics
import PythonSyntax
import Testing
import TileIR

@testable import TritonLowering

/// Kernels whose helpers lie in other files.
@Suite struct ImportTests {
  static let helpers = """
    import triton
    import triton.language as tl
    from .constants import *

    @triton.jit
    def scaled(x):
        return x * FACTOR

    @triton.jit
    def scale_kernel(x_ptr, n, BLOCK: tl.constexpr):
        i = tl.arange(0, BLOCK)
        tl.store(x_ptr + i, scaled(tl.load(x_ptr + i, mask=i < n)), mask=i < n)
    """
  static let constants = """
    import triton.language as tl
    FACTOR = tl.constexpr(3.0)
    _PRIVATE = tl.constexpr(4.0)
    """

  private func module(_ body: String, _ files: [String: String]) -> TritonModule {
    let library = ModuleLibrary { path in
      files[path].map { SourceText(name: path, text: $0) }
    }
    return TritonModule(
      PythonParser.parse(
        SourceText(
          name: "model.py", text: header + body,
          surroundings: library.importer(for: "/p/lab/model.py"))))
  }

  private func lowered(_ imports: String, _ value: String) throws -> Function {
    let module = module(
      """
      \(imports)
      @triton.jit
      def kernel(x_ptr):
          tl.store(x_ptr, \(value))
      """,
      [
        "/p/lab/parts/helpers.py": Self.helpers, "/p/lab/parts/constants.py": Self.constants,
        "/p/lab/parts/__init__.py": "from .helpers import scaled\n", "/p/lab/math.py": Self.helpers,
        "/p/lab/constants.py": Self.constants,
      ])
    let function = try #require(module.function(named: "kernel"))
    let result = try module.lower("kernel", for: try Signature.parse("*fp32", for: function))
    #expect(Verifier.verify(result) == nil)
    return result
  }

  @Test(arguments: [
    ("from .parts.helpers import scaled", "scaled(tl.load(x_ptr))"),
    ("from .parts import scaled", "scaled(tl.load(x_ptr))"),
    ("from .parts import helpers", "helpers.scaled(tl.load(x_ptr))"),
    ("from . import parts", "parts.helpers.scaled(tl.load(x_ptr))"),
    ("from lab.parts.helpers import scaled as s", "s(tl.load(x_ptr))"),
    ("import lab.parts.helpers as h", "h.scaled(tl.load(x_ptr)) + h.FACTOR"),
    ("import parts.helpers", "parts.helpers.scaled(tl.load(x_ptr))"),
    ("from parts.helpers import *", "scaled(tl.load(x_ptr)) * FACTOR"),
    ("from .math import scaled", "scaled(tl.load(x_ptr))"),
    ("from . import math", "math.scaled(tl.load(x_ptr))"),
    (
      "try:\n    from fastlib import scaled\nexcept ImportError:\n    from .parts import scaled",
      "scaled(tl.load(x_ptr))"
    ),
  ])
  func `Helpers are found in their files`(imports: String, value: String) throws {
    let text = Printer.print(try lowered(imports, value))
    #expect(text.contains("constant 3.0"), "\(text)")
  }

  @Test func `Operations of another file stand at the call`() throws {
    let function = try lowered("from .parts.helpers import scaled", "scaled(tl.load(x_ptr))")
    let line = header.split(separator: "\n", omittingEmptySubsequences: false).count + 3
    function.forEachOperation { operation in
      let location = function.source.location(at: operation.location.range.lower)
      #expect(location.line == line)
    }
  }

  @Test func `What is missing is named`() throws {
    for (imports, value, name) in [
      ("from .parts.helpers import absent", "absent(tl.load(x_ptr))", "absent"),
      ("from .nowhere import scaled", "scaled(tl.load(x_ptr))", "scaled"),
      ("from .parts.helpers import *", "_PRIVATE", "_PRIVATE"),
    ] {
      let error = #expect(throws: Diagnostic.self) { try lowered(imports, value) }
      #expect(error?.message.contains("'\(name)'") == true)
      #expect(error?.location?.line != nil)
    }
    let error = #expect(throws: Diagnostic.self) {
      try lowered("from .nowhere import scaled", "scaled(tl.load(x_ptr))")
    }
    #expect(error?.id == "unsupported-import")
    #expect(error?.nextStep?.contains("beside the module") == true)
  }

  @Test func `Files that import each other end`() throws {
    let module = module(
      """
      from .a import f
      @triton.jit
      def kernel(x_ptr):
          tl.store(x_ptr, f(1.0))
      """,
      ["/p/lab/a.py": "from .b import f\n", "/p/lab/b.py": "from .a import f\nfrom .a import *\n"])
    let function = try #require(module.function(named: "kernel"))
    #expect(throws: Diagnostic.self) {
      try module.lower("kernel", for: try Signature.parse("*fp32", for: function))
    }
  }

  @Test func `A kernel of an imported file can be lowered, in its own file`() throws {
    let module = module(
      "from .ops import scale\n",
      [
        "/p/lab/ops.py": "from .helpers import scale_kernel as k\n",
        "/p/lab/helpers.py": Self.helpers, "/p/lab/constants.py": Self.constants,
      ])
    #expect(module.functions.isEmpty)
    let function = try #require(module.function(named: "scale_kernel"))
    let result = try module.lower(
      "scale_kernel", for: try Signature.parse("*fp32, i32, 16", for: function))
    #expect(result.source.name == "/p/lab/helpers.py")
    #expect(module.function(named: "absent") == nil)
  }
}
