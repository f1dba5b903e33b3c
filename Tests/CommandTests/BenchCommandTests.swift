import TestSupport
import Testing

/// `hone bench` where there is no GPU: what it refuses, and with which exit code.
@Suite struct BenchCommandTests {
  private func files() throws -> (scratch: Scratch, module: String, bare: String) {
    let scratch = try Scratch()
    let problem = "\ndef get_inputs():\n    return [torch.randn(4)]\n"
    return (
      scratch, try scratch.write(CommandTests.module + problem, to: "module.py").path,
      try scratch.write(CommandTests.module, to: "bare.py").path
    )
  }

  @Test func wrongUsageExitsWith2() async throws {
    let files = try files()
    #expect(try await Command.run(["bench", files.module]).code == 2)
    let peers = try await Command.run([
      "bench", files.module, "--against", files.module, "--peers", "jax",
    ])
    #expect(peers.code == 2)
    #expect(
      peers.errors.hasPrefix(
        "error: --peers knows eager, tf32, channels-last, compile, not 'jax'."))
    let inputs = try await Command.run(["bench", files.bare, "--against", files.bare])
    #expect(inputs.code == 2 && inputs.errors.contains("nothing says what forward is called with"))
    let missing = try await Command.run(["bench", "none.py", "--against", files.module])
    #expect(missing.code == 2 && missing.errors.contains("no such file"))
  }

  @Test func noPythonExitsWith3() async throws {
    let files = try files()
    let result = try await Command.run(
      ["bench", files.module, "--against", files.module, "--python", "/nowhere/python3"])
    #expect(result.code == 3 && result.output.isEmpty)
    #expect(result.errors.contains("--python names no executable file: '/nowhere/python3'"))
  }

  @Test func aPythonThatIsNoneExitsWith3() async throws {
    let files = try files()
    let result = try await Command.run(
      ["bench", files.module, "--against", files.module, "--python", "/bin/true"])
    #expect(result.code == 3 && result.output.isEmpty)
    #expect(result.errors.contains("hone doctor"), "\(result.errors)")
  }

  @Test func helpSaysWhatItDoes() async throws {
    let help = try await Command.run(["bench", "--help"])
    #expect(help.code == 0)
    #expect(
      help.output.hasPrefix("OVERVIEW: Check a module on a GPU and time it beside its original.\n"))
    #expect(help.output.contains("USAGE: hone bench [<options>] <candidate> --against <file>"))
  }
}
