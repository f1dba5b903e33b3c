import Diagnostics
import PythonSyntax
import Requests

extension Files {
  /// The module of a Python file, or the one inside a request document; '-' reads standard input.
  ///
  /// - Throws: `InputErrors` or a `Diagnostic`, also where the module does not parse.
  static func module(_ path: String) throws -> ModuleTree {
    let source = try Files.source(path)
    let tree =
      RequestReader.isModule(source)
      ? PythonParser.parse(source)
      : try RequestReader.readDocument(source, options: RequestOptions(requiresModel: false)).tree
    let errors = tree.diagnostics.filter { $0.severity == .error }
    guard errors.isEmpty else { throw InputErrors(Array(errors.prefix(20))) }
    return tree
  }
}
