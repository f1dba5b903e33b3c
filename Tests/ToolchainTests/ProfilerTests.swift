import Diagnostics
import Foundation
import Profiling
import TestSupport
import Testing

@testable import Toolchain

/// Profiling with shell scripts in the place of ncu: no GPU, no ncu, no torch.
@Suite(.timeLimit(.minutes(20)))
struct ProfilerTests {
  /// A folder with a program named `ncu` in it.
  private final class FakeNcu {
    let scratch: ScratchFolder
    let folder: String
    let tool: NcuTool

    /// - Parameters:
    ///   - run: what it does in place of a profiled run; `$record` and `$report` are the files to write.
    ///   - csv: what it prints when it imports a report.
    init(run: String, csv: String = "") throws {
      scratch = try ScratchFolder()
      folder = try scratch.makeFolder("fake")
      let script = """
        #!/bin/sh
        echo "$@" >> '\(folder)/calls'
        if [ "$1" = --import ]; then
          cat '\(folder)/csv'
          exit 0
        fi
        while [ $# -gt 1 ]; do
          [ "$1" = --export ] && report=$2
          [ "$1" = --metrics ] && metrics=$2
          shift
        done
        record=$1
        \(run)
        """
      let path = folder + "/ncu"
      try Script.write(script, to: path)
      try csv.write(toFile: folder + "/csv", atomically: false, encoding: .utf8)
      tool = NcuTool(executable: path)
    }

    var calls: [String] {
      ((try? String(contentsOfFile: folder + "/calls", encoding: .utf8)) ?? "")
        .split(separator: "\n").map(String.init)
    }

    func profiler(_ deadline: Duration = .seconds(600)) -> NcuProfiler {
      NcuProfiler(
        ncu: tool, scratch: scratch, environment: ["PATH": "/usr/bin:/bin"], deadline: deadline)
    }

    func profile(
      _ metrics: [String] = ["gpu__time_duration.sum", "launch__grid_size"],
      deadline: Duration = .seconds(600)
    ) async throws(ProfilerFailure) -> NcuProfiler.Run {
      try await profiler(deadline).profile(
        module: "/tmp/m.py", problem: nil,
        python: PythonEnvironment(executable: "/usr/bin/python3"), metrics: metrics)
    }

    func failure(deadline: Duration = .seconds(600)) async -> ProfilerFailure? {
      do throws(ProfilerFailure) {
        _ = try await profile(deadline: deadline)
        return nil
      } catch {
        return error
      }
    }
  }

  private static let csv = """
    "ID","Kernel Name","Grid Size","gpu__time_duration.sum","device__attribute_warp_size"
    "","","","ns",""
    "0","void at::fill<4>(float)","(2, 1, 1)","1000","32"
    "1","scale","(24, 1, 1)","12,500","32"
    """
  private static let record = """
    echo '{"device": "a GPU", "launches": [{"function": "scale", "name": "scale", "num_warps": 4}]}' > "$record"
    echo report > "$report"
    """

  @Test func aRunGivesMetricsAndLaunches() async throws {
    let fake = try FakeNcu(run: Self.record, csv: Self.csv)
    let run = try await fake.profile()
    #expect(run.reading.profiles.map(\.kernel) == ["void at::fill<4>(float)", "scale"])
    #expect(run.reading.profiles[1][NsightMetric.durationSeconds] == 12.5e-6)
    #expect(run.reading.profiles[1]["device__attribute_warp_size"] == nil)
    #expect(run.launches == [LaunchRecord(function: "scale", numWarps: 4)])
    #expect(run.device == "a GPU" && run.unknownMetrics.isEmpty && run.notes.isEmpty)
    #expect(fake.calls.count == 2)
    let call = try #require(fake.calls.first)
    #expect(
      call.hasPrefix("--clock-control none --profile-from-start off --force-overwrite --export "))
    #expect(call.contains(" --metrics gpu__time_duration.sum,launch__grid_size /usr/bin/python3 "))
    #expect(call.contains("/profile_driver.py /tmp/m.py - "))
    #expect(fake.calls.last?.hasSuffix("--csv --page raw") == true)
  }

  @Test func metricsThatNcuDoesNotKnowAreLeftOut() async throws {
    let fake = try FakeNcu(
      run: """
        case "$metrics" in
          *no_such__metric.sum*)
            echo "==ERROR== Failed to find metric no_such__metric.sum"
            exit 1 ;;
        esac
        \(Self.record)
        """, csv: Self.csv)
    let run = try await fake.profile(["gpu__time_duration.sum", "no_such__metric.sum"])
    #expect(run.unknownMetrics == ["no_such__metric.sum"])
    #expect(run.reading.profiles.count == 2)
    #expect(fake.calls.count == 3)
  }

  /// What ncu 2025 does with a metric that a GPU does not have: nothing.
  @Test func metricsWithoutAColumnAreSaid() async throws {
    let run = try await FakeNcu(run: Self.record, csv: Self.csv)
      .profile(["gpu__time_duration.sum", "no_such__metric.sum"])
    #expect(run.unknownMetrics == ["no_such__metric.sum"])
  }

  @Test func missingPermission() async throws {
    let failure = try await FakeNcu(
      run: """
        echo '==ERROR== ERR_NVGPUCTRPERM - The user may not.' >&2
        echo '{"launches": []}' > "$record"
        exit 1
        """
    ).failure()
    #expect(failure?.blame == .environment)
    #expect(failure?.diagnostic.id == "ncu-no-permission")
    #expect(failure?.diagnostic.nextStep?.contains("NVreg_RestrictProfilingToAdminUsers") == true)
  }

  @Test func whatTheDriverSays() async throws {
    func failure(_ error: String) async throws -> ProfilerFailure? {
      try await FakeNcu(
        run: """
          cat > "$record" <<'END'
          {"error": \(error)}
          END
          echo '==ERROR== The application returned an error code (1).'
          exit 1
          """
      ).failure()
    }
    let noGPU = try await failure(#"{"kind": "no-gpu", "message": "torch sees no GPU"}"#)
    #expect(noGPU?.blame == .environment && noGPU?.diagnostic.id == "no-gpu")
    let missing = try await failure(
      #"{"kind": "missing", "message": "No module named x", "module": "torch"}"#)
    #expect(missing?.blame == .environment)
    #expect(missing?.diagnostic.nextStep?.contains("install 'torch'") == true)
    let input = try await failure(#"{"kind": "input", "message": "there is no get_inputs()"}"#)
    #expect(input?.blame == .input)
    let raised = try await failure(
      #"{"kind": "python", "message": "ValueError: bad", "traceback": "  File \"m.py\", line 3\nValueError"}"#
    )
    #expect(raised?.blame == .input && raised?.diagnostic.id == "module-raised")
    #expect(raised?.diagnostic.nextStep == #"it was raised at File "m.py", line 3"#)
  }

  @Test func otherEnds() async throws {
    let silent = try await FakeNcu(run: "exit 9").failure()
    #expect(silent?.blame == .environment && silent?.diagnostic.id == "ncu-failed")
    #expect(silent?.diagnostic.message.contains("exit code 9") == true)
    let words = try await FakeNcu(run: "echo '==ERROR== Unknown  trouble'; exit 1").failure()
    #expect(words?.diagnostic.message == "ncu says: Unknown trouble")
    let nothing = try await FakeNcu(run: "echo '{\"launches\": []}' > \"$record\"").failure()
    #expect(nothing?.diagnostic.id == "no-launches" && nothing?.blame == .input)
    let noReport = try await FakeNcu(
      run: "echo '{\"launches\": [{\"function\": \"f\"}]}' > \"$record\""
    ).failure()
    #expect(noReport?.diagnostic.id == "ncu-no-report")
    let garbage = try await FakeNcu(run: Self.record, csv: "no table").failure()
    #expect(garbage?.diagnostic.id == "bad-metrics" && garbage?.blame == .environment)
    let badRecord = try await FakeNcu(run: "echo '{' > \"$record\"; echo > \"$report\"").failure()
    #expect(badRecord?.diagnostic.id == "ncu-failed")
  }

  @Test func aHangEndsAtTheDeadline() async throws {
    let start = ContinuousClock.now
    let failure = try await FakeNcu(run: "sleep 3600").failure(deadline: .milliseconds(300))
    #expect(failure?.diagnostic.id == "ncu-timed-out")
    #expect(ContinuousClock.now - start < .seconds(1200))
  }

  @Test func theToolIsFoundOrSaidToBeMissing() throws {
    let fake = try FakeNcu(run: "")
    let elsewhere = try fake.scratch.makeFolder("toolkits")
    for version in ["cuda-9.2", "cuda-12.10", "cuda-12.9"] {
      let folder = "\(elsewhere)/\(version)/bin"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: fake.tool.executable, toPath: folder + "/ncu")
    }
    func find(_ explicit: String?, _ path: String, _ folders: [String] = []) throws -> String {
      try NcuTool.find(explicit: explicit, environment: ["PATH": path], folders: folders).executable
    }
    #expect(try find(nil, "/nowhere:\(fake.folder)") == fake.tool.executable)
    #expect(try find(fake.folder, "") == fake.tool.executable)
    #expect(try find(nil, "", [elsewhere]) == "\(elsewhere)/cuda-12.10/bin/ncu")
    #expect(throws: Diagnostic.self) { try find("/no/such/ncu", fake.folder) }
    do {
      _ = try find(nil, "/nowhere")
      Issue.record("found an ncu")
    } catch {
      #expect((error as? Diagnostic)?.id == "no-ncu")
      #expect((error as? Diagnostic)?.nextStep?.contains("--import FILE --page raw --csv") == true)
    }
  }

  /// Real Python, no GPU: the driver says so before it looks for anything else.
  @Test(.enabled(if: RealPython.any != nil, Comment(rawValue: RealPython.anyReason)))
  func theDriverReportsWhatIsMissing() async throws {
    let scratch = try ScratchFolder()
    let main = try scratch.program()
    let folder = try scratch.makeFolder("test")
    let driver = (main as NSString).deletingLastPathComponent + "/profile_driver.py"
    let result = await ToolProcess.run(
      try #require(RealPython.any).executable,
      [driver, folder + "/none.py", "-", folder + "/record"],
      environment: RealPython.environment, scratch: scratch, deadline: .seconds(600))
    #expect(result.end == .exited("exit code 1"), "\(result.words)")
    let record = try String(contentsOfFile: folder + "/record", encoding: .utf8)
    #expect(record.contains("\"kind\": \"missing\"") || record.contains("\"kind\": \"no-gpu\""))
  }
}
