import ArgumentParser
import Diagnostics
import Reporting
import Requests
import Tuning

/// `hone optimize`: the main job.
struct OptimizeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "optimize", abstract: "Print a faster module that obeys the request's rules.",
    discussion: """
      The module goes to standard output, what was done and why to standard error. Every figure
      is predicted by the embedded model: nothing is compiled or measured. Without a gain the
      original is printed and the summary says so.
      """)

  @OptionGroup var source: InputOptions

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Write to this file instead of standard output.", valueName: "file"))
  var output: String?

  @Flag(help: "Exit with 1 if no gain was found.")
  var requireGain = false

  @Flag(help: "Print nothing on standard error but errors.")
  var quiet = false

  func run() async throws {
    let request = try source.load()
    let result = try Optimizer(request).run()
    if !quiet {
      StandardError.write(OptimizationSummary(request: request, result: result).text)
    }
    let text =
      switch source.format {
      case .text: result.module.text
      case .json: try OptimizationDocument(request: request, result: result).json()
      }
    if let output {
      try Files.write(Array(text.utf8), to: output)
    } else {
      try StandardOutput.write(text)
    }
    if requireGain, !result.expectsGain { throw Failure(outcome: .no) }
  }
}
