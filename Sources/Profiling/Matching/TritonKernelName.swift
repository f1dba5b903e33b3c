/// The names under which a profiler shows Triton's kernels.
public enum TritonKernelName {
  /// The kernel that a profiler's name means: the name itself, or with the argument suffix of Triton
  /// before 3.0 (`add_kernel_0d1d2d`). The longest of several.
  public static func kernel(of name: String, in kernels: [String]) -> String? {
    if kernels.contains(name) { return name }
    return kernels.filter { kernel in
      guard name.hasPrefix(kernel + "_") else { return false }
      let suffix = name.dropFirst(kernel.count + 1)
      return suffix.first?.isNumber == true
        && suffix.allSatisfy { $0.isNumber || "dcew_".contains($0) }
    }.max { $0.count < $1.count }
  }
}
