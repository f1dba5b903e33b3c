import Diagnostics
import Foundation

/// A number an operator computes in: `Double` for floating tensors, `Int64` for the others.
protocol Number: BitwiseCopyable {
  static var zero: Self { get }
}

extension Double: Number {}
extension Int64: Number {}

/// Numbers side by side, in row-major order: an operand on its way through an operator.
///
/// Either memory of its own, or a look into a storage which then is kept alive; a look is never
/// written through.
final class Buffer<Element: Number> {
  let base: UnsafeMutablePointer<Element>
  let count: Int
  private let owner: TensorStorage?

  /// New memory, all zero.
  /// - Throws: `out-of-memory`.
  init(_ count: Int) throws(Diagnostic) {
    self.count = count
    owner = nil
    let (bytes, overflow) = max(1, count).multipliedReportingOverflow(by: 8)
    guard count >= 0, !overflow, bytes <= 1 << 46, let memory = calloc(bytes / 8, 8) else {
      throw Diagnostic(
        id: "out-of-memory", "no memory for \(count) numbers", nextStep: "use smaller sizes")
    }
    base = memory.bindMemory(to: Element.self, capacity: max(1, count))
  }

  /// A look at `count` numbers of a storage.
  init(viewing pointer: UnsafeMutablePointer<Element>, count: Int, of storage: TensorStorage) {
    base = pointer
    self.count = count
    owner = storage
  }

  convenience init(_ values: [Element]) throws(Diagnostic) {
    try self.init(values.count)
    for (index, value) in values.enumerated() { base[index] = value }
  }

  deinit { if owner == nil { free(base) } }

  var isView: Bool { owner != nil }

  /// An element; for code off the hot path.
  subscript(index: Int) -> Element {
    get {
      precondition(index >= 0 && index < count, "index outside the buffer")
      return base[index]
    }
    set {
      precondition(index >= 0 && index < count && owner == nil, "index outside the buffer")
      base[index] = newValue
    }
  }

  /// The same numbers in memory that may be written.
  func owned() throws(Diagnostic) -> Buffer {
    guard isView else { return self }
    let copy = try Buffer(count)
    copy.base.update(from: base, count: count)
    return copy
  }

  var array: [Element] { Array(UnsafeBufferPointer(start: base, count: count)) }
}

typealias Reals = Buffer<Double>
typealias Integers = Buffer<Int64>
