import Foundation
import TestSupport
import Testing

/// `hone doctor` and `hone compile` as a user sees them.
@Suite struct ToolchainCommandTests {
  private static let pinned = ProcessInfo.processInfo.environment["HONE_JUDGE_PYTHON"]
  private static let reason: Comment =
    "HONE_JUDGE_PYTHON names no python with triton (export HONE_JUDGE_PYTHON=$(Scripts/python-env))"

  /// An executable that ends at once, as a Python.
  private func deadPython(_ scratch: Scratch) throws -> String {
    try scratch.write(script: "#!/bin/sh\necho broken >&2\nexit 7\n", to: "python3")
  }

  @Test func doctorAlwaysHasTheEmbeddedBackend() async throws {
    let scratch = try Scratch()
    let python = try deadPython(scratch)
    let plain = try await Command.run(["doctor", "--python", python])
    #expect(plain.code == 0)
    #expect(plain.output.contains("embedded  ready"))
    #expect(plain.output.contains("ended before it was ready (exit code 7)"))
    let required = try await Command.run(["doctor", "--python", python, "--require", "compiler"])
    #expect(required.code == 3)
    let missing = try await Command.run(["doctor", "--python", "/nonexistent/python"])
    #expect(missing.code == 0)
    #expect(missing.output.contains("--python names no executable file"))
  }

  @Test func doctorSpeaksJSON() async throws {
    let scratch = try Scratch()
    let result = try await Command.run(
      ["doctor", "--python", try deadPython(scratch), "--format", "json"])
    let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
    let backends = try #require((object as? [String: Any])?["backends"] as? [[String: Any]])
    #expect(backends.map { $0["name"] as? String } == ["embedded", "compiler", "gpu", "profiler"])
    #expect(backends.map { $0["isReady"] as? Bool } == [true, false, false, false])
  }

  @Test func compileWithoutAPythonIsTheEnvironmentsFault() async throws {
    let scratch = try Scratch()
    let module = try scratch.write(CommandTests.module, to: "m.py").path
    let result = try await Command.run(
      [
        "compile", module, "--gpu", "L4", "--input", "x=f32[4096]", "--python",
        try deadPython(scratch), "--no-cache",
      ])
    #expect(result.code == 3)
    #expect(result.output.isEmpty)
    #expect(result.errors.contains("ended before it was ready"))
    #expect(try await Command.run(["compile", module, "--gpu", "H20O"]).code == 2)
    #expect(try await Command.run(["compile", module, "--jobs", "0"]).code == 2)
  }

  @Test(.enabled(if: pinned != nil, reason))
  func compileShowsWhatEachConfigNeeds() async throws {
    let scratch = try Scratch()
    let module = try scratch.write(CommandTests.module, to: "m.py").path
    let python = try #require(Self.pinned)
    let arguments = [
      "compile", module, "--gpu", "L4", "--gpu", "h200", "--input", "x=f32[4096]", "--python",
      python, "--cache", scratch.folder.appendingPathComponent("cache").path,
    ]
    let result = try await Command.run(arguments)
    #expect(result.code == 0, "\(result.errors)")
    #expect(result.output.contains("add_kernel, launched in line 15: L4 (sm_89), Triton 3."))
    #expect(result.output.contains("H200 (sm_90)"))
    #expect(result.output.contains("occupancy"))
    // The second time from the cache, word for word.
    #expect(try await Command.run(arguments).output == result.output)
    let listing = try await Command.run(arguments + ["--sass", "--ptx", "--kernel", "add_kernel"])
    #expect(listing.output.contains("LDG.E"))
    #expect(listing.output.contains("ld.global"))
    #expect(listing.output.contains("// 10:     tl.store(y_ptr + i"))
    let json = try await Command.run(arguments + ["--format", "json"])
    let records = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]]
    #expect(records?.count == 2)
    #expect(records?.first?["level"] as? String == "compiled")
  }

  @Test(arguments: [SIGINT, SIGTERM, SIGKILL])
  func nothingIsLeftBehindByASignal(_ number: Int32) throws {
    let scratch = try Scratch()
    let folder = scratch.folder.appendingPathComponent("tmp")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let module = try scratch.write(CommandTests.module, to: "m.py").path
    let binary = try #require(Command.binary)
    // Ready, and then silent: the command waits for its answer.
    let pidFile = folder.appendingPathComponent("pid").path
    let python = try scratch.write(
      script:
        "#!/bin/sh\nprintf '{\"ready\":1}\\n'\necho $$ > '\(pidFile)'\nwhile read line; do :; done\n",
      to: "python3")
    let worker = { @Sendable in
      (try? String(contentsOfFile: pidFile, encoding: .utf8))
        .flatMap { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }
    let hone = try #require(
      ChildProcess(
        binary.path,
        [
          "compile", module, "--gpu", "L4", "--input", "x=f32[4096]", "--no-cache", "--python",
          python,
        ], environment: ["PATH": "/usr/bin:/bin", "TMPDIR": folder.path]))
    while worker() == nil, !hone.hasEnded { usleep(20_000) }
    hone.send(signal: number)
    #expect(hone.wait() == 1000 + number)
    let child = try #require(worker())
    while kill(child, 0) == 0 { usleep(20_000) }
    // A killed Hone leaves the folder to its worker, which here is none of ours.
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(number == SIGKILL || left == ["pid"], "\(left)")
  }
}
