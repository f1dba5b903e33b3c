import Diagnostics
import Foundation
import Mutation
import PythonSyntax

/// The modules of `Examples/`, found from this file's own place in the checkout.
enum Examples {
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  static let folder = root.appending(path: "Examples")
  static let names: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path())) ?? [])
    .filter { $0.hasSuffix(".py") }.map { String($0.dropLast(3)) }.sorted()

  /// The mutants of every example, made once for all tests.
  static let mutants: [String: [Mutant]] = Dictionary(
    uniqueKeysWithValues: names.map { name in
      (name, (try? tree(name)).map { Mutator().mutants(of: $0) } ?? [])
    })

  static func tree(_ name: String) throws -> ModuleTree {
    let text = try String(contentsOf: folder.appending(path: name + ".py"), encoding: .utf8)
    return PythonParser.parse(SourceText(name: name + ".py", text: text))
  }
}

/// The mutants of a module given as text.
func mutants(of text: String, by name: String? = nil) -> [Mutant] {
  let tree = PythonParser.parse(SourceText(name: "m.py", text: text))
  let operators = MutationOperator.all.filter { name == nil || $0.name == name }
  return Mutator(operators: operators).mutants(of: tree)
}

/// A module with one kernel.
func module(_ kernel: String, wrapper: String = "") -> String {
  """
  import torch
  import triton
  import triton.language as tl


  \(kernel)

  \(wrapper)
  """
}
