import Diagnostics
import HostProgram
import PythonSyntax
import TileIR
import TritonLowering

/// Compares a module before and after a rewrite, whatever the rewrite says of itself.
public enum RewriteCheck {
  /// Parses the result and holds it to what no rewrite may change: it parses, defines the same names
  /// at module level in the same order, and gives functions and methods the same parameters.
  /// - Parameter added: new names that the rewrite says it defines; the subject may not have them.
  /// - Throws: the first difference.
  public static func check(
    _ result: SourceText, of subject: RewriteSubject, adding added: Set<String> = []
  ) throws(Diagnostic) -> ModuleTree {
    let tree = PythonParser.parse(result)
    if let error = tree.diagnostics.first(where: { $0.severity == .error }) {
      throw Diagnostic(
        id: "rewrite-broke-syntax", "the rewritten module does not parse: \(error.message)",
        source: result, range: error.range)
    }
    let before = outline(subject.module)
    func name(_ line: (text: String, range: SourceRange)) -> String {
      String(line.text.prefix { $0 != "(" })
    }
    let known = Set(before.map(name))
    let after = outline(tree).filter { line in
      !added.contains(name(line)) || known.contains(name(line))
    }
    for (old, new) in zip(before, after) where old.text != new.text {
      throw Diagnostic(
        id: "rewrite-changed-interface", "'\(old.text)' became '\(new.text)'", source: result,
        range: new.range)
    }
    guard before.count == after.count else {
      let missing = before.count > after.count ? before[after.count].text : after[before.count].text
      throw Diagnostic(
        id: "rewrite-changed-interface",
        "'\(missing)' is defined at module level on one side only", source: result,
        range: SourceRange(0, 0))
    }
    return tree
  }

  /// What a module defines: one line for each function, method, class and name.
  private static func outline(_ tree: ModuleTree) -> [(text: String, range: SourceRange)] {
    var found: [(String, SourceRange)] = []
    func add(_ function: FunctionDef, in owner: String) {
      let parameters = function.parameters.all.map { parameter in
        let value = parameter.defaultValue.map { "=" + tree.source.text(in: $0.range) } ?? ""
        return "\(parameter.kind) \(parameter.name)\(value)"
      }
      found.append(
        ("\(owner)\(function.name)(\(parameters.joined(separator: ", ")))", function.nameRange))
    }
    for statement in tree.body {
      switch statement.kind {
      case .function(let function): add(function, in: "")
      case .classDef(let definition):
        found.append((definition.name, definition.nameRange))
        for member in definition.body {
          if case .function(let method) = member.kind { add(method, in: definition.name + ".") }
        }
      default:
        for (name, range) in statement.boundNames { found.append((name, range)) }
      }
    }
    return found
  }

  /// Compares what a lowered kernel does to memory before and after.
  /// - Throws: the first access that one side has and the other may not have or lack.
  public static func compareEffects(
    of old: Function, and new: Function, allowing change: EffectChange = .none
  ) throws(Diagnostic) {
    let before = EffectSignature(of: old)
    let after = EffectSignature(of: new)
    for (access, count) in before.accesses.sorted(by: { $0.key < $1.key }) {
      let found = after.accesses[access] ?? 0
      let isFine =
        switch change {
        case .none: found == count
        case .copies: found > 0
        case .deadBranches: found <= count
        }
      guard isFine else { throw difference(access, count, found, new) }
    }
    for (access, count) in after.accesses.sorted(by: { $0.key < $1.key })
    where before.accesses[access] == nil {
      throw difference(access, 0, count, new)
    }
    // A kernel that wrote something still writes something.
    if before.changesMemory, !after.changesMemory {
      throw Diagnostic(
        id: "rewrite-changed-effects", "kernel '\(new.name)' no longer writes anything",
        source: new.source)
    }
  }

  private static func difference(
    _ access: String, _ before: Int, _ after: Int, _ function: Function
  ) -> Diagnostic {
    Diagnostic(
      id: "rewrite-changed-effects",
      "kernel '\(function.name)' had \(before) and now has \(after) of '\(access)'",
      source: function.source)
  }
}

/// What a lowered kernel does to memory: how often each kind of access to each tensor occurs.
struct EffectSignature: Equatable {
  /// By "kind parameter type", counted.
  private(set) var accesses: [String: Int] = [:]

  var changesMemory: Bool {
    accesses.keys.contains { $0.hasPrefix("store") || $0.hasPrefix("atomic") }
  }

  init(of function: Function) {
    let roots = PointerRoots(of: function)
    var found: [String: Int] = [:]
    function.forEachOperation { operation in
      guard let name = operation.kind.accessName else { return }
      let target = operation.operands.first.map { roots.parameters(of: $0) } ?? []
      let tile = operation.results.first ?? operation.operands.dropFirst().first
      let type = tile.map { "\(function.type(of: $0))" } ?? ""
      found["\(name) \(target.sorted().joined(separator: "|")) \(type)", default: 0] += 1
    }
    accesses = found
  }
}

extension TileIR.Operation.Kind {
  /// The name of a memory access; nil for everything else.
  fileprivate var accessName: String? {
    switch self {
    case .load, .blockLoad, .descriptorLoad, .descriptorGather: "load"
    case .store, .blockStore, .descriptorScatter, .descriptorStore(reduction: nil): "store"
    case .descriptorStore(let reduction?): "atomic \(reduction.rawValue)"
    case .atomicRMW(let op, _, _, _): "atomic \(op.rawValue)"
    case .atomicCAS: "atomic cas"
    case .barrier: "barrier"
    case .devicePrint, .deviceAssert: "message"
    default: nil
    }
  }
}
