import ArgumentParser
import Diagnostics
import Requests

/// How a command prints its result.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json
}

/// What to work on: the same for every command that reads a request.
struct InputOptions: ParsableArguments {
  @Argument(help: "A request document or a Python module; '-' reads standard input.")
  var input: String

  @Option(help: "The target GPU, as in 'hone gpus'; overrides the request's.")
  var gpu: String?

  @Option(help: "The optimization stage, by name or number (1 to 4).")
  var stage: String?

  @Option(help: "A Nsight Compute profile: JSON, or the output of 'ncu --csv'.")
  var profile: String?

  @Option(help: "A problem file with Model, get_inputs and get_init_inputs.")
  var problem: String?

  @Option(
    name: .customLong("input"),
    help: ArgumentHelp("An input of the module; repeat for each.", valueName: "name=type[sizes]"))
  var inputs: [String] = []

  @Option(help: "How to print.")
  var format: OutputFormat = .text

  /// Reads everything that these options name.
  ///
  /// - Throws: `InputErrors` or a `Diagnostic`.
  func load(requiresModel: Bool = true) throws -> Request {
    let (bytes, name) = try Files.read(input)
    let options = RequestOptions(
      gpu: gpu, stage: stage, profile: try profile.map { try Files.source($0) },
      problem: try problem.map { try Files.source($0) }, inputs: inputs,
      requiresModel: requiresModel)
    return try RequestReader.read(
      bytes: bytes, name: name, surroundings: Files.surroundings(name), options: options)
  }
}
