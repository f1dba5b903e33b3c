import Diagnostics
import PythonSyntax
import Stages
import Testing

@Suite struct OrderTests {
  let mixed = """
    import torch
    import torch.nn as nn
    import triton
    import triton.language as tl


    # Adds one.
    def one(x):
        one_kernel[(1,)](x)
        return x


    # The kernel.
    # It stores.
    @triton.jit
    def one_kernel(x):
        tl.store(x, 1)


    class ModelNew(nn.Module):
        def forward(self, x):
            return one(x) * math.pi


    import math
    """

  @Test func movesPartsWithTheirComments() throws {
    let bytes = try #require(try StrictForm.reordered(SampleModule.tree(mixed)))
    #expect(
      String(decoding: bytes, as: UTF8.self) == """
        import torch
        import torch.nn as nn
        import triton
        import triton.language as tl
        import math


        # The kernel.
        # It stores.
        @triton.jit
        def one_kernel(x):
            tl.store(x, 1)


        # Adds one.
        def one(x):
            one_kernel[(1,)](x)
            return x


        class ModelNew(nn.Module):
            def forward(self, x):
                return one(x) * math.pi

        """)
    let tree = SampleModule.tree(String(decoding: bytes, as: UTF8.self))
    #expect(StrictForm.check(tree).isEmpty)
    #expect(try StrictForm.reordered(tree) == nil)
  }

  @Test func whatIsInOrderStays() throws {
    #expect(try StrictForm.reordered(SampleModule.tree) == nil)
  }

  @Test func configMakersComeFirst() throws {
    let tree = SampleModule.edited(
      (
        "@triton.autotune(\n    configs=[",
        "def make():\n    return sizes()\n\n\ndef sizes():\n    return []\n\n\n@triton.autotune(\n    configs=make() + ["
      ))
    #expect(StrictForm.check(tree).isEmpty)
    #expect(try StrictForm.reordered(tree) == nil)
  }

  @Test func refusesWhereAMoveWouldBreak() {
    let text = """
      import triton


      class Options:
          size = 4


      @triton.jit
      def k(x, n=Options.size):
          pass
      """
    #expect(throws: Diagnostic.self) { try StrictForm.reordered(SampleModule.tree(text)) }
  }

  @Test func statementsOnOneLineStayTogether() throws {
    let text = "def f(x):\n    return x\n\n\nimport a; b = 2\n@triton.jit\ndef k(x):\n    pass\n"
    let bytes = try #require(try StrictForm.reordered(SampleModule.tree(text)))
    #expect(String(decoding: bytes, as: UTF8.self).hasPrefix("import a; b = 2\n"))
  }
}
