extension Operation.Kind {
  /// The operation's name in Triton's own IR, or the nearest to it: `tt.load`, `arith.add`.
  public var name: String {
    switch self {
    case .constant: "arith.constant"
    case .programID: "tt.get_program_id"
    case .numPrograms: "tt.get_num_programs"
    case .makeRange: "tt.make_range"
    case .splat: "tt.splat"
    case .broadcast: "tt.broadcast"
    case .expandDims: "tt.expand_dims"
    case .reshape: "tt.reshape"
    case .trans: "tt.trans"
    case .join: "tt.join"
    case .split: "tt.split"
    case .cat: "tt.cat"
    case .gather: "tt.gather"
    case .unary(let op): "math.\(op.rawValue)"
    case .binary(let op): "arith.\(op.rawValue)"
    case .compare(let predicate): "arith.cmp_\(predicate.rawValue)"
    case .select: "arith.select"
    case .fma: "math.fma"
    case .clamp: "tt.clamp"
    case .cast(.convert): "arith.convert"
    case .cast(.bitcast): "tt.bitcast"
    case .addPointer: "tt.addptr"
    case .external: "tt.extern_elementwise"
    case .load, .blockLoad: "tt.load"
    case .store, .blockStore: "tt.store"
    case .atomicRMW: "tt.atomic_rmw"
    case .atomicCAS: "tt.atomic_cas"
    case .makeBlockPointer: "tt.make_tensor_ptr"
    case .advance: "tt.advance"
    case .makeTensorDescriptor: "tt.make_tensor_descriptor"
    case .descriptorLoad: "tt.descriptor_load"
    case .descriptorStore(nil): "tt.descriptor_store"
    case .descriptorStore: "tt.descriptor_reduce"
    case .descriptorGather: "tt.descriptor_gather"
    case .descriptorScatter: "tt.descriptor_scatter"
    case .dot: "tt.dot"
    case .dotScaled: "tt.dot_scaled"
    case .reduce: "tt.reduce"
    case .scan: "tt.scan"
    case .histogram: "tt.histogram"
    case .forLoop: "scf.for"
    case .whileLoop: "scf.while"
    case .ifElse: "scf.if"
    case .yield: "scf.yield"
    case .condition: "scf.condition"
    case .deviceAssert: "tt.assert"
    case .devicePrint: "tt.print"
    case .assume: "llvm.intr.assume"
    case .hint(let kind, _):
      switch kind {
      case .multipleOf: "tt.multiple_of"
      case .maxContiguous: "tt.max_contiguous"
      case .maxConstancy: "tt.max_constancy"
      }
    case .barrier: "gpu.barrier"
    case .inlineAssembly: "tt.elementwise_inline_asm"
    }
  }

  /// The attributes as `name = value`, in a fixed order; flags alone.
  public var attributes: [String] {
    switch self {
    case .programID(let axis), .numPrograms(let axis), .expandDims(let axis), .gather(let axis):
      ["axis = \(axis)"]
    case .makeRange(let start, let end): ["start = \(start)", "end = \(end)"]
    case .reshape(let canReorder): canReorder ? ["allow_reorder"] : []
    case .trans(let order): ["order = \(order)"]
    case .cast(.convert(let rounding?)): ["rounding = \(rounding)"]
    case .clamp(let propagateNaN): propagateNaN ? ["propagate_nan"] : []
    case .external(let symbol, let isPure): ["symbol = \(symbol)"] + (isPure ? ["pure"] : [])
    case .load(let attributes): attributes.list
    case .store(let attributes): attributes.list
    case .blockLoad(let axes, let padding, let attributes):
      ["boundary_check = \(axes)"] + (padding.map { ["padding = \($0)"] } ?? []) + attributes.list
    case .blockStore(let axes, let attributes): ["boundary_check = \(axes)"] + attributes.list
    case .atomicRMW(let op, let semantics, let scope, _):
      [op.rawValue, "sem = \(semantics)", "scope = \(scope)"]
    case .atomicCAS(let semantics, let scope): ["sem = \(semantics)", "scope = \(scope)"]
    case .makeBlockPointer(let order): ["order = \(order)"]
    case .makeTensorDescriptor(let padding): padding.map { ["padding = \($0)"] } ?? []
    case .descriptorLoad(let attributes): attributes.list
    case .descriptorStore(let reduction): reduction.map { [$0.rawValue] } ?? []
    case .dot(let precision, let imprecise):
      ["input_precision = \(precision.rawValue)"]
        + (imprecise.map { ["max_num_imprecise_acc = \($0)"] } ?? [])
    case .dotScaled(let left, let right, _, _, let fastMath, _, _):
      ["lhs = \(left)", "rhs = \(right)"] + (fastMath ? ["fast_math"] : [])
    case .reduce(let axis, let combine, let keepDims):
      [combine.rawValue, axis.map { "axis = \($0)" } ?? "all axes"]
        + (keepDims ? ["keep_dims"] : [])
    case .scan(let axis, let combine, let reverse):
      [combine.rawValue, "axis = \(axis)"] + (reverse ? ["reverse"] : [])
    case .histogram(let bins, _): ["bins = \(bins)"]
    case .forLoop(let attributes): attributes.list
    case .deviceAssert(let message): ["message = \(message.debugDescription)"]
    case .devicePrint(let prefix): ["prefix = \(prefix.debugDescription)"]
    case .hint(_, let values): ["\(values)"]
    case .inlineAssembly(let text, let constraints, let isPure, let pack):
      [text.debugDescription, constraints.debugDescription, "pack = \(pack)"]
        + (isPure ? ["pure"] : [])
    default: []
    }
  }
}

extension LoadAttributes {
  fileprivate var list: [String] {
    (hasMask ? ["mask"] : []) + (hasOther ? ["other"] : [])
      + (cacheModifier.isEmpty ? [] : ["cache = \(cacheModifier)"])
      + (evictionPolicy.isEmpty ? [] : ["evict = \(evictionPolicy)"])
      + (isVolatile ? ["volatile"] : [])
  }
}

extension StoreAttributes {
  fileprivate var list: [String] {
    (hasMask ? ["mask"] : [])
      + (cacheModifier.isEmpty ? [] : ["cache = \(cacheModifier)"])
      + (evictionPolicy.isEmpty ? [] : ["evict = \(evictionPolicy)"])
  }
}

extension LoopAttributes {
  fileprivate var list: [String] {
    (numStages.map { ["num_stages = \($0)"] } ?? [])
      + (loopUnrollFactor.map { ["loop_unroll_factor = \($0)"] } ?? [])
      + (disallowAccMultiBuffer ? ["disallow_acc_multi_buffer"] : [])
      + (flatten ? ["flatten"] : []) + (warpSpecialize ? ["warp_specialize"] : [])
  }
}
