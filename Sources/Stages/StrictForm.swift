import Diagnostics
import PythonSyntax

/// The strict output form: imports, then kernels, then wrappers, then `class ModelNew(nn.Module)`,
/// and nothing that is not part of the module.
public enum StrictForm {
  /// What in the module breaks the form, in source order. Errors break it; warnings are unusual.
  public static func check(
    _ tree: ModuleTree, rules: OutputRules = .standard
  ) -> [Diagnostic] {
    var checker = FormChecker(tree: tree, rules: rules)
    return checker.check()
  }

  /// The rules less what the original module itself holds beside its `ModelNew`, for modules that
  /// are their own problem file: a drop-in keeps those parts.
  public static func rules(
    _ rules: OutputRules, keepingPartsOf original: ModuleTree
  ) -> OutputRules {
    var rules = rules
    for function in original.functions {
      if function.name == "get_inputs" { rules.forbidden.remove(.getInputs) }
      if function.name == "get_init_inputs" { rules.forbidden.remove(.getInitInputs) }
    }
    return rules
  }
}

private struct FormChecker {
  let tree: ModuleTree
  let rules: OutputRules
  private var found: [Diagnostic] = []
  /// Functions that run while the module is imported (they make configs, say) come before kernels.
  private let early: Set<String>
  private var last: (section: OutputRules.Section, name: String)?

  init(tree: ModuleTree, rules: OutputRules) {
    self.tree = tree
    self.rules = rules
    self.early = TopLevelParts.neededByDefinitions(tree)
  }

  private mutating func report(
    _ id: String, _ message: String, _ range: SourceRange,
    severity: Diagnostic.Severity = .error, next: String? = nil
  ) {
    found.append(
      Diagnostic(
        id: id, severity: severity, message, source: tree.source, range: range, nextStep: next))
  }

  mutating func check() -> [Diagnostic] {
    let syntaxErrors = tree.diagnostics.filter { $0.severity == .error }
    guard syntaxErrors.isEmpty else { return syntaxErrors }
    for (index, statement) in tree.body.enumerated() { checkTop(statement, isFirst: index == 0) }
    checkModel()
    for function in tree.functions where !StageRules.isKernel(function) {
      checkUndecorated(function)
    }
    checkKernelBodies()
    found += NameUse.check(tree, rules)
    return found.sorted { ($0.range?.lower ?? 0) < ($1.range?.lower ?? 0) }
  }

  // MARK: - Order and forbidden parts

  private mutating func checkTop(_ statement: Stmt, isFirst: Bool) {
    switch statement.kind {
    case .import(let names):
      place(.imports, "import of \(names.map(\.name).joined(separator: ", "))", statement.range)
      for alias in names { checkImport(alias.name, alias.range) }
    case .importFrom(let module, let names, _):
      place(.imports, "import from \(module ?? ".")", statement.range)
      checkImport(module ?? "", statement.range)
      for alias in names where alias.name == "*" {
        report(
          "star-import", "'import *' hides where names come from", alias.range, severity: .warning)
      }
    case .function(let function): checkFunction(function)
    case .classDef(let definition): checkClass(definition)
    case .expression(let expression): checkExpression(expression, isFirst: isFirst)
    case .assign(_, let value): checkConstant(value, statement.range)
    case .annAssign(_, _, let value, _): if let value { checkConstant(value, statement.range) }
    case .if(let test, _, _):
      if isMainGuard(test) {
        if rules.forbidden.contains(.mainGuard) {
          report(
            "main-guard", "'if __name__' is not part of the form", statement.range,
            next: "remove the block")
        }
      } else {
        report(
          "top-level-condition", "a condition at the top level is unusual in this form",
          headRange(statement), severity: .warning)
      }
    case .try(let body, _, _, _, _):
      let isImport = body.allSatisfy {
        switch $0.kind {
        case .import, .importFrom: true
        default: false
        }
      }
      if isImport {
        place(.imports, "guarded import", headRange(statement))
      } else {
        testing("a 'try' block", statement)
      }
    case .for, .while, .with, .assert, .raise, .delete, .match:
      testing("a statement that runs when the module is imported", statement)
    case .augAssign, .global, .nonlocal, .typeAlias, .pass, .error, .return, .break, .continue:
      break
    }
  }

  private mutating func testing(_ what: String, _ statement: Stmt) {
    guard rules.forbidden.contains(.testingCode) else { return }
    report(
      "testing-code", "\(what) is not part of the form", headRange(statement),
      next: "keep imports, kernels, wrappers and ModelNew only")
  }

  /// The first line of a compound statement.
  private func headRange(_ statement: Stmt) -> SourceRange {
    let index = tree.source.lineIndex(at: statement.range.lower)
    let end = tree.source.lineStarts[index] + tree.source.lineText(index).utf8.count
    return SourceRange(
      statement.range.lower, min(statement.range.upper, max(end, statement.range.lower)))
  }

  private func isMainGuard(_ test: Expr) -> Bool {
    test.names.contains("__name__")
  }

  private static let testModules: Set<String> = [
    "unittest", "pytest", "argparse", "timeit", "doctest",
  ]

  private mutating func checkImport(_ module: String, _ range: SourceRange) {
    let root = module.split(separator: ".").first.map(String.init) ?? module
    if Self.testModules.contains(root) {
      report(
        "testing-import", "'\(root)' is only of use to testing code", range, severity: .warning)
    }
  }

  private mutating func place(_ section: OutputRules.Section, _ name: String, _ range: SourceRange)
  {
    let order = rules.order
    guard let position = order.firstIndex(of: section) else { return }
    if let last, let before = order.firstIndex(of: last.section), position < before {
      report(
        "section-order", "\(name) comes after \(last.name)", range,
        next: "the order is: " + order.map(\.rawValue).joined(separator: ", "))
      return
    }
    last = (section, name)
  }

  private static let testNames = ["test_", "bench", "run_test", "main", "check_correct", "verify_"]

  private mutating func checkFunction(_ function: FunctionDef) {
    let forbidden: [OutputRules.Forbidden: String] = [
      .getInputs: "get_inputs", .getInitInputs: "get_init_inputs",
    ]
    for (part, name) in forbidden where function.name == name {
      guard rules.forbidden.contains(part) else { return }
      report(
        "forbidden-function", "'\(name)' is not part of the form", function.nameRange,
        next: "remove the function; it belongs to the problem file")
      return
    }
    if StageRules.isKernel(function) {
      place(.kernels, "kernel '\(function.name)'", function.nameRange)
      return
    }
    let isTest = Self.testNames.contains { name in
      name.hasSuffix("_")
        ? function.name.hasPrefix(name)
        : function.name == name || function.name.hasPrefix(name + "_")
          || (name == "bench" && function.name.hasPrefix("benchmark"))
    }
    if isTest, rules.forbidden.contains(.testingCode) {
      report(
        "testing-code", "function '\(function.name)' looks like testing code", function.nameRange,
        severity: function.name == "main" ? .error : .warning, next: "remove it")
      return
    }
    guard !early.contains(function.name) || last?.section ?? .imports != .imports else { return }
    place(.wrappers, "function '\(function.name)'", function.nameRange)
  }

  private mutating func checkClass(_ definition: ClassDef) {
    if definition.name == "ModelNew" {
      place(.model, "class 'ModelNew'", definition.nameRange)
    } else if definition.name == "Model", rules.forbidden.contains(.getInputs) {
      report(
        "reference-class", "class 'Model' belongs to the problem file, not to the answer",
        definition.nameRange, severity: .warning)
    }
  }

  private mutating func checkExpression(_ expression: Expr, isFirst: Bool) {
    // A docstring, or a comment written as a string.
    if case .constant(.string) = expression.kind { return }
    if case .constant(.ellipsis) = expression.kind { return }
    guard rules.forbidden.contains(.testingCode) else { return }
    let text = tree.source.text(in: expression.range).prefix { $0 != "(" && $0 != "\n" }
    report(
      "testing-code", "'\(text.prefix(60))' runs when the module is imported", expression.range,
      next: "keep imports, kernels, wrappers and ModelNew only")
  }

  /// Constants are harmless; calls at import time may not be.
  private mutating func checkConstant(_ value: Expr, _ range: SourceRange) {
    var callee: String?
    value.walk { expression in
      if case .lambda = expression.kind { return .skipChildren }
      if case .call(let target, _, _) = expression.kind, callee == nil {
        callee = tree.source.text(in: target.range)
      }
      return .visitChildren
    }
    guard let callee else { return }
    let harmless = [
      "tl.constexpr", "triton.Config", "float", "int", "tuple", "list", "dict", "range",
      "math.", "triton.language.constexpr", "TypeVar", "frozenset", "set", "len", "str",
      "triton.cdiv", "triton.next_power_of_2", "libdevice", "torch.cuda.get_device_properties",
      "triton.autotune", "triton.jit",
    ]
    guard !harmless.contains(where: { callee.hasPrefix($0) }) else { return }
    let isWork = ["torch.rand", "torch.zeros", "torch.ones", "ModelNew", "Model", "time."]
      .contains { callee.hasPrefix($0) }
    report(
      isWork ? "testing-code" : "import-time-call",
      "'\(callee.prefix(60))' is called when the module is imported", range,
      severity: isWork && rules.forbidden.contains(.testingCode) ? .error : .warning)
  }

  // MARK: - Model and kernels

  private mutating func checkModel() {
    let top = SourceRange(0, 0)
    guard let model = tree.classes.last(where: { $0.name == "ModelNew" }) else {
      report(
        "no-model", "the module has no class 'ModelNew'", top, next: "add class ModelNew(nn.Module)"
      )
      return
    }
    if !isModule(model, depth: 0) {
      report(
        "model-not-module", "'ModelNew' is not a subclass of nn.Module", model.nameRange,
        next: "write class ModelNew(nn.Module)")
    }
    let kernels = Set(StageRules.kernels(in: tree).map(\.name))
    if kernels.isEmpty {
      report("no-kernel", "the module has no @triton.jit kernel", model.nameRange)
      return
    }
    let reached = Reachability.names(from: model, in: tree)
    if kernels.isDisjoint(with: reached) {
      report(
        "kernel-not-called", "'ModelNew' does not call any of the module's kernels",
        model.nameRange,
        next:
          "call a wrapper that launches \(kernels.sorted().first.map { "'\($0)'" } ?? "a kernel")")
    }
    for kernel in StageRules.kernels(in: tree) where !reached.contains(kernel.name) {
      report(
        "kernel-unused", "kernel '\(kernel.name)' is never reached from 'ModelNew'",
        kernel.nameRange,
        severity: .warning)
    }
  }

  private func isModule(_ definition: ClassDef, depth: Int) -> Bool {
    definition.bases.contains { base in
      switch base.kind {
      case .attribute(_, "Module", _), .name("Module"): return true
      case .name(let name):
        guard depth < 16, name != definition.name,
          let parent = tree.classes.first(where: { $0.name == name })
        else { return false }
        return isModule(parent, depth: depth + 1)
      case .attribute(let owner, _, _):
        // nn.Conv2d, nn.Sequential, …: every class of torch.nn is a Module.
        if case .name("nn") = owner.kind { return true }
        if case .attribute(_, "nn", _) = owner.kind { return true }
        return false
      default: return false
      }
    }
  }

  private static let kernelOnly: Set<String> = [
    "program_id", "load", "store", "arange", "dot", "num_programs",
  ]

  /// A function that uses `tl` as only a kernel can, but has no decorator.
  private mutating func checkUndecorated(_ function: FunctionDef) {
    var use: String?
    for statement in function.body {
      statement.forEachExpression { expression in
        guard use == nil, case .call(let callee, _, _) = expression.kind,
          case .attribute(let owner, let name, _) = callee.kind, case .name("tl") = owner.kind,
          Self.kernelOnly.contains(name)
        else { return }
        use = name
      }
    }
    guard let use else { return }
    report(
      "kernel-undecorated", "function '\(function.name)' uses tl.\(use) but is not decorated",
      function.nameRange, next: "add @triton.jit")
  }

  private mutating func checkKernelBodies() {
    guard rules.forbidsLoopExits else { return }
    for kernel in StageRules.kernels(in: tree) {
      for statement in kernel.body {
        statement.walk { inner in
          switch inner.kind {
          case .for(let loop): checkLoop(loop.body)
          case .while(_, let body, _): checkLoop(body)
          default: break
          }
          return .visitChildren
        }
      }
    }
  }

  private mutating func checkLoop(_ body: [Stmt]) {
    for statement in body {
      statement.walk { inner in
        switch inner.kind {
        case .for, .while, .function: return .skipChildren
        case .break, .continue, .return:
          report(
            "loop-exit", "a kernel's loop must not be left early", inner.range, next: "use a mask")
          return .skipChildren
        default: return .visitChildren
        }
      }
    }
  }
}
