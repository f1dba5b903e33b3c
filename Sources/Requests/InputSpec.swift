import Diagnostics

/// One input of the module as `--input` gives it: `x=f32[256,3,224,224]`, `n=i32:5`, `eps=1e-5`.
public struct InputSpec: Sendable, Hashable {
  public enum Value: Sendable, Hashable {
    case tensor(type: ElementName, shape: [Int])
    case int(Int)
    case float(Double)
    case bool(Bool)
  }

  public var name: String
  public var value: Value

  public init(name: String, value: Value) {
    self.name = name
    self.value = value
  }

  /// Reads one specification.
  ///
  /// - Throws: a `Diagnostic` (`bad-input`) that quotes the offending part.
  public static func parse(_ text: String) throws(Diagnostic) -> InputSpec {
    func bad(_ message: String) -> Diagnostic {
      Diagnostic(
        id: "bad-input", "input '\(text.prefix(80))': \(message)",
        nextStep: "write NAME=TYPE[SIZES], for example x=f32[256,3,224,224], or NAME=NUMBER")
    }
    guard let mark = text.firstIndex(where: { $0 == "=" || $0 == ":" }) else {
      throw bad("expected '=' after the name")
    }
    let name = trimmed(text[..<mark])
    let rest = trimmed(text[text.index(after: mark)...])
    guard let first = name.first, first.isLetter || first == "_",
      name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" })
    else { throw bad("'\(name)' is not a name") }
    guard let open = rest.firstIndex(of: "[") else {
      guard let value = scalar(rest) else {
        throw bad("'\(rest)' is neither TYPE[SIZES] nor a number")
      }
      return InputSpec(name: name, value: value)
    }
    guard rest.last == "]" else { throw bad("expected ']' at the end") }
    let typeName = trimmed(rest[..<open])
    guard let type = ElementName(typeName) else {
      let near = Spelling.nearest(to: typeName, in: ElementName.spellings).map {
        "; did you mean '\($0)'?"
      }
      throw bad("unknown type '\(typeName)'" + (near ?? ""))
    }
    let inner = rest[rest.index(after: open)..<rest.index(before: rest.endIndex)]
    var shape: [Int] = []
    var elements = 1
    for part in inner.split(
      omittingEmptySubsequences: false, whereSeparator: { $0 == "," || $0 == "x" })
    {
      let word = trimmed(part)
      if word.isEmpty, inner.allSatisfy(\.isWhitespace) { break }  // f32[]: a scalar tensor
      guard let size = Int(word), size >= 0 else { throw bad("'\(word)' is not a size") }
      let (product, overflow) = elements.multipliedReportingOverflow(by: max(1, size))
      guard !overflow, product < 1 << 46 else { throw bad("too many elements") }
      elements = product
      shape.append(size)
    }
    guard shape.count <= 16 else { throw bad("more than 16 axes") }
    return InputSpec(name: name, value: .tensor(type: type, shape: shape))
  }

  private static func scalar(_ text: String) -> Value? {
    var word = text
    if let colon = text.firstIndex(of: ":") {  // i32:5
      guard ElementName(trimmed(text[..<colon])) != nil else { return nil }
      word = trimmed(text[text.index(after: colon)...])
    }
    if word == "True" || word == "true" { return .bool(true) }
    if word == "False" || word == "false" { return .bool(false) }
    if let int = Int(word) { return .int(int) }
    if let float = Double(word), float.isFinite { return .float(float) }
    return nil
  }

  private static func trimmed(_ text: some StringProtocol) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}

/// An element type by Triton's name.
public enum ElementName: String, Sendable, CaseIterable, Hashable {
  case int1, int8, int16, int32, int64, uint8, uint16, uint32, uint64
  case float16, bfloat16, float32, float64, float8e4nv, float8e5

  /// Reads `f32`, `fp32`, `float32`, `float`, `half`, `i64`, `bool`, …
  public init?(_ text: String) {
    let word = text.lowercased().replacing("torch.", with: "").replacing("tl.", with: "")
    if let known = Self(rawValue: word) {
      self = known
    } else if let known = Self.aliases[word] {
      self = known
    } else {
      return nil
    }
  }

  /// Bits of one element in memory.
  public var bits: Int {
    switch self {
    case .int1, .int8, .uint8, .float8e4nv, .float8e5: 8
    case .int16, .uint16, .float16, .bfloat16: 16
    case .int32, .uint32, .float32: 32
    case .int64, .uint64, .float64: 64
    }
  }

  static var spellings: [String] { allCases.map(\.rawValue) + aliases.keys.sorted() }

  private static let aliases: [String: ElementName] = [
    "f16": .float16, "fp16": .float16, "half": .float16, "bf16": .bfloat16, "f32": .float32,
    "fp32": .float32, "float": .float32, "f64": .float64, "fp64": .float64, "double": .float64,
    "i1": .int1, "bool": .int1, "i8": .int8, "i16": .int16, "i32": .int32, "int": .int32,
    "i64": .int64, "long": .int64, "u8": .uint8, "u16": .uint16, "u32": .uint32, "u64": .uint64,
    "fp8": .float8e4nv, "fp8e4nv": .float8e4nv, "float8_e4m3fn": .float8e4nv,
    "fp8e5": .float8e5, "float8_e5m2": .float8e5,
  ]
}
