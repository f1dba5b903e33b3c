import ArgumentParser
import Diagnostics
import Reporting

/// `hone explain`: what the model and the profile say about a module.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Say what a module's kernels do, what bounds them and what would help.",
    discussion: """
      Work and floors, memory accesses, loops, integer division, precision, occupancy, and what the \
      profile says, each with its source line. Figures are marked predicted or measured.
      """)

  @OptionGroup var input: InputOptions

  func run() throws {
    let request = try input.load(requiresModel: false)
    StandardError.print(request.notes.filter { $0.severity >= .warning })
    let explanation = ExplanationBuilder.explain(request)
    switch input.format {
    case .text: try StandardOutput.write(explanation.text())
    case .json: try StandardOutput.write(try explanation.json())
    }
  }
}
