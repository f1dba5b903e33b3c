import Diagnostics
import HostProgram
import PythonSyntax
import TritonLowering

/// A change of a module's source that keeps its meaning: a value in, a new value or a refusal out.
public protocol Rewrite: Sendable {
  /// Verb and object in kebab-case, stable, for logs: `specialize-arguments`.
  var id: String { get }
  /// One sentence for people.
  var summary: String { get }
  /// Whether it may make a kernel faster. False for what the compiler does itself: such a rewrite is
  /// for readers, and a tuner leaves it alone.
  var mayGain: Bool { get }
  /// What it may do to the kernel's memory accesses; held against the lowered kernels.
  var effects: EffectChange { get }
  /// Whether part of what it requires shows only where both modules run: it is taken only after a
  /// check of the rewritten module against the original.
  var needsProof: Bool { get }
  /// Where the rewrite might apply, with what it would do there and why. Finding nothing is fine.
  func sites(in subject: RewriteSubject) -> [RewriteSite]
  /// Applies the rewrite at one site.
  /// - Throws: a `Diagnostic` with the reason and the place where a requirement does not hold; the
  ///   subject is untouched then.
  func apply(_ site: RewriteSite, to subject: RewriteSubject) throws(Diagnostic) -> Rewritten
}

extension Rewrite {
  public var effects: EffectChange { .none }
  public var mayGain: Bool { true }
  public var needsProof: Bool { false }
}

/// How a rewrite may change which memory accesses a lowered kernel makes.
public enum EffectChange: Sendable {
  /// Not at all.
  case none
  /// How often each is written out, as between an unrolled and a pipelined loop.
  case copies
  /// Branches that turn out never taken go away with their accesses; none is added.
  case deadBranches
}

/// What a rewrite looks at: one parsed module and, where it ran, its host program.
public struct RewriteSubject: Sendable {
  public var module: ModuleTree
  public var triton: TritonModule
  /// The launches; nil when the host program could not be evaluated.
  public var run: HostRun?

  public init(module: ModuleTree, run: HostRun?) {
    self.module = module
    self.triton = TritonModule(module)
    self.run = run
  }
}

/// One place where a rewrite might apply.
public struct RewriteSite: Sendable {
  public var rewrite: String
  public var kernel: String
  public var range: SourceRange
  /// The names it concerns (parameters, variables), in source order.
  public var names: [String]
  /// What it does here, in words: "make KH, KW compile-time constants".
  public var what: String
  /// Why it should help, in words, naming line and cost.
  public var why: String
  /// Bytes of DRAM traffic that it spares the host's own operators in one `forward`.
  public var hostBytes: Int

  public init(
    rewrite: String, kernel: String, range: SourceRange, names: [String], what: String, why: String,
    hostBytes: Int = 0
  ) {
    self.rewrite = rewrite
    self.kernel = kernel
    self.range = range
    self.names = names
    self.what = what
    self.why = why
    self.hostBytes = hostBytes
  }
}

/// What a rewrite does to the last bits of the results.
public enum Numerics: Hashable, Sendable {
  case bitExact
  /// Rounding may differ; the text says where and by how much.
  case changesRounding(String)
}

/// A module after one rewrite, with the record of it.
public struct Rewritten: Sendable {
  public var source: SourceText
  public var site: RewriteSite
  public var numerics: Numerics
  /// Names that the rewrite defines at module level beside the subject's own.
  public var addedNames: Set<String>

  public init(
    source: SourceText, site: RewriteSite, numerics: Numerics, addedNames: Set<String> = []
  ) {
    self.source = source
    self.site = site
    self.numerics = numerics
    self.addedNames = addedNames
  }
}
