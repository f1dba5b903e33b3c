import Diagnostics
import HostProgram
import PythonSyntax
import Testing
import TileIR
import TritonLowering

@testable import Rewrites

/// Subjects for tests: a module's text, and launches with the values given by expression text.
enum Subjects {
  typealias Values = [String: (value: ArgumentValue, origin: ValueOrigin)]

  static func parsed(_ text: String) -> ModuleTree {
    PythonParser.parse(SourceText(name: "module.py", text: text))
  }

  /// A subject without launches.
  static func unrun(_ text: String) -> RewriteSubject {
    RewriteSubject(module: parsed(text), run: nil)
  }

  /// A subject whose every launch ran, with each argument looked up in `values` by its text.
  static func run(_ text: String, _ values: Values, skipping: Set<Int> = []) -> RewriteSubject {
    let tree = parsed(text)
    #expect(tree.diagnostics.map(\.headline) == [])
    let names = LanguageNames(tree)
    let triton = TritonModule(tree)
    var launches: [Launch] = []
    for function in triton.functions {
      let decorators = Decorators(of: function.definition, names: names)
      var configs: [LaunchConfig] = []
      if let list = decorators.autotune?.argument("configs", at: 0),
        case .list(let items) = list.kind
      {
        configs = items.compactMap { ConfigText($0, in: tree, names: names)?.value }
      }
      for (index, site) in LaunchSites(of: function.name, in: tree).sites.enumerated()
      where !skipping.contains(index) {
        var arguments: [LaunchArgument] = []
        for parameter in function.parameters {
          guard let expression = site.argument(for: parameter.name, of: function.definition) else {
            continue
          }
          let written = tree.source.text(in: expression.range)
          if let integer = expression.integerValue {
            arguments.append(
              LaunchArgument(
                name: parameter.name, value: .int(integer), origin: .literal,
                range: expression.range))
          } else if let known = values[written] {
            arguments.append(
              LaunchArgument(
                name: parameter.name, value: known.value, origin: known.origin,
                range: expression.range))
          }
        }
        let own = LaunchConfig(
          numWarps: site.keyword("num_warps")?.value.integerValue ?? 4,
          numStages: site.keyword("num_stages")?.value.integerValue ?? 3)
        launches.append(
          Launch(
            kernel: function.name, arguments: arguments,
            configs: (configs.isEmpty ? [own] : configs).map { ($0, [1]) },
            isAutotuned: !configs.isEmpty, callRange: site.call.range, gridRange: site.grid.range))
      }
    }
    return RewriteSubject(module: tree, run: HostRun(launches: launches, inputsAreKnown: true))
  }

  static func tensor(_ storage: Int, _ element: ElementType = .fp32) -> (
    value: ArgumentValue, origin: ValueOrigin
  ) {
    (.tensor(TensorShape(element: element, shape: [64, 64], storage: storage)), .inputShape)
  }
  static func shape(_ value: Int) -> (value: ArgumentValue, origin: ValueOrigin) {
    (.int(value), .inputShape)
  }
  static func fixed(_ value: Int) -> (value: ArgumentValue, origin: ValueOrigin) {
    (.int(value), .module)
  }
  static func unknown(_ value: Int) -> (value: ArgumentValue, origin: ValueOrigin) {
    (.int(value), .unknown)
  }
}

/// Applies a rewrite at a site and checks the text, and that the result parses.
func expectRewrite(
  _ rewrite: some Rewrite, _ site: RewriteSite, _ subject: RewriteSubject, gives expected: String,
  numerics: Numerics? = .bitExact, sourceLocation: Testing.SourceLocation = #_sourceLocation
) {
  do {
    let result = try rewrite.apply(site, to: subject)
    #expect(result.source.text == expected, sourceLocation: sourceLocation)
    let errors = PythonParser.parse(result.source).diagnostics.map(\.headline)
    #expect(errors == [], sourceLocation: sourceLocation)
    if let numerics { #expect(result.numerics == numerics, sourceLocation: sourceLocation) }
  } catch {
    Issue.record("refused: \(error)", sourceLocation: sourceLocation)
  }
}

/// Checks that a rewrite refuses with this id at the given text.
func expectRefusal(
  _ rewrite: some Rewrite, _ site: RewriteSite, _ subject: RewriteSubject, _ id: String,
  at text: String? = nil, line: Int? = nil,
  sourceLocation: Testing.SourceLocation = #_sourceLocation
) {
  do {
    let result = try rewrite.apply(site, to: subject)
    Issue.record("not refused:\n\(result.source.text)", sourceLocation: sourceLocation)
  } catch {
    #expect(error.id == id, "\(error)", sourceLocation: sourceLocation)
    if let text, let range = error.range {
      #expect(subject.module.source.text(in: range) == text, sourceLocation: sourceLocation)
    }
    if let line { #expect(error.location?.line == line, sourceLocation: sourceLocation) }
  }
}

func site(_ kernel: String, _ names: [String] = [], _ range: SourceRange = SourceRange(0, 0))
  -> RewriteSite
{
  RewriteSite(rewrite: "", kernel: kernel, range: range, names: names, what: "", why: "")
}
