import ArgumentParser

@main
struct Hone: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hone", abstract: "Make Triton kernels faster and prove it.")
}
