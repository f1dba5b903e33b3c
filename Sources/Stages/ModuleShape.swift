import Diagnostics
import PythonSyntax

/// One config of a kernel: BLOCK and other meta-parameters with the launch parameters.
public struct KernelConfig: Sendable {
  /// Meta-parameters by name (`BLOCK_M`).
  public var parameters: [String: ConfigValue]
  /// Nil where the source gives none; Triton's default then holds.
  public var numWarps: ConfigValue?
  public var numStages: ConfigValue?
  public var range: SourceRange

  public init(
    parameters: [String: ConfigValue], numWarps: ConfigValue? = nil,
    numStages: ConfigValue? = nil, range: SourceRange
  ) {
    self.parameters = parameters
    self.numWarps = numWarps
    self.numStages = numStages
    self.range = range
  }

  /// The value of a knob, with Triton's default where the source gives none.
  public subscript(knob: Knob) -> ConfigValue {
    (knob == .numWarps ? numWarps : numStages) ?? .int(knob.tritonDefault)
  }

  /// Equal in everything that a launch sees.
  public func isSame(as other: KernelConfig) -> Bool {
    parameters == other.parameters && self[.numWarps] == other[.numWarps]
      && self[.numStages] == other[.numStages]
  }

  /// `BLOCK_M=32 BLOCK_N=64 num_warps=4 num_stages=2`
  public var summary: String {
    let blocks = parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    let knobs = Knob.allCases.map { "\($0.rawValue)=\(self[$0])" }
    return (blocks + knobs).joined(separator: " ")
  }
}

/// One launch `kernel[grid](…)`.
public struct LaunchSite: Sendable {
  public var kernel: String
  /// The grid as canonical text, its own parameter renamed.
  public var grid: String
  /// The number of axes, where the grid is written as a tuple.
  public var gridRank: Int?
  public var isGridLambda: Bool
  public var gridRange: SourceRange
  /// Constexpr arguments and launch parameters by name.
  public var arguments: [String: ConfigValue]
  public var range: SourceRange
}

/// One kernel with its configs and launches, as far as they can be read without running the module.
public struct KernelShape: Sendable {
  public var name: String
  public var function: FunctionDef
  public var constexprs: Set<String>
  /// Constexpr parameters that size a tile: set by configs, or used as an extent in the body.
  public var blockNames: Set<String>
  /// Parameters that the autotuned configs set.
  public var tunedNames: Set<String>
  public var isAutotuned: Bool
  /// The autotuned configs, or one for each launch; nil if they cannot be read.
  public var configs: [KernelConfig]?
  /// Where the configs stand (the decorator or the launch).
  public var configRange: SourceRange
  public var launches: [LaunchSite]
  /// The axes given to `tl.program_id`, in canonical text, sorted.
  public var programIDs: [String]
  /// The number of `tl.store` calls in the body.
  public var stores: Int
}

/// The kernels of a module with their configs and launches.
public struct ModuleShape: Sendable {
  public var tree: ModuleTree
  public var kernels: [KernelShape]

  public init(_ tree: ModuleTree) {
    self.tree = tree
    let functions = StageRules.kernels(in: tree)
    let launches = LaunchFinder.launches(in: tree, kernels: functions)
    self.kernels = functions.map { KernelReader(tree, $0, launches[$0.name] ?? []).shape() }
  }

  public subscript(kernel name: String) -> KernelShape? { kernels.first { $0.name == name } }

}

/// Reads one kernel's shape.
private struct KernelReader {
  let tree: ModuleTree
  let function: FunctionDef
  let launches: [LaunchSite]

  init(_ tree: ModuleTree, _ function: FunctionDef, _ launches: [LaunchSite]) {
    self.tree = tree
    self.function = function
    self.launches = launches
  }

  func shape() -> KernelShape {
    let constexprs = Self.constexprs(of: function)
    let extents = extentNames()
    let autotune = AutotuneDecorator.find(function)
    var configs: [KernelConfig]?
    var tuned: Set<String> = []
    if let autotune {
      configs = ConfigList.read(autotune.configs, in: ConstantScope(tree))
      tuned = Set(configs?.flatMap { $0.parameters.keys } ?? [])
    }
    let blocks = tuned.union(constexprs.intersection(extents))
    if autotune == nil {
      configs = launches.map { launch in
        KernelConfig(
          parameters: launch.arguments.filter { blocks.contains($0.key) },
          numWarps: launch.arguments["num_warps"], numStages: launch.arguments["num_stages"],
          range: launch.range)
      }
    } else if let read = configs {
      // Meta-parameters that the launch gives belong to every config.
      let fixed = launches.first.map { launch in
        launch.arguments.filter { blocks.contains($0.key) }
      }
      configs = read.map { config in
        var config = config
        config.parameters.merge(fixed ?? [:]) { own, _ in own }
        return config
      }
    }
    return KernelShape(
      name: function.name, function: function, constexprs: constexprs, blockNames: blocks,
      tunedNames: tuned,
      isAutotuned: autotune != nil, configs: configs,
      configRange: autotune?.range ?? launches.first?.range ?? function.nameRange,
      launches: launches, programIDs: programIDs(), stores: calls(to: "store").count)
  }

  static func constexprs(of function: FunctionDef) -> Set<String> {
    Set(
      function.parameters.all.compactMap { parameter in
        let isConstexpr = parameter.annotation?.contains { expression in
          switch expression.kind {
          case .attribute(_, "constexpr", _), .name("constexpr"): true
          default: false
          }
        }
        return isConstexpr == true ? parameter.name : nil
      })
  }

  /// Calls of `tl.NAME` (by the attribute's name) in the body.
  private func calls(to name: String) -> [[Expr]] {
    var found: [[Expr]] = []
    for statement in function.body {
      statement.forEachExpression { expression in
        guard case .call(let callee, let arguments, _) = expression.kind,
          case .attribute(_, name, _) = callee.kind
        else { return }
        found.append(arguments)
      }
    }
    return found
  }

  /// Names used as the extent of a tile.
  private func extentNames() -> Set<String> {
    var names: Set<String> = []
    for call in ["arange", "zeros", "full", "make_block_ptr", "make_tensor_descriptor"] {
      for arguments in calls(to: call) {
        for argument in arguments {
          names.formUnion(argument.names)
        }
      }
    }
    return names
  }

  private func programIDs() -> [String] {
    calls(to: "program_id").map { arguments in
      arguments.first.map { CanonicalText.of($0.range, in: tree) } ?? "axis"
    }.sorted()
  }
}
