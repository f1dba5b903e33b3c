import Diagnostics
import Foundation
import HostProgram
import TileIR

/// `torch.einsum`: operands are contracted from the left, two at a time, each as a product of
/// matrices over (shared axes, own axes, summed axes).
enum EinsumOperator {
  /// Numbers with a label per axis, in row-major order.
  private struct Term {
    var labels: [Int]
    var sizes: [Int]
    var numbers: Reals

    /// The stride of a label; 0 where the term lacks it.
    func stride(_ label: Int) -> Int {
      guard let axis = labels.firstIndex(of: label) else { return 0 }
      return sizes[axis] == 1 ? 0 : sizes[(axis + 1)...].reduce(1, &*)
    }
  }

  static func run(_ call: OperatorCall) throws {
    guard let equation = call.string("equation", "input") else {
      throw call.fault("the equation must be a string")
    }
    let operands = try call.tensors("operands", "rest")
    let text = equation.filter { $0 != " " }
    let sides = text.components(separatedBy: "->")
    let inputs = sides[0].components(separatedBy: ",")
    guard inputs.count == operands.count, !operands.isEmpty, sides.count <= 2 else {
      throw call.fault("the equation names another number of operands")
    }
    var sizes: [Int: Int] = [:]
    var uses: [Int: Int] = [:]
    var dotted = 0
    var terms: [Term] = []
    for (subscripts, operand) in zip(inputs, operands) {
      let (labels, dots) = try labels(call, subscripts, rank: operand.rank)
      dotted = max(dotted, dots)
      for label in Set(labels) { uses[label, default: 0] += labels.filter { $0 == label }.count }
      for (label, size) in zip(labels, operand.shape) {
        let known = sizes[label] ?? 1
        guard known == 1 || size == 1 || known == size else {
          throw call.fault("a subscript stands for sizes \(known) and \(size)")
        }
        sizes[label] = max(known, size)
        if size == 0 || known == 0 { sizes[label] = 0 }
      }
      terms.append(try term(call, labels, operand))
    }
    var output: [Int] = []
    if sides.count == 2 {
      let parts = sides[1].components(separatedBy: "...")
      output = parts[0].unicodeScalars.map { Int($0.value) }
      if parts.count > 1 {
        output += (0..<dotted).map { -(dotted - $0) }
        output += parts[1].unicodeScalars.map { Int($0.value) }
      }
    } else {
      output = (0..<dotted).map { -(dotted - $0) }
      output += uses.filter { $0.key > 0 && $0.value == 1 }.keys.sorted()
    }
    guard Set(output).count == output.count else {
      throw call.fault("an output subscript appears twice")
    }
    for label in output where sizes[label] == nil {
      throw call.fault("an output subscript does not appear among the operands")
    }
    var total = terms[0]
    let one = Term(labels: [], sizes: [], numbers: try Reals([1]))
    if terms.count == 1 {
      total = try contract(total, one, keeping: output, sizes)
    }
    for index in terms.indices.dropFirst() {
      var later = Set(output)
      for rest in terms[(index + 1)...] { later.formUnion(rest.labels) }
      let isLast = index == terms.count - 1
      var kept = output
      if !isLast {
        let present = Set(total.labels).union(terms[index].labels)
        kept = present.intersection(later).sorted()
      }
      total = try contract(total, terms[index], keeping: kept, sizes)
    }
    try call.store(total.numbers)
  }

  /// A label per axis: the scalar's value for letters, -1, -2, … from the right for `...`.
  private static func labels(_ call: OperatorCall, _ subscripts: String, rank: Int)
    throws -> ([Int], Int)
  {
    let parts = subscripts.components(separatedBy: "...").map {
      $0.unicodeScalars.map { Int($0.value) }
    }
    let named = parts.reduce(0) { $0 + $1.count }
    let dots = rank - named
    guard parts.count <= 2, dots >= 0, parts.count == 2 || dots == 0 else {
      throw call.fault("an operand's subscripts do not fit its \(rank) dimensions")
    }
    guard parts.count == 2 else { return (parts[0], 0) }
    return (parts[0] + (0..<dots).map { -(dots - $0) } + parts[1], dots)
  }

  /// An operand with each label once: a repeated one walks the diagonal.
  private static func term(_ call: OperatorCall, _ labels: [Int], _ operand: TensorShape)
    throws -> Term
  {
    var view = operand
    var kept: [Int] = []
    view.shape = []
    view.strides = []
    for (axis, label) in labels.enumerated() {
      if let known = kept.firstIndex(of: label) {
        guard view.shape[known] == operand.shape[axis] else {
          throw call.fault("a repeated subscript stands for different sizes")
        }
        view.strides[known] = view.strides[known] &+ operand.strides[axis]
      } else {
        kept.append(label)
        view.shape.append(operand.shape[axis])
        view.strides.append(operand.strides[axis])
      }
    }
    return Term(labels: kept, sizes: view.shape, numbers: try call.reals(view))
  }

  /// Two terms into one with the labels `kept`, in that order; all others are summed.
  private static func contract(
    _ a: Term, _ b: Term, keeping kept: [Int], _ sizes: [Int: Int]
  ) throws -> Term {
    let (inA, inB) = (Set(a.labels), Set(b.labels))
    let summed = inA.union(inB).subtracting(kept).sorted()
    let batch = kept.filter { inA.contains($0) && inB.contains($0) }
    let rows = kept.filter { inA.contains($0) && !inB.contains($0) }
    let columns = kept.filter { !inA.contains($0) && inB.contains($0) }
    func size(_ labels: [Int]) -> Int { labels.reduce(1) { $0 &* (sizes[$1] ?? 1) } }
    func arranged(_ term: Term, _ labels: [Int]) throws -> Reals {
      let out = try Reals(size(labels))
      let walk = Walk(
        shape: labels.map { sizes[$0] ?? 1 }, strides: labels.map { term.stride($0) }, offset: 0)
      StridedCopy.read(UnsafeRawPointer(term.numbers.base), .fp64, .native, walk, into: out.base)
      return out
    }
    let (m, n, k, count) = (size(rows), size(columns), size(summed), size(batch))
    let x = try arranged(a, batch + rows + summed)
    let y = try arranged(b, batch + columns + summed)
    let product = try Reals(count &* m &* n)
    for index in 0..<count {
      try MatrixProduct.accumulate(
        m, n, k,
        MatrixView(base: x.base + index &* m &* k, rowStride: k, columnStride: 1),
        MatrixView(base: y.base + index &* n &* k, rowStride: 1, columnStride: k),
        into: product.base + index &* m &* n, cStride: n)
    }
    let order = batch + rows + columns
    let whole = Term(labels: order, sizes: order.map { sizes[$0] ?? 1 }, numbers: product)
    return Term(
      labels: kept, sizes: kept.map { sizes[$0] ?? 1 }, numbers: try arranged(whole, kept))
  }
}
