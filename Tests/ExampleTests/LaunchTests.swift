import Diagnostics
import Foundation
import HostProgram
import PythonSyntax
import Testing

/// The host program's launches, judged by what real Python and real Triton did with the same modules
/// (`Scripts/record-launches.py`).
@Suite struct LaunchTests {
  @Test(arguments: Examples.names)
  func `HostProgram finds the launches that Python makes`(_ name: String) throws {
    let run = try HostProgram(module: tree(name)).run(.fromProblem)
    let recorded = try Examples.recordedLaunches(name)
    #expect(LaunchAgreement.differences(found: run, recorded: recorded) == [])
    #expect(run.inputsAreKnown)
  }

  private func tree(_ name: String) throws -> ModuleTree {
    PythonParser.parse(SourceText(name: name + ".py", text: try Examples.module(name)))
  }
}
