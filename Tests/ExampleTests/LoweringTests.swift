import Diagnostics
import Foundation
import PythonSyntax
import Testing
import TritonLowering

/// The lowering, given the specialisations that real Triton makes of the examples' launches.
@Suite struct LoweringTests {
  @Test(arguments: Examples.names)
  func `Every launch is lowered`(_ name: String) throws {
    let module = TritonModule(try tree(name))
    for launch in try Examples.recordedLaunches(name) {
      for capability in [89, 90] {
        let specialization = try launch.specialization(computeCapability: capability)
        #expect(throws: Never.self, "\(name).py: \(launch.kernel)") {
          try module.lower(launch.kernel, for: specialization)
        }
      }
    }
  }

  private func tree(_ name: String) throws -> ModuleTree {
    PythonParser.parse(SourceText(name: name + ".py", text: try Examples.module(name)))
  }
}
