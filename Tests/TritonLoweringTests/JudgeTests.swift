import Diagnostics
import Foundation
import PythonSyntax
import TestSupport
import Testing
import TileIR

@testable import TritonLowering

/// Kernels that use every function and every kind of control flow.
let fixtures = ["builtins.py", "control_flow.py"].map {
  Checkout.root.appendingPathComponent("Tests/TritonLoweringTests/Kernels").appendingPathComponent(
    $0)
}

@Test(arguments: fixtures) func lowersTheFixtures(_ file: URL) throws {
  let text = try String(contentsOf: file, encoding: .utf8)
  let module = TritonModule(
    PythonParser.parse(SourceText(name: file.lastPathComponent, text: text)))
  #expect(module.functions.count >= 12)
  for function in module.functions {
    let guess = try module.inferredSpecialization(for: function.name).specialization
    if function.name.hasPrefix("refused_") || function.name == "inconsistent" {
      do {
        let result = try module.lower(function.name, for: guess)
        Issue.record("\(function.name) was lowered:\n\(Printer.print(result))")
      } catch {
        #expect(error.id.hasPrefix("triton-"), "\(error)")
        #expect(error.location != nil)
      }
    } else {
      let result = try module.lower(function.name, for: guess)
      #expect(Verifier.verify(result) == nil, "\(function.name)")
    }
  }
}

@Test(.enabled(if: Checkout.judgePython != nil, "\(Checkout.judgePythonReason)"))
func agreesWithRealTriton() async throws {
  let examples = Checkout.root.appendingPathComponent("Examples")
  let hone = try #require(Checkout.binary("hone"), "build hone first")
  let files =
    try FileManager.default.contentsOfDirectory(atPath: examples.path)
    .filter { $0.hasSuffix(".py") }.sorted().map { examples.appendingPathComponent($0).path }
    + fixtures.map(\.path)
  let records = try await Program.run(hone.path, ["lower", "--format", "json"] + files)
  let verdict = try await Program.run(
    Checkout.judgePython ?? "", ["Scripts/judge-lowering.py", "--json"], input: records.output,
    in: Checkout.root.path)
  let object = try JSONSerialization.jsonObject(with: Data(verdict.output.utf8)) as? [String: Any]
  let counts = try #require(object?["counts"] as? [String: Int])
  #expect(counts["differ", default: 0] == 0, "\(object?["disagreements"] ?? "")")
  #expect(counts["only hone refuses", default: 0] == 0, "\(object?["disagreements"] ?? "")")
  #expect(counts["only triton refuses", default: 0] == 0, "\(object?["disagreements"] ?? "")")
  #expect(counts["agree", default: 0] >= 40)
}
