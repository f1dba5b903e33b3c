import Diagnostics
import HostProgram
import PythonSyntax
import Testing
import TritonLowering

@testable import Rewrites

/// Autotuned kernels that change what they read. The host programs run, so that the traces are real.
@Suite struct RestoreTunedArgumentsTests {
  /// A module with one autotuned kernel and one wrapper.
  static func module(
    decorator: String =
      "@triton.autotune(configs=[triton.Config({'B': 64}), triton.Config({'B': 128})], key=['n'])",
    parameters: String = "x, y, n", body: String, wrapper: String
  ) -> String {
    func indented(_ text: String, _ depth: Int) -> String {
      text.split(separator: "\n").map { String(repeating: " ", count: depth) + $0 }
        .joined(separator: "\n")
    }
    return """
      import torch
      import torch.nn as nn
      import triton
      import triton.language as tl

      \(decorator)
      @triton.jit
      def k(\(parameters), B: tl.constexpr):
          i = tl.program_id(0) * B + tl.arange(0, B)
      \(indented(body, 4))

      def f(x):
          n = x.numel()
          grid = lambda meta: (triton.cdiv(n, meta['B']),)
      \(indented(wrapper, 4))

      class ModelNew(nn.Module):
          def forward(self, x):
              return f(x)

      def get_inputs():
          return [torch.randn(1000)]

      """
  }

  static func subject(_ text: String) throws -> RewriteSubject {
    let tree = Subjects.parsed(text)
    #expect(tree.diagnostics.map(\.headline) == [])
    return RewriteSubject(module: tree, run: try HostProgram(module: tree).run(.fromProblem))
  }

  /// The lines that name what is restored, without commas; nil where nothing is lacking.
  private func added(_ text: String) throws -> String? {
    let subject = try Self.subject(text)
    let rewrite = RestoreTunedArguments()
    guard let site = rewrite.sites(in: subject).first else { return nil }
    let result = try rewrite.apply(site, to: subject)
    #expect(result.numerics == .bitExact)
    let tree = PythonParser.parse(result.source)
    #expect(tree.diagnostics.map(\.headline) == [])
    // Nothing is left to do, and nothing but the decorator changed.
    #expect(rewrite.sites(in: RewriteSubject(module: tree, run: subject.run)).isEmpty)
    let rest = try #require(text.range(of: "@triton.jit"))
    #expect(result.source.text.hasSuffix(text[rest.lowerBound...]))
    let line = result.source.text.split(separator: "\n").first { $0.contains("autotune(") } ?? ""
    guard let key = line.range(of: "key=['n'], ") else { return String(line) }
    return String(line[key.upperBound...].dropLast())
  }

  static let scale = "tl.store(x + i, tl.load(x + i, mask=i < n) * 2, mask=i < n)"
  static let accumulate = "tl.atomic_add(y + i % 8, tl.load(x + i, mask=i < n), mask=i < n)"

  @Test func restoresWhatIsUpdatedInPlace() throws {
    let text = Self.module(
      parameters: "x, n", body: Self.scale, wrapper: "k[grid](x, n)\nreturn x")
    #expect(try added(text) == "restore_value=['x']")
  }

  @Test func zeroesWhatTheWrapperZeroes() throws {
    let allocators = ["torch.zeros(8)", "torch.zeros_like(x)", "x.new_zeros(8)"]
    for allocator in allocators {
      let text = Self.module(
        body: Self.accumulate,
        wrapper: "y = \(allocator)\ns = y.stride(0)\nk[grid](x, y, n)\nreturn y")
      #expect(try added(text) == "reset_to_zero=['y']", "\(allocator)")
    }
    let filled = Self.module(
      body: Self.accumulate, wrapper: "y = torch.empty(8)\ny.zero_()\nk[grid](x, y, n)\nreturn y")
    #expect(try added(filled) == "reset_to_zero=['y']")
  }

  @Test(arguments: [
    "y = torch.ones(8)\nk[grid](x, y, n)\nreturn y",
    "y = torch.zeros(8)\ny += 1\nk[grid](x, y, n)\nreturn y",
    "y = torch.zeros(8)\nz = y\nk[grid](x, z, n)\nreturn y",
    "y = torch.zeros(8)\nk[grid](x, y, n)\nk[grid](x, y, n)\nreturn y",
    "y = torch.zeros(8)\nfor j in range(2):\n    k[grid](x, y, n)\nreturn y",
    "y = torch.zeros(8)\nfor j in range(1):\n    k[grid](x, y, n)\nreturn y",
    "y = torch.zeros(8)\nif n < 10:\n    y.add_(1)\nk[grid](x, y, n)\nreturn y",
    "if n > 10:\n    y = torch.zeros(8)\nelse:\n    y = torch.ones(8)\nk[grid](x, y, n)\nreturn y",
    "y = torch.empty(8)\nif n > 10:\n    y.zero_()\nk[grid](x, y, n)\nreturn y",
    "y = x.new_zeros(8)\nk[grid](x, y[:], n)\nreturn y",
  ])
  func restoresWhatIsNotSurelyZero(wrapper: String) throws {
    let text = Self.module(body: Self.accumulate, wrapper: wrapper)
    #expect(try added(text) == "restore_value=['y']")
  }

  @Test func leavesWhatIsSafeAlone() throws {
    // Writes what it does not read, also where it covers only a part.
    let copy = "tl.store(y + i, tl.load(x + i, mask=i < n), mask=i < n // 2)"
    #expect(
      try added(
        Self.module(body: copy, wrapper: "y = torch.zeros_like(x)\nk[grid](x, y, n)\nreturn y"))
        == nil)
    // One config: nothing is tried.
    let one = "@triton.autotune(configs=[triton.Config({'B': 64})], key=['n'])"
    #expect(
      try added(
        Self.module(
          decorator: one, parameters: "x, n", body: Self.scale, wrapper: "k[grid](x, n)\nreturn x"))
        == nil)
  }

  @Test func completesWhatIsThere() throws {
    let body = Self.scale + "\n" + Self.accumulate
    let wrapper = "y = torch.zeros(8)\nk[grid](x, y, n)\nreturn y"
    func decorated(_ more: String) -> String {
      Self.module(
        decorator:
          "@triton.autotune(configs=[triton.Config({'B': 64}), triton.Config({'B': 128})], key=['n'], \(more))",
        body: body, wrapper: wrapper)
    }
    #expect(
      try added(decorated("restore_value=['x']")) == "restore_value=['x'], reset_to_zero=['y']")
    #expect(try added(decorated("restore_value=[\"y\"]")) == "restore_value=[\"y\", 'x']")
    #expect(
      try added(decorated("reset_to_zero=[]")) == "reset_to_zero=['y'], restore_value=['x']")
    #expect(
      try added(decorated("restore_value=None")) == "restore_value=['x'], reset_to_zero=['y']")
    #expect(try added(decorated("restore_value=('y', 'x')")) == nil)
    // A config's own hook runs before each trial and before the run that counts.
    let hooked = Self.module(
      decorator:
        "@triton.autotune(configs=[triton.Config({'B': 64}, pre_hook=lambda a: a['y'].zero_()), triton.Config({'B': 128})], key=['n'])",
      body: Self.accumulate, wrapper: wrapper)
    #expect(try added(hooked) == nil)
  }

  private func refusal(_ text: String) throws -> Diagnostic? {
    let subject = try Self.subject(text)
    let rewrite = RestoreTunedArguments()
    #expect(rewrite.sites(in: subject).isEmpty)
    #expect(RestoreTunedArguments.findings(in: subject).isEmpty)
    expectRefusal(rewrite, site("k"), subject, "rerun-unproven")
    return rewrite.refusal(of: "k", in: subject)
  }

  @Test func refusesWhatItCannotTell() throws {
    let wrapper = "k[grid](x, n)\nreturn x"
    let hooks = Self.module(
      decorator:
        "@triton.autotune(configs=[triton.Config({'B': 64}), triton.Config({'B': 128})], key=['n'], post_hook=print)",
      parameters: "x, n", body: Self.scale, wrapper: wrapper)
    #expect(try refusal(hooks)?.message.contains("hooks of its own") == true)
    let computed = Self.module(
      decorator:
        "NAMES = ['x']\n@triton.autotune(configs=[triton.Config({'B': 64}), triton.Config({'B': 128})], key=['n'], restore_value=NAMES)",
      parameters: "x, n", body: Self.scale, wrapper: wrapper)
    #expect(try refusal(computed)?.message.contains("not written out") == true)
    let part = Self.module(
      parameters: "x, n", body: Self.scale, wrapper: "k[grid](x[100:], n - 100)\nreturn x")
    #expect(try refusal(part)?.message.contains("view of a larger tensor") == true)
    let optional = Self.module(
      body: "tl.store(x + i, tl.load(x + i, mask=i < n) * 2, mask=i < n)\n"
        + "if y is not None:\n    tl.store(y + i, tl.load(y + i))",
      wrapper: "y = torch.randn(1000)\nk[grid](x, y, n)\nk[grid](x, None, n)\nreturn x")
    #expect(try refusal(optional)?.message.contains("'y' is updated in place") == true)
    let unknown = Self.module(
      body: "tl.store(tl.load(y + i).to(tl.pointer_type(tl.float32)), 1.0)",
      wrapper: "y = torch.zeros(1000, dtype=torch.int64)\nk[grid](x, y, n)\nreturn y")
    #expect(try refusal(unknown)?.message.contains("not known") == true)
  }

  @Test func warnsInLint() throws {
    let text = Self.module(
      parameters: "x, n", body: Self.scale, wrapper: "k[grid](x, n)\nreturn x")
    let findings = RestoreTunedArguments.findings(in: try Self.subject(text))
    #expect(findings.map(\.id) == ["autotune-spoils-arguments"])
    #expect(findings.first?.severity == .warning)
    #expect(findings.first?.nextStep == "add restore_value=['x']")
  }

  /// A list that Hone writes for an accumulating kernel names it too.
  @Test func newListsResetToZero() throws {
    let text = Self.module(
      decorator: "", body: Self.accumulate,
      wrapper: "y = torch.zeros(8)\nk[(16,)](x, y, n, B=64)\nreturn y")
    let configs = [
      TuneConfigsTests.config([:], 4, 3), TuneConfigsTests.config([:], 8, 3),
    ]
    let result = try TuneConfigs.apply(kernel: "k", configs: configs, to: Self.subject(text))
    #expect(result.source.text.contains("    reset_to_zero=['y'],\n)"))
    #expect(!result.source.text.contains("restore_value"))
  }

  /// A list of several configs that Hone changes is completed on the way; what cannot be told there
  /// does not stand in the way, since the original ran the same trials.
  @Test func editedListsAreCompleted() throws {
    let configs = [
      TuneConfigsTests.config(["B": 64], 4, 3), TuneConfigsTests.config(["B": 128], 8, 3),
    ]
    let text = Self.module(
      parameters: "x, n", body: Self.scale, wrapper: "k[grid](x, n)\nreturn x")
    let result = try TuneConfigs.apply(kernel: "k", configs: configs, to: Self.subject(text))
    #expect(result.source.text.contains("restore_value=['x'])"))
    let part = text.replacing("k[grid](x, n)", with: "k[grid](x[100:], n - 100)")
    let other = try TuneConfigs.apply(kernel: "k", configs: configs, to: Self.subject(part))
    #expect(!other.source.text.contains("restore_value"))
  }
}
