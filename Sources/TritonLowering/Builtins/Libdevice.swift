import TileIR

/// NVIDIA's libdevice functions as Triton exposes them: name → overloads by operand types.
enum Libdevice {
  struct Overload: Sendable {
    var operands: [ElementType]
    var symbol: String
    var result: ElementType
  }

  static let functions: [String: [Overload]] = {
    let types = Dictionary(
      ElementType.scalars.map { ("\($0)", $0) }, uniquingKeysWith: { first, _ in first })
    var functions: [String: [Overload]] = [:]
    for line in LibdeviceTable.text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard let name = words.first else { continue }
      functions[String(name)] = words.dropFirst().compactMap { word in
        let parts = word.split(separator: ">")
        guard parts.count == 3, let result = types[String(parts[2])] else { return nil }
        let operands = parts[0].split(separator: ",").compactMap { types[String($0)] }
        return Overload(operands: operands, symbol: String(parts[1]), result: result)
      }
    }
    return functions
  }()
}
