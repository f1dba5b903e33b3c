import Profiling
import Testing

@Suite struct MetricValueTests {
  @Test(
    arguments: [
      ("64.79", 64.79, nil), ("64.79 %", 64.79, "%"), ("48,400", 48_400, nil),
      ("1,234,567.5", 1_234_567.5, nil), ("1.2 Kbyte", 1200, "Kbyte"), ("2.36 ms", 2.36e-3, "ms"),
      ("391 us", 391e-6, "us"), ("1.5e3", 1500, nil), ("-3", -3, nil), ("12 KiB", 12_288, "KiB"),
      ("1008 Gbyte/s", 1008e9, "Gbyte/s"), ("128 register/thread", 128, "register/thread"),
      ("2.4 Ghz", 2.4e9, "Ghz"), ("48_400", 48_400, nil), ("12\u{A0}%", 12, "%"),
    ] as [(String, Double, String?)])
  func reads(_ text: String, _ value: Double, _ unit: String?) {
    guard case .value(let read) = MetricValue.read(text) else {
      Issue.record("\(text) is not read")
      return
    }
    #expect(abs(read.value - value) <= abs(value) * 1e-12)
    #expect(read.unit == unit)
  }

  @Test(arguments: ["N/A", "n/a", "nan", "", " ", "-", "None", "inf"])
  func absent(_ text: String) { #expect(MetricValue.read(text) == .absent) }

  @Test(arguments: ["abc", "1,5", "1,23,456", "12.3.4", "%", "NVIDIA RTX", "1e999"])
  func unreadable(_ text: String) { #expect(MetricValue.read(text) == .unreadable) }

  @Test func unitFromItsOwnColumn() {
    #expect(
      MetricValue.read("1.5", unit: "msecond")
        == .value(MetricValue(value: 1.5e-3, unit: "msecond")))
  }
}
