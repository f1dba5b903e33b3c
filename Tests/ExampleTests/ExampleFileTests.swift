import Foundation
import Testing

/// The examples as files: complete, in the form that the README and the requests promise.
@Suite struct ExampleFileTests {
  @Test func `There are at least thirteen modules and two requests`() {
    #expect(Examples.names.count >= 13)
    #expect(Examples.requestNames.count >= 2)
  }

  @Test(arguments: Examples.names)
  func `A module has reference, kernels and inputs`(_ name: String) throws {
    let text = try Examples.module(name)
    for part in [
      "\nclass Model(nn.Module):", "\nclass ModelNew(nn.Module):", "\ndef get_inputs():",
      "\ndef get_init_inputs():", "\n@triton.jit\ndef ",
    ] {
      #expect(text.contains(part), "\(name).py lacks \(part.debugDescription)")
    }
    #expect(try !Examples.recordedLaunches(name).isEmpty, "no launches recorded for \(name).py")
  }

  /// A request's code is one example up to its reference, byte for byte, so what is verified of the
  /// example holds for the request.
  @Test(arguments: Examples.requestNames)
  func `A request embeds one example without its reference`(_ name: String) throws {
    let parts = try Examples.request(name).components(separatedBy: "```")
    try #require(parts.count == 5, "two code fences: the module and the form of the answer")
    try #require(parts[1].hasPrefix("python\n"))
    let code = String(parts[1].dropFirst("python\n".count))
    let sources = try Examples.names.filter { try Examples.module($0).hasPrefix(code) }
    #expect(sources.count == 1)
    #expect(code.contains("class ModelNew"))
    #expect(!code.contains("class Model(") && !code.contains("def get_inputs"))
  }
}
