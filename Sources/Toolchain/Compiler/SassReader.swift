/// One instruction of a disassembly by nvdisasm or cuobjdump.
public struct SassInstruction: Sendable, Hashable {
  /// In bytes from the start of the function.
  public var address: Int
  /// `HMMA.16816.F32`, without predicate and operands.
  public var opcode: String
  /// The name before the first dot.
  public var name: Substring { opcode.prefix { $0 != "." } }
  public var hasPredicate: Bool
  /// The module's line, where the disassembly has line information for the module's file.
  public var line: Int?

  public init(address: Int, opcode: String, hasPredicate: Bool = false, line: Int? = nil) {
    self.address = address
    self.opcode = opcode
    self.hasPredicate = hasPredicate
    self.line = line
  }

  /// The parts of the opcode after the name.
  var modifiers: [Substring] { opcode.split(separator: ".").dropFirst().map { $0 } }
}

/// Reads the text of `nvdisasm -c -g` (and of `cuobjdump -sass`).
public enum SassReader {
  /// All instructions, of the kernel and the functions it calls, in order.
  ///
  /// - Complexity: O(bytes).
  public static func instructions(_ text: String) -> [SassInstruction] {
    var found: [SassInstruction] = []
    var line: Int?
    for bytes in text.utf8.split(separator: UInt8(ascii: "\n")) {
      if let place = lineNumber(bytes) {
        line = place
      } else if let instruction = instruction(bytes, line: line) {
        found.append(instruction)
      } else if isFunctionStart(bytes) {
        line = nil
      }
    }
    return found
  }

  /// `//## File "…/module.py", line 12`: the line; 0 stands for a line of another file.
  static func lineNumber(_ bytes: Substring.UTF8View) -> Int?? {
    let text = bytes.drop { $0 == 0x20 || $0 == 0x09 }
    guard text.starts(with: "//## File \"".utf8) else { return nil }
    let words = Substring(text)
    guard let close = words.range(of: "\", line ") else { return nil }
    let path = words[..<close.lowerBound]
    // A function of another file that was inlined: the outermost place in the module counts.
    guard path.hasSuffix("/module.py") else { return .some(nil) }
    return .some(Int(words[close.upperBound...].prefix { $0.isNumber }))
  }

  private static func isFunctionStart(_ bytes: Substring.UTF8View) -> Bool {
    bytes.starts(with: ".text.".utf8)
  }

  /// `/*0030*/  @!P0 LDG.E.128 R4, [R2.64] ;`
  static func instruction(_ bytes: Substring.UTF8View, line: Int?) -> SassInstruction? {
    var rest = bytes.drop { $0 == 0x20 || $0 == 0x09 }
    guard rest.starts(with: "/*".utf8) else { return nil }
    rest = rest.dropFirst(2)
    let digits = rest.prefix { $0 != UInt8(ascii: "*") }
    guard digits.count >= 4, let address = Int(String(Substring(digits)), radix: 16) else {
      return nil
    }
    rest = rest.dropFirst(digits.count)
    guard rest.starts(with: "*/".utf8) else { return nil }
    rest = rest.dropFirst(2)
    let isSeparator: (UInt8) -> Bool = {
      $0 == 0x20 || $0 == 0x09 || $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "}")
    }
    rest = rest.drop(while: isSeparator)
    var hasPredicate = false
    if rest.first == UInt8(ascii: "@") {
      hasPredicate = true
      rest = rest.drop { $0 != 0x20 }.drop(while: isSeparator)
    }
    let opcode = rest.prefix {
      $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_")
        || ($0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z"))
        || ($0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z"))
        || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9"))
    }
    guard let first = opcode.first, first >= UInt8(ascii: "A"), first <= UInt8(ascii: "Z") else {
      return nil  // the second half of the encoding: /*0x…*/
    }
    return SassInstruction(
      address: address, opcode: String(Substring(opcode)), hasPredicate: hasPredicate, line: line)
  }
}

extension Substring {
  /// Where `text` first stands.
  fileprivate func range(of text: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(text) {
        return start..<(index(start, offsetBy: text.count))
      }
      start = index(after: start)
    }
    return nil
  }
}
