import DeviceModel

/// What Triton and ptxas made of a kernel: level 'compiled', no GPU needed.
public struct CompiledKernel: Sendable, Hashable, Codable {
  /// The Triton that compiled it, `3.6.0`.
  public var triton: String
  /// Per thread.
  public var registers: Int
  /// Per block: what the launch asks for.
  public var sharedBytes: Int
  /// Per thread, in bytes of instructions that spill, over the kernel and the functions it calls.
  public var spillStoreBytes: Int
  public var spillLoadBytes: Int
  /// Per thread, bytes of local memory of the entry's frame.
  public var stackBytes: Int
  /// Warps of a block: `num_warps`, more where the compiler adds specialised ones.
  public var warps: Int
  /// Blocks of a cluster (`num_ctas`).
  public var blocksPerCluster: Int
  /// Columns of tensor memory, on sm_100; 0 elsewhere.
  public var tensorMemoryColumns: Int
  /// What `triton.compile` took when it was compiled, seconds.
  public var seconds: Double
  public var ptx: String?
  public var sass: String?
  public var ttgir: String?
  /// nil where no SASS was asked for.
  public var mix: InstructionMix?

  /// Whether anything was spilled to local memory.
  public var hasSpills: Bool { spillStoreBytes > 0 || spillLoadBytes > 0 }

  /// How many blocks a multiprocessor of `gpu` holds, by what was compiled. 0 blocks: cannot launch.
  public func occupancy(on gpu: GPU) -> Occupancy {
    Occupancy.of(
      registersPerThread: registers, sharedBytesPerBlock: sharedBytes, warpsPerBlock: warps,
      on: gpu)
  }
}

/// What to bring back beside the resources.
public struct CompileDetail: OptionSet, Sendable, Hashable {
  public let rawValue: Int
  public init(rawValue: Int) { self.rawValue = rawValue }

  public static let ptx = CompileDetail(rawValue: 1)
  public static let sass = CompileDetail(rawValue: 2)
  public static let ttgir = CompileDetail(rawValue: 4)
  /// The instruction mix; the SASS it is read from is dropped unless asked for too. Disassembling
  /// takes a third of a second of one core.
  public static let mix = CompileDetail(rawValue: 8)

  var words: [String] {
    var words: [String] = []
    if contains(.ptx) { words.append("ptx") }
    if contains(.sass) || contains(.mix) { words.append("sass") }
    if contains(.ttgir) { words.append("ttgir") }
    return words
  }
}
