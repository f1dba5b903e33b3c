/// The GPU whose properties `torch.cuda` and `triton.runtime` report to the host program.
public struct HostGPU: Sendable, Hashable {
  public var name: String
  /// 10 × major + minor: 89.
  public var computeCapability: Int
  public var multiprocessors: Int
  public var sharedMemoryPerBlockOptIn: Int
  public var registersPerMultiprocessor: Int
  public var threadsPerMultiprocessor: Int
  public var warpSize: Int
  public var l2Bytes: Int
  public var memoryBytes: Int

  /// The defaults are an RTX 4090's, as in the CUDA programming guide's table for 8.9 and NVIDIA's
  /// Ada whitepaper (128 SMs, 72 MB of L2, 24 GB).
  public init(
    name: String = "NVIDIA GeForce RTX 4090", computeCapability: Int = 89,
    multiprocessors: Int = 128, sharedMemoryPerBlockOptIn: Int = 101_376,
    registersPerMultiprocessor: Int = 65_536, threadsPerMultiprocessor: Int = 1_536,
    warpSize: Int = 32, l2Bytes: Int = 72 << 20, memoryBytes: Int = 24 << 30
  ) {
    self.name = name
    self.computeCapability = computeCapability
    self.multiprocessors = multiprocessors
    self.sharedMemoryPerBlockOptIn = sharedMemoryPerBlockOptIn
    self.registersPerMultiprocessor = registersPerMultiprocessor
    self.threadsPerMultiprocessor = threadsPerMultiprocessor
    self.warpSize = warpSize
    self.l2Bytes = l2Bytes
    self.memoryBytes = memoryBytes
  }
}

extension Evaluator {
  /// `torch.cuda`, `torch.backends`, `torch.version`: answers for the given GPU; settings are
  /// accepted and read back.
  func cudaAttribute(_ module: String, _ name: String) -> Value? {
    func native(_ body: @escaping NativeFunction.Body) -> Value {
      .native(NativeFunction(name, body))
    }
    let gpu = self.gpu
    if module.hasPrefix("torch.version") {
      return name == "cuda" ? .string("12.4") : name == "hip" ? Value.none : nil
    }
    switch name {
    case "is_available": return native { _, _ in .bool(!module.hasPrefix("torch.mps")) }
    case "is_initialized": return native { _, _ in .bool(true) }
    case "device_count": return native { _, _ in .int(1) }
    case "current_device": return native { _, _ in .int(0) }
    case "get_device_name": return native { _, _ in .string(gpu.name) }
    case "get_device_capability":
      return native { _, _ in
        .makeTuple([.int(gpu.computeCapability / 10), .int(gpu.computeCapability % 10)])
      }
    case "get_device_properties":
      return native { ev, _ in
        let object = InstanceObject(ev.nativeClass("device properties"))
        object["name"] = .string(gpu.name)
        object["major"] = .int(gpu.computeCapability / 10)
        object["minor"] = .int(gpu.computeCapability % 10)
        object["multi_processor_count"] = .int(gpu.multiprocessors)
        object["total_memory"] = .int(gpu.memoryBytes)
        object["warp_size"] = .int(gpu.warpSize)
        object["max_threads_per_multi_processor"] = .int(gpu.threadsPerMultiprocessor)
        object["regs_per_multiprocessor"] = .int(gpu.registersPerMultiprocessor)
        object["shared_memory_per_block_optin"] = .int(gpu.sharedMemoryPerBlockOptIn)
        object["shared_memory_per_multiprocessor"] = .int(gpu.sharedMemoryPerBlockOptIn + 1024)
        object["shared_memory_per_block"] = .int(49_152)
        object["L2_cache_size"] = .int(gpu.l2Bytes)
        return .instance(object)
      }
    case "is_bf16_supported": return native { _, _ in .bool(gpu.computeCapability >= 80) }
    case "memory_allocated", "max_memory_allocated", "memory_reserved":
      return native { _, _ in .integer(SymInt(0, origin: .unknown)) }
    case "mem_get_info":
      return native { _, _ in .makeTuple([.int(gpu.memoryBytes), .int(gpu.memoryBytes)]) }
    case "current_stream", "default_stream", "Stream", "Event", "stream", "device", "CUDAGraph",
      "graph":
      return native { ev, _ in
        let object = InstanceObject(ev.nativeClass("stream"))
        object["cuda_stream"] = .int(0)
        return .instance(object)
      }
    case "allow_tf32", "enabled", "benchmark", "deterministic",
      "allow_fp16_reduced_precision_reduction", "allow_bf16_reduced_precision_reduction":
      // torch's defaults: TF32 is on for cuDNN and off for matmul.
      return .bool(
        name == "enabled" || (name == "allow_tf32" && module.hasSuffix("cudnn"))
          || name.hasSuffix("reduction"))
    case "cuda", "cudnn", "matmul", "mps", "amp", "nvtx", "random", "mkldnn", "opt_einsum":
      return .module(ModuleObject("\(module).\(name)"))
    case "custom_fwd", "custom_bwd", "autocast":
      return .native(NativeFunction(name, FunctionTools.transparent))
    default: return native { _, _ in .none }
    }
  }
}
