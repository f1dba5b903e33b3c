import Diagnostics
import Foundation
import HostProgram
import PythonSyntax
import Testing
import TritonLowering

@testable import Toolchain

@Suite struct CompileCacheTests {
  private static let text = """
    import triton
    import triton.language as tl

    WIDTH = 4
    OTHER = 5

    @triton.jit
    def helper(x):
        return x * WIDTH

    @triton.jit
    def stranger(x):
        return x

    @triton.autotune(configs=[triton.Config({'B': 64})], key=['n'])
    @triton.jit
    def kernel(x_ptr, n, B: tl.constexpr):
        tl.store(x_ptr, helper(n))

    def wrapper(x):
        kernel[(1,)](x, 4)
    """

  private func fingerprint(_ edit: (String, String)? = nil) -> String {
    let text = edit.map { Self.text.replacing($0.0, with: $0.1) } ?? Self.text
    return KernelFingerprint(PythonParser.parse(SourceText(name: "m.py", text: text)))
      .text(of: "kernel")
  }

  @Test(arguments: [
    ("'B': 64", "'B': 128"), ("kernel[(1,)]", "kernel[(2,)]"), ("OTHER = 5", "OTHER = 6"),
    ("return x\n", "return x + 1\n"),
  ])
  func whatDoesNotChangeTheCodeKeepsTheFingerprint(_ edit: (String, String)) {
    #expect(Self.text.contains(edit.0))
    #expect(fingerprint(edit) == fingerprint())
  }

  @Test(arguments: [
    ("x * WIDTH", "x * WIDTH + 1"), ("WIDTH = 4", "WIDTH = 8"), ("helper(n)", "helper(n + 1)"),
    ("import triton\n", "import triton as triton\n"),
    ("@triton.jit\ndef helper", "@triton.jit(noinline=True)\ndef helper"),
  ])
  func whatChangesTheCodeChangesTheFingerprint(_ edit: (String, String)) {
    #expect(Self.text.contains(edit.0))
    #expect(fingerprint(edit) != fingerprint())
  }

  private let job = CompileJob(
    kernel: "kernel",
    arguments: [
      "x_ptr": .typed("*fp32", isDivisible: true), "n": .constant(.int(1)),
      "B": .constant(.tuple([.float(.infinity), .none, .bool(true), .string("a"), .float(1)])),
    ], options: CompileOptions(), target: .init(8, 9))

  private func key(
    _ job: CompileJob, triton: String = "3.6.0", detail: CompileDetail = [],
    variables: [String: String] = [:]
  ) -> String? {
    CompileCache.Key(
      fingerprint: "f", job: job, detail: detail, triton: triton, variables: variables
    )?.hash
  }

  @Test func everythingThatMattersIsInTheKey() {
    var other = job
    other.options.numWarps = 8
    var target = job
    target.target = .init(9, 0)
    var argument = job
    argument.arguments["x_ptr"] = .typed("*fp32", isDivisible: false)
    var float = job
    float.arguments["n"] = .constant(.float(1))
    let keys = [
      key(job), key(other), key(target), key(argument), key(float), key(job, triton: "3.4.0"),
      key(job, detail: .mix), key(job, variables: ["TRITON_PTXAS_PATH": "/x"]),
    ]
    #expect(Set(keys).count == keys.count && !keys.contains(nil))
    #expect(key(job) == key(job, variables: ["PATH": "/bin"]))
  }

  @Test func keepsKernelsAndWhatTheCompilerRefused() throws {
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    let cache = CompileCache(folder: scratch.path + "/cache")
    let key = try #require(
      CompileCache.Key(fingerprint: "f", job: job, detail: [], triton: "3.6.0", variables: [:]))
    #expect(cache.read(key, module: "m") == nil)
    let kernel = CompiledKernel(
      triton: "3.6.0", registers: 96, sharedBytes: 8192, spillStoreBytes: 0, spillLoadBytes: 0,
      stackBytes: 0, warps: 4, blocksPerCluster: 1, tensorMemoryColumns: 0, seconds: 1.5,
      mix: InstructionMix(sass: "/*0000*/ LDG.E R1, [R2] ;"))
    cache.write(.success(kernel), for: key, module: "m")
    #expect(cache.read(key, module: "m") == .success(kernel))
    let refusal = WorkerFailure(.compile, operation: "compile", "no", line: 3)
    cache.write(.failure(refusal), for: key, module: "m")
    #expect(cache.read(key, module: "m") == .failure(refusal))
    // It names a line, which is another's in another text.
    #expect(cache.read(key, module: "n") == nil)
    cache.write(.failure(WorkerFailure(.crashed, operation: "compile", "x")), for: key, module: "m")
    #expect(cache.read(key, module: "m") == .failure(refusal))
  }

  @Test func aSpoiledFileCountsAsMissing() throws {
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    let cache = CompileCache(folder: scratch.path + "/cache")
    let key = try #require(
      CompileCache.Key(fingerprint: "f", job: job, detail: [], triton: "3.6.0", variables: [:]))
    cache.write(
      .failure(WorkerFailure(.compile, operation: "compile", "no")), for: key, module: "m")
    let all = FileManager.default.enumerator(atPath: cache.folder)
    while let path = all?.nextObject() as? String {
      if path.hasSuffix(".json") {
        try Data("{\"kernel\":".utf8).write(to: URL(fileURLWithPath: cache.folder + "/" + path))
      }
    }
    #expect(cache.read(key, module: "m") == nil)
    // A folder that cannot be written to is no error either.
    CompileCache(folder: "/dev/null/x").write(
      .failure(WorkerFailure(.compile, operation: "", "")), for: key, module: "m")
  }
}
