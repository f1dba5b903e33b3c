import DeviceModel
import Diagnostics
import HostProgram
import PythonSyntax
import Requests
import Rewrites
import Stages
import Testing

@testable import Tuning

/// Small modules to tune, and the values that tests make of them.
enum Subjects {
  private static let head = """
    import torch
    import torch.nn as nn
    import triton
    import triton.language as tl


    """

  /// An element-wise kernel without autotune; `body` stands between load and store.
  static func elementwise(
    body: String = "x = x * 2.0", decorators: String = "", launch: String = "BLOCK=1024",
    grid: String = "(triton.cdiv(x.numel(), 1024),)", extra: String = ""
  ) -> String {
    head + decorators + """
      @triton.jit
      def scale_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
          offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
          mask = offsets < n
          x = tl.load(x_ptr + offsets, mask=mask)
          \(body.replacing("\n", with: "\n    "))
          tl.store(y_ptr + offsets, x, mask=mask)


      class ModelNew(nn.Module):
          def forward(self, x: torch.Tensor) -> torch.Tensor:
              y = torch.empty_like(x)
              grid = \(grid)
              scale_kernel[grid](x, y, x.numel(), \(launch))
              return y
      \(extra)
      """
  }

  /// A long loop of arithmetic: bound by instructions, so its trip count sets the time.
  static let computing = elementwise(
    body: "for i in range(0, 2000):\n    x = x * 1.0001 + 0.5")

  /// The same under an autotuner with these (warps, stages).
  static func autotuned(
    _ configs: [(Int, Int)], blocks: [Int] = [], body: String = "x = x * 2.0"
  ) -> String {
    let list = configs.enumerated().map { index, knobs in
      let block = index < blocks.count ? blocks[index] : 1024
      return "        triton.Config({'BLOCK': \(block)}, num_warps=\(knobs.0), "
        + "num_stages=\(knobs.1)),\n"
    }.joined()
    return elementwise(
      body: body,
      decorators: "@triton.autotune(\n    configs=[\n\(list)    ],\n    key=['n'],\n)\n",
      launch: "", grid: "lambda meta: (triton.cdiv(x.numel(), meta['BLOCK']),)")
  }

  /// Rows taken apart with divisions by values that only the shapes fix; bound by their cost.
  static let dividing =
    head + """
      @triton.jit
      def fold_kernel(x_ptr, y_ptr, a, b, c, d, n, BLOCK: tl.constexpr):
          offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
          i = offsets
          for step in tl.static_range(8):
              i = (i // a) * a + (i % b) + (i // c) * 3 + (i % d) + step
          x = tl.load(x_ptr + (i % n))
          tl.store(y_ptr + offsets, x)


      class ModelNew(nn.Module):
          def forward(self, x: torch.Tensor) -> torch.Tensor:
              y = torch.empty_like(x)
              a, b, c, d = x.shape
              fold_kernel[(triton.cdiv(x.numel(), 1024),)](x, y, a, b, c, d, x.numel(), BLOCK=1024)
              return y

      """

  /// A request without a document.
  static func request(
    _ module: String, inputs: [String] = ["x=f32[4096,4096]"], stage: String? = "micro-tuning",
    profile: String? = nil, problem: String? = nil,
    editing: (inout StagePolicy) -> Void = { _ in }
  ) throws -> Request {
    let options = RequestOptions(
      gpu: "4090", stage: stage, profile: profile.map { SourceText(name: "p.json", text: $0) },
      problem: problem.map { SourceText(name: "problem.py", text: $0) }, inputs: inputs)
    var request = try RequestReader.read(
      bytes: Array(module.utf8), name: "module.py", options: options)
    editing(&request.policy)
    return request
  }

  /// A tuner of the module's first kernel with the module's first state.
  static func tuner(_ request: Request) throws -> (tuner: KernelTuner, state: ModuleState) {
    let problem = KnownProblem.find(for: request)
    let state = ModuleState(tree: request.tree, run: problem.run)
    let kernel = try #require(state.triton.functions.first?.name)
    let tuner = KernelTuner(
      kernel: kernel, policy: request.policy, inputs: problem.inputs,
      profile: request.profile(of: kernel), profiledConfigs: problem.configs[kernel] ?? [],
      gpu: request.gpu)
    return (tuner, state)
  }

  static func config(
    _ warps: Int, _ stages: Int = 3, blocks: [String: Int] = ["BLOCK": 1024]
  ) -> LaunchConfig {
    LaunchConfig(
      constants: blocks.mapValues { .int($0) }, numWarps: warps, numStages: stages)
  }

  static func policy(_ editing: (inout StagePolicy) -> Void = { _ in }) -> StagePolicy {
    var policy = StagePolicy.builtIn(.microTuning)
    editing(&policy)
    return policy
  }
}

/// Replaces a piece of text: a rewrite whose effect on time and memory the test chooses.
struct Replacement: Rewrite {
  var id = "replace-text"
  let summary = "Replaces text."
  var old: String
  var new: String
  var mayGain = true
  var effects = EffectChange.none

  func sites(in subject: RewriteSubject) -> [RewriteSite] {
    guard subject.module.source.text.contains(old), let kernel = subject.triton.functions.first
    else { return [] }
    return [
      RewriteSite(
        rewrite: id, kernel: kernel.name, range: kernel.definition.nameRange, names: [],
        what: "replace '\(old)'", why: "a test asks for it")
    ]
  }

  func apply(_ site: RewriteSite, to subject: RewriteSubject) throws(Diagnostic) -> Rewritten {
    let source = subject.module.source
    return Rewritten(
      source: SourceText(name: source.name, text: source.text.replacing(old, with: new)),
      site: site, numerics: .bitExact)
  }
}

extension Trial {
  var reversal: String? { if case .reverted(let reason) = outcome { reason } else { nil } }
  var refusal: Diagnostic? { if case .refused(let error) = outcome { error } else { nil } }
}

extension LaunchConfig {
  /// "w4 s3"
  var knobs: String { "w\(numWarps) s\(numStages)" }
}
