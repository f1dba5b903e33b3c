import Diagnostics
import PythonSyntax
import TritonLowering

/// What a host function does with one of its local tensors.
struct TensorUses {
  /// A launch that is given the tensor.
  struct LaunchUse {
    var site: LaunchSites.Site
    var kernel: JITFunction
    /// The kernel's parameter that the tensor is bound to.
    var parameter: String
    /// The axes, as written, whose strides the launch is given.
    var axes: Set<Int>
  }

  private(set) var bindings = 0
  private(set) var launches: [LaunchUse] = []
  /// Uses that neither ask for its form nor hand it to a kernel.
  private(set) var others: [SourceRange] = []

  /// Attributes that do not change with the layout.
  private static let form: Set<String> = [
    "shape", "size", "dtype", "device", "ndim", "dim", "numel", "nelement", "is_cuda",
    "element_size", "requires_grad",
  ]

  init(of name: String, in function: FunctionDef, _ subject: RewriteSubject) {
    var explained: Set<ObjectIdentifier> = []
    // Which axis's stride a local name holds; nil where it is bound otherwise or twice.
    var strides: [String: Int?] = [:]
    var bound: [String: Int] = [:]
    for parameter in function.parameters.all { bound[parameter.name, default: 0] += 1 }
    function.body.forEachStatement { statement in
      for (target, _) in statement.boundNames { bound[target, default: 0] += 1 }
      guard case .assign(let targets, let value) = statement.kind, targets.count == 1 else {
        return
      }
      for (target, axis) in Self.strideNames(targets[0], value, of: name) {
        strides[target] = axis
      }
    }
    bindings = bound[name] ?? 0
    let known = strides.filter { bound[$0.key] == 1 }.compactMapValues { $0 }

    for kernel in subject.triton.functions {
      for site in LaunchSites(of: kernel.name, in: subject.module).sites
      where function.fullRange.lower <= site.call.range.lower
        && site.call.range.upper <= function.fullRange.upper
      {
        var axes: Set<Int> = []
        for argument in site.arguments + site.keywords.map(\.value) {
          if let axis = Self.axis(argument, of: name) { axes.insert(axis) }
          if let local = argument.bareName, let axis = known[local] { axes.insert(axis) }
        }
        for parameter in kernel.parameters {
          guard
            let argument = site.argument(for: parameter.name, of: kernel.definition),
            argument.bareName == name
          else { continue }
          explained.insert(ObjectIdentifier(argument))
          launches.append(
            LaunchUse(site: site, kernel: kernel, parameter: parameter.name, axes: axes))
        }
      }
    }
    function.body.forEachExpression { expression in
      guard case .attribute(let base, let attribute, _) = expression.kind,
        base.bareName == name, Self.form.contains(attribute) || attribute == "stride"
      else { return }
      explained.insert(ObjectIdentifier(base))
    }
    function.body.forEachStatement { statement in
      // The name where it is bound.
      if case .assign(let targets, _) = statement.kind {
        for target in targets where target.bareName == name {
          explained.insert(ObjectIdentifier(target))
        }
      }
    }
    var others: [SourceRange] = []
    function.body.forEachExpression { expression in
      if expression.bareName == name, !explained.contains(ObjectIdentifier(expression)) {
        others.append(expression.range)
      }
    }
    self.others = others
  }

  /// `name.stride(1)` → 1.
  private static func axis(_ expression: Expr, of name: String) -> Int? {
    guard case .call(let callee, let arguments, let keywords) = expression.kind,
      case .attribute(let base, "stride", _) = callee.kind, base.bareName == name
    else { return nil }
    if arguments.count == 1, keywords.isEmpty { return arguments[0].integerValue }
    if arguments.isEmpty, keywords.count == 1, keywords[0].name == "dim" {
      return keywords[0].value.integerValue
    }
    return nil
  }

  /// The names that an assignment binds to strides: `s = b.stride(0)`, `s, t = b.stride()`,
  /// `s, t = b.stride(0), b.stride(1)`.
  private static func strideNames(
    _ target: Expr, _ value: Expr, of name: String
  ) -> [(String, Int)] {
    if let local = target.bareName {
      return axis(value, of: name).map { [(local, $0)] } ?? []
    }
    let targets: [Expr]
    switch target.kind {
    case .tuple(let elements), .list(let elements): targets = elements
    default: return []
    }
    if case .tuple(let values) = value.kind, values.count == targets.count {
      return zip(targets, values).compactMap { target, value in
        guard let local = target.bareName, let axis = axis(value, of: name) else { return nil }
        return (local, axis)
      }
    }
    guard case .call(let callee, let arguments, let keywords) = value.kind, arguments.isEmpty,
      keywords.isEmpty, case .attribute(let base, "stride", _) = callee.kind,
      base.bareName == name
    else { return [] }
    return targets.enumerated().compactMap { index, target in
      target.bareName.map { ($0, index) }
    }
  }
}
