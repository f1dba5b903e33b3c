import ArgumentParser
import Diagnostics
import HostProgram
import PythonSyntax
import Requests
import Rewrites
import Stages

/// `hone lint`: the strict output form and, against an original, a stage's rules.
struct LintCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lint",
    abstract: "Check a module against the output form and a stage's rules.",
    discussion: """
      With --original, also checks that names, signatures, grid and configs keep to the rules of \
      the stage (--stage, or the stage section of --request). Warns of autotuned kernels whose trial \
      runs spoil their own arguments.
      """)

  @Argument(help: "The module to check; '-' reads standard input.")
  var module: String

  @Option(help: ArgumentHelp("The module before optimization.", valueName: "file"))
  var original: String?

  @Option(help: "The stage whose built-in rules hold, by name or number (1 to 4).")
  var stage: String?

  @Option(
    help: ArgumentHelp(
      "A request document: its stage section, output rules and, without --original, its module.",
      valueName: "file"))
  var request: String?

  @Option(help: "How to print.")
  var format: OutputFormat = .text

  func validate() throws {
    if stage != nil, original == nil, request == nil {
      throw ValidationError("--stage needs --original (or --request) to compare with.")
    }
    if [module, original, request].filter({ $0 == "-" }).count > 1 {
      throw ValidationError("Only one file can come from standard input.")
    }
  }

  func run() throws {
    let tree = try Self.parse(try Files.source(module))
    var rules = OutputRules.standard
    var policy = try stage.map { StagePolicy.builtIn(try Stage.named($0)) }
    var before: ModuleTree?
    var problem: ModuleTree?
    if let request {
      let (bytes, name) = try Files.read(request)
      let options = RequestOptions(stage: stage, requiresModel: false)
      let read = try RequestReader.read(bytes: bytes, name: name, options: options)
      rules = read.outputRules
      policy = read.policy
      before = read.tree
      problem = read.problem?.tree
    }
    if let original { before = try Self.parse(try Files.source(original)) }
    if request == nil, let before { rules = StrictForm.rules(rules, keepingPartsOf: before) }
    var findings = StrictForm.check(tree, rules: rules)
    if let before {
      findings += StageRules.check(
        candidate: tree, original: before, policy: policy ?? .unrestricted
      ).map(\.diagnostic)
    }
    findings += Self.unsafeTuning(tree, problem)
    try print(findings)
    if findings.contains(where: { $0.severity == .error }) { throw Failure(outcome: .no) }
  }

  /// What trial runs of the autotuner would spoil; nothing where the launches cannot be followed.
  private static func unsafeTuning(_ tree: ModuleTree, _ problem: ModuleTree?) -> [Diagnostic] {
    guard RestoreTunedArguments.isWorthAsking(of: tree) else { return [] }
    let program = HostProgram(module: tree, problem: problem)
    guard let run = (try? program.run(.fromProblem)) ?? (try? program.run(.unknown)) else {
      return []
    }
    return RestoreTunedArguments.findings(in: RewriteSubject(module: tree, run: run))
  }

  /// A module that does not parse is bad input, not a broken rule.
  private static func parse(_ source: SourceText) throws -> ModuleTree {
    let tree = PythonParser.parse(source)
    let errors = tree.diagnostics.filter { $0.severity == .error }
    guard errors.isEmpty else { throw InputErrors(Array(errors.prefix(20))) }
    return tree
  }

  private func print(_ findings: [Diagnostic]) throws {
    let errors = findings.filter { $0.severity == .error }.count
    let warnings = findings.filter { $0.severity == .warning }.count
    switch format {
    case .text:
      var lines = findings.map { $0.rendered() }
      lines.append(
        findings.isEmpty
          ? "\(module): ok"
          : "\(module): \(Self.count(errors, "error")), \(Self.count(warnings, "warning"))")
      try StandardOutput.write(lines.joined(separator: "\n") + "\n")
    case .json:
      let record = LintRecord(
        module: module, isOK: errors == 0, errors: errors, warnings: warnings,
        findings: findings.map(DiagnosticRecord.init))
      try StandardOutput.write(try JSONText.bytes(record))
    }
  }

  private static func count(_ number: Int, _ word: String) -> String {
    "\(number) \(word)\(number == 1 ? "" : "s")"
  }
}

private struct LintRecord: Encodable {
  let module: String
  let isOK: Bool
  let errors: Int
  let warnings: Int
  let findings: [DiagnosticRecord]

  enum CodingKeys: String, CodingKey {
    case module, errors, warnings, findings
    case isOK = "ok"
  }
}
