import Diagnostics
import PythonSyntax
import Testing

@testable import TritonLowering

@Suite struct NestedKernelTests {
  @Test func `Kernels inside host functions are found where their name is unique`() {
    let module = TritonModule(
      PythonParser.parse(
        SourceText(
          name: "module.py",
          text: """
            import triton
            import triton.language as tl

            @triton.jit
            def outer(x_ptr):
                pass

            def make():
                @triton.jit
                def inner(x_ptr, BLOCK: tl.constexpr):
                    pass
                @triton.jit
                def outer(x_ptr, y_ptr):
                    pass
                return inner

            def first():
                @triton.jit
                def twice(x_ptr):
                    pass

            def second():
                @triton.jit
                def twice(x_ptr, y_ptr):
                    pass

            """)))
    #expect(module.functions.map(\.name) == ["outer", "inner"])
    #expect(module.function(named: "outer")?.parameters.count == 1)
    #expect(module.function(named: "inner")?.parameters.map(\.isConstexpr) == [false, true])
  }
}
