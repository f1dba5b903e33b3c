import Diagnostics
import Requests

/// A small request document in the usual form, written for these tests, in parts that tests replace.
struct SampleRequest {
  var role = "You tune Triton kernels.\n"
  var gpu = """
    # Target GPU
    GPU Name: 4090
    Architecture: Ada Lovelace
    • Compute Capability: 8.9
    • Number of SMs: 128
    • Memory Bandwidth: 1008 GB/s
    • TF32 Tensor Core TFLOPS: 82.6 with dense
    • Maximum number of registers per thread: 255
    • Maximum threads per SM: 1536
    • Warp size: 32
    • Maximum concurrent warps per SM: 48
    • Shared memory capacity per SM: 100 KB
    • Maximum shared memory per thread block: 99 KB
    • L2 cache (global, all SM shared): 72 MB

    """
  var stage = """
    [OPTIMIZATION STAGE]

    ## Current Optimization Stage

    Focus: Final micro-tuning.

    Params:
    - num_warps ∈ {2,4,8}

    Rules:
    - Do NOT modify grid or BLOCK sizes

    """
  var code = """
    [CURRENT CODE]
    ```python
    import torch
    import torch.nn as nn
    import triton
    import triton.language as tl


    @triton.jit
    def add_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
        i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        tl.store(y_ptr + i, tl.load(x_ptr + i, mask=i < n) + 1, mask=i < n)


    def add(x):
        y = torch.empty_like(x)
        add_kernel[(triton.cdiv(x.numel(), 256),)](x, y, x.numel(), BLOCK=256)
        return y


    class ModelNew(nn.Module):
        def forward(self, x):
            return add(x)
    ```

    """
  var metrics = """
    [NCU PROFILING METRICS]
    {
      "add_kernel": {
        "launch__grid_size": 48400,
        "sm__throughput.avg.pct_of_peak_sustained_elapsed": 64.79
      }
    }

    """
  var task = "**Task**: Make it faster.\n\n"
  var output = """
    OUTPUT RULES (STRICT):
    1. Follow this exact order:
       1. Imports: torch, torch.nn, triton, triton.language as tl
       2. @triton.jit decorated kernel function(s)
       3. Wrapper function(s) for grid calculation and kernel launch
       4. class ModelNew(nn.Module) that calls your kernels
    2. Do NOT include: testing code, if __name__, get_inputs, get_init_inputs

    ```python
    # <the optimized code>
    ```
    """

  var text: String { role + "\n" + gpu + "\n" + stage + "\n" + code + metrics + task + output }

  func read(_ options: RequestOptions = RequestOptions()) throws(InputErrors) -> Request {
    try RequestReader.read(bytes: Array(text.utf8), name: "r.md", options: options)
  }

  /// What the reader says is wrong with the document.
  func errors(_ options: RequestOptions = RequestOptions()) -> [Diagnostic] {
    do {
      _ = try read(options)
      return []
    } catch {
      return error.diagnostics
    }
  }
}
