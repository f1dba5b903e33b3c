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

  @Test func movesPartsWithTheirComments() {
    let arranged = StrictForm.arranged(SampleModule.tree(mixed))
    #expect(
      arranged.text == """
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
    let tree = SampleModule.tree(arranged.text)
    #expect(StrictForm.check(tree).isEmpty)
    #expect(StrictForm.arranged(tree).bytes == tree.source.bytes)
  }

  @Test func whatIsInOrderStays() {
    let tree = SampleModule.tree
    #expect(StrictForm.arranged(tree).bytes == tree.source.bytes)
  }

  @Test func configMakersComeFirst() {
    let tree = SampleModule.edited(
      (
        "@triton.autotune(\n    configs=[",
        "def make():\n    return sizes()\n\n\ndef sizes():\n    return []\n\n\n@triton.autotune(\n    configs=make() + ["
      ))
    #expect(StrictForm.check(tree).isEmpty)
    #expect(StrictForm.arranged(tree).bytes == tree.source.bytes)
  }

  @Test func leavesAPartBehindWhatItNeedsAtImport() {
    let text = """
      import triton


      class Options:
          size = 4


      @triton.jit
      def k(x, n=Options.size):
          pass
      """
    #expect(StrictForm.arranged(SampleModule.tree(text)).text == text)
  }

  @Test func statementsOnOneLineStayTogether() {
    let text = "def f(x):\n    return x\n\n\nimport a; b = 2\n@triton.jit\ndef k(x):\n    pass\n"
    #expect(
      StrictForm.arranged(SampleModule.tree(text)).text
        == "import a; b = 2\n@triton.jit\ndef k(x):\n    pass\n\n\ndef f(x):\n    return x\n")
  }

  @Test func leavesOutWhatTheFormForbids() {
    let text = """
      import torch
      import triton


      def get_inputs():
          return [torch.rand(4)]


      # Loose comment about the kernels.

      @triton.jit
      def k(x):
          pass


      class ModelNew:
          pass


      if __name__ == "__main__":
          print(ModelNew())
      # Run it by hand.

      """
    let arranged = StrictForm.arranged(SampleModule.tree(text)).text
    #expect(!arranged.contains("get_inputs"))
    #expect(!arranged.contains("__name__"))
    #expect(!arranged.contains("Run it by hand"))
    #expect(arranged.contains("# Loose comment about the kernels."))
    #expect(arranged.contains("@triton.jit\ndef k(x):\n    pass\n"))
    let again = SampleModule.tree(arranged)
    #expect(StrictForm.arranged(again).text == arranged)
  }

  @Test func keepsAForbiddenFunctionThatTheModuleNeeds() {
    let text = """
      import torch


      def get_init_inputs():
          return [3]


      SIZES = get_init_inputs()


      class ModelNew:
          pass

      """
    #expect(StrictForm.arranged(SampleModule.tree(text)).text.contains("def get_init_inputs"))
  }
}
