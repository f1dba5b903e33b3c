import Foundation
import TestSupport
import Testing

@testable import HostProgram

@Suite struct TorchShapeTests {
  /// All expressions in one evaluation, each with its own outcome.
  private static func answers(_ rows: [(String, String)]) -> [String] {
    rows.map { expression, _ in
      Snippet.result(TorchTable.setup + "\n" + Snippet.describe + "result = d(\(expression))\n")
    }
  }

  @Test(arguments: [
    ("views", TorchTable.views), ("elementwise", TorchTable.elementwise),
    ("creation", TorchTable.creation), ("reductions", TorchTable.reductions),
    ("products", TorchTable.products), ("windows", TorchTable.windows),
    ("joining", TorchTable.joining), ("layers", TorchTable.layers),
    ("queries", TorchTable.queries),
  ])
  func `Shapes, strides and element types are torch's`(
    _ family: (name: String, rows: [(String, String)])
  ) {
    for (row, answer) in zip(family.rows, Self.answers(family.rows)) {
      #expect(answer == row.1, "\(row.0)")
    }
  }

  @Test(.enabled(if: Checkout.judgePython != nil, "\(Checkout.judgePythonReason)"))
  func `A real torch prints the table's answers`() async throws {
    var code = TorchTable.setup + "\n" + Snippet.describe
    for (expression, _) in TorchTable.all { code += "print(repr(d(\(expression))))\n" }
    let lines = try await Program.run(Checkout.judgePython ?? "", ["-"], input: code)
      .output.split(separator: "\n").map(String.init)
    // A judge without torch prints nothing and judges nothing.
    guard !lines.isEmpty else { return }
    #expect(lines == TorchTable.all.map(\.1))
  }

  @Test(arguments: [
    (
      "torch.empty(2, 3) @ torch.empty(4, 5)",
      "raises RuntimeError: mat1 and mat2 shapes cannot be multiplied ([2, 3] and [4, 5])"
    ),
    (
      "torch.empty(2, 3).view(7)", "raises RuntimeError: shape '[7]' is invalid for input of size 6"
    ),
    (
      "torch.empty(2, 3).size(2)",
      "raises IndexError: Dimension out of range (expected to be in range of [-2, 1], but got 2)"
    ),
    (
      "torch.empty(2, -3)",
      "raises RuntimeError: Trying to create tensor with negative dimension -3"
    ),
    (
      "torch.empty(1 << 40, 1 << 20)",
      "raises RuntimeError: a tensor of this size cannot be allocated"
    ),
    (
      "torch.empty(2).definitely_not_there()",
      "refused not-modelled: 'Tensor.definitely_not_there' is not modelled"
    ),
    ("torch.fft.fft(torch.empty(2))", "refused not-modelled: 'torch.fft.fft' is not modelled"),
    ("torch.cat([])", "raises RuntimeError: torch.cat(): expected a non-empty list of Tensors"),
  ])
  func `Wrong shapes raise and unknown names are refused`(expression: String, outcome: String) {
    #expect(Snippet.result("import torch\nresult = \(expression)\n") == outcome)
  }
}
