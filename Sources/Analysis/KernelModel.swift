import DeviceModel
import HostProgram
import Profiling
import TileIR

/// What the analyses find in a lowered kernel whatever config it runs with: shared between configs.
public struct PreparedKernel: Sendable {
  let flat: FlatFunction
  let axes: AxisAnalysis
  let redundancy: Redundancy
  let dotLoads: Set<Int>

  /// - Complexity: O(operations).
  public init(_ function: Function) {
    flat = FlatFunction(function)
    axes = AxisAnalysis(flat)
    redundancy = Redundancy(flat, axes: axes)
    dotLoads = LoopAnalysis.dotLoads(flat)
  }

  public var function: Function { flat.function }
}

/// Runs the analyses in their order.
struct KernelModel {
  private(set) var work: WorkReport
  private(set) var patterns: [AccessPattern]
  private(set) var loops: [LoopReport]
  private(set) var divisions: DivisionReport
  private(set) var dots: [DotReport]
  private(set) var cost: CostEstimate
  private(set) var notes: [String] = []

  init(
    kernel: PreparedKernel, launch: Launch, config: LaunchConfig, grid: [Int], gpu: GPU,
    profile: KernelProfile?
  ) {
    let function = kernel.function
    let (flat, axes) = (kernel.flat, kernel.axes)
    let (redundancy, dotLoads) = (kernel.redundancy, kernel.dotLoads)
    let capability = gpu.computeCapability.major * 10 + gpu.computeCapability.minor
    let warps = max(1, min(64, config.numWarps))
    let layouts = LayoutAssignment(
      flat, axes: axes, warps: warps, computeCapability: capability)
    func context(
      _ counts: [Double], _ pipelined: Set<Int>, _ strides: LaneStrides
    ) -> InstructionEstimate.Context {
      InstructionEstimate.Context(
        flat: flat, axes: axes, layouts: layouts, redundancy: redundancy, strides: strides,
        warps: warps, counts: counts,
        pipelinedLoops: pipelined, numStages: config.numStages, computeCapability: capability)
    }
    // Widths and requests follow from layouts alone.
    let start = context([], [], .unknown)
    let pipelined = Set(
      flat.nodes.filter {
        switch $0.operation.kind {
        case .forLoop:
          LoopAnalysis.pipelining(
            $0, flat, dotLoads: dotLoads, numStages: config.numStages,
            computeCapability: capability, widthBytes: { start.widthBytes($0) }
          ).isOn
        default: false
        }
      }.map(\.id))

    let collector = AccessCollector(start)
    var sampler = ProgramSampler(
      flat, arguments: Self.arguments(function, launch), grid: grid,
      onAccess: { collector.record($0) })
    for program in ProgramSampler.spread(over: grid, count: 4) {
      if sampler.hasSeenEnough { break }
      sampler.run(program: program)
    }
    let observations = sampler.observations
    let sampled = Double(max(1, observations.programs))
    let context = context(
      observations.counts.map { $0 / sampled }, pipelined,
      LaneStrides(flat, axes: axes, sample: sampler.environment))

    let perLaunch = grid.reduce(1.0) { $0 * Double(max(1, $1)) }
    let programs = perLaunch
    patterns = AccessAnalysis(
      context: context, roots: PointerRoots(flat), launch: launch, programs: programs,
      dotLoads: dotLoads
    ).patterns(collector.statistics, sampledPrograms: observations.programs)
    work = WorkAnalysis.report(
      context, patterns: patterns, programs: programs, gpu: gpu, liveShare: collector.liveShare)
    loops = LoopAnalysis.reports(
      context, dotLoads: dotLoads, numStages: config.numStages, observations: observations)
    let estimate = InstructionEstimate(context)
    divisions = DivisionAnalysis.report(
      context, estimate, launch: launch, launchWarps: programs * Double(warps))
    dots = Self.dots(context, programs: programs)
    cost = Self.cost(
      context, estimate, config: config, grid: grid, gpu: gpu, profile: profile, work: work,
      patterns: patterns, perLaunch: perLaunch)
    if !observations.unknownLoops.isEmpty {
      for id in observations.unknownLoops.sorted() {
        let place = SourcePlace(flat.nodes[id].operation.location.range, in: function.source)
        notes.append("\(place): the loop's length depends on data; it is counted once")
      }
    }
    if observations.ranOutOfWork {
      notes.append("the sampled programs were cut short; counts past the cut are not scaled")
    }
  }

  /// The launch's arguments as the sampler wants them, in the order of the function's parameters.
  private static func arguments(_ function: Function, _ launch: Launch) -> [ConcreteValue] {
    function.parameters.enumerated().map { index, parameter in
      if function.values.indices.contains(parameter.value.index) {
        switch function.values[parameter.value.index].type {
        case .tile(let type) where type.element.isPointer:
          return .tile(.scalar(0, base: index))
        case .tensorDescriptor, .blockPointer:
          guard
            case .tensorDescriptor(let tensor, _)? = launch.arguments
              .first(where: { $0.name == parameter.name })?.value
          else { return .unknown }
          return .block(
            ConcreteBlock(
              base: index, start: 0, shape: tensor.shape, strides: tensor.strides,
              offsets: tensor.shape.map { _ in 0 }))
        default: break
        }
      }
      switch launch.arguments.first(where: { $0.name == parameter.name })?.value {
      case .int(let value)?: return .tile(.scalar(value))
      case .bool(let value)?: return .tile(.scalar(value ? 1 : 0))
      default: return .unknown
      }
    }
  }

  private static func dots(_ context: InstructionEstimate.Context, programs: Double) -> [DotReport]
  {
    var reports: [DotReport] = []
    for node in context.flat.nodes {
      guard let dot = DotShape(node.operation, in: context.flat) else { continue }
      let place = SourcePlace(node.operation.location.range, in: context.flat.function.source)
      let flops = dot.flops * context.counts[node.id] * programs
      if let known = reports.firstIndex(where: {
        $0.place == place && $0.m == dot.m && $0.n == dot.n && $0.k == dot.k
      }) {
        reports[known].copies += 1
        reports[known].flops += flops
      } else {
        reports.append(
          DotReport(
            place: place, m: dot.m, n: dot.n, k: dot.k, operands: "\(dot.lhs)",
            precision: WorkAnalysis.operandType(dot),
            usesTensorCores: context.layouts.dots[node.id]?.unit != .fma, copies: 1, flops: flops))
      }
    }
    return reports
  }

  private static func cost(
    _ context: InstructionEstimate.Context, _ estimate: InstructionEstimate, config: LaunchConfig,
    grid: [Int], gpu: GPU, profile: KernelProfile?, work: WorkReport, patterns: [AccessPattern],
    perLaunch: Double
  ) -> CostEstimate {
    let limit = min(config.maxRegisters ?? .max, gpu.limits.maxRegistersPerThread)
    let registers = RegisterEstimate(context, limit: max(16, limit))
    var perThread = registers.registersPerThread
    if let seen = profile?[NsightMetric.registersPerThread], seen >= 1, seen <= 255 {
      perThread = Int(seen)
    }
    var shared = SharedMemoryEstimate.bytes(context, numStages: config.numStages)
    if let seen = profile?[NsightMetric.dynamicSharedBytes], seen >= 0, seen < 1e6 {
      shared = Int(seen)
    }
    if let profile, profile[NsightMetric.registersPerThread] == nil,
      let active = profile[NsightMetric.warpsActive],
      let blocks = Occupancy.residentBlocks(
        warpsActivePercent: active, warpsPerBlock: context.warps, on: gpu),
      let range = Occupancy.registerRange(
        blocksPerSM: blocks, sharedBytesPerBlock: shared, warpsPerBlock: context.warps, on: gpu)
    {
      // A block count one off the estimate is a matter of a few registers: believe the profile.
      let expected = Occupancy.of(
        registersPerThread: perThread, sharedBytesPerBlock: shared, warpsPerBlock: context.warps,
        on: gpu
      ).blocksPerSM
      if abs(expected - blocks) == 1 {
        perThread = min(max(perThread, range.lowerBound), range.upperBound)
      }
    }
    let occupancy = Occupancy.of(
      registersPerThread: perThread, sharedBytesPerBlock: shared, warpsPerBlock: context.warps,
      on: gpu)
    let model = TimeModel(
      gpu: gpu, occupancy: occupancy, programs: perLaunch, warps: context.warps,
      instructions: estimate.perProgram * perLaunch,
      codeSize: estimate.codeSize,
      dotFlops: work.executedDotFlops, patterns: patterns, compulsoryBytes: work.compulsoryBytes,
      exposedRounds: MemoryRounds.exposed(context, numStages: config.numStages), grid: grid)
    let terms = model.terms
    let bottleneck = terms.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }?.key
    return CostEstimate(
      predictedMicroseconds: model.microseconds(terms), terms: terms,
      bottleneck: bottleneck ?? .latency,
      warpInstructions: estimate.perProgram * perLaunch,
      registersPerThread: perThread,
      mayReachRegisterLimit: registers.wanted > gpu.limits.maxRegistersPerThread,
      sharedBytesPerBlock: shared, occupancy: occupancy,
      waves: gpu.waves(gridBlocks: Int(min(perLaunch, 1e15)), blocksPerSM: occupancy.blocksPerSM)
        ?? .infinity,
      dramBytes: model.dramBytes, l2Bytes: model.l2Bytes)
  }
}
