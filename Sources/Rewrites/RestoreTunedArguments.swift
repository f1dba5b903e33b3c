import Diagnostics
import HostProgram
import PythonSyntax
import TritonLowering

/// Makes the trial runs of `@triton.autotune` leave the kernel's arguments as they were.
///
/// Before:
/// ```python
/// @triton.autotune(configs=[…, …], key=['n'])
/// @triton.jit
/// def decay(x_ptr, n, BLOCK: tl.constexpr): …   # x = x * 0.9, in place
/// ```
/// After:
/// ```python
/// @triton.autotune(configs=[…, …], key=['n'], restore_value=['x_ptr'])
/// ```
/// A buffer that the wrapper has just filled with zeros, and that the kernel adds to, is named in
/// `reset_to_zero` instead.
/// Requires: `@triton.autotune` with several configs, and a kernel that updates an argument which
/// neither `restore_value` nor `reset_to_zero` names.
/// Refuses when: what the kernel modifies is not known, the argument is None or a part of a larger
/// tensor at some launch, or the decorator has hooks or computed lists of its own.
/// Numerics: bit-exact; what changes is the result of the first call for each key, which trial runs
/// have spoilt so far.
public struct RestoreTunedArguments: Rewrite {
  public let id = "restore-tuned-arguments"
  public let summary = "Names in @triton.autotune what its trial runs must restore."
  public var mayGain: Bool { false }

  public init() {}

  /// The autotuned kernels that lack it; those that cannot be judged are left out.
  public func sites(in subject: RewriteSubject) -> [RewriteSite] {
    Self.tuned(in: subject).compactMap { function, autotune in
      guard let safety = try? RerunSafety(of: function, in: subject),
        let missing = try? safety.missing(from: autotune, in: subject.module.source),
        !missing.isEmpty
      else { return nil }
      return RewriteSite(
        rewrite: id, kernel: function.name, range: autotune.expression.range,
        names: missing.restored + missing.zeroed,
        what: Self.what(missing),
        why: "the autotuner runs the kernel many times on the same buffers, and the kernel changes "
          + "\(missing.names) from what it finds there: without this the first result is wrong")
    }
  }

  public func apply(_ site: RewriteSite, to subject: RewriteSubject) throws(Diagnostic) -> Rewritten
  {
    let source = subject.module.source
    guard
      let (function, autotune) = Self.tuned(in: subject).first(where: { $0.0.name == site.kernel })
    else {
      throw Diagnostic(
        id: "not-autotuned", "'\(site.kernel)' is not autotuned over several configs",
        source: source, range: site.range)
    }
    let safety = try RerunSafety(of: function, in: subject)
    guard try !safety.missing(from: autotune, in: source).isEmpty else {
      throw Diagnostic(
        id: "rerun-safe", "trial runs of '\(site.kernel)' change nothing that is not restored",
        source: source, range: autotune.expression.range)
    }
    var edits = SourceEditor(subject.module)
    try safety.complete(autotune, in: subject.module, &edits)
    return Rewritten(source: try edits.rewritten(), site: site, numerics: .bitExact)
  }

  /// Why an autotuned kernel cannot be judged; nil where it can.
  public func refusal(of kernel: String, in subject: RewriteSubject) -> Diagnostic? {
    guard let (function, autotune) = Self.tuned(in: subject).first(where: { $0.0.name == kernel })
    else { return nil }
    do throws(Diagnostic) {
      _ = try RerunSafety(of: function, in: subject)
        .missing(from: autotune, in: subject.module.source)
      return nil
    } catch {
      return error
    }
  }

  /// One warning for each autotuned kernel whose trial runs spoil its arguments.
  public static func findings(in subject: RewriteSubject) -> [Diagnostic] {
    RestoreTunedArguments().sites(in: subject).map { site in
      let names = site.names.map { "'\($0)'" }.joined(separator: ", ")
      return Diagnostic(
        id: "autotune-spoils-arguments", severity: .warning,
        "'\(site.kernel)' updates \(names) in place, and the trial runs of @triton.autotune do not "
          + "restore \(site.names.count == 1 ? "it" : "them")",
        source: subject.module.source, range: site.range, nextStep: site.what)
    }
  }

  /// Whether a module has an autotuned kernel that is launched: without one there is nothing to find.
  public static func isWorthAsking(of module: ModuleTree) -> Bool {
    !tuned(in: RewriteSubject(module: module, run: nil)).isEmpty
  }

  private static func what(_ missing: RerunSafety.Missing) -> String {
    func list(_ name: String, _ names: [String]) -> String? {
      names.isEmpty
        ? nil : "\(name)=[\(names.map { "'\($0)'" }.joined(separator: ", "))]"
    }
    let parts = [list("restore_value", missing.restored), list("reset_to_zero", missing.zeroed)]
    return "add " + parts.compactMap(\.self).joined(separator: " and ")
  }

  /// The kernels that are autotuned over several configs and launched.
  private static func tuned(in subject: RewriteSubject) -> [(JITFunction, Decorators.Entry)] {
    let names = LanguageNames(subject.module)
    return subject.triton.functions.compactMap { function in
      guard let autotune = Decorators(of: function.definition, names: names).autotune else {
        return nil
      }
      let launches = subject.run?.launches(of: function.name) ?? []
      var count = launches.map(\.configs.count).max()
      if count == nil, case .list(let elements)? = autotune.argument("configs", at: 0)?.kind {
        count = elements.count
      }
      guard count ?? 2 > 1, !LaunchSites(of: function.name, in: subject.module).sites.isEmpty else {
        return nil
      }
      return (function, autotune)
    }
  }
}
