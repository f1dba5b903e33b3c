import ArgumentParser
import Diagnostics
import Foundation
import Tuning

/// `hone winners`: what earlier runs found, kept for later ones.
struct WinnersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "winners",
    abstract: "Show or clear the winners that later runs start from.",
    discussion: """
      A winner is the best that was found for a kernel on a device at a class of shapes. 'hone \
      optimize' tries it first and checks and times it again before it is believed.
      """,
    subcommands: [List.self, Show.self, Clear.self], defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "List the winners, one a line.")

    @OptionGroup var winners: WinnerOptions
    @Option(help: "How to print.")
    var format: OutputFormat = .text

    func run() throws {
      let all = try winners.store().all()
      switch format {
      case .json: try StandardOutput.write(try JSONText.bytes(all))
      case .text:
        try StandardOutput.write(all.map { WinnersText.line($0) + "\n" }.joined())
      }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "Show the winners of one kernel in full.")

    @Argument(help: "The kernel's name, or the first digits of its hash.")
    var kernel: String
    @OptionGroup var winners: WinnerOptions
    @Option(help: "How to print.")
    var format: OutputFormat = .text

    func run() throws {
      let all = try winners.store().all()
      let found = all.filter { WinnersText.isMeant(kernel, $0) }
      guard !found.isEmpty else {
        let near = Spelling.nearest(to: kernel, in: Set(all.map(\.key.kernel)).sorted())
        throw Diagnostic(
          id: "no-such-winner", "there is no winner of '\(kernel)'",
          nextStep: near.map { "did you mean '\($0)'?" } ?? "run 'hone winners list'")
      }
      switch format {
      case .json: try StandardOutput.write(try JSONText.bytes(found))
      case .text:
        try StandardOutput.write(found.map(WinnersText.full).joined(separator: "\n"))
      }
    }
  }

  struct Clear: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "clear", abstract: "Remove the winners of one kernel, or all.")

    @Argument(help: "The kernel's name, or the first digits of its hash.")
    var kernel: String?
    @Flag(help: "Remove the winners of every kernel.")
    var all = false
    @OptionGroup var winners: WinnerOptions

    func validate() throws {
      guard (kernel != nil) != all else {
        throw ValidationError("Name a kernel, or give --all.")
      }
    }

    func run() throws {
      let count = try winners.store().remove { winner in
        kernel.map { WinnersText.isMeant($0, winner) } ?? true
      }
      StandardError.write("removed \(count) winner\(count == 1 ? "" : "s")\n")
    }
  }
}

/// Where winners are kept.
struct WinnerOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The file of winners; default: hone/winners.json in XDG_DATA_HOME or ~/.local/share.",
      valueName: "file"))
  var winners: String?

  func store() throws -> WinnerStore {
    if let winners { return WinnerStore(path: winners) }
    let environment = ProcessInfo.processInfo.environment
    guard let path = WinnerStore.defaultPath(environment: environment) else {
      throw Diagnostic(
        id: "no-winners-path", "neither XDG_DATA_HOME nor HOME says where winners are kept",
        nextStep: "name a file with --winners")
    }
    return WinnerStore(path: path)
  }
}

/// Winners in words.
private enum WinnersText {
  static func isMeant(_ name: String, _ winner: Winner) -> Bool {
    winner.key.kernel == name || (name.count >= 6 && winner.key.content.hasPrefix(name))
  }

  static func line(_ winner: Winner) -> String {
    let ratio = (winner.speedup * 1000).rounded() / 1000
    let best = winner.configs.first.map { config in
      config.launchConfig.knobText(order: config.constants.keys.sorted())
    }
    return [
      winner.key.kernel, winner.key.content.prefix(12).description, winner.key.device,
      "\(winner.level.rawValue) \(ratio)×", best ?? "its own configs",
      winner.steps.isEmpty ? "body as it is" : winner.steps.map(\.rewrite).joined(separator: "+"),
      winner.date,
    ].joined(separator: "  ")
  }

  static func full(_ winner: Winner) -> String {
    let key = winner.key
    let versions = [
      ("driver", key.driver), ("triton", key.triton), ("torch", key.torch),
    ].compactMap { name, value in value.map { "\(name) \($0)" } }
    var lines = [
      line(winner), "  versions   \(versions.isEmpty ? "none" : versions.joined(separator: ", "))",
      "  shapes     \(key.shape)",
      "  time       \(winner.microsecondsBefore) µs before, \(winner.microsecondsAfter) µs after",
    ]
    if let lower = winner.lower, let upper = winner.upper {
      lines.append("  interval   \(lower) to \(upper) (95 %)")
    }
    for config in winner.configs {
      lines.append(
        "  config     "
          + config.launchConfig.knobText(order: config.constants.keys.sorted()))
    }
    for step in winner.steps { lines.append("  rewrite    \(step.rewrite): \(step.what)") }
    return lines.joined(separator: "\n") + "\n"
  }
}
