import Foundation

extension Evaluator {
  /// `str(value)`.
  func toString(_ value: Value) throws -> String {
    switch value {
    case .string(let text): return text
    case .instance(let object):
      if let method = object.type.lookup("__str__") ?? object.type.lookup("__repr__") {
        if case .string(let text) = try call(method, [value]) { return text }
      }
      if object.type.isSubclass(ofNamed: "BaseException") { return exceptionText(object) }
      return try represent(value)
    default: return try represent(value)
    }
  }

  func exceptionText(_ object: InstanceObject) -> String {
    guard case .tuple(let arguments)? = object["args"] else { return "" }
    if arguments.items.count == 1, case .string(let text) = arguments.items[0] { return text }
    return arguments.items.map { (try? represent($0)) ?? "…" }.joined(separator: ", ")
  }

  /// `repr(value)`.
  func represent(_ value: Value, _ depth: Int = 0) throws -> String {
    guard depth < 30 else { return "…" }
    try step()
    func list(_ values: [Value]) throws -> String {
      try values.map { try represent($0, depth + 1) }.joined(separator: ", ")
    }
    switch value {
    case .none: return "None"
    case .ellipsis: return "Ellipsis"
    case .notImplemented: return "NotImplemented"
    case .boolean(let flag): return flag.value ? "True" : "False"
    case .integer(let number): return String(number.value)
    case .float(let number): return Self.text(number.value)
    case .string(let text): return Self.quoted(text)
    case .bytes: return "b'…'"
    case .tuple(let tuple):
      if tuple.kind == .size { return "torch.Size([" + (try list(tuple.items)) + "])" }
      return "(" + (try list(tuple.items)) + (tuple.items.count == 1 ? ",)" : ")")
    case .list(let values): return "[" + (try list(values.items)) + "]"
    case .set(let set): return set.count == 0 ? "set()" : "{" + (try list(set.items)) + "}"
    case .dict(let dict):
      return "{"
        + (try dict.items.map {
          "\(try represent($0.key, depth + 1)): \(try represent($0.value, depth + 1))"
        }.joined(separator: ", ")) + "}"
    case .range(let range): return "range(\(range.start.value), \(range.stop.value))"
    case .dtype(let dtype): return dtypeText(dtype)
    case .device(let name):
      let type = String(name.prefix { $0 != ":" })
      return name.contains(":") ? "device(type='\(type)', index=0)" : "device(type='\(type)')"
    case .tensor(let tensor):
      return "tensor(shape=[\(tensor.sizes.map(String.init).joined(separator: ", "))])"
    case .classObject(let type): return "<class '\(type.name)'>"
    case .function(let function): return "<function \(function.name)>"
    case .instance(let object):
      if object.type.lookup("__repr__") == nil {
        return "<\(object.type.name) object>"
      }
      if case .string(let text) = try call(object.type.lookup("__repr__") ?? Value.none, [value]) {
        return text
      }
      return "<\(object.type.name) object>"
    default: return "<\(value.typeName)>"
    }
  }

  /// `repr` of a float.
  static func text(_ value: Double) -> String {
    if value.isNaN { return "nan" }
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    if value == value.rounded(), abs(value) < 1e16 { return String(format: "%.1f", value) }
    var text = "\(value)"
    if let mark = text.firstIndex(of: "e") {  // 1e-05, as Python writes exponents
      let exponent = text[text.index(after: mark)...]
      let isNegative = exponent.hasPrefix("-")
      let digits = exponent.drop { $0 == "-" || $0 == "+" }
      let mantissa = text[..<mark].hasSuffix(".0") ? text[..<mark].dropLast(2) : text[..<mark]
      text =
        mantissa + "e" + (isNegative ? "-" : "+")
        + (digits.count < 2 ? "0" + digits : String(digits))
    }
    return text
  }

  static func quoted(_ text: String) -> String {
    let quote: Character = text.contains("'") && !text.contains("\"") ? "\"" : "'"
    var result = String(quote)
    for character in text {
      switch character {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case quote: result += "\\" + String(quote)
      default: result.append(character)
      }
    }
    return result + String(quote)
  }

  /// `format(value, spec)`: the common parts of the mini-language.
  func format(_ value: Value, _ spec: String) throws -> String {
    if spec.isEmpty { return try toString(value) }
    var rest = Substring(spec)
    var fill: Character = " "
    var align: Character?
    let marks: Set<Character> = ["<", ">", "^", "="]
    if let second = rest.dropFirst().first, marks.contains(second), let first = rest.first {
      fill = first
      align = second
      rest = rest.dropFirst(2)
    } else if let first = rest.first, marks.contains(first) {
      align = first
      rest = rest.dropFirst()
    }
    var sign = ""
    if let first = rest.first, first == "+" || first == "-" || first == " " {
      sign = first == "-" ? "" : String(first)
      rest = rest.dropFirst()
    }
    let hasPrefix = rest.first == "#"
    if hasPrefix { rest = rest.dropFirst() }
    if rest.first == "0" {
      if align == nil {
        fill = "0"
        align = "="
      }
      rest = rest.dropFirst()
    }
    let widthText = rest.prefix { $0.isASCII && $0.isNumber }
    rest = rest.dropFirst(widthText.count)
    let grouping = rest.first == "," || rest.first == "_" ? rest.removeFirst() : nil
    var precision: Int?
    if rest.first == "." {
      rest = rest.dropFirst()
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      precision = min(Int(digits) ?? 0, 100)
      rest = rest.dropFirst(digits.count)
    }
    var text = try plainFormat(value, rest.first, precision, hasPrefix)
    if let grouping { text = Self.group(text, grouping) }
    if value.asDouble != nil, !text.hasPrefix("-") { text = sign + text }
    let width = min(Int(widthText) ?? 0, 10_000)
    let missing = width - text.count
    guard missing > 0 else { return text }
    let pad = String(repeating: fill, count: missing)
    let fallback: Character = value.asDouble != nil ? ">" : "<"
    switch align ?? fallback {
    case "<": return text + pad
    case "^":
      let left = String(repeating: fill, count: missing / 2)
      return left + text + String(repeating: fill, count: missing - missing / 2)
    case "=":
      let lead = text.first.map { $0 == "-" || $0 == "+" } == true ? String(text.removeFirst()) : ""
      return lead + pad + text
    default: return pad + text
    }
  }

  private func plainFormat(
    _ value: Value, _ type: Character?, _ precision: Int?, _ hasPrefix: Bool
  ) throws -> String {
    if let number = value.asInt {
      switch type {
      case "x": return (hasPrefix ? "0x" : "") + String(number.value, radix: 16)
      case "X": return (hasPrefix ? "0X" : "") + String(number.value, radix: 16, uppercase: true)
      case "b": return (hasPrefix ? "0b" : "") + String(number.value, radix: 2)
      case "o": return (hasPrefix ? "0o" : "") + String(number.value, radix: 8)
      case nil, "d", "n":
        if case .integer = value { return String(number.value) }
      default: break
      }
    }
    if let number = value.asDouble {
      switch type {
      case "f", "F": return String(format: "%.\(precision ?? 6)f", number)
      case "e", "E": return String(format: "%.\(precision ?? 6)e", number)
      case "g", "G": return String(format: "%.\(precision ?? 6)g", number)
      case "%": return String(format: "%.\(precision ?? 6)f", number * 100) + "%"
      default: if let precision { return String(format: "%.\(precision)g", number) }
      }
    }
    let text = try toString(value)
    return precision.map { String(text.prefix($0)) } ?? text
  }

  private static func group(_ text: String, _ separator: Character) -> String {
    let isNegative = text.hasPrefix("-")
    let body = isNegative ? text.dropFirst() : Substring(text)
    let whole = body.prefix { $0.isNumber }
    var grouped = ""
    for (offset, digit) in whole.enumerated() {
      if offset > 0, (whole.count - offset) % 3 == 0 { grouped.append(separator) }
      grouped.append(digit)
    }
    return (isNegative ? "-" : "") + grouped + body.dropFirst(whole.count)
  }

  /// `text % values`: `%s`, `%d`, `%r`, `%f`, `%g`, `%x`.
  func percentFormat(_ text: String, _ values: Value) throws -> String {
    var arguments: [Value] = [values]
    if case .tuple(let tuple) = values { arguments = tuple.items }
    var result = ""
    var rest = Substring(text)
    while let mark = rest.firstIndex(of: "%") {
      result += rest[..<mark]
      rest = rest[rest.index(after: mark)...]
      if rest.first == "%" {
        result += "%"
        rest = rest.dropFirst()
        continue
      }
      let flags = rest.prefix { "0123456789.-+ #".contains($0) }
      rest = rest.dropFirst(flags.count)
      guard let type = rest.first, !arguments.isEmpty else {
        throw raise("TypeError", "not enough arguments for format string")
      }
      rest = rest.dropFirst()
      let value = arguments.removeFirst()
      switch type {
      case "s": result += try toString(value)
      case "r": result += try represent(value)
      case "d", "i": result += try format(.integer(try integer(toInt(value), "%d")), String(flags))
      default: result += try format(value, String(flags) + String(type))
      }
    }
    return result + rest
  }
}
