import Diagnostics
import PythonSyntax
import Testing
import TileIR

@testable import HostProgram

/// Wrappers and kernels that lie in other files.
@Suite struct ImportTests {
  static let kernels = """
    import triton
    import triton.language as tl

    @triton.autotune(configs=[triton.Config({"BLOCK": 64}, num_warps=2)], key=["n"])
    @triton.jit
    def copy_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
        i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        tl.store(y_ptr + i, tl.load(x_ptr + i, mask=i < n), mask=i < n)
    """
  static let ops = """
    import torch
    from .kernels import copy_kernel
    from .settings import blocks, absent

    class Broken(absent.Base):
        pass

    def copy(x):
        y = torch.empty_like(x) + 1
        n = x.numel()
        copy_kernel[lambda meta: (blocks(n, meta["BLOCK"]),)](x, y, n)
        return y
    """
  static let settings = """
    UNUSED = print_all_of_it()
    def blocks(n, size):
        return -(-n // size)
    """

  private func run(_ imports: String, _ call: String) throws -> HostRun {
    let files = [
      "/p/lab/ops.py": Self.ops, "/p/lab/kernels.py": Self.kernels,
      "/p/lab/settings.py": Self.settings, "/p/lab/__init__.py": "from .ops import copy\n",
    ]
    let library = ModuleLibrary { path in files[path].map { SourceText(name: path, text: $0) } }
    let text =
      TestModule.header + imports + """


        class ModelNew(nn.Module):
            def forward(self, x):
                return \(call)

        def get_inputs():
            return [torch.rand(1000)]
        """
    return try HostProgram(
      module: PythonParser.parse(
        SourceText(
          name: "model.py", text: text, surroundings: library.importer(for: "/p/lab/model.py"))),
      problem: nil
    ).run(.fromProblem)
  }

  @Test(arguments: [
    ("from .ops import copy", "copy(x)"), ("from . import ops", "ops.copy(x)"),
    ("from ops import *", "copy(x)"), ("import lab.ops as o", "o.copy(x)"),
    ("from lab import copy", "copy(x)"), ("import lab", "lab.ops.copy(x)"),
    ("try:\n    import fastlab as o\nexcept ImportError:\n    from . import ops as o", "o.copy(x)"),
  ])
  func `A wrapper of another file runs`(imports: String, call: String) throws {
    let run = try run(imports, call)
    let launch = try #require(run.launches.first)
    #expect(run.launches.count == 1)
    #expect(launch.kernel == "copy_kernel")
    #expect(launch.configs.first?.grid.first == 16)
    #expect(run.trace.gap == nil)
    #expect(run.outputs.map(\.shape) == [[1000]])
  }

  @Test func `What an imported file does stands where the module calls it`() throws {
    let run = try run("from .ops import copy", "copy(x)")
    let launch = try #require(run.launches.first)
    let source = TestModule.header + "from .ops import copy"
    let place = launch.callRange
    #expect(place.count == "copy(x)".utf8.count)
    #expect(place.lower > source.utf8.count)
    #expect(launch.configs.allSatisfy { $0.config.range == nil })
    for case .operation(let operation) in run.trace.forward { #expect(operation.range == place) }
  }

  @Test func `What an imported file lacks is refused where it is needed`() throws {
    for (imports, call) in [
      ("from .ops import Broken", "Broken()"), ("from .ops import absent", "absent(x)"),
      ("from .nowhere import copy", "copy(x)"), ("import lab.nowhere as w", "w.copy(x)"),
    ] {
      let error = #expect(throws: Diagnostic.self) { try run(imports, call) }
      #expect(
        error?.location?.line == 9 || error?.location?.line == 8, "\(String(describing: error))")
    }
  }
}
