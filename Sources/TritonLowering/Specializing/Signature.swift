import Diagnostics
import PythonSyntax
import TileIR

/// Reads argument types in the form of Triton's ahead-of-time compiler.
///
/// ```
/// *fp32:16, *fp32, i32:16, i32:1, 1024        one entry per parameter, in order
/// x_ptr=*fp16, n=i32, BLOCK=1024, ACT="relu"  by name; entries without a name come first
/// ```
/// `:16` says that the pointer or value is divisible by 16; `:1` that the value is 1, which Triton
/// folds. Constants are Python literals or dtype names. Parameters left out take their defaults.
public enum Signature {
  /// - Throws: `invalid-signature` with the entry that cannot be read.
  public static func parse(
    _ text: String, for function: JITFunction, numWarps: Int = 4, numStages: Int = 3,
    computeCapability: Int = 89
  ) throws(Diagnostic) -> Specialization {
    let names = function.parameters.map(\.name)
    var arguments: [String: ArgumentSpecialization] = [:]
    var position = 0
    for entry in split(text) {
      var name: String
      var value = entry
      if let equals = nameEnd(of: entry) {
        name = trimmed(entry[..<equals])
        value = entry[entry.index(after: equals)...]
        guard names.contains(name) else {
          let nearest = Spelling.nearest(to: name, in: names)
          throw invalid(
            "kernel '\(function.name)' has no parameter '\(name)'"
              + (nearest.map { "; did you mean '\($0)'?" } ?? ""))
        }
      } else {
        guard position < names.count else {
          throw invalid(
            "signature has more entries than '\(function.name)' has parameters (\(names.count))")
        }
        name = names[position]
        position += 1
      }
      guard arguments[name] == nil else { throw invalid("'\(name)' is given twice") }
      let isConstexpr = function.parameter(named: name)?.isConstexpr ?? false
      arguments[name] = try argument(trimmed(value), isConstexpr: isConstexpr)
    }
    return Specialization(
      arguments: arguments, numWarps: numWarps, numStages: numStages,
      computeCapability: computeCapability)
  }

  /// Triton's short names of scalar types.
  static let scalarNames: [String: ElementType] = [
    "i1": .int1, "u1": .int1, "B": .int1, "i8": .int8, "i16": .int16, "i32": .int32,
    "i64": .int64, "u8": .uint8, "u16": .uint16, "u32": .uint32, "u64": .uint64,
    "fp8e4nv": .fp8e4nv, "fp8e5": .fp8e5, "fp8e4b15": .fp8e4b15, "fp8e4b8": .fp8e4b8,
    "fp8e5b16": .fp8e5b16, "fp16": .fp16, "bf16": .bf16, "fp32": .fp32, "fp64": .fp64,
  ]

  /// The short name of a scalar or pointer type: `i32`, `*fp16`.
  public static func name(of element: ElementType) -> String {
    if case .pointer(let pointee) = element { return "*" + name(of: pointee) }
    if element == .int1 { return "i1" }
    return scalarNames.first { $0.value == element }?.key ?? "\(element)"
  }

  private static func invalid(_ message: String) -> Diagnostic {
    Diagnostic(
      id: "invalid-signature", message,
      nextStep: "write one entry per parameter, for example '*fp32:16, i32, 1024'")
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }

  /// The entries, split at commas outside brackets and quotes.
  private static func split(_ text: String) -> [Substring] {
    var entries: [Substring] = []
    var depth = 0
    var quote: Character?
    var start = text.startIndex
    for index in text.indices {
      let character = text[index]
      if let open = quote {
        if character == open { quote = nil }
        continue
      }
      switch character {
      case "'", "\"": quote = character
      case "(", "[", "<": depth += 1
      case ")", "]", ">": depth -= 1
      case "," where depth <= 0:
        entries.append(text[start..<index])
        start = text.index(after: index)
      default: break
      }
    }
    let last = text[start...]
    if !trimmed(last).isEmpty { entries.append(last) }
    return entries
  }

  /// The `=` after a leading name, if the entry has one.
  private static func nameEnd(of entry: Substring) -> Substring.Index? {
    guard let equals = entry.firstIndex(of: "=") else { return nil }
    let name = trimmed(entry[..<equals])
    let isName =
      name.first.map { $0.isLetter || $0 == "_" } ?? false
      && name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
    return isName ? equals : nil
  }

  private static func argument(_ text: String, isConstexpr: Bool) throws(Diagnostic)
    -> ArgumentSpecialization
  {
    if isConstexpr { return .constexpr(try constant(text)) }
    if text.hasPrefix("("), text.hasSuffix(")") {
      var elements: [ArgumentSpecialization] = []
      for entry in split(String(text.dropFirst().dropLast())) {
        elements.append(try argument(trimmed(entry), isConstexpr: false))
      }
      return .tuple(elements)
    }
    if text.hasPrefix("tensordesc<") { return try descriptor(text) }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let type = trimmed(parts[0])
    let hint = parts.count > 1 ? trimmed(parts[1]) : nil
    guard parts.count <= 2, hint == nil || hint == "16" || hint == "1" else {
      throw invalid("'\(text)' carries an unknown hint; ':16' and ':1' are known")
    }
    if type.hasPrefix("*") {
      var pointee = String(type.dropFirst())
      if pointee.hasPrefix("k") { pointee.removeFirst() }
      guard let element = element(pointee) else { throw invalid("unknown type '\(text)'") }
      return .pointer(element, isDivisibleBy16: hint == "16")
    }
    if let element = element(type) {
      if hint == "1" { return .constexpr(.int(1)) }
      return .scalar(element, isDivisibleBy16: hint == "16")
    }
    return .constexpr(try constant(text))
  }

  private static func element(_ name: String) -> ElementType? {
    if name.hasPrefix("*") { return element(String(name.dropFirst())).map { .pointer(to: $0) } }
    return scalarNames[name]
  }

  private static func descriptor(_ text: String) throws(Diagnostic) -> ArgumentSpecialization {
    let inner = text.dropFirst("tensordesc<".count).prefix { $0 != ">" }
    let parts = inner.split(separator: "[")
    guard parts.count == 2, let element = element(trimmed(parts[0])) else {
      throw invalid("'\(text)' is no tensor descriptor type like 'tensordesc<fp16[64, 64]>'")
    }
    let sizes = parts[1].prefix { $0 != "]" }.split(separator: ",").map { Int(trimmed($0)) }
    let block = sizes.compactMap { $0 }
    guard block.count == sizes.count, !block.isEmpty else {
      throw invalid("'\(text)' has a block shape that is no list of integers")
    }
    return .tensorDescriptor(element, block: block)
  }

  private static func constant(_ text: String) throws(Diagnostic) -> ConstexprValue {
    let tree = PythonParser.parse(SourceText(name: "signature", text: text))
    if !tree.hasErrors, tree.body.count == 1, case .expression(let expression) = tree.body[0].kind {
      let name = text.hasPrefix("tl.") ? String(text.dropFirst(3)) : text
      if let element = scalarNames[name] ?? TritonNames.dtypes[name] { return .dtype(element) }
      var evaluator = CompileTimeEvaluator(scope: ModuleScope(tree))
      if let value = (try? evaluator.evaluate(expression))?.constexpr { return value }
      if case .name(let name) = expression.kind { return .function(name) }
    }
    throw invalid("'\(text)' is neither a type nor a constant")
  }
}
