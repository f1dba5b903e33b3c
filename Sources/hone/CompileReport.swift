import DeviceModel
import Diagnostics
import Foundation
import HostProgram
import Profiling
import Requests
import TileIR
import Toolchain
import TritonLowering

/// The answer of `hone compile` for one GPU: level 'compiled'.
struct CompileReport {
  var request: Request
  var launches: [Launch]
  var outcomes: [ModuleCompiler.Outcome]
  /// Whether grids follow from known sizes.
  var isSizeKnown: Bool

  var hasFailures: Bool { outcomes.contains { $0.kernel == nil } }

  /// The outcomes of each launch, in order.
  private var groups: [(launch: Launch, outcomes: [ModuleCompiler.Outcome])] {
    var result: [(Launch, [ModuleCompiler.Outcome])] = []
    for (index, launch) in launches.enumerated() {
      let own = outcomes.filter { $0.variant.launch == index }
      if !own.isEmpty { result.append((launch, own)) }
    }
    return result
  }

  private func profile(of kernel: String) -> KernelProfile? {
    request.profiles.first { $0.kernel == kernel }
      ?? request.profiles.first { $0.kernel.hasPrefix(kernel) }
  }

  /// Which configs the profile can have come from; nil without a profile.
  private func evidence(_ outcome: ModuleCompiler.Outcome) -> ProfiledConfig? {
    guard let profile = profile(of: outcome.variant.kernel), let kernel = outcome.kernel else {
      return nil
    }
    return ProfiledConfig(
      kernel, grid: isSizeKnown ? outcome.variant.grid : nil, profile: profile, gpu: request.gpu)
  }

  // MARK: - The table

  func table() -> String {
    groups.map { launch, outcomes in
      let version = outcomes.compactMap { $0.kernel?.triton }.first
      let line = request.module.location(at: launch.callRange.lower).line
      let head =
        "\(launch.kernel), launched in line \(line): \(request.gpu.name) "
        + "(\(request.gpu.computeCapability.target))\(version.map { ", Triton \($0)" } ?? ""), compiled"
      let notes = Self.failures(outcomes, request.module) + profileNotes(outcomes)
      return ([head, Self.layout(rows(outcomes))] + notes).joined(separator: "\n") + "\n"
    }.joined(separator: "\n")
  }

  private func rows(_ outcomes: [ModuleCompiler.Outcome]) -> [[String]] {
    let names = Self.constantNames(outcomes)
    let hasMix = outcomes.contains { $0.kernel?.mix != nil }
    let hasProfile = outcomes.contains { evidence($0) != nil }
    var header = ["config"] + names + ["warps", "stages"]
    header += ["registers", "shared B", "spills B", "stack B", "occupancy", "limiter"]
    if hasMix { header += ["instructions"] + Self.columns.map(\.rawValue) + ["widest load"] }
    if hasProfile { header.append("profile") }
    header.append("seconds")
    return [header]
      + outcomes.map { outcome in
        let config = outcome.variant.config
        var row = ["\(outcome.variant.index)"]
        row += names.map { config.constants[$0].map(Self.text) ?? "-" }
        row += ["\(config.numWarps)", "\(config.numStages)"]
        guard let kernel = outcome.kernel else { return row + ["failed"] }
        let occupancy = kernel.occupancy(on: request.gpu)
        row += [
          "\(kernel.registers)", "\(kernel.sharedBytes)",
          "\(kernel.spillStoreBytes + kernel.spillLoadBytes)", "\(kernel.stackBytes)",
          Self.percent(occupancy.fraction * 100),
          occupancy.blocksPerSM == 0 ? "does not fit" : occupancy.limiter.rawValue,
        ]
        if hasMix, let mix = kernel.mix {
          row += ["\(mix.total)"] + Self.columns.map { "\(mix[$0])" } + [Self.widest(mix)]
        }
        if hasProfile {
          row.append(
            evidence(outcome).map {
              $0.isPossible ? "possible" : "not: " + $0.contradictions.joined(separator: ", ")
            } ?? "-")
        }
        return row + [String(format: "%.2f", kernel.seconds)]
      }
  }

  private static let columns: [InstructionMix.Category] = [
    .tensor, .fma, .integer, .load, .store, .barrier,
  ]

  private static func widest(_ mix: InstructionMix) -> String {
    let loads = mix.accesses.map(\.access)
      .filter { !$0.isStore && ($0.space == "global" || $0.space == "async") }
    return loads.map(\.bits).max().map { "\($0) bit" } ?? "-"
  }

  /// Constants that tell the configs apart, else all that they set.
  private static func constantNames(_ outcomes: [ModuleCompiler.Outcome]) -> [String] {
    Set(outcomes.flatMap { $0.variant.config.constants.keys }).sorted()
  }

  private static func text(_ value: ConstexprValue) -> String {
    switch value {
    case .none: "None"
    case .bool(let flag): flag ? "True" : "False"
    case .int(let number): "\(number)"
    case .float(let number): "\(number)"
    case .string(let text): "'\(text)'"
    case .dtype(let type): type.description
    case .function(let name): name
    case .tuple(let items): "(" + items.map(text).joined(separator: ", ") + ")"
    }
  }

  private static func percent(_ value: Double) -> String { String(format: "%.1f %%", value) }

  private static func layout(_ rows: [[String]]) -> String {
    let count = rows.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        String(repeating: " ", count: widths[column] - cell.count) + cell
      }
      return "  " + cells.joined(separator: "  ")
    }.joined(separator: "\n")
  }

  private static func failures(
    _ outcomes: [ModuleCompiler.Outcome], _ module: SourceText
  ) -> [String] {
    outcomes.compactMap { outcome in
      guard case .failure(let failure) = outcome.result else { return nil }
      let line = failure.line.map { ", line \($0 + module.firstLine - 1)" } ?? ""
      let first = failure.message.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
      return "config \(outcome.variant.index) failed (\(failure.kind.rawValue)\(line)): \(first)"
    }
  }

  private func profileNotes(_ outcomes: [ModuleCompiler.Outcome]) -> [String] {
    let judged = outcomes.compactMap { outcome in evidence(outcome).map { (outcome, $0) } }
    guard let first = judged.first else { return [] }
    let possible = judged.filter { $0.1.isPossible }
    guard !possible.isEmpty else {
      return ["profile: it can have come from none of these configs"]
    }
    // Configs that compile to the same code cannot be told apart, and need not be.
    var words: [String] = []
    for (outcome, _) in possible {
      let config = outcome.variant.config
      let text =
        (Self.constantNames([outcome]).map { "\($0)=\(config.constants[$0].map(Self.text) ?? "")" }
        + ["\(config.numWarps) warps"]).joined(separator: ", ")
      if !words.contains(text) { words.append(text) }
    }
    let numbers = possible.map { "\($0.0.variant.index)" }.joined(separator: ", ")
    var note = "profile: it comes from config \(numbers): \(words.joined(separator: "; or "))"
    if let kernel = possible[0].0.kernel, let percent = first.1.warpsActivePercent {
      let occupancy = kernel.occupancy(on: request.gpu)
      note +=
        "; \(kernel.registers) registers let \(occupancy.blocksPerSM) blocks reside, "
        + "\(Self.percent(occupancy.fraction * 100)) of the warps, and the profile saw "
        + String(format: "%.2f %%", percent)
    }
    return [note]
  }

  // MARK: - Listings

  func listing(ptx: Bool, sass: Bool) -> String {
    outcomes.map { outcome in
      let variant = outcome.variant
      let head =
        "// \(variant.kernel), config \(variant.index), \(request.gpu.computeCapability.target)\n"
      guard let kernel = outcome.kernel else { return head + "// did not compile\n" }
      var text = head
      if ptx, let code = kernel.ptx {
        text += SourceListing.ptx(code, source: request.module) + "\n"
      }
      if sass, let code = kernel.sass {
        text += SourceListing.sass(code, source: request.module) + "\n"
      }
      return text
    }.joined(separator: "\n")
  }

  // MARK: - JSON

  private struct Record: Encodable {
    struct Failure: Encodable {
      var kind: String
      var message: String
      var line: Int?
    }
    var level = "compiled"
    var gpu: String
    var target: String
    var kernel: String
    var line: Int
    var config: Int
    var constants: [String: String]
    var numWarps: Int
    var numStages: Int
    var grid: [Int]
    var compiled: CompiledKernel?
    var occupancyPercent: Double?
    var blocksPerSM: Int?
    var limiter: String?
    var profileAgrees: Bool?
    var failure: Failure?
    /// What was compiled, in the worker's words.
    var arguments: [String: CompileArgument]
    var options: CompileOptions
  }

  static func json(_ reports: [CompileReport]) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let data = try encoder.encode(reports.flatMap(\.records))
    return String(decoding: data, as: UTF8.self) + "\n"
  }

  private var records: [Record] {
    groups.flatMap { launch, outcomes in
      outcomes.map { outcome in
        let kernel = outcome.kernel
        let occupancy = kernel?.occupancy(on: request.gpu)
        var failure: Record.Failure?
        if case .failure(let found) = outcome.result {
          failure = Record.Failure(
            kind: found.kind.rawValue, message: found.message,
            line: found.line.map { $0 + request.module.firstLine - 1 })
        }
        return Record(
          gpu: request.gpu.name, target: request.gpu.computeCapability.target,
          kernel: launch.kernel, line: request.module.location(at: launch.callRange.lower).line,
          config: outcome.variant.index,
          constants: outcome.variant.config.constants.mapValues(Self.text),
          numWarps: outcome.variant.config.numWarps, numStages: outcome.variant.config.numStages,
          grid: isSizeKnown ? outcome.variant.grid : [], compiled: kernel,
          occupancyPercent: occupancy.map { ($0.fraction * 10_000).rounded() / 100 },
          blocksPerSM: occupancy?.blocksPerSM, limiter: occupancy?.limiter.rawValue,
          profileAgrees: evidence(outcome)?.isPossible, failure: failure,
          arguments: outcome.variant.job.arguments, options: outcome.variant.job.options)
      }
    }
  }
}
