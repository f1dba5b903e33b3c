import Diagnostics
import Foundation

/// The bytes of one storage of a host trace: what `torch.UntypedStorage` is to torch.
///
/// The memory is whole pages from `mmap`, all zero until written and only committed when touched.
/// Nobody but the task that owns the ``TensorWorld`` may use it.
public final class TensorStorage {
  /// How the storage's elements lie in it.
  public enum Layout: Hashable, Sendable {
    /// Each element in the bytes of its own type.
    case native
    /// Each floating element as a `Double`, whatever its declared type.
    case doubles
  }

  /// The first byte; aligned to a page.
  public let baseAddress: UnsafeMutableRawPointer
  /// The bytes that belong to the storage.
  public let byteCount: Int
  public let layout: Layout
  /// False where the storage came from `torch.empty*` and no operator has written all of it since.
  /// Whoever writes to the memory from outside sets it.
  public var isInitialized = false

  private let mappedBytes: Int

  /// - Throws: `out-of-memory` where the system gives no memory.
  public init(byteCount: Int, layout: Layout = .native) throws(Diagnostic) {
    let page = 4096
    let wanted = max(1, byteCount)
    guard byteCount >= 0, wanted <= 1 << 46 else {
      throw Diagnostic(id: "out-of-memory", "a tensor of \(byteCount) bytes cannot be held")
    }
    mappedBytes = (wanted + page - 1) / page * page
    let address = mmap(
      nil, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | TensorStorage.anonymous, -1, 0)
    guard let address, address != MAP_FAILED else {
      throw Diagnostic(
        id: "out-of-memory", "no memory for a tensor of \(byteCount) bytes",
        nextStep: "use smaller sizes")
    }
    baseAddress = address
    self.byteCount = byteCount
    self.layout = layout
  }

  deinit { munmap(baseAddress, mappedBytes) }

  /// Fills the whole storage with one byte: 0xFF is NaN in every floating type and -1 in the rest.
  /// - Complexity: O(byteCount).
  public func poison(with byte: UInt8) {
    memset(baseAddress, Int32(byte), byteCount)
    isInitialized = false
  }

  #if os(Linux)
    private static let anonymous = Int32(MAP_ANONYMOUS)
  #else
    private static let anonymous = Int32(MAP_ANON)
  #endif
}
