import HostProgram
import TileIR

/// Integers that a module tells from all others: an index that is ignored, a token that pads.
///
/// What a kernel compares a number loaded from an integer input with, for equality, is found in its
/// IR; what the host program compares an input with, in its trace. `get_inputs` seldom draws them.
enum SpecialIntegers {
  /// By the input's name; empty where nothing is compared.
  static func find(in run: HostRun, of module: ModuleUnderTest) -> [String: [Int]] {
    var inputs: [Int: String] = [:]
    for tensor in run.trace.tensors
    where tensor.role == .input && isNumber(tensor.shape.element)
      && !run.trace.readStorages.contains(tensor.shape.storage)
    {
      inputs[tensor.shape.storage] = tensor.name
    }
    guard !inputs.isEmpty else { return [:] }
    var found: [String: Set<Int>] = [:]
    for step in run.trace.forward {
      switch step {
      case .operation(let operation): follow(operation, &inputs, &found)
      case .launch(let index):
        guard run.launches.indices.contains(index), let config = run.launches[index].configs.first,
          let function = try? module.lower(run.launches[index], config.config)
        else { continue }
        for (name, number) in comparisons(in: function, run.launches[index]) {
          guard case .tensor(let shape)? = argument(name, run.launches[index]),
            let input = inputs[shape.storage]
          else { continue }
          found[input, default: []].insert(number)
        }
      }
    }
    return found.mapValues { Array($0.sorted().prefix(4)) }
  }

  /// Puts the numbers that the type holds into the first and the last element and, by no pattern,
  /// into a quarter of the others.
  static func plant(_ marks: [Int], in values: inout [Double], _ element: ElementType) {
    let marks = marks.filter { isNumber(element) && element.holds($0) }
    guard !marks.isEmpty else { return }
    for index in values.indices {
      var state = (UInt64(index) &+ 1) &* 0x9E37_79B9_7F4A_7C15
      state = (state ^ (state >> 31)) &* 0xBF58_476D_1CE4_E5B9
      state ^= state >> 29
      guard state % 4 == 0 || index == 0 || index == values.count - 1 else { continue }
      values[index] = Double(marks[Int(state >> 32) % marks.count])
    }
  }

  private static func isNumber(_ element: ElementType) -> Bool {
    element.isInteger && element != .int1
  }

  private static func argument(_ name: String, _ launch: Launch) -> ArgumentValue? {
    launch.arguments.first { $0.name == name }?.value
  }

  // MARK: Host

  /// Operators whose result holds the same numbers.
  private static let copies: Set<String> = [
    "contiguous", "clone", "to", "long", "int", "type", "flatten", "squeeze", "unsqueeze",
  ]

  private static func follow(
    _ operation: TensorOperation, _ inputs: inout [Int: String], _ found: inout [String: Set<Int>]
  ) {
    guard case .tensor(let shape)? = operation.arguments["input"],
      let input = inputs[shape.storage]
    else { return }
    if copies.contains(operation.name) {
      for result in operation.results { inputs[result.storage] = input }
    } else if operation.name == "eq" || operation.name == "ne",
      case .int(let number)? = operation.arguments["other"]
    {
      found[input, default: []].insert(number)
    }
  }

  // MARK: Kernels

  /// Pointer parameters and the numbers that what is loaded from them is compared with.
  private static func comparisons(in function: Function, _ launch: Launch) -> [(String, Int)] {
    let origins = Origins(function: function, definitions: function.defUse())
    var result: [(String, Int)] = []
    function.forEachOperation { operation in
      guard case .compare(let predicate) = operation.kind, predicate == .eq || predicate == .ne,
        operation.operands.count == 2
      else { return }
      for (left, right) in [(0, 1), (1, 0)] {
        guard let name = origins.loaded(operation.operands[left]) else { continue }
        switch origins.number(operation.operands[right]) {
        case .constant(let number)?: result.append((name, number))
        case .parameter(let other)?:
          if case .int(let number)? = argument(other, launch) { result.append((name, number)) }
        case nil: break
        }
      }
    }
    return result
  }

  private struct Origins {
    let function: Function
    let definitions: DefUse

    enum Number {
      case constant(Int)
      case parameter(String)
    }

    /// The integer that a value is, in every lane.
    func number(_ value: Value, _ depth: Int = 0) -> Number? {
      guard depth < 40 else { return nil }
      switch definitions.definition(of: value) {
      case .parameter(let index): return .parameter(function.parameters[index].name)
      case .result(let path, _):
        guard let operation = function[path] else { return nil }
        if case .constant(.int(let number)) = operation.kind { return .constant(number) }
        guard keepsNumbers(operation.kind), let first = operation.operands.first else { return nil }
        return number(first, depth + 1)
      default: return nil
      }
    }

    /// The pointer parameter from which a value was loaded.
    func loaded(_ value: Value, _ depth: Int = 0) -> String? {
      guard depth < 40, case .result(let path, _) = definitions.definition(of: value),
        let operation = function[path], let first = operation.operands.first
      else { return nil }
      switch operation.kind {
      case .load, .blockLoad, .descriptorLoad: return base(first)
      default: return keepsNumbers(operation.kind) ? loaded(first, depth + 1) : nil
      }
    }

    /// The parameter that a pointer starts from.
    private func base(_ value: Value, _ depth: Int = 0) -> String? {
      guard depth < 80 else { return nil }
      switch definitions.definition(of: value) {
      case .parameter(let index): return function.parameters[index].name
      case .result(let path, _):
        guard let operation = function[path], let first = operation.operands.first else {
          return nil
        }
        switch operation.kind {
        case .addPointer, .makeBlockPointer, .advance, .makeTensorDescriptor, .hint:
          return base(first, depth + 1)
        default: return keepsNumbers(operation.kind) ? base(first, depth + 1) : nil
        }
      case .regionArgument(let path, _, let argument):
        guard let operation = function[path] else { return nil }
        // A loop's operands: bounds and step, then what it carries.
        let start = if case .forLoop = operation.kind { argument + 2 } else { argument }
        guard operation.operands.indices.contains(start) else { return nil }
        return base(operation.operands[start], depth + 1)
      case .none: return nil
      }
    }

    private func keepsNumbers(_ kind: Operation.Kind) -> Bool {
      switch kind {
      case .splat, .broadcast, .expandDims, .reshape, .trans, .cast(.convert): true
      default: false
      }
    }
  }
}

extension ElementType {
  /// Whether an integer type has the number.
  fileprivate func holds(_ number: Int) -> Bool {
    switch self {
    case .int8: Int8(exactly: number) != nil
    case .int16: Int16(exactly: number) != nil
    case .int32: Int32(exactly: number) != nil
    case .int64: true
    case .uint8: UInt8(exactly: number) != nil
    case .uint16: UInt16(exactly: number) != nil
    case .uint32: UInt32(exactly: number) != nil
    case .uint64: number >= 0
    default: false
    }
  }
}
