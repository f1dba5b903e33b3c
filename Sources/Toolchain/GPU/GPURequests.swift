import Synchronization

// What is sent to the worker: see the operations of the same names in Worker/Python.

struct OpenRequest: Encodable, Sendable {
  var device: String
  var problem: String?
  var inputs: [GPUInput]?
}

struct LoadRequest: Encodable, Sendable {
  var name: String
  var text: String
  var entry: String
}

struct UnloadRequest: Encodable, Sendable {
  var name: String
}

struct PrepareRequest: Encodable, Sendable {
  var original: String
  var settings: [CheckSetting]
}

struct CheckRequest: Encodable, Sendable {
  var candidate: String
  var original: String
  var settings: [CheckSetting]
  var seconds: Double
}

struct TimeRequest: Encodable, Sendable {
  var original: String
  var candidates: [String]
  var seconds: Double
  var fewestRounds: Int
  var mostRounds: Int
  var peers: [String]
  var peerSeconds: Double
  var graph: Bool
  var kernels: Bool
}

struct SpanRequest: Encodable, Sendable {
  var name: String
  var calls: Int
}

/// An answer that says no more than that it is one.
struct Nothing: Decodable, Sendable {}

/// A progress line.
struct Step: Decodable, Sendable {
  struct Progress: Decodable, Sendable {
    var stage: String
    var label: String
  }
  var progress: Progress
}

/// What the worker last said it was doing.
final class LastLabel: Sendable {
  private let text = Mutex<String?>(nil)
  var label: String? { text.withLock { $0 } }
  func set(_ label: String) { text.withLock { $0 = label } }
}

/// When the worker said that it begins, by Hone's clock.
final class StartTime: Sendable {
  private let start = Mutex<ContinuousClock.Instant?>(nil)

  func set() { start.withLock { $0 = ContinuousClock.now } }

  /// Seconds since then; 0 if it never began.
  var elapsed: Double {
    guard let start = start.withLock({ $0 }) else { return 0 }
    let duration = ContinuousClock.now - start
    return Double(duration.components.seconds) + 1e-18 * Double(duration.components.attoseconds)
  }
}
