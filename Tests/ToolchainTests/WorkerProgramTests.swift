import Foundation
import Testing

@testable import Toolchain

/// The worker's own Python, on whatever python3 is here.
@Suite(.timeLimit(.minutes(20)))
struct WorkerProgramTests {
  private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Sources/Toolchain/Worker/Python")

  @Test func theBinaryCarriesEveryFileOfTheFolder() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.sources.path)
      .filter { $0.hasSuffix(".py") }
    #expect(Set(names) == Set(WorkerProgram.files.map(\.name)))
    for file in WorkerProgram.files {
      let data = try Data(contentsOf: Self.sources.appendingPathComponent(file.name))
      let isSame = Array(data) == file.bytes
      #expect(isSame, "\(file.name)")
    }
  }

  private struct Probe: Codable, Sendable {
    var code: String
  }
  private struct Told: Codable, Sendable {
    var text: String
  }

  /// A worker with one more operation, `run`, which executes Python code that sets `text`.
  private func worker(_ scratch: ScratchFolder) throws -> Worker {
    let main = try scratch.program()
    try """
    from protocol import operation, Refused, WorkerError
    @operation("run")
    def run(request):
        names = {"request": request}
        exec(request["code"], names)
        return {"text": str(names.get("text"))}
    """.write(
      toFile: (main as NSString).deletingLastPathComponent + "/test_run.py", atomically: true,
      encoding: .utf8)
    return Worker(
      python: try #require(RealPython.any), scratch: scratch, environment: RealPython.environment)
  }

  @Test(.enabled(if: RealPython.any != nil, Comment(rawValue: RealPython.anyReason)))
  func helloTellsVersions() async throws {
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    let report = try await #require(RealPython.any).probe(
      scratch: scratch, environment: RealPython.environment, imports: false)
    #expect(report.python.hasPrefix("3."))
    #expect(report.executable.hasPrefix("/"))
  }

  @Test(.enabled(if: RealPython.any != nil, Comment(rawValue: RealPython.anyReason)))
  func codeCannotReachTheProtocol() async throws {
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    let worker = try worker(scratch)
    func told(_ code: String) async throws(WorkerFailure) -> String {
      try await worker.call("run", Probe(code: code), deadline: .seconds(600), as: Told.self).text
    }
    #expect(try await told("print('hello'); import os; os.write(1, b'{}\\n'); text = 1") == "1")
    #expect(try await told("import os; os.system('echo x'); text = 2") == "2")
    #expect(try await told("import sys; sys.stdout.write('x'); text = sys.stdin.read()") == "")
    #expect(try await told("text = 'one\\ntwo\\u2028'") == "one\ntwo\u{2028}")
    #expect(await worker.generation == 1)
  }

  @Test(
    .enabled(if: RealPython.any != nil, Comment(rawValue: RealPython.anyReason)),
    arguments: [
      ("2,0", "[2, 0]"), ("GPU-3", "[3]"), ("", "[]"), ("1,9,2", "[1]"), ("-1", "[]"),
    ])
  func onlyVisibleGPUsAreListed(_ variable: String, _ expected: String) async throws {
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    let code = """
      import environment
      gpus = [{"index": i, "uuid": "GPU-%dabc" % i} for i in range(4)]
      kept = environment.visible(gpus, "\(variable)")
      assert [gpu["index"] for gpu in kept] == list(range(len(kept)))
      text = [int(gpu["uuid"][4]) for gpu in kept]
      """
    let told = try await worker(scratch).call(
      "run", Probe(code: code), deadline: .seconds(600), as: Told.self)
    #expect(told.text == expected)
  }

  @Test(.enabled(if: RealPython.any != nil, Comment(rawValue: RealPython.anyReason)))
  func errorsHaveKinds() async throws {
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    let worker = try worker(scratch)
    let cases: [(String, WorkerFailure.Kind, String)] = [
      ("1 / 0", .python, "ZeroDivisionError"),
      ("exit(3)", .python, "exit code 3"),
      ("raise KeyboardInterrupt", .python, "KeyboardInterrupt"),
      ("def f(): f()\nf()", .python, "RecursionError"),
      ("raise MemoryError", .outOfMemory, "MemoryError"),
      ("from protocol import Refused\nraise Refused('not this')", .refused, "not this"),
      (
        "class OutOfResources(Exception): pass\nraise OutOfResources('shared memory')",
        .outOfResources, "shared memory"
      ),
      ("raise RuntimeError('CUDA out of memory. Tried')", .outOfMemory, "Tried"),
      (
        "raise RuntimeError('CUDA error: an illegal memory access was encountered')",
        .illegalAddress, "illegal"
      ),
      ("raise RuntimeError('Triton Error [CUDA]: device busy')", .cuda, "busy"),
      ("import os\nos._exit(5)", .crashed, "exit code 5"),
      ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", .crashed, "signal 11"),
    ]
    for (code, kind, words) in cases {
      do {
        _ = try await worker.call("run", Probe(code: code), deadline: .seconds(600), as: Told.self)
        Issue.record("'\(code)' did not fail")
      } catch {
        #expect(error.kind == kind, "\(code): \(error)")
        #expect(error.message.contains(words), "\(code): \(error)")
      }
    }
    await #expect(throws: WorkerFailure.self) {
      try await worker.call("nothing", Question(), deadline: .seconds(600), as: Told.self)
    }
  }

  @Test(.enabled(if: RealPython.any != nil, Comment(rawValue: RealPython.anyReason)))
  func everythingWrittenLiesInTheScratchFolder() async throws {
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    let worker = try worker(scratch)
    let code = """
      import os, tempfile, pathlib
      names = ["TRITON_CACHE_DIR", "HOME", "XDG_CACHE_HOME", "TMPDIR", "TORCHINDUCTOR_CACHE_DIR"]
      text = [os.environ[n] for n in names]
      text += [tempfile.mkdtemp(), os.getcwd(), str(pathlib.Path.home())]
      """
    let text = try await worker.call(
      "run", Probe(code: code), deadline: .seconds(600), as: Told.self
    ).text
    let paths = text.split(separator: "'").filter { $0.hasPrefix("/") }
    #expect(paths.count == 8)
    #expect(paths.allSatisfy { $0.hasPrefix(scratch.path + "/") }, "\(text)")
    await worker.stop()
    scratch.tearDown()
    #expect(!FileManager.default.fileExists(atPath: scratch.path))
  }

  /// Before Triton 3.4 an autotuner asks for the GPU's driver when it is made; compiling needs none.
  @Test(.enabled(if: RealPython.any != nil, Comment(rawValue: RealPython.anyReason)))
  func autotunersAreMadeWithoutAGPU() async throws {
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    let code = #"""
      import sys, types
      for name in ("triton", "triton.runtime", "triton.runtime.autotuner"):
          sys.modules[name] = types.ModuleType(name)
      exec('''
      class Driver:
          @property
          def active(self):
              raise RuntimeError("0 active drivers")
      driver = Driver()
      class Autotuner:
          def __init__(self, fn, do_bench=None):
              self.do_bench = driver.active.get_benchmarker if do_bench is None else do_bench
      ''', vars(sys.modules["triton.runtime.autotuner"]))
      import kernel_module
      module = "from triton.runtime.autotuner import Autotuner\nmade = Autotuner(1)\n"
      loaded = kernel_module.load(module, "m.py")
      from triton.runtime.autotuner import Autotuner
      try:
          Autotuner(1)
      except RuntimeError as error:
          text = "%s, %s" % (callable(loaded.module.made.do_bench), error)
      """#
    let told = try await worker(scratch).call(
      "run", Probe(code: code), deadline: .seconds(600), as: Told.self)
    #expect(told.text == "True, 0 active drivers")
  }

  @Test(.enabled(if: RealPython.any != nil, Comment(rawValue: RealPython.anyReason)))
  func thereIsNoNetwork() async throws {
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    let worker = try worker(scratch)
    let code = "import socket; socket.create_connection(('127.0.0.1', 9), timeout=1)"
    do {
      _ = try await worker.call("run", Probe(code: code), deadline: .seconds(600), as: Told.self)
      Issue.record("connected")
    } catch {
      #expect(error.message.contains("no network here"))
    }
  }

  @Test(.enabled(if: RealPython.any != nil, Comment(rawValue: RealPython.anyReason)))
  func numbersThatAreNotFiniteArrive() async throws {
    struct Numbers: Codable, Sendable {
      var a: Double
      var b: Double
      var c: [Double]
    }
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    let worker = try worker(scratch)
    try """
    from protocol import operation
    @operation("numbers")
    def numbers(request):
        return {"a": float("nan"), "b": float("-inf"), "c": [1.5, float("inf")]}
    """.write(
      toFile: ((try scratch.program()) as NSString).deletingLastPathComponent + "/test_numbers.py",
      atomically: true, encoding: .utf8)
    let numbers = try await worker.call(
      "numbers", Question(), deadline: .seconds(600), as: Numbers.self)
    #expect(numbers.a.isNaN)
    #expect(numbers.b == -.infinity)
    #expect(numbers.c == [1.5, .infinity])
  }

  @Test(.enabled(if: RealPython.any != nil, Comment(rawValue: RealPython.anyReason)))
  func aTornDownFolderTakesItsProcessesAlong() async throws {
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    let worker = try worker(scratch)
    let task = Task { () -> WorkerFailure? in
      do {
        let code = "import os, time; open(os.environ['TMPDIR'] + '/on', 'w'); time.sleep(1000)"
        _ = try await worker.call("run", Probe(code: code), deadline: .seconds(600), as: Told.self)
        return nil
      } catch let error as WorkerFailure { return error } catch { return nil }
    }
    func hasBegun() -> Bool {
      let all = FileManager.default.enumerator(atPath: scratch.path)
      while let path = all?.nextObject() as? String {
        if path.hasSuffix("tmp/on") { return true }
      }
      return false
    }
    while !hasBegun() { try await Task.sleep(for: .milliseconds(20)) }
    scratch.tearDown()
    // Not a crash: nobody's trial may be blamed for the run's end.
    #expect(await task.value?.kind == .cancelled)
    await #expect(throws: WorkerFailure.self) {
      try await worker.call("hello", Question(), deadline: .seconds(600), as: PythonReport.self)
    }
    #expect(!FileManager.default.fileExists(atPath: scratch.path))
  }
}
