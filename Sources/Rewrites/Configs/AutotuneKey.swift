import HostProgram
import PythonSyntax
import TritonLowering

/// The arguments whose change should start a new search: the sizes that determine the work.
///
/// A size is an integer argument that follows from the input shapes, or differs between launches,
/// and that the kernel compares, divides by or loops to; strides only reach addresses and are left
/// out unless there is nothing else.
struct AutotuneKey {
  let names: [String]

  init(of function: JITFunction, names language: LanguageNames, subject: RewriteSubject) {
    let launches = subject.run?.launches(of: function.name) ?? []
    var varying: [String] = []
    for parameter in function.parameters {
      var values: Set<ArgumentValue> = []
      var follows = false
      for launch in launches {
        guard let argument = launch.arguments.first(where: { $0.name == parameter.name }) else {
          continue
        }
        switch argument.value {
        case .int, .bool: break
        default: continue
        }
        values.insert(argument.value)
        if argument.origin >= .inputShape { follows = true }
      }
      if !values.isEmpty, follows || values.count > 1 { varying.append(parameter.name) }
    }
    if launches.isEmpty {
      // Nothing ran: every run-time parameter that is used as a size.
      varying = function.parameters.filter { !$0.isConstexpr }.map(\.name)
    }
    let sizes = Self.sizes(of: function, language)
    let chosen = varying.filter(sizes.contains)
    names = chosen.isEmpty && !launches.isEmpty ? varying : chosen
  }

  /// Parameters that reach a comparison, a divisor or a loop bound.
  private static func sizes(of function: JITFunction, _ names: LanguageNames) -> Set<String> {
    let origins = LocalOrigins(of: function, names: names)
    var found: Set<String> = []
    function.definition.body.forEachStatement { statement in
      if case .for(let loop) = statement.kind {
        found.formUnion(origins.parameters(of: loop.iterable))
      }
    }
    function.definition.body.forEachExpression { expression in
      switch expression.kind {
      case .compare(_, let ops, let comparators)
      where ops.contains { [.less, .lessEqual, .greater, .greaterEqual].contains($0) }:
        for comparator in comparators { found.formUnion(origins.parameters(of: comparator)) }
      case .binary(_, let op, let right) where op == .floorDiv || op == .mod:
        found.formUnion(origins.parameters(of: right))
      case .call(let callee, let arguments, let keywords)
      where names.member(of: callee) == "make_block_ptr"
        || names.member(of: callee) == "make_tensor_descriptor":
        let shape = keywords.first { $0.name == "shape" }?.value
        if let shape = shape ?? (arguments.count > 1 ? arguments[1] : nil) {
          found.formUnion(origins.parameters(of: shape))
        }
      default: break
      }
    }
    return found
  }
}
