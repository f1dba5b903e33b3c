import Diagnostics
import HostProgram
import PythonSyntax
import TritonLowering

/// Gives a kernel a list of configs to choose from when it first runs.
///
/// Before:
/// ```python
/// @triton.jit
/// def kernel(x_ptr, n, BLOCK: tl.constexpr): …
/// kernel[grid](x, n, BLOCK=1024, num_warps=4)
/// ```
/// After:
/// ```python
/// @triton.autotune(
///     configs=[
///         triton.Config({}, num_warps=4, num_stages=3),
///         triton.Config({}, num_warps=8, num_stages=3),
///     ],
///     key=['n'],
/// )
/// @triton.jit
/// def kernel(x_ptr, n, BLOCK: tl.constexpr): …
/// kernel[grid](x, n, BLOCK=1024)
/// ```
/// An existing list of `@triton.autotune` is edited in place: configs that stay keep their text,
/// comments and place.
/// Requires: the kernel is used in launches `kernel[grid](…)` only.
/// Refuses when: it is launched by other means, launches pass `**options`, a heuristic or an unknown
/// decorator sets the same knobs, constants would have to move out of a launch whose grid does not
/// read them, or running it several times on the same buffers cannot be made safe.
/// Numerics: bit-exact for each config; another config may sum in another order.
public struct TuneConfigs: Rewrite {
  public let id = "tune-configs"
  public let summary = "Sets the configs that @triton.autotune tries."
  /// What `apply(_:to:)` writes.
  public var configs: [LaunchConfig]
  /// The arguments whose change starts a new search; nil chooses them.
  public var key: [String]?

  public init(configs: [LaunchConfig] = [], key: [String]? = nil) {
    self.configs = configs
    self.key = key
  }

  /// Every kernel that is launched from the module.
  public func sites(in subject: RewriteSubject) -> [RewriteSite] {
    let names = LanguageNames(subject.module)
    return subject.triton.functions.compactMap { function in
      let sites = LaunchSites(of: function.name, in: subject.module)
      guard !sites.sites.isEmpty, sites.otherReferences.isEmpty else { return nil }
      let autotune = Decorators(of: function.definition, names: names).autotune
      return RewriteSite(
        rewrite: id, kernel: function.name,
        range: autotune?.expression.range ?? function.definition.nameRange, names: [],
        what: autotune == nil ? "tune num_warps and num_stages" : "change the configs to try",
        why: "which launch options are fastest depends on the GPU and is found by trying")
    }
  }

  public func apply(_ site: RewriteSite, to subject: RewriteSubject) throws(Diagnostic) -> Rewritten
  {
    var result = try Self.apply(kernel: site.kernel, configs: configs, key: key, to: subject)
    result.site = site
    return result
  }

  /// Writes `configs` for `kernel`, in the list it has or in a decorator of its own.
  public static func apply(
    kernel: String, configs: [LaunchConfig], key: [String]? = nil, to subject: RewriteSubject
  ) throws(Diagnostic) -> Rewritten {
    let source = subject.module.source
    guard let function = subject.triton.function(named: kernel) else {
      throw Diagnostic(id: "no-such-kernel", "there is no kernel '\(kernel)'", source: source)
    }
    guard !configs.isEmpty else {
      throw Diagnostic(
        id: "no-configs", "no config is given for '\(kernel)'", source: source,
        range: function.definition.nameRange)
    }
    let names = LanguageNames(subject.module)
    let decorators = Decorators(of: function.definition, names: names)
    let text: SourceText
    if let autotune = decorators.autotune {
      text = try AutotuneEdit(
        function: function, autotune: autotune, names: names, subject: subject
      ).applied(configs, key: key)
    } else {
      text = try AutotuneInsertion(
        function: function, decorators: decorators, names: names, subject: subject
      ).applied(configs, key: key)
    }
    let site = RewriteSite(
      rewrite: "tune-configs", kernel: kernel,
      range: decorators.autotune?.expression.range ?? function.definition.nameRange, names: [],
      what: "let @triton.autotune choose from \(configs.count) configs of '\(kernel)'",
      why: "which launch options are fastest depends on the GPU and is found by trying")
    let reorders =
      Set(configs.map(\.numWarps)).count > 1 || Set(configs.map(\.constants)).count > 1
    return Rewritten(
      source: text, site: site,
      numerics: reorders ? Numerics.ofSums(in: function, names) : .bitExact)
  }
}

extension Numerics {
  /// Another number of warps splits a sum differently; `num_stages` only moves loads.
  static func ofSums(in function: JITFunction, _ names: LanguageNames) -> Numerics {
    var line: SourceRange?
    function.definition.body.forEachExpression { expression in
      guard line == nil, case .call(let callee, _, _) = expression.kind else { return }
      if let member = names.member(of: callee), ConstantFlow.orderSensitive.contains(member) {
        line = expression.range
      }
    }
    return line == nil
      ? .bitExact : .changesRounding("the order in which a sum adds follows num_warps")
  }
}
