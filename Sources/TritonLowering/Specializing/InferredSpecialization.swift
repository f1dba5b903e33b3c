import Diagnostics
import PythonSyntax
import TileIR

/// A specialisation made up from how a kernel uses its parameters.
public struct InferredSpecialization: Sendable {
  public var specialization: Specialization
  /// One note per guess: the parameter, what was assumed, and why.
  public var guesses: [Diagnostic]
}

extension TritonModule {
  /// Guesses a specialisation for a kernel nobody has given argument types for.
  ///
  /// Pointers are what loads, stores and pointer arithmetic start from, integers what addresses and
  /// bounds are made of; constexpr values come from the first autotune config, heuristics, defaults,
  /// and else from use. Several readings are tried; the first that lowers is taken.
  /// - Parameter given: what is known; it is not guessed again.
  /// - Throws: `unknown-kernel`.
  public func inferredSpecialization(
    for kernel: String, given: [String: ArgumentSpecialization] = [:]
  ) throws(Diagnostic) -> InferredSpecialization {
    guard let reference = reference(named: kernel) else {
      throw Diagnostic(
        id: "unknown-kernel", "no @triton.jit function '\(kernel)'", source: tree.source)
    }
    return LargeStack.run { infer(reference, given: given) }
  }

  private func infer(_ reference: JITReference, given: [String: ArgumentSpecialization])
    -> InferredSpecialization
  {
    let (function, scope) = (reference.function, reference.scope)
    let usage = ParameterUsage.analyze(function, in: scope)
    var first: InferredSpecialization?
    for style in GuessStyle.all {
      var guesser = SpecializationGuesser(
        function: function, usage: usage, style: style, source: scope.source, scope: scope)
      let candidate = guesser.guess(given: given)
      if first == nil { first = candidate }
      if (try? lower(function.name, for: candidate.specialization)) != nil { return candidate }
    }
    return first
      ?? InferredSpecialization(
        specialization: Specialization(arguments: given), guesses: [])
  }
}

/// One way to read what use leaves open.
struct GuessStyle: Sendable {
  var tileSize = 64
  var flags = true
  var pointee = ElementType.fp32
  var integer = ElementType.int32
  /// The shape of parameters that are neither addresses nor numbers, for functions that are no
  /// kernels; nil leaves them scalars.
  var tile: [Int]?

  static let all: [GuessStyle] = [
    GuessStyle(), GuessStyle(flags: false), GuessStyle(pointee: .fp16),
    GuessStyle(flags: false, pointee: .fp16), GuessStyle(tileSize: 16),
    GuessStyle(tileSize: 16, flags: false), GuessStyle(tileSize: 128),
    GuessStyle(tileSize: 4), GuessStyle(tileSize: 4, flags: false),
    GuessStyle(pointee: .int32), GuessStyle(integer: .int64),
    GuessStyle(tile: [64]), GuessStyle(tile: [64, 64]), GuessStyle(flags: false, tile: [64]),
    GuessStyle(flags: false, tile: [64, 64]), GuessStyle(pointee: .int32, tile: [64]),
    GuessStyle(flags: false, pointee: .uint32, tile: [64]),
    GuessStyle(pointee: .int32, tile: [64, 64]), GuessStyle(tile: [2, 2, 2]),
    GuessStyle(flags: false, tile: [2, 2, 2]), GuessStyle(pointee: .int32, tile: [2, 2, 2]),
  ]
}

struct SpecializationGuesser {
  let function: JITFunction
  let usage: ParameterUsage
  let style: GuessStyle
  let source: SourceText
  let scope: ModuleScope
  private var guesses: [Diagnostic] = []
  private var tiles: [String: TileType] = [:]

  init(
    function: JITFunction, usage: ParameterUsage, style: GuessStyle, source: SourceText,
    scope: ModuleScope
  ) {
    self.function = function
    self.usage = usage
    self.style = style
    self.source = source
    self.scope = scope
  }

  mutating func guess(given: [String: ArgumentSpecialization]) -> InferredSpecialization {
    var arguments = given
    let config = function.autotuneConfigs.first
    for parameter in function.parameters where arguments[parameter.name] == nil {
      if let value = config?.constants[parameter.name] {
        arguments[parameter.name] = .constexpr(value)
        note(parameter, "\(describe(value)), from the first autotune config")
      } else if parameter.isConstexpr {
        arguments[parameter.name] = constexpr(parameter)
      } else {
        arguments[parameter.name] = runTime(parameter)
      }
    }
    applyHeuristics(&arguments, keeping: given)
    for parameter in function.parameters where given[parameter.name] == nil {
      guard let axes = usage.facts(parameter.name).descriptorBlock else { continue }
      let block = axes.map { name -> Int in
        guard let name, case .constexpr(.int(let size))? = arguments[name] else { return 1 }
        return size
      }
      guesses.removeAll { $0.range == parameter.syntax.range }
      note(parameter, "a tensor descriptor of \(TileType(style.pointee, block)), from its offsets")
      arguments[parameter.name] = .tensorDescriptor(style.pointee, block: block)
    }
    var specialization = Specialization(
      arguments: arguments, numWarps: config?.numWarps ?? 4, numStages: config?.numStages ?? 3)
    specialization.tiles = tiles
    return InferredSpecialization(specialization: specialization, guesses: guesses)
  }

  private mutating func note(_ parameter: JITParameter, _ text: String) {
    guesses.append(
      Diagnostic(
        id: "guessed-argument", severity: .note, "'\(parameter.name)' is taken as \(text)",
        source: source, range: parameter.syntax.range))
  }

  private func describe(_ value: ConstexprValue) -> String {
    PyValue(value, scope: scope).display
  }

  // MARK: Constants

  private mutating func constexpr(_ parameter: JITParameter) -> ArgumentSpecialization {
    let name = parameter.name
    let facts = usage.facts(name)
    if let initial = parameter.syntax.defaultValue {
      var evaluator = CompileTimeEvaluator(scope: scope)
      if let value = (try? evaluator.evaluate(initial))?.constexpr {
        note(parameter, "\(describe(value)), its default")
        return .constexpr(value)
      }
    }
    let (value, reason) = constant(name, facts)
    note(parameter, "\(describe(value)), \(reason)")
    return .constexpr(value)
  }

  private func constant(_ name: String, _ facts: ParameterFacts) -> (ConstexprValue, String) {
    if facts.isDtype { return (.dtype(style.pointee), "it is used as a dtype") }
    if let text = facts.comparedStrings.first {
      return (.string(text), "it is compared with that string")
    }
    if facts.isCalled { return (.function("\(name)"), "it is called") }
    if ["j", "i", "stage", "order"].contains(name) { return (.int(1), "by its name") }
    if facts.isShape { return (.int(tileSize(name)), "it is a tile's size") }
    if facts.isPowerOfTwoHint {
      return (.int(tileSize(name)), "its name is a tile size's")
    }
    if ["n_dims", "log_n"].contains(name) { return (.int(3), "by its name") }
    if name == "k" { return (.int(1), "by its name") }
    if facts.isFlag { return (.bool(style.flags), "it is used as a condition") }
    if facts.isComparedWithNone { return (.none, "it is compared with None") }
    if let number = facts.comparedIntegers.first {
      return (.int(number), "it is compared with that number")
    }
    if facts.isUnrolled { return (.int(4), "it bounds an unrolled loop") }
    if Self.soundsLikeFloat(name), !facts.isInteger { return (.float(1e-6), "by its name") }
    if facts.isInteger {
      return (.int(tileSize(name)), "it makes up addresses, bounds or indices")
    }
    if facts.isFloat { return (.float(1.0), "it takes part in float arithmetic") }
    if name.lowercased().contains("stage") || name.lowercased().contains("warp") {
      return (.int(4), "by its name")
    }
    return (.int(tileSize(name)), "nothing tells its size")
  }

  private func tileSize(_ name: String) -> Int {
    let upper = name.uppercased()
    if upper.hasSuffix("_K"), style.tileSize >= 64 { return 32 }
    if upper.contains("GROUP"), !upper.contains("BLOCK") { return 8 }
    let isFlatTile = upper == "BLOCK_SIZE" || upper == "BLOCK" || upper == "BLOCKSIZE"
    return isFlatTile && style.tileSize == 64 && usage.tileRank <= 1 ? 1024 : style.tileSize
  }

  // MARK: Run-time arguments

  private mutating func runTime(_ parameter: JITParameter) -> ArgumentSpecialization {
    let name = parameter.name
    let facts = usage.facts(name)
    if facts.isPointer {
      let element = facts.pointee ?? style.pointee
      note(parameter, "*\(Signature.name(of: element)), it is an address")
      return .pointer(element, isDivisibleBy16: true)
    }
    if style.tile != nil, let value = Self.constantByName(name) {
      note(parameter, "\(describe(value)), by its name")
      return .constexpr(value)
    }
    if let initial = parameter.syntax.defaultValue {
      var evaluator = CompileTimeEvaluator(scope: scope)
      switch try? evaluator.evaluate(initial) {
      case .float?:
        note(parameter, "fp32, like its default")
        return .scalar(.fp32, isDivisibleBy16: false)
      case .some(PyValue.none):
        note(parameter, "None, its default")
        return .constexpr(.none)
      case .bool(let value)?:
        note(parameter, "\(value ? "True" : "False"), its default")
        return .constexpr(.bool(value))
      case .int(let value)? where style.tile != nil:
        note(parameter, "\(value), its default")
        return .constexpr(.int(Int(exactly: value) ?? 0))
      default: break
      }
    }
    if let type = Self.annotatedType(parameter.syntax.annotation, scope) {
      note(parameter, "\(Signature.name(of: type)), its annotation")
      return type.isPointer
        ? .pointer(type.pointee ?? .fp32, isDivisibleBy16: true)
        : .scalar(type, isDivisibleBy16: false)
    }
    if let shape = style.tile, !facts.isInteger || facts.isTile {
      let type = TileType(style.pointee, shape)
      note(parameter, "\(type), as a function's operand")
      tiles[name] = type
      return .scalar(style.pointee, isDivisibleBy16: false)
    }
    if facts.isInteger {
      note(
        parameter,
        "\(Signature.name(of: style.integer)), it makes up addresses, bounds or indices")
      return .scalar(style.integer, isDivisibleBy16: false)
    }
    if facts.isFloat || Self.soundsLikeFloat(name) {
      note(parameter, "fp32, it takes part in float arithmetic")
      return .scalar(.fp32, isDivisibleBy16: false)
    }
    if Self.soundsLikePointer(name) {
      note(parameter, "*\(Signature.name(of: style.pointee)), by its name")
      return .pointer(style.pointee, isDivisibleBy16: true)
    }
    note(parameter, "\(Signature.name(of: style.integer)), nothing says otherwise")
    return .scalar(style.integer, isDivisibleBy16: false)
  }

  private static func annotatedType(_ annotation: Expr?, _ scope: ModuleScope) -> ElementType? {
    guard let annotation else { return nil }
    var evaluator = CompileTimeEvaluator(scope: scope)
    switch try? evaluator.evaluate(annotation) {
    case .type(.scalar(let element))?: return element
    case .builtin("python.float")?: return .fp32
    case .builtin("python.int")?: return .int32
    case .string(let name)?:
      return name.hasPrefix("*")
        ? Signature.scalarNames[String(name.dropFirst())].map { .pointer(to: $0) }
        : Signature.scalarNames[name]
    default: return nil
    }
  }

  /// Parameters of library functions that are constants wherever they are called.
  private static func constantByName(_ name: String) -> ConstexprValue? {
    switch name {
    case "axis", "dim": .int(0)
    case "shape": .tuple([.int(64)])
    case "dtype": .dtype(.fp32)
    case "tie_break_left", "can_reorder": .bool(true)
    case "bitwidth": .int(32)
    default: nil
    }
  }

  static func soundsLikePointer(_ name: String) -> Bool {
    let lower = name.lowercased()
    return lower.hasSuffix("ptr") || lower.hasSuffix("_ptrs") || lower.hasPrefix("ptr_")
      || lower.hasPrefix("p_")
  }

  private static func soundsLikeFloat(_ name: String) -> Bool {
    let lower = name.lowercased()
    let words: Set = [
      "eps", "epsilon", "alpha", "beta", "scale", "lr", "p", "momentum", "slope", "gamma", "value",
      "threshold", "temperature", "scalar", "decay", "smoothing", "weight_decay", "negative_slope",
    ]
    return words.contains(lower) || lower.hasSuffix("_scale") || lower.hasSuffix("eps")
      || lower.hasPrefix("inv_") || lower.hasSuffix("_val") || lower.hasSuffix("_value")
      || lower.hasSuffix("_slope") || lower.hasSuffix("_alpha")
  }

  // MARK: Heuristics

  /// Evaluates `@triton.heuristics` over what is known.
  private mutating func applyHeuristics(
    _ arguments: inout [String: ArgumentSpecialization],
    keeping given: [String: ArgumentSpecialization]
  ) {
    for (name, expression) in function.heuristics where given[name] == nil {
      guard let value = HeuristicValue.evaluate(expression, arguments, scope: scope),
        let parameter = function.parameter(named: name)
      else { continue }
      arguments[name] = .constexpr(value)
      guesses.removeAll { $0.range == parameter.syntax.range }
      note(parameter, "\(describe(value)), from its heuristic")
    }
  }
}

/// `@triton.heuristics` functions, evaluated over the constants among the arguments.
public enum HeuristicValue {
  /// Nil where the function looks at something that is not known at compile time.
  static func evaluate(
    _ function: Expr, _ arguments: [String: ArgumentSpecialization], scope: ModuleScope
  ) -> ConstexprValue? {
    var known: [String: PyValue] = [:]
    for (name, argument) in arguments {
      switch argument {
      case .constexpr(let value): known[name] = PyValue(value, scope: scope)
      // A pointer is some object that is not None; sizes stand for a multiple of the tile.
      case .pointer: known[name] = .foreign(name)
      case .scalar(let element, _) where element.isInteger: known[name] = .int(4096)
      case .scalar: known[name] = .float(1)
      default: break
      }
    }
    var evaluator = CompileTimeEvaluator(scope: scope)
    guard let callable = try? evaluator.evaluate(function),
      let value = try? evaluator.apply(callable, [.dict(known)], [])
    else { return nil }
    return value.constexpr
  }
}

extension TritonModule {
  /// The value a heuristic gives a parameter under known constants; nil where it cannot be told.
  public func heuristicValue(
    _ name: String, of function: JITFunction, arguments: [String: ArgumentSpecialization]
  ) -> ConstexprValue? {
    guard let expression = function.heuristics.first(where: { $0.name == name })?.function else {
      return nil
    }
    return LargeStack.run { HeuristicValue.evaluate(expression, arguments, scope: scope) }
  }
}
