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

private let operators: [[String]] = [
  ["+", "-", "*", "/", "//", "%", "<<", ">>", "&", "|", "^", "**", "@"],
  ["<", "<=", ">", ">=", "==", "!="], ["+=", "-=", "*=", "//=", "="], [",", ")", "("], ["[", "]"],
]

/// Changes a few tokens: mostly for others of their kind, so that many mutants still parse.
private func mutate(_ tree: ModuleTree, _ random: inout Xorshift) -> [UInt8] {
  let source = tree.source
  let tokens = tree.tokens.filter { $0.range.count > 0 && $0.kind != .newline }
  guard tokens.count > 2 else { return source.bytes }
  var edits: [(SourceRange, String)] = []
  for _ in 0...random.next(3) {
    let token = tokens[random.next(tokens.count)]
    let text = source.text(in: token.range)
    var replacement = words[random.next(words.count)]
    let style = random.next(10)
    if style < 8 {
      let same = tokens[
        (0..<60).map { _ in random.next(tokens.count) }.first { tokens[$0].kind == token.kind } ?? 0
      ]
      replacement = source.text(in: same.range)
      if token.kind == .op, let group = operators.first(where: { $0.contains(text) }) {
        replacement = group[random.next(group.count)]
      }
      if token.kind == .number, style < 4 {
        replacement =
          ["0", "1", "2", "3", "16", "64", "1024", "1.5", "4294967296", "-1"][random.next(10)]
      }
    } else if style == 8 {
      replacement = ""
    }
    edits.append((token.range, replacement))
  }
  var result = source.bytes
  var last = Int.max
  for (range, text) in edits.sorted(by: { $0.0.lower > $1.0.lower }) where range.upper <= last {
    result.replaceSubrange(range.lower..<range.upper, with: Array(text.utf8))
    last = range.lower
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
