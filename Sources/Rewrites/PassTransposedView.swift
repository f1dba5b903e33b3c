import Diagnostics
import HostProgram
import PythonSyntax
import TritonLowering

/// Hands a kernel a transposed view where the wrapper makes a transposed copy of a tensor for it.
///
/// Before:
/// ```python
/// b = weight.t().contiguous()
/// matmul_kernel[grid](a, b, c, M, N, K, …, b.stride(0), b.stride(1), …)
/// ```
/// After:
/// ```python
/// b = weight.t()
/// ```
/// The copy reads and writes the whole tensor on every call. The kernel is told the strides, so it
/// finds the same elements in the view; whether it reads them as fast there, only a model of its
/// accesses or a measurement tells.
///
/// Requires: the copy is of a view that `t`, `T`, `mT`, `transpose`, `permute`, `swapaxes` or
/// `movedim` gives; its name is bound once, and used for nothing but launches of one kernel, its
/// shape, its strides and its type; every such launch is given the stride of every axis, taken from
/// that name; the kernel only reads it.
/// Refuses when: any other use is found, a launch lacks a stride, or what the kernel writes is not
/// known. A kernel that is given the strides and does not use them shows only where it runs: the
/// rewrite asks for that proof (``needsProof``).
/// Numerics: bit-exact.
public struct PassTransposedView: Rewrite {
  public let id = "pass-transposed-view"
  public let summary = "Hands kernels transposed views instead of transposed copies."
  public var needsProof: Bool { true }

  public init() {}

  public func sites(in subject: RewriteSubject) -> [RewriteSite] {
    copies(in: subject.module).compactMap { copy in
      guard let use = try? require(copy, in: subject) else { return nil }
      let source = subject.module.source
      let bytes = bytes(of: use, in: subject)
      return RewriteSite(
        rewrite: id, kernel: use.kernel.name, range: copy.removed, names: [copy.name],
        what: "hand '\(copy.name)' over as a view, without the copy on line "
          + "\(source.line(at: copy.removed.lower))",
        why: "'\(source.text(in: copy.value.range))' copies "
          + (bytes.map { "\($0.byteText) " } ?? "")
          + "in every call, and the kernel is told the strides",
        hostBytes: bytes.map { 2 * $0 } ?? 0)
    }
  }

  public func apply(_ site: RewriteSite, to subject: RewriteSubject) throws(Diagnostic) -> Rewritten
  {
    guard let copy = copies(in: subject.module).first(where: { $0.removed == site.range }) else {
      throw Diagnostic(
        id: "no-such-site", "no transposed copy is made here", source: subject.module.source,
        range: site.range)
    }
    _ = try require(copy, in: subject)
    var editor = SourceEditor(subject.module)
    editor.delete(copy.removed)
    return Rewritten(source: try editor.rewritten(), site: site, numerics: .bitExact)
  }

  // MARK: The copies

  /// `name = VIEW.contiguous()` in a function or method.
  private struct Copy {
    var name: String
    var value: Expr
    /// `.contiguous()` in the text.
    var removed: SourceRange
    var function: FunctionDef
  }

  private static let views: Set<String> = [
    "t", "transpose", "permute", "swapaxes", "swapdims", "movedim", "moveaxis", "T", "mT",
  ]

  private func copies(in tree: ModuleTree) -> [Copy] {
    var found: [Copy] = []
    for function in Self.functions(of: tree) where NestingLimit.holds(for: function) {
      function.body.forEachStatement { statement in
        guard case .assign(let targets, let value) = statement.kind, targets.count == 1,
          let name = targets[0].bareName,
          case .call(let callee, let arguments, let keywords) = value.kind, arguments.isEmpty,
          keywords.isEmpty, case .attribute(let view, "contiguous", _) = callee.kind,
          Self.isView(view)
        else { return }
        let removed = SourceRange(view.range.upper, value.range.upper)
        // A parenthesis around the view would be torn apart.
        let text = tree.source.text(in: removed).filter { !$0.isWhitespace && $0 != "\\" }
        guard text == ".contiguous()" else { return }
        found.append(Copy(name: name, value: value, removed: removed, function: function))
      }
    }
    return found
  }

  /// Functions of the module and methods of its classes.
  private static func functions(of tree: ModuleTree) -> [FunctionDef] {
    tree.body.flatMap { statement -> [FunctionDef] in
      switch statement.kind {
      case .function(let function): return [function]
      case .classDef(let definition):
        return definition.body.compactMap {
          if case .function(let method) = $0.kind { method } else { nil }
        }
      default: return []
      }
    }
  }

  private static func isView(_ expression: Expr) -> Bool {
    switch expression.kind {
    case .attribute(_, let name, _): return ["T", "mT"].contains(name)
    case .call(let callee, _, _):
      // `torch.transpose(x, 0, 1)` gives a view as `x.transpose(0, 1)` does.
      guard case .attribute(_, let name, _) = callee.kind else { return false }
      return views.contains(name) && !["T", "mT"].contains(name)
    default: return false
    }
  }

  // MARK: What must hold

  /// The first launch that is given the copy, where all of them may have the view.
  private func require(
    _ copy: Copy, in subject: RewriteSubject
  ) throws(Diagnostic) -> TensorUses.LaunchUse {
    let source = subject.module.source
    func refuse(_ message: String, _ range: SourceRange) -> Diagnostic {
      Diagnostic(id: "copy-needed", message, source: source, range: range)
    }
    let uses = TensorUses(of: copy.name, in: copy.function, subject)
    guard uses.bindings == 1 else {
      throw refuse("'\(copy.name)' is bound more than once", copy.value.range)
    }
    if let other = uses.others.first {
      throw refuse("'\(copy.name)' is used for more than launches of a kernel", other)
    }
    guard let first = uses.launches.first else {
      throw refuse("no kernel is launched with '\(copy.name)'", copy.value.range)
    }
    guard uses.launches.allSatisfy({ $0.kernel.name == first.kernel.name }) else {
      throw refuse("several kernels are launched with '\(copy.name)'", copy.value.range)
    }
    let effects = EffectsOfKernel(of: first.kernel.name, in: subject.triton)
    if let unknown = effects.unknown.first { throw unknown }
    for launch in uses.launches {
      guard let rank = rank(of: launch.parameter, launch, subject) else {
        throw refuse("how many axes '\(copy.name)' has is not known", launch.site.call.range)
      }
      guard !effects.modified.contains(launch.parameter) else {
        throw refuse("'\(first.kernel.name)' writes to it", launch.site.call.range)
      }
      if let axis = (0..<rank).first(where: {
        !launch.axes.contains($0) && !launch.axes.contains($0 - rank)
      }) {
        throw refuse(
          "'\(first.kernel.name)' is not told the stride of axis \(axis)", launch.site.call.range)
      }
    }
    return first
  }

  private func tensor(_ parameter: String, _ launch: Launch) -> TensorShape? {
    guard let argument = launch.arguments.first(where: { $0.name == parameter }),
      case .tensor(let shape) = argument.value
    else { return nil }
    return shape
  }

  private func rank(
    of parameter: String, _ use: TensorUses.LaunchUse, _ subject: RewriteSubject
  ) -> Int? {
    let shapes = (subject.run?.launches ?? []).filter { $0.callRange == use.site.call.range }
      .compactMap { tensor(parameter, $0)?.shape.count }
    guard let rank = shapes.first, shapes.allSatisfy({ $0 == rank }) else { return nil }
    return rank
  }

  /// Bytes that the copies of one `forward` hold.
  private func bytes(of use: TensorUses.LaunchUse, in subject: RewriteSubject) -> Int? {
    // A copy is made in each call of the function; a launch after it stands for the call.
    var total = 0
    for launch in subject.run?.launches ?? [] where launch.callRange == use.site.call.range {
      guard let shape = tensor(use.parameter, launch) else { return nil }
      total &+= shape.shape.reduce(shape.element.bytes, &*)
    }
    return total > 0 ? total : nil
  }
}

extension Int {
  /// "64 MB", "1.5 kB".
  fileprivate var byteText: String {
    let units: [(Double, String)] = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")]
    for (size, unit) in units where Double(self) >= size {
      let value = (Double(self) / size * 10).rounded() / 10
      return (value == value.rounded() ? "\(Int(value))" : "\(value)") + " " + unit
    }
    return "\(self) bytes"
  }
}
