import Diagnostics
import Foundation
import PythonSyntax
import Requests
import Stages
import TestSupport
import Testing

/// Mutated documents: any outcome is fine but a trap or a hang.
@Suite struct FuzzTests {
  /// SplitMix64.
  struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  static let pieces: [[UInt8]] =
    [
      "```", "[", "]", "{", "}", "#", ":", "num_warps", "∈", "±1", "–", "0",
      "999999999999999999999",
      "-1", "%", "\"", ",", "\n", "\r", "\t", "\u{0}", "IF ", "configs", "Do NOT", "grid", "BLOCK_",
      "1e999", "NaN", "GPU Name:", "KB", "TFLOPS", "(", ")", "**", "~~~", "__", "<", "..", " or ",
    ].map { Array($0.utf8) } + [[0xFF], [0xE2, 0x88], [0xF0]]

  static func mutate(_ bytes: [UInt8], _ random: inout Generator) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      let at = Int.random(in: 0...bytes.count, using: &random)
      let end = min(bytes.count, at + Int.random(in: 0...60, using: &random))
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bytes.removeSubrange(at..<end)
      case 1:
        bytes.insert(contentsOf: pieces[Int.random(in: 0..<pieces.count, using: &random)], at: at)
      case 2:
        bytes.insert(
          contentsOf: Array(bytes[at..<end]), at: Int.random(in: 0...bytes.count, using: &random))
      case 3: if at < bytes.count { bytes[at] = UInt8.random(in: 0...255, using: &random) }
      default:
        bytes.replaceSubrange(
          at..<end, with: pieces[Int.random(in: 0..<pieces.count, using: &random)])
      }
    }
    return bytes
  }

  /// HONE_FUZZ sets the number of inputs, HONE_FUZZ_SEED the seed, HONE_REQUEST_LIST more documents.
  @Test func mutatedDocuments() throws {
    let environment = ProcessInfo.processInfo.environment
    let count = environment["HONE_FUZZ"].flatMap(Int.init) ?? 300
    let seed = environment["HONE_FUZZ_SEED"].flatMap(UInt64.init) ?? 1
    var sources = [Array(SampleRequest().text.utf8)]
    if let list = environment["HONE_REQUEST_LIST"] {
      for path in try String(contentsOfFile: list, encoding: .utf8).split(separator: "\n").prefix(
        400)
      {
        sources.append(Array(try Data(contentsOf: URL(fileURLWithPath: String(path)))))
      }
    }
    var random = Generator(state: seed)
    var read = 0
    var slowest = 0.0
    for _ in 0..<count {
      let source = sources[Int.random(in: 0..<sources.count, using: &random)]
      let bytes = Self.mutate(source, &random)
      let start = ThreadTime.now
      do {
        let request = try RequestReader.read(bytes: bytes, name: "r.md")
        #expect(!request.lineOutcomes.contains(.unread))
        _ = StrictForm.check(request.tree, rules: request.outputRules)
        let again = PythonParser.parse(StrictForm.arranged(request.tree))
        #expect(!again.hasErrors, "\(again.diagnostics.map(\.headline))")
        _ = StageRules.check(
          candidate: request.tree, original: request.tree, policy: request.policy)
        read += 1
      } catch {
        #expect(!error.diagnostics.isEmpty)
        for diagnostic in error.diagnostics { _ = diagnostic.rendered() }
      }
      slowest = max(slowest, ThreadTime.now - start)
    }
    print("\(count) inputs, seed \(seed): \(read) read, slowest \(slowest) s")
  }

  /// Odd shapes that once could take long.
  @Test func largeOddInputsEndSoon() {
    let stage = "[OPTIMIZATION STAGE]\nFocus: micro-tuning\n"
    let texts = [
      stage + String(repeating: "- num_warps ∈ {2}\n", count: 20_000),
      stage + "- " + String(repeating: "3 configs ", count: 40_000),
      stage + "IF " + String(repeating: "(a or ", count: 300) + ":\n- num_warps=4\n",
      String(repeating: "# GPU\n", count: 50_000), String(repeating: "```\n", count: 50_001),
      "[NCU METRICS]\n" + String(repeating: "{\"a\":", count: 50_000),
      String(repeating: "[CODE]\n```\nimport a\n```\n", count: 10_000),
    ]
    for text in texts {
      let start = ThreadTime.now
      #expect(!SampleRequest.text(of: text).isEmpty)
      let seconds = ThreadTime.now - start
      #expect(seconds < 20, "\(text.prefix(60)): \(seconds) s")
      print("large input", String(text.prefix(12)), seconds)
    }
  }
}
