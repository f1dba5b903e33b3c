import ArgumentParser

/// The root command. Each subcommand is a file in `Commands/`.
struct Hone: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hone", abstract: "Make Triton kernels faster and prove it.",
    discussion: """
      A request document names a GPU, a stage with its rules, a module and its profile; flags can \
      say the same. Results go to standard output, everything else to standard error.

      Exit codes: 0 done; 1 the answer is no; 2 the input is at fault; 3 the environment is.
      """,
    version: "0.1.0",
    subcommands: subcommandTypes)

  /// In the order of the help screen.
  static let subcommandTypes: [any ParsableCommand.Type] = [
    OptimizeCommand.self, CheckCommand.self, ExplainCommand.self, GpusCommand.self,
    LintCommand.self, LowerCommand.self, ProfileCommand.self, WinnersCommand.self,
    BenchCommand.self, CompileCommand.self, DoctorCommand.self,
  ]
}

@main
enum Main {
  static func main() async {
    StandardOutput.ignoreClosedPipes()
    do {
      var command = try Hone.parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
      TerminationSignals.waitIfEnding()
    } catch {
      Failure.exit(for: error)
    }
  }
}
