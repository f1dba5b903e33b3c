import Diagnostics
import Requests
import Testing

@Suite struct InputSpecTests {
  @Test func tensors() throws {
    #expect(
      try InputSpec.parse("x=f32[256,3,224,224]")
        == InputSpec(name: "x", value: .tensor(type: .float32, shape: [256, 3, 224, 224])))
    #expect(
      try InputSpec.parse(" w = bfloat16[ 8 , 4 ] ")
        == InputSpec(name: "w", value: .tensor(type: .bfloat16, shape: [8, 4])))
    #expect(
      try InputSpec.parse("s=f16[]")
        == InputSpec(name: "s", value: .tensor(type: .float16, shape: [])))
  }

  @Test func scalars() throws {
    #expect(try InputSpec.parse("n=5").value == .int(5))
    #expect(try InputSpec.parse("n=i32:5").value == .int(5))
    #expect(try InputSpec.parse("eps=1e-5").value == .float(1e-5))
    #expect(try InputSpec.parse("causal=True").value == .bool(true))
  }

  @Test(arguments: [
    ("x", "expected '=' after the name"), ("=f32[1]", "'' is not a name"),
    ("x=f31[2]", "unknown type 'f31'; did you mean 'f32'?"),
    ("x=f32[2", "expected ']' at the end"), ("x=f32[a]", "'a' is not a size"),
    ("x=f32[2,,3]", "'' is not a size"), ("x=f32[-1]", "'-1' is not a size"),
    ("x=f32[9999999999,9999999999]", "too many elements"),
    ("x=abc", "'abc' is neither TYPE[SIZES] nor a number"),
    ("1x=f32[2]", "'1x' is not a name"),
  ])
  func refusals(_ text: String, _ message: String) {
    do {
      _ = try InputSpec.parse(text)
      Issue.record("\(text) was read")
    } catch {
      #expect(error.message == "input '\(text)': \(message)")
    }
  }
}
