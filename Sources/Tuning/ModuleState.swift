import Diagnostics
import HostProgram
import PythonSyntax
import Rewrites
import TritonLowering

/// One version of the module on its way from the original to the answer.
struct ModuleState: Sendable {
  var tree: ModuleTree
  var subject: RewriteSubject
  /// The rewrites that led here, in order.
  var applied: [RewriteSite] = []

  var source: SourceText { tree.source }
  var triton: TritonModule { subject.triton }

  init(tree: ModuleTree, run: HostRun?) {
    self.tree = tree
    self.subject = RewriteSubject(module: tree, run: run)
  }

  /// Parses and runs a rewritten module.
  /// - Throws: the first error where it no longer parses or its host program no longer runs; both
  ///   mean that the rewrite is at fault. Or the first name or signature that it changed.
  init(_ rewritten: Rewritten, after previous: ModuleState, inputs: ModuleInputs)
    throws(Diagnostic)
  {
    let tree = try RewriteCheck.check(
      rewritten.source, of: previous.subject, adding: rewritten.addedNames)
    var run: HostRun?
    if previous.subject.run != nil {
      run = try inputs.host(for: tree).run(inputs.inputs)
    }
    self.init(tree: tree, run: run)
    self.applied = previous.applied + [rewritten.site]
  }
}

/// What the host program is run with.
struct ModuleInputs: Sendable {
  var problem: ModuleTree?
  var inputs: HostProgram.Inputs
  /// What the module's own queries about the GPU are answered with.
  var gpu: HostGPU

  func host(for module: ModuleTree) -> HostProgram {
    HostProgram(module: module, problem: problem, gpu: gpu)
  }
}
