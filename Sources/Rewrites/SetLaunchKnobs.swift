import Diagnostics
import PythonSyntax
import TritonLowering

/// Sets `num_warps` and `num_stages` where a kernel is launched.
///
/// Before: `kernel[grid](x, n, BLOCK=1024, num_warps=4)`
/// After: `kernel[grid](x, n, BLOCK=1024, num_warps=8)`
/// Requires: the kernel has no `@triton.autotune`, whose configs would conflict.
/// Refuses when: a launch passes `**options`, or a heuristic sets the knob.
/// Numerics: bit-exact; a sum may add in another order when the number of warps changes.
public struct SetLaunchKnobs: Rewrite {
  public let id = "set-launch-knobs"
  public let summary = "Sets num_warps and num_stages at the launches of a kernel."
  /// nil leaves what the launches say.
  public var numWarps: Int?
  public var numStages: Int?

  public init(numWarps: Int? = nil, numStages: Int? = nil) {
    self.numWarps = numWarps
    self.numStages = numStages
  }

  public func sites(in subject: RewriteSubject) -> [RewriteSite] {
    let names = LanguageNames(subject.module)
    return subject.triton.functions.compactMap { function in
      guard Decorators(of: function.definition, names: names).autotune == nil,
        let first = LaunchSites(of: function.name, in: subject.module).sites.first
      else { return nil }
      return RewriteSite(
        rewrite: id, kernel: function.name, range: first.call.range, names: [],
        what: "set num_warps and num_stages of '\(function.name)'",
        why: "the launch fixes them (Triton's defaults are 4 and 3)")
    }
  }

  public func apply(_ site: RewriteSite, to subject: RewriteSubject) throws(Diagnostic) -> Rewritten
  {
    let source = subject.module.source
    guard let function = subject.triton.function(named: site.kernel) else {
      throw Diagnostic(
        id: "no-such-kernel", "there is no kernel '\(site.kernel)'", source: source)
    }
    let names = LanguageNames(subject.module)
    let decorators = Decorators(of: function.definition, names: names)
    if let autotune = decorators.autotune {
      throw Diagnostic(
        id: "autotuned",
        "'\(site.kernel)' is autotuned, and knobs at a launch conflict with its configs",
        source: source, range: autotune.expression.range, nextStep: "change its configs instead")
    }
    var wanted: [(String, Int)] = []
    if let numWarps { wanted.append(("num_warps", numWarps)) }
    if let numStages { wanted.append(("num_stages", numStages)) }
    guard let set = decorators.heuristicNames else {
      throw Diagnostic(
        id: "heuristics-hidden", "what these heuristics set is not written out here",
        source: source, range: decorators.heuristics.first?.expression.range)
    }
    if let knob = set.first(where: { knob in wanted.contains { $0.0 == knob.name } }) {
      throw Diagnostic(
        id: "heuristic-sets-knob", "a heuristic sets '\(knob.name)', over any launch",
        source: source, range: knob.range)
    }
    let sites = LaunchSites(of: site.kernel, in: subject.module).sites
    guard !sites.isEmpty else {
      throw Diagnostic(
        id: "never-launched", "'\(site.kernel)' is launched nowhere", source: source,
        range: function.definition.nameRange)
    }
    var edits = SourceEditor(subject.module)
    for launch in sites {
      if let starred = launch.doubleStarred {
        throw Diagnostic(
          id: "launch-options-hidden",
          "this launch may pass num_warps or num_stages in a dictionary",
          source: source, range: starred.range)
      }
      guard let call = CallEdits(launch.call, in: subject.module) else { continue }
      var added: [String] = []
      for (name, value) in wanted {
        if let keyword = launch.keyword(name) {
          if keyword.value.integerValue != value {
            edits.replace(keyword.value.range, with: String(value))
          }
        } else {
          added.append("\(name)=\(value)")
        }
      }
      call.add(added, in: &edits)
    }
    let text = try edits.rewritten()
    return Rewritten(
      source: text, site: site,
      numerics: numWarps == nil ? .bitExact : Numerics.ofSums(in: function, names))
  }
}
