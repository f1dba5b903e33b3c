/// Readable, stable text of a function, with the operation names of Triton's own IR.
///
/// ```
/// tt.func @add(%x: pointer<fp32> {tt.divisibility = 16}, %n: int32) {
///   %pid = tt.get_program_id {axis = 0} : int32
/// ```
public struct Printer {
  private let function: Function
  private var names: [String] = []
  private var lines: [String] = []

  public static func print(_ function: Function) -> String {
    var printer = Printer(function)
    return printer.text()
  }

  private init(_ function: Function) {
    self.function = function
    names = Array(repeating: "", count: function.values.count)
    var taken: [String: Int] = [:]
    var counter = 0
    func assign(_ value: Value) {
      guard names.indices.contains(value.index) else { return }
      if let hint = function.values[value.index].name {
        let count = taken[hint, default: 0]
        taken[hint] = count + 1
        names[value.index] = count == 0 ? "%\(hint)" : "%\(hint)_\(count)"
      } else {
        names[value.index] = "%\(counter)"
        counter += 1
      }
    }
    func visit(_ region: Region) {
      region.arguments.forEach(assign)
      for operation in region.operations {
        operation.results.forEach(assign)
        operation.regions.forEach(visit)
      }
    }
    for item in function.parameters { assign(item.value) }
    visit(function.body)
  }

  private func name(_ value: Value) -> String {
    names.indices.contains(value.index) ? names[value.index] : "%?"
  }

  private func list(_ values: some Sequence<Value>) -> String {
    values.map(name).joined(separator: ", ")
  }

  private mutating func text() -> String {
    let parameters = function.parameters.map { parameter in
      "\(name(parameter.value)): \(function.type(of: parameter.value))"
        + (parameter.isDivisibleBy16 ? " {tt.divisibility = 16}" : "")
    }
    lines = ["tt.func @\(function.name)(\(parameters.joined(separator: ", "))) {"]
    print(function.body, indent: 1)
    lines.append("}")
    return lines.joined(separator: "\n") + "\n"
  }

  private mutating func print(_ region: Region, indent: Int) {
    for operation in region.operations { print(operation, indent: indent) }
  }

  private mutating func print(_ operation: Operation, indent: Int) {
    let pad = String(repeating: "  ", count: indent)
    let results = operation.results.isEmpty ? "" : list(operation.results) + " = "
    let types = operation.results.map { "\(function.type(of: $0))" }.joined(separator: ", ")
    let attributes = operation.kind.attributes
    let braces = attributes.isEmpty ? "" : " {" + attributes.joined(separator: ", ") + "}"
    let name = operation.kind.name
    switch operation.kind {
    case .constant(let value):
      lines.append("\(pad)\(results)\(name) \(value) : \(types)")
    case .forLoop:
      let region = operation.regions[0]
      let operands = operation.operands
      let carried = zip(region.arguments.dropFirst(), operands.dropFirst(3)).map {
        "\(self.name($0)) = \(self.name($1))"
      }
      let iter = carried.isEmpty ? "" : " iter(\(carried.joined(separator: ", "))) -> (\(types))"
      lines.append(
        "\(pad)\(results)\(name) \(list(region.arguments.prefix(1))) = \(self.name(operands[0])) "
          + "to \(self.name(operands[1])) step \(self.name(operands[2]))\(iter)\(braces) {")
      print(region, indent: indent + 1)
      lines.append("\(pad)}")
    case .whileLoop:
      let carried = zip(operation.regions[0].arguments, operation.operands).map {
        "\(self.name($0)) = \(self.name($1))"
      }
      lines.append("\(pad)\(results)\(name) (\(carried.joined(separator: ", "))) -> (\(types)) {")
      print(operation.regions[0], indent: indent + 1)
      lines.append("\(pad)} do (\(list(operation.regions[1].arguments))) {")
      print(operation.regions[1], indent: indent + 1)
      lines.append("\(pad)}")
    case .ifElse:
      let yields = types.isEmpty ? "" : " -> (\(types))"
      lines.append("\(pad)\(results)\(name) \(list(operation.operands))\(yields) {")
      print(operation.regions[0], indent: indent + 1)
      if !operation.regions[1].operations.isEmpty {
        lines.append("\(pad)} else {")
        print(operation.regions[1], indent: indent + 1)
      }
      lines.append("\(pad)}")
    default:
      let operands = operation.operands.isEmpty ? "" : " " + list(operation.operands)
      var line = "\(pad)\(results)\(name)\(operands)\(braces)"
      if !types.isEmpty { line += " : \(types)" }
      guard let region = operation.regions.first else {
        lines.append(line)
        return
      }
      lines.append("\(line) (\(list(region.arguments))) {")
      print(region, indent: indent + 1)
      lines.append("\(pad)}")
    }
  }
}

extension ConstantValue: CustomStringConvertible {
  public var description: String {
    switch self {
    case .int(let value): "\(value)"
    case .float(let value): "\(value)"
    }
  }
}
