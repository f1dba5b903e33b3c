import Diagnostics
import HostProgram
import PythonSyntax
import TileIR
import TritonLowering

/// Which parameters of one kernel may become `tl.constexpr`, and what that would change.
struct SpecializationCheck {
  let subject: RewriteSubject
  let function: JITFunction
  let names: LanguageNames
  let launches: [Launch]
  let environments: LaunchEnvironments
  private let hasAdaptingTypes: Bool
  private let loadsMayAdapt: Bool

  /// A kernel compiled for more values than this in one run would be recompiled again and again.
  static let compilationLimit = 8

  init?(kernel: String, in subject: RewriteSubject) {
    guard let run = subject.run, let function = subject.triton.function(named: kernel) else {
      return nil
    }
    self.subject = subject
    self.function = function
    self.names = LanguageNames(subject.module)
    self.launches = run.launches(of: kernel)
    self.environments = LaunchEnvironments(of: kernel, in: run)
    guard !launches.isEmpty else { return nil }
    self.loadsMayAdapt = launches.contains { launch in
      launch.arguments.contains { $0.value.hasAdaptingElement }
    }
    var mentions = loadsMayAdapt
    let names = names
    for jit in subject.triton.functions {
      jit.definition.body.forEachExpression { expression in
        if let member = names.member(of: expression), ConstantFlow.adaptingTypes.contains(member) {
          mentions = true
        }
      }
    }
    for launch in launches {
      for argument in launch.arguments {
        if case .dtype(let element) = argument.value, element.adaptsConstants { mentions = true }
      }
    }
    self.hasAdaptingTypes = mentions
  }

  /// One integer parameter with what the launches say of it.
  struct Candidate {
    var parameter: JITParameter
    var origin: ValueOrigin
    var values: [Int]
  }

  /// The run-time integer parameters that are not ruled out by themselves, in source order.
  func candidates() -> [Candidate] {
    function.parameters.compactMap { parameter in
      guard (try? requireSpecializable(parameter)) != nil else { return nil }
      let values = values(of: parameter.name)
      // Triton folds the value 1 by itself.
      guard !values.allSatisfy({ $0 == 1 }) else { return nil }
      return Candidate(parameter: parameter, origin: origin(of: parameter.name), values: values)
    }
  }

  func origin(of name: String) -> ValueOrigin {
    launches.compactMap { launch in launch.arguments.first { $0.name == name }?.origin }.max()
      ?? .unknown
  }

  /// The distinct values of an integer parameter over all launches, ascending.
  func values(of name: String) -> [Int] {
    var found: Set<Int> = []
    for launch in launches {
      if case .int(let value)? = launch.arguments.first(where: { $0.name == name })?.value {
        found.insert(value)
      }
    }
    return found.sorted()
  }

  /// Throws unless the signature and every launch let the parameter be a compile-time integer.
  func requireSpecializable(_ parameter: JITParameter) throws(Diagnostic) {
    let name = parameter.name
    func refuse(_ id: String, _ message: String, _ range: SourceRange? = nil) -> Diagnostic {
      Diagnostic(
        id: id, message, source: subject.module.source, range: range ?? parameter.syntax.range)
    }
    guard !parameter.isConstexpr, !names.isConstexpr(parameter.syntax.annotation) else {
      throw refuse("already-constexpr", "'\(name)' is a tl.constexpr already")
    }
    guard parameter.syntax.kind != .variadic, parameter.syntax.kind != .keywordVariadic else {
      throw refuse("variadic-parameter", "'\(name)' takes any number of arguments")
    }
    if let annotation = parameter.syntax.annotation, annotation.bareName != "int" {
      throw refuse("annotated-parameter", "'\(name)' has a type of its own", annotation.range)
    }
    let decorators = Decorators(of: function.definition, names: names)
    if parameter.isNotSpecialized
      || decorators.unspecialized(function.definition).contains(name)
    {
      throw refuse(
        "do-not-specialize", "'\(name)' is named in do_not_specialize, and Triton refuses both")
    }
    for launch in launches {
      guard let argument = launch.arguments.first(where: { $0.name == name }) else {
        throw refuse(
          "argument-not-seen", "a launch passes no traced value for '\(name)'",
          launch.callRange)
      }
      guard case .int(let value) = argument.value else {
        throw refuse(
          "not-an-integer", "'\(name)' is not an integer at this launch",
          argument.range ?? launch.callRange)
      }
      guard Int32(exactly: value) != nil else {
        throw refuse(
          "beyond-int32", "'\(name)' is \(value) here, which takes int64",
          argument.range ?? launch.callRange)
      }
      guard argument.origin < .unknown else {
        throw refuse(
          "value-not-fixed",
          "'\(name)' may change from call to call; each value would compile the kernel again",
          argument.range ?? launch.callRange)
      }
    }
    try requireSeenLaunches(of: parameter)
  }

  /// Launch sites that did not run must pass what those that ran pass.
  private func requireSeenLaunches(of parameter: JITParameter) throws(Diagnostic) {
    let sites = LaunchSites(of: function.name, in: subject.module).sites
    let seen = Set(launches.map(\.callRange))
    let source = subject.module.source
    let known = Set(
      sites.filter { seen.contains($0.call.range) }
        .compactMap { $0.argument(for: parameter.name, of: function.definition) }
        .map { source.text(in: $0.range) })
    for site in sites where !seen.contains(site.call.range) {
      let expression = site.argument(for: parameter.name, of: function.definition)
      if let expression, expression.integerValue != nil { continue }
      if let expression, known.contains(source.text(in: expression.range)) { continue }
      throw Diagnostic(
        id: "launch-not-seen",
        "this launch did not run, so what it passes for '\(parameter.name)' is not known",
        source: source, range: (expression ?? site.call).range)
    }
  }

  /// Follows the constants through the kernel.
  /// - Returns: the problems found, and where rounding may change.
  func flow(of specialized: Set<String>) -> (problems: [ConstantFlow.Problem], roundings: [String])
  {
    let reorders = specialized.contains { name in
      values(of: name).contains { $0 % 2 == 0 && $0 % 16 != 0 }
    }
    var flow = ConstantFlow(
      triton: subject.triton, names: names, environmentCount: environments.count,
      hasAdaptingTypes: hasAdaptingTypes, loadsMayAdapt: loadsMayAdapt, mayReorder: reorders)
    var facts: [String: ConstantFlow.Fact] = [:]
    for parameter in function.parameters {
      var fact = ConstantFlow.Fact.runtime
      if specialized.contains(parameter.name) {
        fact.isConstant = true
        fact.names = [parameter.name]
        fact.values = environments.values(of: parameter.name)
      } else if parameter.isConstexpr {
        fact.isConstant = true
        fact.values = environments.values(of: parameter.name)
      }
      facts[parameter.name] = fact
    }
    flow.analyse(function, parameters: facts)
    var seen: Set<String> = []
    return (flow.problems, flow.roundings.filter { seen.insert($0).inserted })
  }

  /// The largest subset of `wanted` that nothing speaks against.
  func largestSafeSubset(of wanted: Set<String>) -> Set<String> {
    var names = wanted
    while !names.isEmpty {
      let bad = flow(of: names).problems.reduce(into: Set<String>()) { $0.formUnion($1.names) }
      let kept = names.subtracting(bad)
      if kept == names { break }
      names = kept
    }
    if compilations(of: names) > Self.compilationLimit { return [] }
    return names
  }

  /// How many times one launch site would compile the kernel anew in one run of the module.
  func compilations(of names: Set<String>) -> Int {
    let ordered = names.sorted()
    var bySite: [SourceRange: Set<[Int]>] = [:]
    for launch in launches {
      let values = ordered.map { name -> Int in
        if case .int(let value)? = launch.arguments.first(where: { $0.name == name })?.value {
          return value
        }
        return 0
      }
      bySite[launch.callRange, default: []].insert(values)
    }
    return bySite.values.map(\.count).max() ?? 0
  }
}

extension ElementType {
  /// Whether a Python integer takes this type where an int32 tensor would have widened it.
  var adaptsConstants: Bool {
    switch self {
    case .int1, .int32, .int64, .fp16, .fp32, .fp64, .pointer: false
    default: true
    }
  }
}

extension ArgumentValue {
  var hasAdaptingElement: Bool {
    switch self {
    case .tensor(let shape), .tensorDescriptor(let shape, _): shape.element.adaptsConstants
    case .tuple(let values): values.contains(where: \.hasAdaptingElement)
    default: false
    }
  }
}
