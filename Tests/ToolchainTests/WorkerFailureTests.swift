import Foundation
import Testing

@testable import Toolchain

/// Workers that crash, hang, lie, print garbage: each costs one call, and the next one works.
@Suite(.timeLimit(.minutes(20)))
struct WorkerFailureTests {
  /// Answers call `$id` rightly.
  private static let good = #"""
    answer() {
      id=$(printf '%s' "$1" | sed 's/^{"id":\([0-9]*\).*/\1/')
      printf '{"id":%s,"ok":true,"value":%s}\n' "$id" "$2"
    }
    """#

  /// The first life does `first`; later ones answer 42.
  private static func once(_ first: String) -> String {
    """
    \(good)
    if [ ! -e "$MARKS" ]; then echo $$ > "$MARKS"; read line; \(first); fi
    while read line; do answer "$line" 42; done
    """
  }

  @Test func aGoodWorkerAnswersManyCalls() async throws {
    let fake = try FakeWorker(
      Self.good + "\nn=0; while read l; do n=$((n+1)); answer \"$l\" $n; done")
    #expect(try await fake.answer() == 1)
    #expect(try await fake.answer() == 2)
    #expect(await fake.worker.generation == 1)
    await fake.worker.stop()
    #expect(try await fake.answer() == 1)
  }

  @Test(arguments: [
    ("echo 'out of luck' >&2; exit 3", WorkerFailure.Kind.crashed, "exit code 3"),
    ("kill -9 $$", .crashed, "signal 9"),
    ("kill -SEGV $$", .crashed, "signal 11"),
    ("echo 'Segmentation fault'", .garbage, "Segmentation fault"),
    (#"printf '{"id":1,"ok":tr\n'"#, .garbage, "ok"),
    (#"printf '\000\377\376\n'"#, .garbage, "the worker wrote"),
    (#"printf '[1,2]\n'"#, .garbage, "[1,2]"),
    (#"printf '{"id":99,"ok":true,"value":1}\n'"#, .lied, "99"),
    (#"printf '{"id":1,"ok":true}\n'"#, .lied, "'value' is missing"),
    (#"printf '{"id":1,"ok":true,"value":"x"}\n'"#, .lied, "'value'"),
    (#"printf '{"id":1,"ok":false}\n'"#, .lied, "without a known kind"),
    (
      #"printf '{"id":1,"ok":false,"error":{"kind":"odd","message":""}}\n'"#, .lied,
      "without a known kind"
    ),
    (
      #"printf '{"id":1,"ok":false,"error":{"kind":"illegal-address","message":"at 0"}}\n'"#,
      .illegalAddress, "at 0"
    ),
    (#"printf '{"id":1,"ok":false,"error":{"kind":"cuda","message":"gone"}}\n'"#, .cuda, "gone"),
    ("exec 1>&-; sleep 3600", .crashed, "signal 9"),
    ("yes", .garbage, "'y'"),
    ("while :; do printf xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done", .timedOut, "no answer"),
    ("sleep 3600", .timedOut, "no answer"),
    ("trap '' TERM INT HUP; while :; do :; done", .timedOut, "no answer"),
  ])
  func costsOneCall(_ body: String, kind: WorkerFailure.Kind, words: String) async throws {
    let fake = try FakeWorker(Self.once(body))
    let failure = await fake.failure(deadline: kind == .timedOut ? .seconds(1) : .seconds(600))
    #expect(failure?.kind == kind)
    #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "no failure")")
    let first = try #require(Int32(fake.marked.trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect(!isRunning(first))
    #expect(try await fake.answer() == 42)
    #expect(await fake.worker.generation == 2)
  }

  @Test(arguments: ["python", "compile", "out-of-memory", "out-of-resources", "refused"])
  func anErrorOfTheCodeKeepsTheProcess(_ kind: String) async throws {
    let body = """
      read line
      printf '{"id":1,"ok":false,"error":{"kind":"\(kind)","message":"no","line":7}}\\n'
      \(Self.good)
      while read line; do answer "$line" 5; done
      """
    let fake = try FakeWorker(body)
    let failure = await fake.failure()
    #expect(failure?.kind.rawValue == kind)
    #expect(failure?.line == 7)
    #expect(try await fake.answer() == 5)
    #expect(await fake.worker.generation == 1)
  }

  @Test func theEndOfStandardErrorIsKept() async throws {
    let fake = try FakeWorker(
      "read line; i=0; while [ $i -lt 4000 ]; do echo line $i >&2; i=$((i+1)); done; exit 9")
    let text = try #require(await fake.failure()?.standardError)
    #expect(text.hasSuffix("line 3999\n"))
    #expect(text.utf8.count <= WorkerProcess.errorLimit)
  }

  @Test func whatItStartedDiesWithIt() async throws {
    let fake = try FakeWorker("read line; sleep 1000 & echo $! > \"$MARKS\"; wait")
    #expect(await fake.failure(deadline: .seconds(1))?.kind == .timedOut)
    let child = try #require(Int32(fake.marked.trimmingCharacters(in: .whitespacesAndNewlines)))
    try await Task.sleep(for: .milliseconds(50))
    #expect(!isRunning(child))
  }

  @Test func aChildThatHoldsTheOutputOpenDoesNotHoldTheCall() async throws {
    let fake = try FakeWorker("read line; sleep 1000 & exit 4")
    #expect(await fake.failure()?.kind == .crashed)
  }

  @Test(arguments: [
    ("exit 1", "ended before it was ready (exit code 1)"),
    ("echo 'Python 2.7.18'; sleep 5", "no Python that runs the worker: 'Python 2.7.18'"),
    (#"printf '{"ready":77}\n'; sleep 5"#, "version 77"),
    ("sleep 100", "was not ready"),
  ])
  func deathAtTheStart(_ body: String, words: String) async throws {
    let isHang = words == "was not ready"
    let fake = try FakeWorker(
      body, handshake: false, startLimit: isHang ? .seconds(1) : .seconds(600))
    let failure = await fake.failure()
    #expect(failure?.kind == .notStarted)
    #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "none")")
  }

  @Test func anExecutableThatIsNone() async throws {
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    for path in ["/nonexistent/python3", "/dev/null", "/etc/passwd", "/tmp"] {
      let worker = Worker(
        python: PythonEnvironment(executable: path), scratch: scratch, environment: [:])
      await #expect(throws: WorkerFailure.self) { try await worker.hello() }
    }
  }

  @Test func cancellingTheTaskEndsTheProcess() async throws {
    let fake = try FakeWorker("echo $$ > \"$MARKS\"; read line; sleep 1000")
    let task = Task { await fake.failure(deadline: .seconds(100)) }
    while fake.marked.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
    task.cancel()
    #expect(await task.value?.kind == .cancelled)
    let process = try #require(Int32(fake.marked.trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect(!isRunning(process))
  }

  @Test func aRequestLargerThanThePipeReachesAWorkerThatReadsLate() async throws {
    let fake = try FakeWorker(Self.good + "\nsleep 0.3; while read l; do answer \"$l\" ${#l}; done")
    let question = Question(what: String(repeating: "x", count: 300_000))
    let value = try await fake.worker.call(
      "ask", question, deadline: .seconds(600), as: Answer.self
    ).value
    #expect(value > 300_000)
  }

  @Test func aWorkerThatNeverReadsIsTimedOut() async throws {
    let fake = try FakeWorker("sleep 1000")
    let question = Question(what: String(repeating: "x", count: 1_000_000))
    await #expect(throws: WorkerFailure.self) {
      try await fake.worker.call("ask", question, deadline: .seconds(1), as: Answer.self)
    }
  }

  @Test func callsAtOnceWaitForOneAnother() async throws {
    let fake = try FakeWorker(
      Self.good + "\nn=0; while read l; do n=$((n+1)); sleep 0.02; answer \"$l\" $n; done")
    let values = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<8 { group.addTask { try await fake.answer() } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(Set(values) == Set(1...8))
  }

  @Test func progressWithoutEndEnds() async throws {
    let fake = try FakeWorker(
      #"read l; while :; do printf '{"id":1,"progress":0}\n'; done"#)
    let failure = await fake.failure(deadline: .seconds(1))
    // Whichever comes first: the deadline, or more lines than are read.
    #expect(failure?.kind == .timedOut || failure?.kind == .garbage)
  }

  @Test func aLateAnswerIsNotTakenForTheNext() async throws {
    let fake = try FakeWorker(Self.once("sleep 2; answer \"$line\" 1"))
    #expect(await fake.failure(deadline: .milliseconds(300))?.kind == .timedOut)
    #expect(try await fake.answer() == 42)
  }
}
