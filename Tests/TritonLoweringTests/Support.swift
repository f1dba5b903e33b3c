import Diagnostics
import PythonSyntax
import Testing
import TileIR

@testable import TritonLowering

/// The usual head of a module.
let header = """
  import triton
  import triton.language as tl


  """

func module(_ body: String) -> TritonModule {
  TritonModule(PythonParser.parse(SourceText(name: "kernel.py", text: header + body)))
}

/// Lowers, verifies and returns the function; asserts that both succeed.
@discardableResult
func lowered(
  _ body: String, kernel: String = "kernel", _ signature: String, capability: Int = 89,
  sourceLocation: Testing.SourceLocation = #_sourceLocation
) throws -> Function {
  let module = module(body)
  let function = try #require(module.function(named: kernel), sourceLocation: sourceLocation)
  let specialization = try Signature.parse(
    signature, for: function, computeCapability: capability)
  let result = try module.lower(kernel, for: specialization)
  if let problem = Verifier.verify(result) {
    Issue.record("\(problem)\n\(Printer.print(result))", sourceLocation: sourceLocation)
  }
  return result
}

/// Asserts that lowering is refused with an id on a line (counted in `body`, from 1).
func expectRefused(
  _ body: String, _ signature: String, id: String, line: Int? = nil, contains text: String = "",
  sourceLocation: Testing.SourceLocation = #_sourceLocation
) {
  do {
    let function = try lowered(body, signature, sourceLocation: sourceLocation)
    Issue.record("was lowered:\n\(Printer.print(function))", sourceLocation: sourceLocation)
  } catch let diagnostic as Diagnostic {
    #expect(diagnostic.id == id, "\(diagnostic)", sourceLocation: sourceLocation)
    #expect(
      text.isEmpty || diagnostic.message.contains(text), "\(diagnostic)",
      sourceLocation: sourceLocation)
    if let line {
      let offset = header.split(separator: "\n", omittingEmptySubsequences: false).count - 1
      #expect(
        diagnostic.location?.line == line + offset, "\(diagnostic)",
        sourceLocation: sourceLocation)
    }
  } catch {
    Issue.record("unexpected error \(error)", sourceLocation: sourceLocation)
  }
}
