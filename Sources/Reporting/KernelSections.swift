import Analysis
import DeviceModel
import HostProgram
import Requests

/// Words the analysis of one kernel, section by section.
struct KernelSections {
  typealias Section = Explanation.Section
  typealias Statement = Explanation.Statement

  let kernel: Explanation.Kernel
  let request: Request

  init(_ kernel: Explanation.Kernel, request: Request) {
    self.kernel = kernel
    self.request = request
  }

  var sections: [Section] {
    guard let analysis = kernel.analysis else {
      let refusal = kernel.refusal.map { diagnostic in
        Statement(
          "not analysed: \(diagnostic.message)",
          at: diagnostic.source.flatMap { source in
            diagnostic.range.map { SourcePlace($0, in: source) }
          })
      }
      return [Section("Refused", [refusal ?? Statement("not analysed", at: kernel.place)])]
    }
    return [
      work(analysis), accesses(analysis), loops(analysis), divisions(analysis), dots(analysis),
      occupancy(analysis), time(analysis), profile(analysis),
      Section("What would help", advice(analysis)), configs(),
      Section("Assumptions", analysis.notes.map { Statement($0) }),
    ].filter { !$0.statements.isEmpty }
  }

  // MARK: Work

  private func work(_ analysis: KernelAnalysis) -> Section {
    let work = analysis.work
    var statements: [Statement] = []
    for (type, flops) in work.dotFlops.sorted(by: { $0.value > $1.value }) {
      let executed = work.executedDotFlops[type] ?? flops
      let padded =
        executed > flops * 1.005
        ? "; the tiles' padding makes it \(Number.scaled(executed, "FLOP"))" : ""
      statements.append(
        Statement(
          "\(Number.scaled(flops, "FLOP")) in dots with \(type.rawValue) operands\(padded)",
          at: analysis.dots.first?.place, .predicted))
    }
    if work.elementwiseFlops > 0 {
      statements.append(
        Statement(
          "\(Number.scaled(work.elementwiseFlops, "FLOP")) of other floating-point work", nil))
    }
    if work.specialOperations > 0 {
      statements.append(
        Statement(
          "\(Number.scaled(work.specialOperations, "special functions")) (exp, log, sqrt, division)",
          nil))
    }
    let tensors = work.tensors.map { tensor in
      let way =
        tensor.isRead && tensor.isWritten ? "read and written" : tensor.isRead ? "read" : "written"
      return "\(tensor.name) \(Number.scaled(tensor.bytes, "B")) \(way)"
        + (tensor.isPartial ? " (a part)" : "")
    }
    if !tensors.isEmpty {
      statements.append(
        Statement(
          "compulsory traffic \(Number.scaled(work.compulsoryBytes, "B")): "
            + tensors.joined(separator: ", "), nil))
    }
    if let intensity = work.intensity, !kernel.isGuessed {
      statements.append(
        Statement("\(Number.significant(intensity)) operations per compulsory byte", nil))
      let binding = work.isMemoryBound ? "memory" : "compute"
      statements.append(
        Statement(
          "no launch can take less than \(Number.significant(work.memoryFloorMicroseconds)) µs at "
            + "\(Number.short(analysis.gpu.dramGBPerSecond)) GB/s or "
            + "\(Number.significant(work.computeFloorMicroseconds)) µs at the \(work.operandType.rawValue) "
            + "rate: \(binding) binds", at: nil, .predicted))
    }
    return Section("Work and floors", statements)
  }

  // MARK: Memory

  private func accesses(_ analysis: KernelAnalysis) -> Section {
    Section(
      "Memory accesses",
      analysis.accesses.map { access in
        Statement(Self.text(access), at: access.place, .predicted)
      })
  }

  static func text(_ access: AccessPattern) -> String {
    var parts: [String] = []
    let shape =
      access.shape.isEmpty ? "scalar" : access.shape.map(String.init).joined(separator: "×")
    var head = "\(access.kind.rawValue) \(access.tensor ?? "?") \(shape) \(access.element)"
    if access.copies > 1 { head += ", \(access.copies) copies" }
    parts.append(head)
    if !access.shape.isEmpty {
      if access.isThroughBlock {
        parts.append("through a block pointer or descriptor")
      } else if let axis = access.contiguousAxis {
        parts.append("contiguous along axis \(axis)")
      } else {
        parts.append("contiguous along no axis")
      }
      var width = "\(access.vectorBytes) B a thread and instruction"
      if let limit = access.vectorLimit { width += " (\(limit))" }
      parts.append(width)
    }
    if access.isDataDependent {
      parts.append("addresses depend on loaded data")
    } else if let sectors = access.sectorsPerRequest, !access.shape.isEmpty {
      parts.append(
        "\(Number.short(sectors)) sectors a request"
          + (access.bytesPerSector.map { ", \(Number.short($0)) of 32 B used" } ?? ""))
    }
    if access.isMasked {
      parts.append(
        "masked" + (access.activeFraction.map { " (\(Number.short($0 * 100)) % on)" } ?? ""))
    }
    if let reuse = access.reuse, reuse > 1.05 {
      parts.append("each byte asked for \(Number.significant(reuse)) times")
    }
    if !access.invariantPrograms.isEmpty {
      let axes = access.invariantPrograms.map(String.init).joined(separator: ", ")
      parts.append("the same for all programs along axis \(axes)")
    }
    for loop in access.invariantLoops {
      parts.append("does not change in the loop of line \(loop.line)")
    }
    if !access.cacheModifier.isEmpty { parts.append("cache modifier \(access.cacheModifier)") }
    if !access.evictionPolicy.isEmpty { parts.append(access.evictionPolicy) }
    return parts.joined(separator: "; ")
  }

  // MARK: Loops and division

  private func loops(_ analysis: KernelAnalysis) -> Section {
    Section(
      "Loops",
      analysis.loops.map { loop in
        let trips = loop.tripCount.map { "\(Number.short($0)) steps" } ?? "steps depend on data"
        let form =
          switch loop.form {
          case .range: "loop"
          case .unrolled: "unrolled loop"
          case .whileLoop: "while loop"
          }
        var inside: [String] = []
        if loop.loads > 0 { inside.append("\(loop.loads) loads") }
        if loop.stores > 0 { inside.append("\(loop.stores) stores") }
        if loop.dots > 0 { inside.append("\(loop.dots) dots") }
        if loop.divisions > 0 { inside.append("\(loop.divisions) divisions") }
        var text = "\(form), \(trips)"
        if !inside.isEmpty { text += " of \(inside.joined(separator: ", "))" }
        switch loop.pipelining {
        case .pipelined(let stages): text += "; pipelined in \(stages) stages"
        case .off(let reason): text += "; not pipelined: \(reason)"
        }
        if loop.numStagesIsDead { text += "; num_stages has no effect here" }
        return Statement(text, at: loop.place)
      })
  }

  private func divisions(_ analysis: KernelAnalysis) -> Section {
    let report = analysis.divisions
    guard report.warpInstructions > 0 else { return Section("Integer division", []) }
    var statements = [
      Statement(
        "integer division and remainder are \(Number.short(report.share * 100)) % of the warp "
          + "instructions (\(Number.scaled(report.warpInstructions, "")) of "
          + "\(Number.scaled(analysis.cost.warpInstructions.total, "")))",
        at: report.sites.first?.place,
        .predicted)
    ]
    for site in report.sites.prefix(8) where site.warpInstructions > 0 {
      let how = site.isRunTime ? "known only at run time" : "a constant"
      statements.append(
        Statement(
          "`\(site.text)`: divisor \(site.divisor) is \(how), \(site.bits) bits, "
            + "\(site.operations) operations, \(Number.scaled(site.warpInstructions, "instructions"))",
          at: site.place, .predicted))
    }
    for parameter in report.parameters.prefix(8) {
      statements.append(
        Statement(
          "divisors use \(parameter.name)\(parameter.value.map { " = \($0)" } ?? ""), "
            + Self.origin(parameter.origin)))
    }
    return Section("Integer division", statements)
  }

  static func origin(_ origin: ValueOrigin) -> String {
    switch origin {
    case .literal: "a constant of the code"
    case .module: "fixed by the module's construction"
    case .inputShape: "which follows from the input shapes"
    case .unknown: "of unknown origin"
    }
  }

  // MARK: Dots and occupancy

  private func dots(_ analysis: KernelAnalysis) -> Section {
    Section(
      "Tensor cores and precision",
      analysis.dots.map { dot in
        let copies = dot.copies > 1 ? ", \(dot.copies) copies" : ""
        let unit = dot.usesTensorCores ? "on tensor cores" : "without tensor cores"
        let note =
          dot.operands == "fp32" && dot.precision == .tf32
          ? " (fp32 operands lose 13 bits: Triton's default input_precision)" : ""
        return Statement(
          "dot \(dot.m)×\(dot.n)×\(dot.k) of \(dot.operands), multiplied as "
            + "\(dot.precision.rawValue) \(unit)\(note)\(copies)", at: dot.place)
      })
  }

  private func occupancy(_ analysis: KernelAnalysis) -> Section {
    let cost = analysis.cost
    let occupancy = cost.occupancy
    var statements = [
      Statement(
        "\(cost.registersPerThread) registers a thread, \(Number.grouped(cost.sharedBytesPerBlock)) B "
          + "shared memory a block: \(occupancy.blocksPerSM) blocks of \(analysis.config.numWarps) warps "
          + "per SM, \(Number.short(occupancy.fraction * 100)) % of \(occupancy.maxWarps) warps, "
          + "limited by \(occupancy.limiter.rawValue)", at: nil, .predicted)
    ]
    if cost.mayReachRegisterLimit {
      statements.append(
        Statement("the tiles may not fit the registers: expect spills", at: nil, .predicted))
    }
    if !kernel.isGuessed {
      statements.append(
        Statement(
          "\(Number.short(analysis.programs)) blocks are \(Number.short(cost.waves)) waves",
          at: nil,
          .predicted))
    }
    return Section("Occupancy", statements)
  }

  private func time(_ analysis: KernelAnalysis) -> Section {
    guard !kernel.isGuessed else { return Section("Time", []) }
    let cost = analysis.cost
    let classes = cost.warpInstructions.counts.sorted { $0.value > $1.value }.prefix(6).map {
      "\(Self.name($0.key)) \(Number.short($0.value / max(1, cost.warpInstructions.total) * 100)) %"
    }
    let terms = cost.rankedTerms.prefix(5).map {
      "\($0.term.title) \(Number.significant($0.microseconds)) µs"
    }
    let floor = analysis.work.floorMicroseconds
    return Section(
      "Time",
      [
        Statement(
          "\(Number.scaled(cost.warpInstructions.total, "warp instructions")): "
            + classes.joined(separator: ", "), at: nil, .predicted),
        Statement(
          "\(Number.significant(cost.predictedMicroseconds)) µs a launch"
            + (floor > 0
              ? ", \(Number.short(cost.predictedMicroseconds / floor)) times the floor" : "")
            + "; each resource alone: " + terms.joined(separator: ", "), at: nil, .predicted),
        Statement("the limit is \(cost.bottleneck.title)", at: nil, .predicted),
      ])
  }

  static func name(_ kind: InstructionClass) -> String {
    switch kind {
    case .fp32: "fp32"
    case .fp64: "fp64"
    case .half: "half"
    case .integerMultiply: "integer multiply-add"
    case .integerALU: "integer and logic"
    case .conversion: "conversion"
    case .special: "special functions"
    case .tensor: "tensor"
    case .globalLoad: "global loads"
    case .globalStore: "global stores"
    case .atomic: "atomics"
    case .sharedLoad: "shared loads"
    case .sharedStore: "shared stores"
    case .shuffle: "shuffles"
    case .barrier: "barriers"
    case .control: "control and moves"
    }
  }

  private func profile(_ analysis: KernelAnalysis) -> Section {
    guard let diagnosis = analysis.profile else { return Section("Profile", []) }
    var statements = diagnosis.readings.map {
      Statement("\($0.metric): \($0.says)", at: nil, .measured)
    }
    statements += diagnosis.conclusions.map { Statement("so \($0)") }
    statements += diagnosis.contradictions.map { Statement("does not fit: \($0)") }
    return Section("Profile (measured, from the request) and diagnosis", statements)
  }

  private func configs() -> Section {
    guard let launch = kernel.launch, launch.configs.count > 1 else {
      return Section("Configs", [])
    }
    let statements = launch.configs.enumerated().compactMap { index, entry -> Statement? in
      let text = "\(index + 1). \(RequestSections.configText(entry.config))"
      let place = entry.config.range.map { SourcePlace($0, in: request.tree.source) }
      guard let time = kernel.configMicroseconds[index] else {
        return Statement("\(text): not predicted", at: place)
      }
      return Statement("\(text): \(Number.significant(time)) µs", at: place, .predicted)
    }
    return Section("Configs", statements)
  }
}
