import Diagnostics
import HostProgram
import PythonSyntax
import TritonLowering

/// Makes a bounds mask a constant where the size is a multiple of the tile.
///
/// Before: `mask = offs < n`
/// After: `mask = (n % BLOCK == 0) | (offs < n)`
///
/// With `n` and `BLOCK` known at compile time the left side is a constant; where it is true, Triton
/// drops the mask, else nothing changes, so the kernel stays right for every size. Masks in loops
/// over a compile-time range need none of this: the compiler sees through them (as the code Triton
/// 3.6 makes for sm_89 shows), but it does not know how many programs run.
///
/// Requires: `offs` is `tl.program_id(axis) * BLOCK + tl.arange(0, BLOCK)`, both sizes are
/// `tl.constexpr`, and every launch starts `cdiv(n, BLOCK)` programs along that axis by its formula.
/// Refuses when: any of it is not shown.
/// Numerics: bit-exact.
public struct DropRedundantMask: Rewrite {
  public let id = "drop-redundant-mask"
  public let summary = "Drops bounds masks where sizes are multiples of the tile."

  public init() {}

  private struct Match {
    let compare: Expr
    let size: String
    let block: String
    let axis: Int
  }

  public func sites(in subject: RewriteSubject) -> [RewriteSite] {
    let names = LanguageNames(subject.module)
    let source = subject.module.source
    return subject.triton.functions.flatMap { function -> [RewriteSite] in
      matches(in: function, names).compactMap { match in
        guard (try? require(match, function, subject)) != nil,
          isEverDropped(match, function, subject)
        else { return nil }
        return RewriteSite(
          rewrite: id, kernel: function.name, range: match.compare.range,
          names: [match.size, match.block],
          what:
            "drop '\(source.text(in: match.compare.range))' where \(match.block) divides \(match.size)",
          why: "each load and store under the mask tests it although it is always true here")
      }
    }
  }

  private func matches(in function: JITFunction, _ names: LanguageNames) -> [Match] {
    guard NestingLimit.holds(for: function.definition) else { return [] }
    let constants = Set(function.parameters.filter(\.isConstexpr).map(\.name))
      .subtracting(function.assignedNames)
    let tiles = TileOffsets(of: function, names: names)
    var found: [Match] = []
    function.definition.body.forEachExpression { expression in
      guard case .compare(let left, let ops, let comparators) = expression.kind, ops == [.less],
        let size = comparators[0].bareName, constants.contains(size),
        let tile = tiles.tile(of: left), constants.contains(tile.block)
      else { return }
      found.append(
        Match(compare: expression, size: size, block: tile.block, axis: tile.axis))
    }
    return found
  }

  private func require(_ match: Match, _ function: JITFunction, _ subject: RewriteSubject)
    throws(Diagnostic)
  {
    let source = subject.module.source
    func refuse(_ message: String, _ range: SourceRange) -> Diagnostic {
      Diagnostic(id: "mask-needed", message, source: source, range: range)
    }
    let launches = subject.run?.launches(of: function.name) ?? []
    let sites = LaunchSites(of: function.name, in: subject.module)
    guard !launches.isEmpty, sites.otherReferences.isEmpty,
      Set(launches.map(\.callRange)).count == sites.sites.count
    else {
      throw refuse("how many programs run is not known for every launch", match.compare.range)
    }
    for launch in launches {
      guard let argument = launch.arguments.first(where: { $0.name == match.size }),
        case .int(let size) = argument.value, let formulas = launch.gridFormulas,
        formulas.indices.contains(match.axis),
        case .ceilDiv(let dividend, let divisor) = formulas[match.axis],
        dividend == (argument.formula ?? .constant(size))
      else {
        throw refuse(
          "this launch does not start cdiv(\(match.size), \(match.block)) programs by its formula",
          launch.gridRange)
      }
      for (config, grid) in launch.configs {
        let block = blockSize(match.block, launch, config)
        guard let block, block > 0, divisor == .dim(match.block) || divisor == .constant(block),
          grid.indices.contains(match.axis), grid[match.axis] == (size + block - 1) / block
        else {
          throw refuse(
            "this launch does not start cdiv(\(match.size), \(match.block)) programs",
            launch.gridRange)
        }
      }
    }
  }

  private func blockSize(_ name: String, _ launch: Launch, _ config: LaunchConfig) -> Int? {
    if case .int(let value)? = config.constants[name] { return value }
    if case .int(let value)? = launch.arguments.first(where: { $0.name == name })?.value {
      return value
    }
    return nil
  }

  /// Whether the size is a multiple of the tile at some launch.
  private func isEverDropped(_ match: Match, _ function: JITFunction, _ subject: RewriteSubject)
    -> Bool
  {
    (subject.run?.launches(of: function.name) ?? []).contains { launch in
      guard
        case .int(let size)? = launch.arguments.first(where: { $0.name == match.size })?.value
      else { return false }
      return launch.configs.contains { config, _ in
        guard let block = blockSize(match.block, launch, config), block > 0 else { return false }
        return size % block == 0
      }
    }
  }

  public func apply(_ site: RewriteSite, to subject: RewriteSubject) throws(Diagnostic) -> Rewritten
  {
    let names = LanguageNames(subject.module)
    guard let function = subject.triton.function(named: site.kernel),
      let match = matches(in: function, names).first(where: { $0.compare.range == site.range })
    else {
      throw Diagnostic(
        id: "no-such-site", "no bounds mask of a tile stands here", source: subject.module.source,
        range: site.range)
    }
    try require(match, function, subject)
    var editor = SourceEditor(subject.module)
    let text = subject.module.source.text(in: match.compare.range)
    editor.replace(
      match.compare.range, with: "((\(match.size) % \(match.block) == 0) | (\(text)))")
    return Rewritten(source: try editor.rewritten(), site: site, numerics: .bitExact)
  }
}

/// Index tiles of a kernel: `tl.program_id(axis) * BLOCK + tl.arange(0, BLOCK)`.
struct TileOffsets {
  private let names: LanguageNames
  private let definitions: [String: Expr]

  init(of function: JITFunction, names: LanguageNames) {
    self.names = names
    definitions = SingleAssignments(of: function).values
  }

  /// The tile's parameter and axis; through names and `[:, None]`.
  func tile(of expression: Expr, depth: Int = 0) -> (block: String, axis: Int)? {
    guard depth < 8 else { return nil }
    switch expression.kind {
    case .name(let name): return definitions[name].flatMap { tile(of: $0, depth: depth + 1) }
    case .subscripted(let base, _): return tile(of: base, depth: depth + 1)
    case .binary(let left, .add, let right):
      guard let (block, axis) = start(left) ?? start(right),
        let length = arange(right) ?? arange(left),
        length == block
      else { return nil }
      return (block, axis)
    default: return nil
    }
  }

  /// `program_id(axis) * BLOCK`.
  private func start(_ expression: Expr, depth: Int = 0) -> (String, Int)? {
    guard depth < 8 else { return nil }
    switch expression.kind {
    case .name(let name): return definitions[name].flatMap { start($0, depth: depth + 1) }
    case .binary(let left, .mul, let right):
      if let axis = programID(left), let block = right.bareName { return (block, axis) }
      if let axis = programID(right), let block = left.bareName { return (block, axis) }
      return nil
    default: return nil
    }
  }

  private func programID(_ expression: Expr, depth: Int = 0) -> Int? {
    guard depth < 8 else { return nil }
    switch expression.kind {
    case .name(let name): return definitions[name].flatMap { programID($0, depth: depth + 1) }
    case .call(let callee, let arguments, let keywords)
    where names.member(of: callee) == "program_id":
      return (arguments.first ?? keywords.first { $0.name == "axis" }?.value)?.integerValue
    default: return nil
    }
  }

  /// BLOCK of `tl.arange(0, BLOCK)`.
  private func arange(_ expression: Expr, depth: Int = 0) -> String? {
    guard depth < 8 else { return nil }
    switch expression.kind {
    case .name(let name): return definitions[name].flatMap { arange($0, depth: depth + 1) }
    case .subscripted(let base, _): return arange(base, depth: depth + 1)
    case .call(let callee, let arguments, _)
    where names.member(of: callee) == "arange" && arguments.count == 2:
      return arguments[0].integerValue == 0 ? arguments[1].bareName : nil
    default: return nil
    }
  }
}
