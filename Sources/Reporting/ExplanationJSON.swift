import Analysis
import Diagnostics
import HostProgram

extension Explanation {
  /// For programs: the same statements, and the figures behind them under keys that name their units.
  ///
  /// - Throws: what `JSONEncoder` throws; figures that are not finite are left out.
  public func json() throws -> [UInt8] {
    try JSONText.bytes(ExplanationRecord(self))
  }
}

private struct ExplanationRecord: Encodable {
  let sections: [SectionRecord]
  let deduction: DeductionRecord?
  let kernels: [KernelRecord]
  let notes: [String]

  init(_ explanation: Explanation) {
    sections = explanation.sections.map(SectionRecord.init)
    deduction = explanation.deduction.map(DeductionRecord.init)
    kernels = explanation.kernels.map(KernelRecord.init)
    notes = explanation.notes.map(\.headline)
  }
}

private struct SectionRecord: Encodable {
  struct StatementRecord: Encodable {
    let text: String
    let file: String?
    let line: Int?
    let level: String?
  }
  let title: String
  let statements: [StatementRecord]

  init(_ section: Explanation.Section) {
    title = section.title
    statements = section.statements.map {
      StatementRecord(
        text: $0.text, file: $0.place?.file, line: $0.place?.line, level: $0.level?.rawValue)
    }
  }
}

private struct DeductionRecord: Encodable {
  struct ReadingRecord: Encodable {
    let inputs: [String: [Int]]
    let configs: [String: Int]
    let score: Double
  }
  let steps: [String]
  let isAmbiguous: Bool
  let readings: [ReadingRecord]

  init(_ deduction: ProblemDeduction) {
    steps = deduction.steps
    isAmbiguous = deduction.isAmbiguous
    readings = deduction.readings.map { reading in
      ReadingRecord(
        inputs: Dictionary(reading.inputs.map { ($0.name, $0.shape.shape) }) { first, _ in first },
        configs: reading.configs, score: reading.score)
    }
  }
}

private struct KernelRecord: Encodable {
  struct Access: Encodable {
    let kind: String
    let file: String
    let line: Int
    let tensor: String?
    let copies: Int
    let shape: [Int]
    let element: String
    let contiguousAxis: Int?
    let vectorBytes: Int
    let vectorLimit: String?
    let sectorsPerRequest: Double?
    let bytesPerSector: Double?
    let activeFraction: Double?
    let isMasked: Bool
    let isDataDependent: Bool
    let invariantProgramAxes: [Int]
    let requests: Double
    let bytesRequested: Double
    let tensorBytes: Double?
    let reuse: Double?
  }
  struct Loop: Encodable {
    let file: String
    let line: Int
    let form: String
    let tripCount: Double?
    let pipelinedStages: Int?
    let notPipelinedBecause: String?
    let numStagesIsDead: Bool
    let loads: Int
    let dots: Int
    let divisions: Int
  }
  struct Division: Encodable {
    let file: String
    let line: Int
    let text: String
    let divisor: String
    let isRunTime: Bool
    let bits: Int
    let parameters: [String]
    let warpInstructions: Double
  }
  struct Work: Encodable {
    let dotFlops: [String: Double]
    let executedDotFlops: [String: Double]
    let elementwiseFlops: Double
    let specialOperations: Double
    let compulsoryReadBytes: Double
    let compulsoryWriteBytes: Double
    let flopsPerByte: Double?
    let memoryFloorMicroseconds: Double
    let computeFloorMicroseconds: Double
    let operandType: String
  }
  struct Predicted: Encodable {
    let microseconds: Double
    let termMicroseconds: [String: Double]
    let bottleneck: String
    let warpInstructions: [String: Double]
    let registersPerThread: Int
    let sharedBytesPerBlock: Int
    let blocksPerSM: Int
    let occupancy: Double
    let occupancyLimiter: String
    let waves: Double
    let dramBytes: Double
    let l2Bytes: Double
    let divisionShare: Double
  }
  struct Profile: Encodable {
    let measured: [String: Double]
    let conclusions: [String]
    let contradictions: [String]
  }

  let name: String
  let file: String?
  let line: Int?
  let grid: [Int]?
  let config: String?
  let configIndex: Int
  let refusal: String?
  let isGuessed: Bool
  let work: Work?
  let accesses: [Access]
  let loops: [Loop]
  let divisions: [Division]
  let predicted: Predicted?
  let profile: Profile?
  let configMicroseconds: [String: Double]
  let sections: [SectionRecord]

  init(_ kernel: Explanation.Kernel) {
    name = kernel.name
    file = kernel.place?.file
    line = kernel.place?.line
    grid = kernel.analysis?.grid
    config = kernel.analysis.map { RequestSections.configText($0.config) }
    configIndex = kernel.configIndex
    refusal = kernel.refusal?.headline
    isGuessed = kernel.isGuessed
    configMicroseconds = Dictionary(
      kernel.configMicroseconds.map { ("\($0.key)", $0.value) }
    ) { first, _ in first }
    sections = kernel.sections.map(SectionRecord.init)
    let analysis = kernel.analysis
    work = analysis.map { analysis in
      let work = analysis.work
      return Work(
        dotFlops: Self.byName(work.dotFlops), executedDotFlops: Self.byName(work.executedDotFlops),
        elementwiseFlops: work.elementwiseFlops, specialOperations: work.specialOperations,
        compulsoryReadBytes: work.compulsoryReadBytes,
        compulsoryWriteBytes: work.compulsoryWriteBytes, flopsPerByte: work.intensity,
        memoryFloorMicroseconds: work.memoryFloorMicroseconds,
        computeFloorMicroseconds: work.computeFloorMicroseconds,
        operandType: work.operandType.rawValue)
    }
    accesses = (analysis?.accesses ?? []).map { access in
      Access(
        kind: access.kind.rawValue, file: access.place.file, line: access.place.line,
        tensor: access.tensor, copies: access.copies, shape: access.shape,
        element: "\(access.element)", contiguousAxis: access.contiguousAxis,
        vectorBytes: access.vectorBytes, vectorLimit: access.vectorLimit,
        sectorsPerRequest: access.sectorsPerRequest, bytesPerSector: access.bytesPerSector,
        activeFraction: access.activeFraction, isMasked: access.isMasked,
        isDataDependent: access.isDataDependent, invariantProgramAxes: access.invariantPrograms,
        requests: access.requests, bytesRequested: access.bytesRequested,
        tensorBytes: access.tensorBytes, reuse: access.reuse)
    }
    loops = (analysis?.loops ?? []).map { loop in
      var stages: Int?
      var reason: String?
      switch loop.pipelining {
      case .pipelined(let count): stages = count
      case .off(let text): reason = text
      }
      return Loop(
        file: loop.place.file, line: loop.place.line, form: loop.form.rawValue,
        tripCount: loop.tripCount, pipelinedStages: stages, notPipelinedBecause: reason,
        numStagesIsDead: loop.numStagesIsDead, loads: loop.loads, dots: loop.dots,
        divisions: loop.divisions)
    }
    divisions = (analysis?.divisions.sites ?? []).map { site in
      Division(
        file: site.place.file, line: site.place.line, text: site.text, divisor: site.divisor,
        isRunTime: site.isRunTime, bits: site.bits, parameters: site.parameters,
        warpInstructions: site.warpInstructions)
    }
    predicted = analysis.map { analysis in
      let cost = analysis.cost
      return Predicted(
        microseconds: cost.predictedMicroseconds, termMicroseconds: Self.byName(cost.terms),
        bottleneck: cost.bottleneck.rawValue,
        warpInstructions: Self.byName(cost.warpInstructions.counts),
        registersPerThread: cost.registersPerThread, sharedBytesPerBlock: cost.sharedBytesPerBlock,
        blocksPerSM: cost.occupancy.blocksPerSM, occupancy: cost.occupancy.fraction,
        occupancyLimiter: cost.occupancy.limiter.rawValue, waves: cost.waves,
        dramBytes: cost.dramBytes, l2Bytes: cost.l2Bytes, divisionShare: analysis.divisions.share)
    }
    profile = analysis?.profile.map { diagnosis in
      Profile(
        measured: Dictionary(diagnosis.readings.map { ($0.metric, $0.value) }) { first, _ in first
        },
        conclusions: diagnosis.conclusions, contradictions: diagnosis.contradictions)
    }
  }

  private static func byName<Key: RawRepresentable>(_ values: [Key: Double]) -> [String: Double]
  where Key.RawValue == String {
    Dictionary(values.map { ($0.key.rawValue, $0.value) }) { first, _ in first }
  }
}
