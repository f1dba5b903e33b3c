import Diagnostics
import PythonSyntax
import TileIR

@testable import HostProgram

/// A value of Python code run by the evaluator, in tests.
enum Snippet {
  /// `repr(result)` after running the code, or the error's headline.
  static func result(_ code: String) -> String {
    let tree = PythonParser.parse(SourceText(name: "test.py", text: code))
    if let error = tree.diagnostics.first { return error.headline }
    let outcome: String? = try? LargeStack.run { () -> Result<String, Diagnostic> in
      var limits = EvaluationLimits()
      limits.steps = 100_000
      let evaluator = Evaluator(gpu: HostGPU(), limits: limits)
      let unit = SourceUnit(
        source: tree.source, globals: Scope(.module, parent: nil), isModule: true)
      evaluator.unit = unit
      do {
        _ = try evaluator.execute(tree.body, unit.globals)
        return .success(try evaluator.represent(unit.globals.variables["result"] ?? Value.none))
      } catch Unwind.raised(let exception) {
        return .success(
          "raises \(exception.value.type.name): \(evaluator.exceptionText(exception.value))")
      } catch Unwind.refused(let diagnostic) {
        return .success("refused \(diagnostic.id): \(diagnostic.message)")
      } catch {
        return .success("\(error)")
      }
    }
    return outcome ?? "no result"
  }

  static let describe = """
    def d(y):
        if isinstance(y, (tuple, list)):
            return tuple(d(v) for v in y)
        if isinstance(y, torch.Tensor):
            return (tuple(y.shape), tuple(y.stride()), str(y.dtype))
        return y

    """
}

/// A module in the KernelBench shape around a few lines, for tests.
enum TestModule {
  static func program(_ text: String, problem: String? = nil) -> HostProgram {
    HostProgram(
      module: PythonParser.parse(SourceText(name: "module.py", text: text)),
      problem: problem.map { PythonParser.parse(SourceText(name: "problem.py", text: $0)) })
  }

  static let header = """
    import torch
    import torch.nn as nn
    import triton
    import triton.language as tl

    """

  /// A kernel `scale(x_ptr, y_ptr, n, factor, BLOCK)` without autotune.
  static let scaleKernel =
    header + """
      @triton.jit
      def scale(x_ptr, y_ptr, n, factor, BLOCK: tl.constexpr):
          i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
          tl.store(y_ptr + i, tl.load(x_ptr + i, mask=i < n) * factor, mask=i < n)

      """
}

/// A step of a trace in one line: `%1:fp32[2] = add(input=%0:fp32[2], other=1.0)`.
enum TraceText {
  static func line(_ step: HostStep) -> String {
    switch step {
    case .operation(let operation):
      let arguments = operation.arguments.sorted { $0.key < $1.key }
        .map { "\($0.key)=\(text($0.value))" }.joined(separator: ", ")
      let results = operation.results.map(text).joined(separator: ", ")
      return "\(results) = \(operation.name)(\(arguments))"
    case .launch(let index): return "launch \(index)"
    }
  }

  static func text(_ shape: TensorShape) -> String {
    let strides =
      shape.strides == TensorShape.contiguousStrides(shape.shape) ? "" : "/\(shape.strides)"
    let offset = shape.offset == 0 ? "" : "+\(shape.offset)"
    return "%\(shape.storage)\(offset):\(shape.element)\(shape.shape)\(strides)"
  }

  static func text(_ value: TraceValue) -> String {
    switch value {
    case .tensor(let shape): text(shape)
    case .int(let number): "\(number)"
    case .float(let number): "\(number)"
    case .bool(let flag): "\(flag)"
    case .string(let text): "'\(text)'"
    case .dtype(let element): "\(element)"
    case .none: "None"
    case .list(let values): "[\(values.map(text).joined(separator: ", "))]"
    }
  }

  /// The lines that `forward` records for a body over `x` (2×3), `y` (2×3), `w` (3×4) and `k` (2 ints).
  static func forward(_ body: String) -> [String] {
    let lines = body.split(separator: "\n", omittingEmptySubsequences: false)
    let module =
      TestModule.header + """
        import torch.nn.functional as F

        class ModelNew(nn.Module):
            def forward(self, x, y, w, k):
        \(lines.map { "        \($0)" }.joined(separator: "\n"))
                return x

        def get_inputs():
            return [torch.rand(2, 3), torch.rand(2, 3), torch.rand(3, 4), torch.randint(3, (2,))]

        def get_init_inputs():
            return []
        """
    do {
      let trace = try TestModule.program(module).run(.fromProblem).trace
      return trace.forward.map(line) + (trace.gap.map { ["gap: \($0.message)"] } ?? [])
    } catch {
      return [error.headline]
    }
  }
}
