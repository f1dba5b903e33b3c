import DeviceModel
import Diagnostics
import Foundation
import HostProgram
import PythonSyntax
import TestSupport
import Testing

@testable import Toolchain

/// The compiler backend for real, with the pinned Triton; no GPU.
@Suite(
  .enabled(if: RealPython.pinned != nil, Comment(rawValue: RealPython.pinnedReason)),
  .serialized, .timeLimit(.minutes(30)))
struct CompilerTests {
  private func compiler(_ scratch: ScratchFolder, cache: CompileCache? = nil) throws
    -> KernelCompiler
  {
    let pool = WorkerPool(
      python: try #require(RealPython.pinned), scratch: scratch,
      environment: RealPython.environment, count: 2)
    return KernelCompiler(pool: pool, cache: cache, environment: [:])
  }

  private static func module(_ text: String) -> ModuleTree {
    PythonParser.parse(SourceText(name: "m.py", text: text))
  }

  private static let scale = module(
    """
    import torch
    import triton
    import triton.language as tl

    TINY = tl.constexpr(torch.finfo(torch.float32).tiny)

    @triton.jit
    def scale(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
        at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + at, mask=at < n, other=TINY)
        tl.store(y_ptr + at, tl.exp(x) * 2.0 + 1.0, mask=at < n)

    class Model(torch.nn.Module):
        def forward(self, x):
            return x
    """)

  private static func job(
    _ block: Int = 512, warps: Int = 4, target: ComputeCapability = .init(8, 9),
    kernel: String = "scale"
  ) -> CompileJob {
    CompileJob(
      kernel: kernel,
      arguments: [
        "x_ptr": .typed("*fp32", isDivisible: true), "y_ptr": .typed("*fp16", isDivisible: true),
        "n": .typed("i32", isDivisible: true), "BLOCK": .constant(.int(block)),
      ], options: CompileOptions(numWarps: warps), target: target)
  }

  @Test func everyTargetFromOneWheel() async throws {
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    let compiler = try compiler(scratch)
    let targets = [(8, 0), (8, 6), (8, 9), (9, 0), (10, 0), (12, 0)]
    let jobs = targets.map { Self.job(target: .init($0.0, $0.1)) }
    let results = await compiler.compile(jobs, of: Self.scale, detail: [.mix, .ptx, .sass])
    for (job, result) in zip(jobs, results) {
      let kernel = try result.get()
      #expect((8...64).contains(kernel.registers), "\(job.target)")
      #expect(kernel.sharedBytes == 0)
      #expect(!kernel.hasSpills)
      #expect(kernel.ptx?.contains(".target sm_\(job.target.major)\(job.target.minor)") == true)
      let mix = try #require(kernel.mix)
      #expect(mix.unknown.isEmpty, "\(job.target): \(mix.unknown)")
      #expect(mix[.special] >= 4)
      #expect(
        mix.accesses.contains { $0.access == .init(space: "global", isStore: false, bits: 128) })
      let listing = SourceListing.sass(kernel.sass ?? "", source: Self.scale.source)
      #expect(listing.contains("// 10:     x = tl.load("))
    }
  }

  @Test func anExampleAsItsHostProgramLaunchesIt() async throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Examples")
    let name = "softmax.py"
    let tree = PythonParser.parse(
      SourceText(
        name: name, bytes: Array(try Data(contentsOf: path.appendingPathComponent(name)))))
    let run = try HostProgram(module: tree, problem: tree).run(.fromProblem)
    let module = ModuleCompiler(module: tree, launches: run.launches, target: .init(8, 9))
    #expect(!module.variants.isEmpty)
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    let outcomes = await module.compile(with: try compiler(scratch))
    let gpu = try GPU.named("4090")
    for outcome in outcomes {
      let kernel = try outcome.result.get()
      #expect(kernel.registers > 0)
      #expect(kernel.occupancy(on: gpu).blocksPerSM > 0)
    }
  }

  @Test func whatTheCompilerRefusesNamesTheLine() async throws {
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    let text = Self.scale.source.text.replacing("tl.exp(x)", with: "tl.exp(x)[:4]")
    let results = await (try compiler(scratch)).compile([Self.job()], of: Self.module(text))
    guard case .failure(let failure) = results[0] else {
      Issue.record("compiled")
      return
    }
    #expect(failure.kind == .compile)
    #expect(failure.line == 11)
  }

  @Test func aModuleThatNeedsTorchSaysSo() async throws {
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    let compiler = try compiler(scratch)
    let text = Self.scale.source.text + "\nif torch.zeros(3).sum() > 0: pass\n"
    let results = await compiler.compile([Self.job()], of: Self.module(text))
    if case .failure(let failure) = results[0] {
      #expect(failure.kind == .python)
      #expect(failure.message.contains("torch is not installed"))
    }
    let missing = await compiler.compile([Self.job(kernel: "nothing")], of: Self.scale)
    guard case .failure(let failure) = missing[0] else {
      Issue.record("compiled")
      return
    }
    #expect(failure.message.contains("no @triton.jit function named 'nothing'"))
  }

  @Test func theSecondTimeComesFromTheCache() async throws {
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    let cache = CompileCache(folder: scratch.path + "/cache")
    let jobs = [Self.job(256), Self.job(1024), Self.job(256)]
    let first = await (try compiler(scratch, cache: cache)).compile(jobs, of: Self.scale)
    #expect(first[0] == first[2])
    // A Python that compiles nothing: the answers can only come from the cache.
    let main = try scratch.makeFolder("fake") + "/python3"
    try Script.write(
      """
      #!/bin/sh
      printf '{"ready":1}\\n'
      while read line; do
        id=$(printf '%s' "$line" | sed 's/^{"id":\\([0-9]*\\).*/\\1/')
        printf '{"id":%s,"ok":true,"python":"3","implementation":"x","executable":"/x",' "$id"
        printf '"isVirtual":false,"platform":"x","gpus":[],"tools":{},'
        printf '"packages":{"triton":{"version":"\(try first[0].get().triton)"}}}\\n'
      done
      """, to: main)
    let pool = WorkerPool(
      python: PythonEnvironment(executable: main), scratch: scratch,
      environment: RealPython.environment, count: 1)
    let again = await KernelCompiler(pool: pool, cache: cache, environment: [:])
      .compile(jobs, of: Self.scale)
    #expect(again == first)
  }
}
