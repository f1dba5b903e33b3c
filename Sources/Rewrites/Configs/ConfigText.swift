import Diagnostics
import HostProgram
import PythonSyntax
import TritonLowering

/// One `triton.Config(…)` of a module's text: its value and how to write a variation of it.
struct ConfigText {
  let tree: ModuleTree
  let expression: Expr
  private let arguments: [Expr]
  private let keywords: [Keyword]

  private var source: SourceText { tree.source }

  init?(_ expression: Expr, in tree: ModuleTree, names: LanguageNames) {
    guard case .call(let callee, let arguments, let keywords) = expression.kind,
      names.tritonPath(of: callee).map({ $0 == "Config" || $0.hasSuffix(".Config") }) ?? false
    else { return nil }
    self.tree = tree
    self.expression = expression
    self.arguments = arguments
    self.keywords = keywords
  }

  private static let positions = [
    "kwargs", "num_warps", "num_stages", "num_ctas", "maxnreg", "pre_hook",
  ]

  private func argument(_ name: String) -> Expr? {
    if let keyword = keywords.first(where: { $0.name == name }) { return keyword.value }
    guard let index = Self.positions.firstIndex(of: name), index < arguments.count else {
      return nil
    }
    return arguments[index]
  }

  /// The entries of the dictionary of constants; nil where it is not a literal.
  private var entries: [(name: String, value: Expr)]? {
    guard let dictionary = argument("kwargs") else { return [] }
    switch dictionary.kind {
    case .dict(let keys, let values):
      var found: [(String, Expr)] = []
      for (key, value) in zip(keys, values) {
        guard let name = key?.stringValue else { return nil }
        found.append((name, value))
      }
      return found
    case .call(let callee, let arguments, let keywords)
    where callee.bareName == "dict" && arguments.isEmpty:
      var found: [(String, Expr)] = []
      for keyword in keywords {
        guard let name = keyword.name else { return nil }
        found.append((name, keyword.value))
      }
      return found
    default: return nil
    }
  }

  /// The config it makes, if it is all literals.
  var value: LaunchConfig? {
    guard let entries else { return nil }
    var config = LaunchConfig(range: expression.range)
    for (name, value) in entries {
      guard let literal = value.literalConstant else { return nil }
      config.constants[name] = literal
    }
    func integer(_ name: String, _ store: (inout LaunchConfig, Int) -> Void) -> Bool {
      guard let expression = argument(name) else { return true }
      if case .constant(.none) = expression.kind { return true }
      guard let value = expression.integerValue else { return false }
      store(&config, value)
      return true
    }
    guard
      integer(
        "num_warps",
        {
          $0.numWarps = $1
          $0.statesNumWarps = true
        }),
      integer(
        "num_stages",
        {
          $0.numStages = $1
          $0.statesNumStages = true
        }),
      integer("num_ctas", { $0.numCTAs = $1 }), integer("maxnreg", { $0.maxRegisters = $1 })
    else { return nil }
    return config
  }

  /// The text with the knobs and constants of `config`, everything else as it stands.
  /// - Returns: nil where the differences cannot be written into this text.
  func text(for config: LaunchConfig, from own: LaunchConfig) -> String? {
    var edits = SourceEditor(tree)
    for (name, value) in entries ?? [] where own.constants[name] != config.constants[name] {
      guard let wanted = config.constants[name]?.pythonLiteral else { return nil }
      edits.replace(value.range, with: wanted)
    }
    guard let call = CallEdits(expression, in: tree) else { return nil }
    var added: [String] = []
    func set(_ name: String, _ wanted: Int?, _ current: Int?) -> Bool {
      guard wanted != current else { return true }
      guard let wanted else { return false }
      if let existing = argument(name) {
        edits.replace(existing.range, with: String(wanted))
      } else {
        added.append("\(name)=\(wanted)")
      }
      return true
    }
    guard set("num_warps", config.numWarps, own.numWarps),
      set("num_stages", config.numStages, own.numStages),
      set("num_ctas", config.numCTAs, own.numCTAs),
      set("maxnreg", config.maxRegisters, own.maxRegisters)
    else { return nil }
    call.add(added, in: &edits)
    return edits.text(of: expression.range)
  }
}

extension LaunchConfig {
  /// Whether both set the same constants (of those `names` has, if given) and launch options.
  func isSame(as other: LaunchConfig, constants names: Set<String>? = nil) -> Bool {
    let relevant = names ?? Set(constants.keys).union(other.constants.keys)
    return relevant.allSatisfy { constants[$0] == other.constants[$0] }
      && numWarps == other.numWarps && numStages == other.numStages && numCTAs == other.numCTAs
      && maxRegisters == other.maxRegisters
  }

  /// `triton.Config({'BLOCK': 64}, num_warps=4, num_stages=3)`.
  func pythonText(constructor: String, constants names: [String], quote: String) -> String? {
    var entries: [String] = []
    for name in names {
      guard let value = constants[name]?.pythonLiteral else { return nil }
      entries.append("\(quote)\(name)\(quote): \(value)")
    }
    var text = "\(constructor)({\(entries.joined(separator: ", "))}"
    text += ", num_warps=\(numWarps), num_stages=\(numStages)"
    if numCTAs != 1 { text += ", num_ctas=\(numCTAs)" }
    if let maxRegisters { text += ", maxnreg=\(maxRegisters)" }
    return text + ")"
  }
}

extension Expr {
  /// The value of a literal that a config may hold.
  var literalConstant: ConstexprValue? {
    if let integer = integerValue { return .int(integer) }
    switch kind {
    case .constant(.bool(let value)): return .bool(value)
    case .constant(.float(let value)): return .float(value)
    case .constant(.string(let value)): return .string(value.value)
    case .constant(.none): return ConstexprValue.none
    default: return nil
    }
  }
}

extension ConstexprValue {
  /// The value as Python writes it; nil for what has no literal.
  var pythonLiteral: String? {
    switch self {
    case .none: return "None"
    case .bool(let value): return value ? "True" : "False"
    case .int(let value): return String(value)
    case .float(let value): return value.isFinite ? "\(value)" : nil
    case .string(let value):
      let plain = value.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "'" && $0 != "\\" }
      return plain ? "'\(value)'" : nil
    case .dtype, .tuple, .function: return nil
    }
  }
}
