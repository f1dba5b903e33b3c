import Foundation

enum StringMethods {
  static let table: [String: NativeMethod] = [
    "lower": { ev, receiver, _ in .string(try text(ev, receiver).lowercased()) },
    "upper": { ev, receiver, _ in .string(try text(ev, receiver).uppercased()) },
    "title": { ev, receiver, _ in .string(try text(ev, receiver).capitalized) },
    "capitalize": { ev, receiver, _ in
      let value = try text(ev, receiver)
      return .string(value.prefix(1).uppercased() + value.dropFirst().lowercased())
    },
    "strip": { ev, receiver, arguments in
      .string(trim(try text(ev, receiver), arguments, left: true, right: true))
    },
    "lstrip": { ev, receiver, arguments in
      .string(trim(try text(ev, receiver), arguments, left: true, right: false))
    },
    "rstrip": { ev, receiver, arguments in
      .string(trim(try text(ev, receiver), arguments, left: false, right: true))
    },
    "split": { ev, receiver, arguments in
      let value = try text(ev, receiver)
      guard case .string(let separator)? = arguments.positional.first, !separator.isEmpty else {
        return .makeList(
          value.split(whereSeparator: \.isWhitespace).map { .string(String($0)) })
      }
      return .makeList(value.components(separatedBy: separator).map(Value.string))
    },
    "join": { ev, receiver, arguments in
      let parts = try ev.items(try BuiltinFunctions.first(ev, arguments, "join")).map {
        try text(ev, $0)
      }
      try ev.checkSize(parts.reduce(0) { $0 + $1.utf8.count })
      return .string(parts.joined(separator: try text(ev, receiver)))
    },
    "replace": { ev, receiver, arguments in
      guard arguments.positional.count >= 2 else {
        throw ev.raise("TypeError", "replace expected at least 2 arguments")
      }
      let old = try text(ev, arguments.positional[0])
      let new = try text(ev, arguments.positional[1])
      let value = try text(ev, receiver)
      if old.isEmpty { return receiver }
      try ev.checkSize(value.utf8.count.multipliedSaturating(by: max(1, new.utf8.count)))
      return .string(value.replacingOccurrences(of: old, with: new))
    },
    "startswith": { ev, receiver, arguments in
      let value = try text(ev, receiver)
      return .bool(try options(ev, arguments).contains { value.hasPrefix($0) })
    },
    "endswith": { ev, receiver, arguments in
      let value = try text(ev, receiver)
      return .bool(try options(ev, arguments).contains { value.hasSuffix($0) })
    },
    "find": { ev, receiver, arguments in
      let value = try text(ev, receiver)
      let part = try text(ev, BuiltinFunctions.first(ev, arguments, "find"))
      guard let range = value.range(of: part) else { return .int(-1) }
      return .int(value.unicodeScalars.distance(from: value.startIndex, to: range.lowerBound))
    },
    "count": { ev, receiver, arguments in
      let part = try text(ev, BuiltinFunctions.first(ev, arguments, "count"))
      let value = try text(ev, receiver)
      return .int(
        part.isEmpty
          ? value.unicodeScalars.count + 1 : value.components(separatedBy: part).count - 1)
    },
    "format": { ev, receiver, arguments in
      .string(try format(ev, try text(ev, receiver), arguments))
    },
    "isdigit": { ev, receiver, _ in
      let value = try text(ev, receiver)
      return .bool(!value.isEmpty && value.allSatisfy(\.isNumber))
    },
    "isidentifier": { ev, receiver, _ in
      let value = try text(ev, receiver)
      return .bool(
        !value.isEmpty && value.first?.isNumber == false
          && value.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" })
    },
    "splitlines": { ev, receiver, _ in
      .makeList(
        try text(ev, receiver).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
          .map { .string(String($0)) })
    },
    "encode": { ev, receiver, _ in .bytes(Array(try text(ev, receiver).utf8)) },
    "removeprefix": { ev, receiver, arguments in
      let value = try text(ev, receiver)
      let part = try text(ev, BuiltinFunctions.first(ev, arguments, "removeprefix"))
      return .string(value.hasPrefix(part) ? String(value.dropFirst(part.count)) : value)
    },
    "removesuffix": { ev, receiver, arguments in
      let value = try text(ev, receiver)
      let part = try text(ev, BuiltinFunctions.first(ev, arguments, "removesuffix"))
      return .string(value.hasSuffix(part) ? String(value.dropLast(part.count)) : value)
    },
  ]

  private static func text(_ ev: Evaluator, _ value: Value) throws -> String {
    guard case .string(let text) = value else {
      throw ev.raise("TypeError", "expected str, not \(value.typeName)")
    }
    return text
  }

  private static func options(_ ev: Evaluator, _ arguments: Arguments) throws -> [String] {
    let value = try BuiltinFunctions.first(ev, arguments, "startswith")
    if case .tuple(let tuple) = value { return try tuple.items.map { try text(ev, $0) } }
    return [try text(ev, value)]
  }

  private static func trim(_ value: String, _ arguments: Arguments, left: Bool, right: Bool)
    -> String
  {
    var isTrimmed: (Character) -> Bool = \.isWhitespace
    if case .string(let set)? = arguments.positional.first { isTrimmed = { set.contains($0) } }
    var result = Substring(value)
    if left { result = result.drop(while: isTrimmed) }
    while right, let last = result.last, isTrimmed(last) { result.removeLast() }
    return String(result)
  }

  /// `"{} {0} {name:spec}".format(…)`: no attribute or index lookups inside the braces.
  private static func format(_ ev: Evaluator, _ template: String, _ arguments: Arguments) throws
    -> String
  {
    var result = ""
    var rest = Substring(template)
    var next = 0
    while let mark = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
      result += rest[..<mark]
      let character = rest[mark]
      rest = rest[rest.index(after: mark)...]
      if rest.first == character {
        result.append(character)
        rest = rest.dropFirst()
        continue
      }
      guard character == "{", let end = rest.firstIndex(of: "}") else {
        throw ev.raise("ValueError", "Single '\(character)' encountered in format string")
      }
      let parts = rest[..<end].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      rest = rest[rest.index(after: end)...]
      let field = parts[0].split(separator: "!", omittingEmptySubsequences: false).first ?? ""
      let value: Value
      if field.isEmpty || field.allSatisfy(\.isNumber) {
        let index = field.isEmpty ? next : (Int(field) ?? Int.max)
        if field.isEmpty { next += 1 }
        guard arguments.positional.indices.contains(index) else {
          throw ev.raise("IndexError", "Replacement index out of range for positional args tuple")
        }
        value = arguments.positional[index]
      } else if let found = arguments.keyword(String(field)) {
        value = found
      } else {
        throw ev.raise("KeyError", "'\(field)'")
      }
      result += try ev.format(value, parts.count > 1 ? String(parts[1]) : "")
    }
    return result + rest
  }
}
