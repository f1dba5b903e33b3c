import DeviceModel
import Diagnostics
import Foundation
import Requests
import Stages
import Testing

/// The request documents, read by the request reader.
@Suite struct RequestTests {
  @Test(arguments: Examples.requestNames)
  func `Every line of a request is understood`(_ name: String) throws {
    let request = try read(name)
    #expect(request.notes.isEmpty, "\(request.notes.map(\.headline))")
    #expect(!request.lineOutcomes.contains(.reported) && !request.lineOutcomes.contains(.unread))
    #expect(request.gpuFacts.count >= 8)
  }

  @Test(arguments: Examples.requestNames)
  func `A request's stage is micro-tuning with its limits`(_ name: String) throws {
    let policy = try read(name).policy
    #expect(policy.stage == .microTuning)
    #expect(policy.numStages.maxStep == 1)
    #expect(policy.numWarps.allowed?.contains(4) == true)
    #expect(policy.includesOriginal && policy.revertsIfUnstable)
    #expect(policy.configCount?.lowerBound == 3)
    #expect(policy.mayChange.isDisjoint(with: [.grid, .programMapping, .blockSizes]))
    let rules = policy.rules.map(\.kind)
    #expect(
      rules.contains { if case .changeOnlyIf(.numWarps, _) = $0 { true } else { false } })
  }

  @Test(arguments: Examples.requestNames)
  func `A request's module has the strict form`(_ name: String) throws {
    let request = try read(name)
    let findings = StrictForm.check(request.tree, rules: request.outputRules)
    #expect(findings.isEmpty, "\(findings.map(\.headline))")
  }

  @Test func `The profiles hold what the launches fix`() throws {
    let grids = try Examples.requestNames.map { name in
      let profile = try #require(try read(name).profiles.first)
      let kernel = profile.kernel
      let launch = try #require(
        try Examples.names.flatMap { try Examples.recordedLaunches($0) }
          .first { $0.kernel == kernel })
      let grid = try #require(profile.metrics["launch__grid_size"])
      #expect(grid.value == Double(launch.grid.reduce(1, *)), "\(name)")
      if let block = profile.metrics["launch__block_size"] {
        #expect(block.value == Double(32 * launch.numWarps), "\(name)")
      }
      return Int(grid.value)
    }
    #expect(grids == [18432, 53248, 8192])
  }

  private func read(_ name: String) throws -> Request {
    let text = try Examples.request(name)
    return try RequestReader.read(bytes: Array(text.utf8), name: name + ".md")
  }
}
