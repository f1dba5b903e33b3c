import ArgumentParser
import Checking
import Diagnostics
import PythonSyntax
import Requests

/// `hone check`: does a candidate compute what the original computes?
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Run a module against its original on the tile machine, every address checked.",
    discussion: """
      Both modules run on the CPU with the same numbers, at several sizes, seeds and magnitudes, each \
      autotune config by itself. Errors are measured against the problem's Model in fp64 and may not \
      exceed the original's own. Without --against the module is checked against its own Model.

      Exit codes: 0 passed; 1 failed, or right at the given sizes only; 2 the input is at fault or the \
      check could not be made.
      """)

  @Argument(help: "The module to check; '-' reads standard input.")
  var candidate: String

  @Option(
    help: ArgumentHelp(
      "The module before optimization: a Python file or a request document.", valueName: "file"))
  var against: String?

  @Option(
    help: ArgumentHelp(
      "A file with Model, get_inputs and get_init_inputs; default: the original's own.",
      valueName: "file"))
  var problem: String?

  @Option(help: "Seconds to spend.")
  var budget: Double = 30

  @Option(help: "Operand precision that may be given up: original, tf32, fp16 or bf16.")
  var accuracy: String = "original"

  @Option(help: "Threads that share the programs of a launch.")
  var threads: Int = 1

  @Flag(help: "Accept a candidate that is right at the given sizes only.")
  var fixedShapes = false

  @Option(help: "How to print.")
  var format: OutputFormat = .text

  func validate() throws {
    guard budget > 0, budget.isFinite, budget <= 86_400 else {
      throw ValidationError("--budget needs a number of seconds above 0.")
    }
    guard (1...256).contains(threads) else {
      throw ValidationError("--threads needs a number from 1 to 256.")
    }
    guard AccuracyPolicy.Allowance(rawValue: accuracy) != nil else {
      throw ValidationError("--accuracy is one of original, tf32, fp16, bf16.")
    }
    if [candidate, against, problem].filter({ $0 == "-" }).count > 1 {
      throw ValidationError("Only one file can come from standard input.")
    }
  }

  func run() throws {
    let module = try Files.module(candidate)
    let original = try against.map { try Files.module($0) } ?? module
    var checker = Checker(
      candidate: module, original: original, problem: try problem.map { try Files.module($0) })
    checker.options.budget = budget
    checker.options.threads = threads
    checker.options.policy.allowed = AccuracyPolicy.Allowance(rawValue: accuracy) ?? .original
    let bar = ProgressBar()
    let report = checker.check { bar.show($0, $1) }
    bar.clear()
    switch format {
    case .text: try StandardOutput.write(CheckText.text(report, name: candidate))
    case .json: try StandardOutput.write(try CheckRecord(report, name: candidate).json())
    }
    switch report.verdict {
    case .passed: return
    case .shapeSpecific where fixedShapes: return
    case .failed, .shapeSpecific: throw Failure(outcome: .no)
    case .unsupported: throw Failure(outcome: .input)
    }
  }
}
