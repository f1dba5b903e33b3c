import Diagnostics
import Testing

/// Against the examples of FIPS 180-4 and lengths around the padding's edges.
@Suite struct ContentHashTests {
  @Test func givesTheStandardsExamples() {
    #expect(
      ContentHash(of: "abc").hex
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      ContentHash(of: "").hex
        == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(
      ContentHash(of: "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").hex
        == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
  }

  /// From Python's hashlib: `sha256(b'x' * n).hexdigest()[:12]`.
  @Test(arguments: [
    (55, "d5e285683cd4"), (56, "04c26261370e"), (63, "75220b472182"), (64, "7ce100971f64"),
    (119, "000b48d4edf0"), (1000, "44f8354494a5"),
  ])
  func padsEveryLength(_ count: Int, _ short: String) {
    #expect(ContentHash(of: String(repeating: "x", count: count)).short == short)
  }
}
