import Diagnostics
import HostProgram
import PythonSyntax
import Testing
import TileIR

@testable import Rewrites

/// Transposed copies that a kernel does not need.
@Suite struct PassTransposedViewTests {
  private static func module(
    _ lines: String, _ call: String = "x, b, y, b.stride(0), b.stride(1)",
    store: String = "y_ptr"
  ) -> String {
    """
    import torch
    import triton
    import triton.language as tl


    @triton.jit
    def k(x_ptr, b_ptr, y_ptr, stride_k, stride_n, N: tl.constexpr):
        i = tl.arange(0, N)
        b = tl.load(b_ptr + i[:, None] * stride_k + i[None, :] * stride_n)
        tl.store(\(store) + i[:, None] * N + i[None, :], b)


    @triton.jit
    def other(x_ptr, b_ptr):
        tl.store(x_ptr, tl.load(b_ptr))


    def f(x, w, y):
    \(lines.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
        k[(1,)](\(call), N=64)
        return y

    """
  }

  private static let values: Subjects.Values = [
    "x": Subjects.tensor(0), "b": Subjects.tensor(1), "y": Subjects.tensor(2),
    "b.stride(0)": Subjects.shape(64), "b.stride(1)": Subjects.fixed(1),
    "sk": Subjects.shape(64), "sn": Subjects.fixed(1),
  ]

  private func sites(_ text: String) -> [RewriteSite] {
    PassTransposedView().sites(in: Subjects.run(text, Self.values))
  }

  @Test(arguments: [
    ("b = w.t().contiguous()", "b = w.t()"),
    ("b = w.T.contiguous()", "b = w.T"),
    ("b = torch.transpose(w, 0, 1).contiguous()", "b = torch.transpose(w, 0, 1)"),
    (
      "b = w.view(64, 64).permute(1, 0).contiguous()  # [K, N]",
      "b = w.view(64, 64).permute(1, 0)  # [K, N]"
    ),
    ("b = w.t().contiguous()\nn = b.shape[1]", "b = w.t()\nn = b.shape[1]"),
  ])
  func dropsTheCopy(_ before: String, _ after: String) throws {
    let subject = Subjects.run(Self.module(before), Self.values)
    let site = try #require(PassTransposedView().sites(in: subject).first)
    #expect(site.kernel == "k" && site.hostBytes == 2 * 64 * 64 * 4)
    #expect(site.why.contains("copies 16.4 kB in every call"), "\(site.why)")
    expectRewrite(PassTransposedView(), site, subject, gives: Self.module(after))
  }

  @Test(arguments: [
    ("b = w.t().contiguous()\nsk, sn = b.stride()", "x, b, y, sk, sn"),
    ("b = w.t().contiguous()\nsk, sn = b.stride(0), b.stride(1)", "x, b, y, sk, sn"),
    ("b = w.t().contiguous()\nsk = b.stride(-2)\nsn = b.stride(dim=1)", "x, b, y, sk, sn"),
    ("b = w.t().contiguous()", "x, b, y, stride_n=b.stride(1), stride_k=b.stride(0)"),
  ])
  func stridesByAnyRoad(_ lines: String, _ call: String) {
    #expect(sites(Self.module(lines, call)).count == 1)
  }

  @Test(arguments: [
    // Not a view, or already no copy.
    ("b = w.contiguous()", "x, b, y, b.stride(0), b.stride(1)"),
    ("b = (w * 2).contiguous()", "x, b, y, b.stride(0), b.stride(1)"),
    (
      "b = w.t().contiguous(memory_format=torch.channels_last)", "x, b, y, b.stride(0), b.stride(1)"
    ),
    // The kernel is not told, or told of another tensor, or told once only.
    ("b = w.t().contiguous()", "x, b, y, 64, 1"),
    ("b = w.t().contiguous()", "x, b, y, y.stride(0), y.stride(1)"),
    ("b = w.t().contiguous()", "x, b, y, b.stride(0), 1"),
    ("b = w.t().contiguous()\nsk, sn = b.stride()\nsk = 7", "x, b, y, sk, sn"),
    // Something else sees the layout.
    ("b = w.t().contiguous()\nx = torch.empty_like(b)", "x, b, y, b.stride(0), b.stride(1)"),
    ("b = w.t().contiguous()\nassert b.is_contiguous()", "x, b, y, b.stride(0), b.stride(1)"),
    ("b = w.t().contiguous()\nx = b.view(-1)", "x, b, y, b.stride(0), b.stride(1)"),
    ("b = w.t().contiguous()\ng(b)", "x, b, y, b.stride(0), b.stride(1)"),
    ("b = w.t().contiguous()\nother[(1,)](x, b)", "x, b, y, b.stride(0), b.stride(1)"),
    ("b = w.t().contiguous()\nb = b + 1", "x, b, y, b.stride(0), b.stride(1)"),
    ("b = w.t().contiguous()\nb += 1", "x, b, y, b.stride(0), b.stride(1)"),
  ])
  func leavesCopiesThatAreNeeded(_ lines: String, _ call: String) {
    #expect(sites(Self.module(lines, call)).isEmpty)
  }

  /// Without the copy, the kernel would write into the weight.
  @Test func leavesWhatTheKernelWrites() {
    #expect(sites(Self.module("b = w.t().contiguous()", store: "b_ptr")).isEmpty)
  }

  /// Without a run, how many axes there are is not known.
  @Test func needsTheLaunches() {
    let subject = Subjects.unrun(Self.module("b = w.t().contiguous()"))
    #expect(PassTransposedView().sites(in: subject).isEmpty)
  }

  @Test func asksForAProof() {
    #expect(PassTransposedView().needsProof && PassTransposedView().mayGain)
  }
}
