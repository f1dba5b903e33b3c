import Diagnostics
import Foundation
import HostProgram
import Mutation
import PythonSyntax
import Testing
import TritonLowering

/// The mutants of the examples.
@Suite struct ExampleMutantTests {
  @Test(arguments: Examples.names)
  func `Each mutant parses and differs in one place`(_ name: String) throws {
    let tree = try Examples.tree(name)
    let mutants = try #require(Examples.mutants[name])
    #expect(mutants.count >= 20)
    var texts: Set<[UInt8]> = [tree.source.bytes]
    for mutant in mutants {
      #expect(!PythonParser.parse(mutant.source).hasErrors, "\(mutant.label)")
      #expect(texts.insert(mutant.source.bytes).inserted, "\(mutant.label)")
      let (old, new) = (tree.source.bytes, mutant.source.bytes)
      #expect(old[..<mutant.range.lower] == new[..<mutant.range.lower])
      #expect(
        old[mutant.range.upper...].elementsEqual(new.suffix(old.count - mutant.range.upper)))
      #expect(mutant.line == tree.source.location(at: mutant.range.lower).line)
      #expect(!mutant.words.isEmpty && !mutant.function.isEmpty, "\(mutant.label)")
    }
  }

  @Test(arguments: Examples.names)
  func `The problem's parts are not touched`(_ name: String) throws {
    let tree = try Examples.tree(name)
    var kept: [SourceRange] = []
    for definition in tree.classes where definition.name == "Model" {
      kept.append(definition.fullRange)
    }
    for function in tree.functions
    where function.name == "get_inputs" || function.name == "get_init_inputs" {
      kept.append(function.fullRange)
    }
    #expect(kept.count == 3)
    for mutant in try #require(Examples.mutants[name]) {
      for range in kept {
        #expect(
          mutant.range.upper <= range.lower || mutant.range.lower >= range.upper, "\(mutant.label)")
      }
    }
  }

  /// Mutants are of use only if most of them get as far as running.
  @Test(arguments: Examples.names)
  func `Each mutant is lowered or refused with a place`(_ name: String) throws {
    var lowered = 0
    let all = try #require(Examples.mutants[name])
    // Each takes a run of the host program: a sample, unless all are asked for.
    let step = ProcessInfo.processInfo.environment["ALL_MUTANTS"] == nil ? 5 : 1
    let mutants = stride(from: 0, to: all.count, by: step).map { all[$0] }
    for mutant in mutants {
      guard let refusal = Self.refusal(of: mutant) else {
        lowered += 1
        continue
      }
      #expect(refusal.range != nil, "\(mutant.label): \(refusal.message)")
    }
    #expect(lowered * 10 >= mutants.count * 7, "only \(lowered) of \(mutants.count) are lowered")
  }

  /// What the host program or the lowering says against a mutant.
  private static func refusal(of mutant: Mutant) -> Diagnostic? {
    do {
      let tree = PythonParser.parse(mutant.source)
      let run = try HostProgram(module: tree).run(.fromProblem)
      let module = TritonModule(tree)
      for launch in run.launches {
        guard let kernel = module.function(named: launch.kernel), let config = launch.configs.first
        else { continue }
        let specialization = launch.specialization(
          config: config.config, kernel: kernel, computeCapability: 89)
        _ = try module.lower(launch.kernel, for: specialization)
      }
      return nil
    } catch {
      return error
    }
  }

  @Test func `Every family and operator is represented, as recorded`() throws {
    var counts: [String: [String: Int]] = [:]
    var families: Set<MutationFamily> = []
    var total = 0
    for name in Examples.names {
      for mutant in try #require(Examples.mutants[name]) {
        counts[mutant.operatorName, default: [:]][name, default: 0] += 1
        families.insert(mutant.family)
        total += 1
      }
    }
    #expect(families == Set(MutationFamily.allCases))
    #expect(total >= 300)
    var text = "total \(total)\n"
    for mutation in MutationOperator.all {
      let examples = counts[mutation.name, default: [:]].sorted { $0.key < $1.key }
      let parts = examples.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
      text += "\(mutation.family.rawValue)/\(mutation.name): \(parts)\n"
    }
    let file = Examples.root.appending(path: "Tests/MutationTests/Snapshots/counts.txt")
    if ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] != nil {
      try text.write(to: file, atomically: true, encoding: .utf8)
      Issue.record("recorded \(file.lastPathComponent)")
    }
    #expect(text == (try? String(contentsOf: file, encoding: .utf8)))
  }

  @Test func `The same module gives the same mutants`() throws {
    for name in Examples.names.prefix(3) {
      let tree = try Examples.tree(name)
      #expect(Examples.mutants[name]?.map(\.label) == Mutator().mutants(of: tree).map(\.label))
    }
  }

  /// For looking at them: `DUMP_MUTANTS=folder swift test --filter ExampleMutantTests`.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["DUMP_MUTANTS"] != nil))
  func `Writes the mutants to a folder`() throws {
    let folder = URL(filePath: ProcessInfo.processInfo.environment["DUMP_MUTANTS"] ?? "")
    var list = ""
    for name in Examples.names {
      for (index, mutant) in try #require(Examples.mutants[name]).enumerated() {
        let file = "\(name)-\(index).py"
        try mutant.source.text.write(
          to: folder.appending(path: file), atomically: true, encoding: .utf8)
        let refusal = Self.refusal(of: mutant)?.message ?? ""
        list += "\(file)\t\(mutant.label)\t\(mutant.words)\t\(mutant.expectation)\t\(refusal)\n"
      }
    }
    try list.write(to: folder.appending(path: "list.tsv"), atomically: true, encoding: .utf8)
  }
}
