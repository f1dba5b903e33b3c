import Diagnostics
import Testing

@testable import Profiling

/// The forms of ncu's CSV that people hand over: pages, cut files, several tables, mixed output.
@Suite struct CSVFormsTests {
  private func read(_ text: String) throws -> ProfileReading {
    try ProfileReader.read(SourceText(name: "p.csv", text: text))
  }

  private func failure(_ text: String) -> Diagnostic? {
    do {
      _ = try read(text)
      return nil
    } catch {
      return error as? Diagnostic
    }
  }

  static let raw = """
    "ID","Process Name","Kernel Name","Block Size","Grid Size","gpu__time_duration.sum","dram__bytes_read.sum"
    "","","","","","us","Mbyte"
    "0","python3","square","(128, 1, 1)","(24, 2, 1)","12.5","1,048.25"
    "3","python3","square","(256, 1, 1)","(12, 2, 1)","10.5","1,050.00"
    """

  @Test func theRawPageHasIDsAndSizes() throws {
    let reading = try read(Self.raw)
    #expect(reading.profiles.map(\.launchID) == [0, 3])
    #expect(reading.profiles.map(\.launch) == [0, 1])
    #expect(reading.profiles.map { $0[NsightMetric.gridSize] } == [48, 24])
    #expect(reading.profiles.map { $0[NsightMetric.blockSize] } == [128, 256])
    #expect(reading.profiles[0][NsightMetric.dramReadBytes] == 1_048_250_000)
    #expect(reading.notes.isEmpty)
  }

  @Test func theDetailsPageIsReadByItsLabels() throws {
    let reading = try read(
      """
      "ID","Kernel Name","Section Name","Metric Name","Metric Unit","Metric Value","Rule Name"
      "0","square","GPU Speed Of Light Throughput","Duration","us","12.50",""
      "0","square","GPU Speed Of Light Throughput","Memory Throughput","%","61.5",""
      "0","square","GPU Speed Of Light Throughput","Compute (SM) Throughput","%","40.25",""
      "0","square","Memory Workload Analysis","Memory Throughput","Gbyte/s","512",""
      "0","square","Launch Statistics","Registers Per Thread","register/thread","32",""
      "0","square","Launch Statistics","Function Cache Configuration","","CachePreferNone",""
      "0","square","Command line profiler metrics","lts__t_bytes.sum","Mbyte","7.5",""
      "0","square","Occupancy","","","","AchievedOccupancy"
      """)
    #expect(reading.profiles.count == 1)
    let profile = try #require(reading.profiles.first)
    #expect(abs(try #require(profile[NsightMetric.durationSeconds]) - 12.5e-6) < 1e-15)
    #expect(profile[NsightMetric.smThroughput] == 40.25)
    #expect(profile["gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed"] == 61.5)
    #expect(profile["dram__bytes.sum.per_second"] == 512e9)
    #expect(profile[NsightMetric.registersPerThread] == 32)
    #expect(profile[NsightMetric.l2Bytes] == 7_500_000)
    #expect(reading.notes.map(\.id) == ["unnamed-metric"])
    #expect(reading.notes.first?.message.contains("Function Cache Configuration") == true)
  }

  /// ncu 2025 ends the rows of metrics before the columns of rules.
  @Test func rowsOfTheDetailsPageMayBeShort() throws {
    let reading = try read(
      """
      "ID","Kernel Name","Section Name","Metric Name","Metric Unit","Metric Value","Rule Name","Rule Type"
      "0","square","Launch Statistics","Grid Size","","1,024"
      "0","square","Memory Workload Analysis","L2 Hit Rate","%","no data"
      "0","square","Occupancy","","","","AchievedOccupancy","OPT"
      "1","square","Launch Statistics","Grid Size","","2,048"
      """)
    #expect(reading.profiles.map { $0[NsightMetric.gridSize] } == [1024, 2048])
    #expect(reading.profiles[0].absent == [NsightMetric.l2HitRate])
  }

  @Test func aCutFileKeepsWhatIsWhole() throws {
    let lines = Self.raw.split(separator: "\n").map(String.init)
    for end in [
      "\"4\",\"python3\",\"squ", "\"4\",\"python3\",\"square\",\"(128, 1, 1)\",\"(1", "\"4\"",
    ] {
      let reading = try read((lines + [end]).joined(separator: "\n"))
      #expect(reading.profiles.count == 2, "\(end)")
      let isNamed = reading.notes.contains { $0.id == "cut-off-table" && $0.severity == .warning }
      #expect(isNamed || end == "\"4\"", "\(end)")
    }
    // Nothing whole is left.
    let first = lines[..<2].joined(separator: "\n") + "\n\"0\",\"python3\",\"square\",\"(128"
    #expect(failure(first)?.id == "bad-metrics")
    #expect(failure(first)?.nextStep == "give the whole output of 'ncu --csv'")
    // A short row in the middle is no cut.
    let middle = lines[..<2] + ["\"0\",\"python3\",\"square\""] + lines[2...]
    #expect(failure(middle.joined(separator: "\n"))?.id == "bad-metrics")
    #expect(failure(lines[..<2].joined(separator: "\n"))?.id == "empty-profile")
  }

  @Test func logLinesAndSeveralTables() throws {
    let reading = try read(
      """
      epoch 1, loss 0.5
      ==PROF== Connected to process 77 (/usr/bin/python3)
      ==PROF== Profiling "square" - 0: 0%....100% - 1 pass
      \(Self.raw)
      ==PROF== Disconnected from process 77, done
      ==WARNING== one, two
      \(Self.raw)
      """)
    #expect(reading.profiles.count == 4)
    #expect(reading.profiles.map(\.launch) == [0, 1, 2, 3])
    #expect(reading.notes.map(\.id) == ["unread-line"])
  }

  @Test func quotesAndTemplatesInNames() throws {
    let reading = try read(
      """
      "ID","Kernel Name","Metric Name","Metric Unit","Metric Value"
      "0","void at::fill<float, 4>(int, ""x"")","gpu__time_duration.sum","ns","1,500"
      "1","(!) odd","gpu__time_duration.sum","ns","(!) nan"
      """)
    #expect(reading.profiles.map(\.kernel) == ["void at::fill<float, 4>(int, \"x\")", "(!) odd"])
    #expect(reading.profiles[0][NsightMetric.durationSeconds] == 1.5e-6)
    #expect(reading.profiles[1].absent == [NsightMetric.durationSeconds])
  }

  @Test func sizesThatAreNoSizes() throws {
    for size in ["(1, 2, 3, 4)", "(x, 1, 1)", "", "(99999999999, 1, 1)"] {
      let text = Self.raw.replacing("(24, 2, 1)", with: size)
      #expect(try read(text).profiles[0][NsightMetric.gridSize] == nil, "\(size)")
    }
  }
}
