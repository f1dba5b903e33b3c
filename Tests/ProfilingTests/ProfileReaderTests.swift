import Diagnostics
import Testing

@testable import Profiling

@Suite struct ProfileReaderTests {
  func read(_ text: String) throws -> ProfileReading {
    try ProfileReader.read(SourceText(name: "p.json", text: text))
  }

  func failure(_ text: String) -> Diagnostic? {
    do {
      _ = try read(text)
      return nil
    } catch {
      return error as? Diagnostic
    }
  }

  @Test func kernelsToMetrics() throws {
    let reading = try read(
      #"{"k1": {"launch__grid_size": 48400, "sm__throughput.avg.pct_of_peak_sustained_elapsed": "64.79 %"}, "k2": {"x__y": "48,400"}}"#
    )
    #expect(reading.profiles.map(\.kernel) == ["k1", "k2"])
    #expect(reading.profiles[0][NsightMetric.gridSize] == 48400)
    #expect(reading.profiles[0][NsightMetric.smThroughput] == 64.79)
    #expect(reading.profiles[1]["x__y"] == 48400)
    #expect(reading.notes.isEmpty)
  }

  @Test func listsOfLaunches() throws {
    let reading = try read(#"{"k": [{"launch__grid_size": 1}, {"launch__grid_size": 2}]}"#)
    #expect(reading.profiles.map(\.launch) == [0, 1])
    #expect(reading.profiles.map { $0["launch__grid_size"] } == [1, 2])
    let records = try read(
      #"[{"kernel": "k", "metrics": {"a__b": 1}}, {"kernel": "k", "a__b": 2}]"#)
    #expect(records.profiles.map(\.launch) == [0, 1])
  }

  @Test func bareMetrics() throws {
    let reading = try read(#"{"launch__grid_size": 7}"#)
    #expect(reading.profiles.map(\.kernel) == [""])
    #expect(reading.profiles[0]["launch__grid_size"] == 7)
  }

  @Test func absentValuesAreNotZero() throws {
    let reading = try read(#"{"k": {"a__b": null, "c__d": "N/A", "e__f": NaN, "g__h": 0}}"#)
    #expect(reading.profiles[0].absent == ["a__b", "c__d", "e__f"])
    #expect(reading.profiles[0]["g__h"] == 0)
    #expect(reading.notes.filter { $0.id == "absent-metric" }.count == 3)
  }

  @Test func statedAbsence() throws {
    #expect(try read("No NCU metrics available (skipped)").absence != nil)
    #expect(try read("N/A").absence != nil)
  }

  @Test func errorsHaveTheirPlace() throws {
    let error = try #require(failure("{\n  \"k\": {\n    \"a__b\" 1\n  }\n}"))
    #expect(error.headline == "p.json:3:12: error: expected ':', found '1'")
    #expect(failure("{\"k\": {\"a\": 1}")?.message == "expected ',' or '}', found the end")
    #expect(failure("[1]")?.id == "bad-metrics")
    #expect(failure("sm throughput is 64")?.id == "bad-metrics")
    #expect(failure("")?.id == "empty-profile")
    #expect(failure("{\"k\": 5, \"l\": {}}")?.id == "bad-metrics")
    #expect(failure(String(repeating: "[", count: 100_000))?.id == "bad-json")
    #expect(failure("{\"k\": {\"a\": tru}}")?.message == "'tru' is not a JSON value")
    #expect(failure("{\"k\": \"\u{1}")?.id == "bad-json")
  }

  @Test func longCSV() throws {
    let reading = try read(
      """
      ==PROF== Connected to process 1
      "ID","Kernel Name","Metric Name","Metric Unit","Metric Value"
      "0","add_kernel","launch__grid_size","","48,400"
      "0","add_kernel","gpu__time_duration.sum","usecond","391.2"
      "1","add_kernel","launch__grid_size","","12"
      """)
    #expect(reading.profiles.map(\.launch) == [0, 1])
    #expect(reading.profiles[0]["launch__grid_size"] == 48_400)
    let seconds = try #require(reading.profiles[0][NsightMetric.durationSeconds])
    #expect(abs(seconds - 391.2e-6) < 1e-12)
  }

  @Test func rawPageCSV() throws {
    let reading = try read(
      """
      "ID","Process Name","Kernel Name","dram__bytes_read.sum","launch__grid_size"
      "","","","Mbyte",""
      "0","python","add_kernel","154.5","48,400"
      "1","python","mul_kernel","n/a","6"
      """)
    #expect(reading.profiles.map(\.kernel) == ["add_kernel", "mul_kernel"])
    #expect(reading.profiles[0]["dram__bytes_read.sum"] == 154.5e6)
    #expect(reading.profiles[1].absent == ["dram__bytes_read.sum"])
  }

  @Test func shortRowsAreErrors() {
    let text = "\"Kernel Name\",\"Metric Name\",\"Metric Value\"\n\"k\",\"m__n\""
    #expect(failure(text)?.id == "bad-metrics")
  }
}
