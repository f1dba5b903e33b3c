import Diagnostics
import Foundation
import PythonSyntax
import Testing
import TileIR

@testable import TritonLowering

/// A small deterministic generator, so that a failure can be run again from its seed.
private struct Xorshift {
  var state: UInt64

  init(seed: Int) { state = UInt64(bitPattern: Int64(seed)) &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func next(_ bound: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int(state % UInt64(max(1, bound)))
  }
}

private let words = [
  "0", "1", "-1", "2**62", "None", "True", "BLOCK", "n", "acc", "offs", "tl.arange(0, 16)", "(",
  ")", "[None]", ":", "+", "//", "%", "<<", "return", "tl.float16", "'s'", "tl.sum", "=", ",", "a",
  "1.5", "x", "**", "tl", ".to", "[", "]", "1 << 100", "-", "~", "not", "and", "is", "if", "else",
  "while", "for", "in", "range", "tl.static_range(3)", "tl.load", "tl.dot", "1000000000000",
]

/// Replaces, removes, inserts, swaps or repeats a few tokens.
private func mutate(_ tree: ModuleTree, _ random: inout Xorshift) -> [UInt8] {
  let bytes = tree.source.bytes
  let tokens = tree.tokens.filter { $0.range.count > 0 }
  guard tokens.count > 2 else { return bytes }
  var result = bytes
  for _ in 0...random.next(3) {
    let token = tokens[random.next(tokens.count)].range
    guard token.upper <= result.count, token.lower >= 0 else { continue }
    let other = tokens[random.next(tokens.count)].range
    let replacement: [UInt8] =
      switch random.next(4) {
      case 0: Array(words[random.next(words.count)].utf8)
      case 1: []
      case 2: Array(bytes[other.lower..<other.upper])
      default:
        Array(result[token.lower..<token.upper]) + [0x20] + words[random.next(words.count)].utf8
      }
    result.replaceSubrange(token.lower..<token.upper, with: replacement)
  }
  return result
}

/// `HONE_FUZZ=20000 HONE_FUZZ_SEEDS=folder swift test --filter survivesMutatedKernels`; without
/// them a few hundred inputs from the fixtures.
@Test func survivesMutatedKernels() throws {
  let environment = ProcessInfo.processInfo.environment
  let count = environment["HONE_FUZZ"].flatMap(Int.init) ?? 200
  let first = environment["HONE_FUZZ_FIRST"].flatMap(Int.init) ?? 0
  var files = fixtures
  if let folder = environment["HONE_FUZZ_SEEDS"] {
    let walker = FileManager.default.enumerator(atPath: folder)
    files = (walker?.allObjects as? [String] ?? []).filter { $0.hasSuffix(".py") }.sorted()
      .map { URL(fileURLWithPath: folder).appendingPathComponent($0) }
  }
  var seeds: [(tree: ModuleTree, arguments: [String: Specialization])] = []
  for file in files.prefix(max(2, count / 20)) {
    let tree = PythonParser.parse(
      SourceText(name: file.lastPathComponent, bytes: Array(try Data(contentsOf: file))))
    let module = TritonModule(tree)
    var arguments: [String: Specialization] = [:]
    for function in module.functions {
      arguments[function.name] =
        try module.inferredSpecialization(for: function.name).specialization
    }
    seeds.append((tree, arguments))
  }
  var loweredCount = 0
  var refusals: [String: Int] = [:]
  for seed in first..<(first + count) {
    var random = Xorshift(seed: seed)
    let (tree, arguments) = seeds[seed % seeds.count]
    let source = SourceText(name: "mutant-\(seed).py", bytes: mutate(tree, &random))
    let module = TritonModule(PythonParser.parse(source))
    for function in module.functions {
      guard let specialization = arguments[function.name] else { continue }
      do {
        let result = try module.lower(function.name, for: specialization)
        loweredCount += 1
        if let problem = Verifier.verify(result) {
          Issue.record("seed \(seed): \(problem)")
        }
      } catch {
        refusals[String(error.id.prefix { $0 != "-" }), default: 0] += 1
      }
    }
  }
  if environment["HONE_FUZZ"] != nil {
    Issue.record(
      "record, not a failure: seeds \(first)..<\(first + count), \(loweredCount) lowered, \(refusals)",
      severity: .warning)
  }
}
