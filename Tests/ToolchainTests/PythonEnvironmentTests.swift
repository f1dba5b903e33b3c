import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import Toolchain

@Suite struct PythonEnvironmentTests {
  /// A folder with executables `names` under it.
  private func folder(_ names: [String], in scratch: ScratchFolder) throws -> String {
    let folder = try scratch.makeFolder("place")
    for name in names {
      let path = URL(fileURLWithPath: "\(folder)/\(name)")
      try FileManager.default.createDirectory(
        at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Script.write("#!/bin/sh\n", to: path.path)
    }
    return folder
  }

  @Test func theOrderOfPreference() throws {
    let scratch = try ScratchFolder()
    defer { scratch.tearDown() }
    let place = try folder(
      ["a/python3", "b/python3", "venv/bin/python3", "old/bin/python", "path/python3"], in: scratch)
    var environment = ["PATH": "/nonexistent:\(place)/path", "HOME": place]
    func found(_ explicit: String? = nil) throws -> PythonEnvironment {
      try PythonEnvironment.find(explicit: explicit, environment: environment)
    }
    #expect(try found() == PythonEnvironment(executable: "\(place)/path/python3", origin: .path))
    environment["VIRTUAL_ENV"] = "\(place)/venv"
    #expect(try found().executable == "\(place)/venv/bin/python3")
    #expect(try found().origin == .virtualEnvironment)
    environment["HONE_PYTHON"] = "\(place)/b/python3"
    #expect(try found().executable == "\(place)/b/python3")
    #expect(try found().origin == .honePython)
    #expect(try found("\(place)/a/python3").executable == "\(place)/a/python3")
    #expect(try found("\(place)/old").executable == "\(place)/old/bin/python")
    #expect(try found("~/a/python3").executable == "\(place)/a/python3")
    #expect(try found("python3").executable == "\(place)/path/python3")
  }

  @Test func whatIsNamedButMissingIsAnError() throws {
    for environment in [
      ["HONE_PYTHON": "/nonexistent/python3"], ["VIRTUAL_ENV": "/nonexistent"], ["PATH": "/none"],
    ] {
      #expect(throws: Diagnostic.self) {
        try PythonEnvironment.find(explicit: nil, environment: environment)
      }
    }
    #expect(throws: Diagnostic.self) {
      try PythonEnvironment.find(explicit: "/tmp", environment: ["PATH": "/usr/bin:/bin"])
    }
  }
}
