import Diagnostics
import HostProgram
import PythonSyntax
import TritonLowering

/// Loads in loops that are the same in every iteration, and whether they may leave the loop.
struct LoopInvariants {
  struct Candidate {
    let loop: Stmt
    let header: ForStmt
    /// The statement with the load.
    let load: Stmt
    /// What has to move, in order: invariant assignments the load depends on, and the load.
    let moved: [Stmt]
    let names: [String]
    /// The calls of `tl.load`.
    let loads: [Expr]
  }

  let function: JITFunction
  let subject: RewriteSubject
  let names: LanguageNames
  private(set) var candidates: [Candidate] = []
  private let effects: EffectsOfKernel
  private let pointers: PointerOrigins

  init?(of function: JITFunction, in subject: RewriteSubject) {
    guard NestingLimit.holds(for: function.definition) else { return nil }
    self.function = function
    self.subject = subject
    names = LanguageNames(subject.module)
    effects = EffectsOfKernel(of: function.name, in: subject.triton)
    pointers = PointerOrigins(of: function, in: subject.triton)
    var loops: [(Stmt, ForStmt)] = []
    function.definition.body.forEachStatement { statement in
      if case .for(let loop) = statement.kind { loops.append((statement, loop)) }
    }
    for (statement, loop) in loops where storesSomething(loop) {
      candidates += find(in: statement, loop)
    }
  }

  private func storesSomething(_ loop: ForStmt) -> Bool {
    var found = false
    loop.body.forEachExpression { expression in
      guard case .call(let callee, _, _) = expression.kind else { return }
      if let member = names.member(of: callee) {
        if member == "store" || member.hasPrefix("atomic_") { found = true }
      } else if let name = callee.bareName, subject.triton.function(named: name) != nil {
        if !EffectsOfKernel(of: name, in: subject.triton).modified.isEmpty { found = true }
      } else if case .attribute(_, let method, _) = callee.kind,
        method == "store" || method.hasPrefix("atomic_")
      {
        found = true
      }
    }
    return found
  }

  private func find(in statement: Stmt, _ loop: ForStmt) -> [Candidate] {
    var assignments: [String: Int] = [:]
    for (name, _) in loop.target.targetNames { assignments[name, default: 0] += 2 }
    loop.body.forEachStatement { inner in
      for (name, _) in inner.boundNames { assignments[name, default: 0] += 1 }
    }
    var found: [Candidate] = []
    /// Invariant assignments so far, with what each depends on.
    var invariant: [String: [Stmt]] = [:]
    var readBefore: Set<String> = []
    for inner in loop.body {
      defer { [inner].forEachExpression { if let name = $0.bareName { readBefore.insert(name) } } }
      guard case .assign(let targets, let value) = inner.kind, targets.count == 1,
        let name = targets[0].bareName, assignments[name] == 1, !readBefore.contains(name),
        !value.names.contains(name), isPure(value)
      else { continue }
      var needed: [Stmt] = []
      var isInvariant = true
      for read in value.names.sorted() where assignments[read] != nil {
        guard let chain = invariant[read] else {
          isInvariant = false
          break
        }
        for step in chain where !needed.contains(where: { $0 === step }) { needed.append(step) }
      }
      guard isInvariant else { continue }
      needed.sort { $0.range.lower < $1.range.lower }
      invariant[name] = needed + [inner]
      let loads = self.loads(in: value)
      guard !loads.isEmpty else { continue }
      let moved = needed + [inner]
      found.append(
        Candidate(
          loop: statement, header: loop, load: inner, moved: moved,
          names: moved.flatMap { $0.boundNames.map(\.name) }, loads: loads))
    }
    return found
  }

  private func loads(in value: Expr) -> [Expr] {
    var found: [Expr] = []
    value.visitEach { inner in
      if case .call(let callee, _, _) = inner.kind, names.member(of: callee) == "load" {
        found.append(inner)
      }
    }
    return found
  }

  /// Calls without effects, loads among them.
  private static let pureMembers: Set<String> = [
    "load", "arange", "zeros", "full", "where", "minimum", "maximum", "exp", "log", "sqrt", "cast",
    "broadcast_to", "expand_dims", "reshape", "trans", "cdiv", "abs", "program_id", "num_programs",
  ]

  private func isPure(_ value: Expr) -> Bool {
    var pure = true
    value.visitEach { inner in
      switch inner.kind {
      case .call(let callee, _, let keywords):
        if keywords.contains(where: { $0.name == "volatile" || $0.name == nil }) { pure = false }
        if let member = names.member(of: callee) {
          if !Self.pureMembers.contains(member) { pure = false }
        } else if case .attribute(_, let method, _) = callee.kind, method == "to" {
          break
        } else {
          pure = false
        }
      case .named, .await, .yield, .yieldFrom, .lambda, .listComprehension: pure = false
      default: break
      }
    }
    return pure
  }

  /// Throws unless moving the candidate keeps the kernel's meaning at every launch.
  func require(_ candidate: Candidate) throws(Diagnostic) {
    let source = subject.module.source
    func refuse(_ id: String, _ message: String, _ range: SourceRange) -> Diagnostic {
      Diagnostic(id: id, message, source: source, range: range)
    }
    let launches = subject.run?.launches(of: function.name) ?? []
    let sites = LaunchSites(of: function.name, in: subject.module).sites
    guard !launches.isEmpty, Set(launches.map(\.callRange)).count == sites.count else {
      throw refuse(
        "launches-not-known", "whether the tensors are apart is not known for every launch",
        candidate.load.range)
    }
    if let unknown = effects.unknown.first {
      throw refuse(
        "effects-not-known", "what this changes is not known", unknown.range ?? candidate.load.range
      )
    }
    for load in candidates.isEmpty ? [] : candidate.loads {
      guard case .call(_, let arguments, _) = load.kind, let pointer = arguments.first else {
        throw refuse("pointer-not-known", "what this loads from is not known", load.range)
      }
      let roots = pointers.parameters(of: pointer)
      for launch in launches {
        func storage(_ name: String) -> Int? {
          guard case .tensor(let shape)? = launch.arguments.first(where: { $0.name == name })?.value
          else { return nil }
          return shape.storage
        }
        let read = roots.compactMap(storage)
        guard !read.isEmpty else {
          throw refuse("pointer-not-known", "what this loads from is not known", load.range)
        }
        for written in effects.modified {
          guard let target = storage(written) else { continue }
          if target < 0 || read.contains(where: { $0 < 0 || $0 == target }) {
            throw refuse(
              "tensor-written", "the kernel writes '\(written)', which may share memory with this",
              load.range)
          }
        }
      }
    }
    try requireOneIteration(candidate)
  }

  private func requireOneIteration(_ candidate: Candidate) throws(Diagnostic) {
    let evaluator = LoopBounds(of: function, names: names, run: subject.run)
    guard let trips = evaluator.trips(of: candidate.header), trips.lower >= 1 else {
      throw Diagnostic(
        id: "loop-may-not-run",
        "the loop may run no iteration, and then the load would be made that the kernel does not make",
        source: subject.module.source, range: candidate.header.iterable.range)
    }
  }
}

/// The parameters an address may point into.
struct PointerOrigins {
  private let walk: PointerWalk

  init(of function: JITFunction, in triton: TritonModule) {
    walk = PointerWalk(function, triton, LanguageNames(triton.tree), depth: 0)
    walk.run()
  }

  func parameters(of expression: Expr) -> Set<String> { walk.roots(of: expression) }
}

/// How often loops run, at the launches that were seen.
struct LoopBounds {
  let function: JITFunction
  let names: LanguageNames
  private let environments: LaunchEnvironments
  private let definitions: [String: Expr]

  init(of function: JITFunction, names: LanguageNames, run: HostRun?) {
    self.function = function
    self.names = names
    environments = LaunchEnvironments(of: function.name, in: run)
    definitions = SingleAssignments(of: function).values
  }

  /// The fewest and most iterations over all launches and configs; nil where they are not known.
  func trips(of loop: ForStmt) -> Interval? {
    guard case .call(_, let arguments, _) = loop.iterable.kind, (1...3).contains(arguments.count),
      !environments.all.isEmpty
    else { return nil }
    var found: Interval?
    for environment in environments.all {
      let first = arguments.count > 1 ? value(arguments[0], environment) : Interval(0)
      let last = value(arguments.count > 1 ? arguments[1] : arguments[0], environment)
      let step = arguments.count > 2 ? value(arguments[2], environment) : Interval(1)
      guard let first, let last, let step, step.lower >= 1,
        let least = Interval.apply(.sub, Interval(last.lower), Interval(first.upper)),
        let most = Interval.apply(.sub, Interval(last.upper), Interval(first.lower))
      else { return nil }
      let trips = Interval(
        max(0, (least.lower + step.upper - 1) / step.upper),
        max(0, (most.upper + step.lower - 1) / step.lower))
      found = found?.union(trips) ?? trips
    }
    return found
  }

  /// The values the loop variable may take over all launches and configs.
  func indices(of loop: ForStmt) -> Interval? {
    guard case .call(_, let arguments, _) = loop.iterable.kind, (1...3).contains(arguments.count)
    else { return nil }
    var found: Interval?
    for environment in environments.all {
      let first = arguments.count > 1 ? value(arguments[0], environment) : Interval(0)
      let last = value(arguments.count > 1 ? arguments[1] : arguments[0], environment)
      guard let first, let last else { return nil }
      let range = Interval(first.lower, max(first.lower, last.upper))
      found = found?.union(range) ?? range
    }
    return found
  }

  private func value(_ expression: Expr, _ environment: [String: Interval], depth: Int = 0)
    -> Interval?
  {
    guard depth < 12 else { return nil }  // each step may double the expression
    if let value = expression.integerValue { return Interval(value) }
    switch expression.kind {
    case .name(let name):
      if let value = environment[name] { return value }
      return definitions[name].flatMap { value($0, environment, depth: depth + 1) }
    case .binary(let left, let op, let right):
      guard let first = value(left, environment, depth: depth + 1),
        let second = value(right, environment, depth: depth + 1)
      else { return nil }
      return Interval.apply(op, first, second)
    case .call(let callee, let arguments, _)
    where names.member(of: callee) == "cdiv" && arguments.count == 2:
      guard let first = value(arguments[0], environment, depth: depth + 1),
        let second = value(arguments[1], environment, depth: depth + 1), second.lower >= 1,
        let raised = Interval.apply(
          .sub, Interval.apply(.add, first, second) ?? first, Interval(1))
      else { return nil }
      return Interval.apply(.floorDiv, raised, second)
    default: return nil
    }
  }
}
