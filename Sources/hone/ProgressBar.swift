#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// One line on standard error that is drawn over, on terminals only, after the first second.
final class ProgressBar {
  private let start = ContinuousClock.now
  private var isShown = false
  private let isTerminal = isatty(2) == 1

  func show(_ share: Double, _ text: String) {
    guard isTerminal, ContinuousClock.now - start > .seconds(1) else { return }
    let width = 24
    let filled = Int(Double(width) * min(1, max(0, share)))
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
    StandardError.write("\r\u{1B}[K[\(bar)] \(text.prefix(80))")
    isShown = true
  }

  func clear() {
    if isShown { StandardError.write("\r\u{1B}[K") }
  }
}
