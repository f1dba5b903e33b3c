import Diagnostics
import Foundation
import PythonSyntax

/// `hone-syntax MODE FILE…`: the parser by itself, for judges, fuzzing and debugging.
@main
struct HoneSyntax {
  static func main() {
    var arguments = Array(CommandLine.arguments.dropFirst())
    guard !arguments.isEmpty else {
      printError("usage: hone-syntax (check | lines | roundtrip | dump | fuzz --seeds A..<B) FILE…")
      exit(2)
    }
    let mode = arguments.removeFirst()
    switch mode {
    case "check": exit(check(arguments))
    case "roundtrip": exit(roundTrip(arguments))
    case "fuzz": exit(Fuzz.run(arguments))
    case "lines": exit(lines(arguments))
    case "dump": exit(dump(arguments))
    default:
      printError("unknown mode '\(mode)'")
      exit(2)
    }
  }

  static func printError(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }

  static func load(_ path: String) -> SourceText? {
    guard let data = FileManager.default.contents(atPath: path) else {
      printError("\(path): cannot be read")
      return nil
    }
    return SourceText(name: path, bytes: Array(data))
  }

  /// Prints the diagnostics of each file; 1 if there were any.
  static func check(_ paths: [String]) -> Int32 {
    var status: Int32 = 0
    for path in paths {
      guard let source = load(path) else { return 2 }
      let tree = PythonParser.parse(source)
      for diagnostic in tree.diagnostics { print(diagnostic.rendered()) }
      if tree.hasErrors { status = 1 }
    }
    return status
  }

  /// For the judge: per file `path`, then one `line message` per diagnostic, then an empty line.
  static func lines(_ paths: [String]) -> Int32 {
    for path in paths {
      guard let source = load(path) else { return 2 }
      print(path)
      for diagnostic in PythonParser.parse(source).diagnostics {
        print(diagnostic.location?.line ?? 0, diagnostic.message)
      }
      print()
    }
    return 0
  }

  /// Prints the trees in the form of CPython's `ast`; `--positions none|outsideFStrings|all` first.
  static func dump(_ arguments: [String]) -> Int32 {
    var paths = arguments
    var positions = ASTDump.Positions.all
    if paths.count >= 2, paths[0] == "--positions" {
      guard let given = ASTDump.Positions(rawValue: paths[1]) else {
        printError("unknown positions '\(paths[1])'")
        return 2
      }
      positions = given
      paths.removeFirst(2)
    }
    for path in paths {
      guard let source = load(path) else { return 2 }
      let tree = PythonParser.parse(source)
      var output = Array("=== \(path)\n".utf8)
      if let error = tree.diagnostics.first {
        output += "!\(error.location?.line ?? 0)\n".utf8
      } else {
        output += ASTDump.dump(tree, positions: positions) ?? []
      }
      FileHandle.standardOutput.write(Data(output))
    }
    return 0
  }

  /// Puts each file together again from its tokens and the bytes between them.
  static func roundTrip(_ paths: [String]) -> Int32 {
    var failures = 0
    var bytes = 0
    for path in paths {
      guard let source = load(path) else { return 2 }
      let tree = PythonParser.parse(source)
      bytes += source.bytes.count
      if tree.printed() != source.bytes {
        failures += 1
        print("\(path): does not round trip")
      }
    }
    print("\(paths.count) files, \(bytes) bytes, \(failures) failures")
    return failures == 0 ? 0 : 1
  }
}
