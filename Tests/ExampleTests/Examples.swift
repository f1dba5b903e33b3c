import Foundation

/// Where the examples lie, found from this file's own place in the checkout.
enum Examples {
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  static let folder = root.appending(path: "Examples")
  static let requests = folder.appending(path: "requests")
  static let launches = root.appending(path: "Tests/ExampleTests/Launches")

  /// The names of the modules, without `.py`, sorted.
  static let names: [String] = names(in: folder, suffix: ".py")
  /// The names of the request documents, without `.md`, sorted.
  static let requestNames: [String] = names(in: requests, suffix: ".md")

  static func module(_ name: String) throws -> String {
    try String(contentsOf: folder.appending(path: name + ".py"), encoding: .utf8)
  }

  static func request(_ name: String) throws -> String {
    try String(contentsOf: requests.appending(path: name + ".md"), encoding: .utf8)
  }

  /// What Python and Triton did with the module, as `Scripts/record-launches.py` wrote it down.
  static func recordedLaunches(_ name: String) throws -> [RecordedLaunch] {
    let text = try String(contentsOf: launches.appending(path: name + ".jsonl"), encoding: .utf8)
    return try text.split(separator: "\n").map {
      try JSONDecoder().decode(RecordedLaunch.self, from: Data($0.utf8))
    }
  }

  private static func names(in folder: URL, suffix: String) -> [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path())) ?? []
    return files.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }.sorted()
  }
}

/// One launch of one config, in the form that `Scripts/judge-compile.py` documents.
struct RecordedLaunch: Decodable, Sendable {
  var kernel: String
  /// The config's index in the autotuned kernel's list; nil without autotune.
  var config: Int?
  var grid: [Int]
  /// Triton's type words by parameter; parameters known at compile time are in `constexprs`.
  var signature: [String: String]
  var constexprs: [String: RecordedValue]
  var divisibleBy16: [String]
  var numWarps: Int
  var numStages: Int
  var args: [String: RecordedValue]

  private enum CodingKeys: String, CodingKey {
    case kernel, config, grid, signature, constexprs, divisibleBy16, args
    case numWarps = "num_warps"
    case numStages = "num_stages"
  }
}

indirect enum RecordedValue: Decodable, Sendable, Equatable {
  case none
  case bool(Bool)
  case int(Int)
  case float(Double)
  case string(String)
  case dtype(String)
  case list([RecordedValue])
  /// A `@triton.jit` function given as an argument.
  case function(String)
  case tensor(dtype: String, shape: [Int], strides: [Int])

  private enum Key: CodingKey { case dtype, shape, strides, function }

  init(from decoder: any Decoder) throws {
    if let object = try? decoder.container(keyedBy: Key.self) {
      if let name = try object.decodeIfPresent(String.self, forKey: .function) {
        self = .function(name)
        return
      }
      let dtype = try object.decode(String.self, forKey: .dtype)
      guard object.contains(.shape) else {
        self = .dtype(dtype)
        return
      }
      self = .tensor(
        dtype: dtype, shape: try object.decode([Int].self, forKey: .shape),
        strides: try object.decode([Int].self, forKey: .strides))
      return
    }
    let value = try decoder.singleValueContainer()
    if let items = try? value.decode([RecordedValue].self) {
      self = .list(items)
      return
    }
    if value.decodeNil() {
      self = .none
    } else if let bool = try? value.decode(Bool.self) {
      self = .bool(bool)
    } else if let int = try? value.decode(Int.self) {
      self = .int(int)
    } else if let float = try? value.decode(Double.self) {
      self = .float(float)
    } else {
      self = .string(try value.decode(String.self))
    }
  }
}
