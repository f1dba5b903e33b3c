import Diagnostics
import Foundation
import FuzzSupport
import PythonSyntax

/// `hone-syntax fuzz --seeds A..<B FILE…`: mutants of the files go through the parser; each must
/// round trip, keep its tokens in order, place its diagnostics inside the source, and survive edits.
struct Fuzz {
  /// An input that takes more than this much processor time counts as a hang.
  static let hangSeconds = 2.0
  /// Files above this size are left out: they make mutants slow, not different.
  static let maximumBytes = 60_000

  var originals: [[UInt8]] = []
  var failures = 0
  var inputs = 0
  var bytes = 0
  var withErrors = 0
  var edits = 0
  var slowest = 0.0

  static func run(_ arguments: [String]) -> Int32 {
    guard arguments.count >= 3, arguments[0] == "--seeds",
      let dots = arguments[1].range(of: "..<"),
      let first = UInt64(arguments[1][..<dots.lowerBound]),
      let last = UInt64(arguments[1][dots.upperBound...]), first < last
    else {
      HoneSyntax.printError("usage: hone-syntax fuzz --seeds A..<B FILE…")
      return 2
    }
    var fuzz = Fuzz()
    for path in arguments.dropFirst(2) {
      guard let source = HoneSyntax.load(path) else { return 2 }
      if source.bytes.count <= maximumBytes { fuzz.originals.append(source.bytes) }
    }
    guard !fuzz.originals.isEmpty else {
      HoneSyntax.printError("no file of at most \(maximumBytes) bytes")
      return 2
    }
    for seed in first..<last {
      fuzz.run(seed)
      if seed % 5000 == 4999 { HoneSyntax.printError("seed \(seed)") }
    }
    print(
      "seeds \(first)..<\(last): \(fuzz.inputs) inputs, \(fuzz.bytes) bytes, \(fuzz.withErrors) with errors, "
        + "\(fuzz.edits) edits, slowest \(String(format: "%.3f", fuzz.slowest)) s, "
        + "\(fuzz.failures) failures")
    return fuzz.failures == 0 ? 0 : 1
  }

  private mutating func run(_ seed: UInt64) {
    var mutator = Mutator(seed: seed)
    let original = originals[mutator.random.below(originals.count)]
    let other = originals[mutator.random.below(originals.count)]
    let mutant = mutator.mutant(of: original, other: other)
    inputs += 1
    bytes += mutant.count
    let start = Self.processSeconds()
    let tree = PythonParser.parse(SourceText(name: "mutant.py", bytes: mutant))
    let seconds = Self.processSeconds() - start
    slowest = max(slowest, seconds)
    if seconds > Self.hangSeconds { fail(seed, "took \(seconds) s") }
    if let problem = SyntaxChecks.problem(of: tree) { fail(seed, problem) }
    if tree.hasErrors {
      withErrors += 1
    } else {
      var random = mutator.random
      for _ in 0..<3 {
        do {
          guard let (edited, name) = try SyntaxChecks.randomEdit(of: tree, &random) else {
            continue
          }
          edits += 1
          let after = PythonParser.parse(SourceText(name: "edited.py", bytes: edited))
          if let error = after.diagnostics.first {
            fail(seed, "\(name) breaks the source: \(error.headline)")
          }
        } catch {
          fail(seed, "an edit failed: \(error)")
        }
      }
    }
  }

  /// Processor time of this process; wall time would count what else the machine does.
  private static func processSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  private mutating func fail(_ seed: UInt64, _ text: String) {
    failures += 1
    print("seed \(seed): \(text)")
  }
}

/// What must hold for the tree of any input.
enum SyntaxChecks {
  static func problem(of tree: ModuleTree) -> String? {
    let count = tree.source.bytes.count
    if tree.printed() != tree.source.bytes { return "does not round trip" }
    var position = 0
    for token in tree.tokens {
      guard token.range.lower >= position, token.range.upper >= token.range.lower else {
        return "tokens overlap at \(token.range)"
      }
      position = token.range.upper
    }
    if position > count || tree.tokens.last?.kind != .endOfFile { return "tokens run over" }
    for diagnostic in tree.diagnostics {
      guard let range = diagnostic.range, range.lower >= 0, range.upper >= range.lower,
        range.upper <= count
      else { return "a diagnostic lies outside the source: \(diagnostic.message)" }
      _ = diagnostic.rendered()
    }
    if !tree.hasErrors {
      var isSound = true
      tree.forEachExpression {
        if $0.range.lower < 0 || $0.range.upper > count || $0.range.lower >= $0.range.upper {
          isSound = false
        }
      }
      if !isSound { return "an expression lies outside the source" }
      if ASTDump.dump(tree) == nil { return "a tree without errors cannot be dumped" }
    }
    return nil
  }

  /// One random edit of a sound tree, and its name; nil where the tree has nothing to edit.
  static func randomEdit(
    of tree: ModuleTree, _ random: inout SplitMix64
  ) throws -> ([UInt8], String)? {
    var editor = SourceEditor(tree)
    var statements: [Stmt] = []
    tree.walk {
      statements.append($0)
      return .visitChildren
    }
    var calls: [Expr] = []
    tree.forEachExpression { if case .call = $0.kind { calls.append($0) } }
    var name = ""
    switch random.below(4) {
    case 0:
      guard !statements.isEmpty else { return nil }
      name = "deleteStatement"
      try editor.deleteStatement(
        statements[random.below(statements.count)],
        keepingTrailingComment: random.below(2) == 0)
    case 1:
      guard !calls.isEmpty else { return nil }
      let call = calls[random.below(calls.count)]
      guard case .call(_, let arguments, let keywords) = call.kind,
        keywords.isEmpty || !arguments.isEmpty
      else { return nil }
      guard !arguments.isEmpty else { return nil }
      name = "removeArgument"
      try editor.removeArgument(random.below(arguments.count), of: call)
    case 2:
      guard !calls.isEmpty else { return nil }
      name = "addKeyword"
      try editor.addKeyword("added", value: "1", to: calls[random.below(calls.count)])
    default:
      let functions = statements.compactMap { statement -> FunctionDef? in
        if case .function(let function) = statement.kind { function } else { nil }
      }
      guard !functions.isEmpty else { return nil }
      let function = functions[random.below(functions.count)]
      name = "annotate and decorate"
      editor.addDecorator("added", to: function, innermost: random.below(2) == 0)
      if let parameter = function.parameters.all.first {
        editor.setAnnotation("int", of: parameter)
      }
    }
    return (try editor.applied(), name)
  }
}
