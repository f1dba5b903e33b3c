import DeviceModel
import Diagnostics
import Profiling
import PythonSyntax
import Stages

/// Everything that was asked, from a document or from a module with flags.
public struct Request: Sendable {
  /// The request document; nil if the request is a module with flags.
  public var document: SourceText?
  /// The built-in GPU with what the document says overriding it.
  public var gpu: GPU
  /// Each fact that the document gave about the GPU, with its line.
  public var gpuFacts: [GPUFact]
  public var policy: StagePolicy
  /// The module; its `firstLine` is its line in the document, so findings point into the document.
  public var module: SourceText
  /// The module's bytes in the document; nil if the module is a file of its own.
  public var moduleRange: SourceRange?
  public var tree: ModuleTree
  /// Nsight metrics, one for each profiled launch.
  public var profiles: [KernelProfile]
  /// Why there are no metrics, where the document says so.
  public var profileAbsence: String?
  public var outputRules: OutputRules
  /// The task in the document's words.
  public var task: String?
  /// The problem file (`Model`, `get_inputs`, `get_init_inputs`), if one was given.
  public var problem: Problem?
  /// Explicit input shapes.
  public var inputs: [InputSpec]
  /// Notes and warnings: what was read in an unusual way or not understood, each with its line.
  public var notes: [Diagnostic]
  /// What became of each line of the document; empty for a module with flags.
  public var lineOutcomes: [LineOutcome]

  /// A KernelBench-style problem.
  public struct Problem: Sendable {
    public var source: SourceText
    public var tree: ModuleTree
    public init(source: SourceText, tree: ModuleTree) {
      self.source = source
      self.tree = tree
    }
  }
}

/// One fact about the GPU as a document states it.
public struct GPUFact: Sendable {
  /// What it is about, in the document's words: `Number of SMs`.
  public var key: String
  public var value: String
  public var range: SourceRange
}

/// What became of one line of a request document.
public enum LineOutcome: String, Sendable, CaseIterable {
  case blank, heading, preamble, gpuFact, stageRule, advice, code, fenceMark, metrics, task
  case outputRule, apiConstraint, history, problem, input, answerTemplate
  /// Kept, reported by a note, used for nothing.
  case reported
  /// Never left in a finished request (a test holds the reader to that).
  case unread
}

/// Several errors of one input.
public struct InputErrors: Error, Sendable, CustomStringConvertible {
  public var diagnostics: [Diagnostic]
  public init(_ diagnostics: [Diagnostic]) { self.diagnostics = diagnostics }
  public init(_ diagnostic: Diagnostic) { self.diagnostics = [diagnostic] }
  public var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}

/// What the flags add to, or say instead of, a document.
public struct RequestOptions: Sendable {
  public var gpu: String?
  public var stage: String?
  /// A Nsight profile (JSON or CSV).
  public var profile: SourceText?
  /// A KernelBench-style problem file.
  public var problem: SourceText?
  /// `x=f32[256,3,224,224]`
  public var inputs: [String]
  /// Whether a module without `ModelNew` is an error.
  public var requiresModel: Bool

  public init(
    gpu: String? = nil, stage: String? = nil, profile: SourceText? = nil,
    problem: SourceText? = nil, inputs: [String] = [], requiresModel: Bool = true
  ) {
    self.gpu = gpu
    self.stage = stage
    self.profile = profile
    self.problem = problem
    self.inputs = inputs
    self.requiresModel = requiresModel
  }
}
