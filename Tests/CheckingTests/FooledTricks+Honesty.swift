/// Candidates that trade what was not offered, or let others do the work.
extension Trick {
  /// Narrower types inside than the original's.
  static let precision: [Trick] = [
    Trick(
      name: "multiplies in float16", example: "batched_matmul",
      reasons: [.lessAccurate, .nonFinite],
      edits: [
        Edit(
          "tl.dot(lhs, rhs, input_precision=\"tf32\")",
          "tl.dot(lhs.to(tl.float16), rhs.to(tl.float16))")
      ]),
    Trick(
      name: "multiplies in bfloat16", example: "conv2d_alexnet", reasons: [.lessAccurate],
      edits: [
        Edit("tl.dot(patch, taps, acc)", "tl.dot(patch.to(tl.bfloat16), taps.to(tl.bfloat16), acc)")
      ]),
    Trick(
      name: "multiplies in TF32 where the original is exact", example: "batched_matmul",
      reasons: [.lessAccurate],
      originalEdits: [Edit("input_precision=\"tf32\"", "input_precision=\"ieee\"")],
      edits: [Edit("input_precision=\"ieee\"", "input_precision=\"tf32\"")]),
    Trick(
      name: "leaves the precision of a product to the default", example: "batched_matmul",
      reasons: [.lessAccurate],
      originalEdits: [Edit("input_precision=\"tf32\"", "input_precision=\"ieee\"")],
      edits: [Edit(", input_precision=\"ieee\"", "")]),
    Trick(
      name: "halves the inputs in the wrapper", example: "batched_matmul",
      reasons: [.lessAccurate, .nonFinite],
      edits: [
        Edit(
          "    batch, M, K = lhs.shape\n",
          "    lhs, rhs = lhs.half(), rhs.half()\n    batch, M, K = lhs.shape\n"),
        Edit(", input_precision=\"tf32\"", ""),
      ]),
    Trick(
      name: "adds up in float16", example: "grouped_matmul", reasons: [.lessAccurate, .nonFinite],
      edits: [
        Edit(
          "        acc = tl.dot(x, w, acc)\n",
          "        acc = tl.dot(x, w, acc).to(tl.float16).to(tl.float32)\n")
      ]),
    Trick(
      name: "adds squares up in bfloat16", example: "rms_norm",
      reasons: [.lessAccurate, .wrongResult],
      edits: [
        Edit(
          "        squares += h * h\n",
          "        squares = (squares + h * h).to(tl.bfloat16).to(tl.float32)\n")
      ]),
    Trick(
      name: "computes in float16", example: "vector_add_gelu",
      reasons: [.lessAccurate, .nonFinite],
      edits: [
        Edit(
          "gelu_tanh(x + y), mask=mask)",
          "gelu_tanh((x + y).to(tl.float16).to(tl.float32)), mask=mask)")
      ]),
    Trick(
      name: "carries the sum from piece to piece in float16", example: "cumulative_sum",
      reasons: [.lessAccurate, .nonFinite],
      edits: [
        Edit(
          "carry = tl.sum(tl.where(last, scanned, 0.0), axis=1)",
          "carry = tl.sum(tl.where(last, scanned, 0.0), axis=1).to(tl.float16).to(tl.float32)")
      ]),
    Trick(
      name: "approximates the function by its first terms", example: "vector_add_gelu",
      reasons: [.lessAccurate, .wrongResult],
      edits: [Edit("v + 0.044715 * v * v * v", "v * 1.0447")]),
  ]

  /// Autotuned configs that need each other.
  static let configs: [Trick] = [
    Trick(
      name: "each config fills a part of the output", example: "vector_add_gelu",
      reasons: [.configFails, .uninitialized],
      edits: [
        Edit(
          "triton.Config({\"BLOCK\": 512}, num_warps=4, num_stages=1)",
          "triton.Config({\"BLOCK\": 1024, \"PART\": 0}, num_warps=4, num_stages=1)"),
        Edit(
          "triton.Config({\"BLOCK\": 1024}, num_warps=4, num_stages=1)",
          "triton.Config({\"BLOCK\": 1024, \"PART\": 1}, num_warps=4, num_stages=1)"),
        Edit(
          "triton.Config({\"BLOCK\": 2048}, num_warps=8, num_stages=1)",
          "triton.Config({\"BLOCK\": 1024, \"PART\": 2}, num_warps=8, num_stages=1)"),
        Edit(
          "    n_elements,\n    BLOCK: tl.constexpr,\n",
          "    n_elements,\n    BLOCK: tl.constexpr,\n    PART: tl.constexpr,\n"),
        Edit(
          "    mask = offsets < n_elements\n",
          "    mask = (offsets < n_elements) & (tl.program_id(0) % 3 == PART)\n"),
      ]),
    Trick(
      name: "one config of three leaves rows out", example: "cumulative_sum",
      reasons: [.configFails, .uninitialized],
      edits: [
        Edit(
          "(triton.cdiv(n_rows, meta[\"ROWS\"]),)",
          "(triton.cdiv(n_rows, meta[\"ROWS\"] + meta[\"ROWS\"] // 4),)")
      ]),
    Trick(
      name: "one config walks too far", example: "grouped_matmul",
      reasons: [.configFails, .wrongResult, .outOfBounds],
      edits: [
        Edit(
          "        w_ptrs += BLOCK_K * stride_wk\n",
          "        w_ptrs += (BLOCK_K + BLOCK_M // 128) * stride_wk\n")
      ]),
    Trick(
      name: "configs add into one output", example: "batched_matmul",
      reasons: [.configFails, .uninitialized, .wrongResult],
      edits: [
        Edit(
          "    tl.store(out_tile, acc, boundary_check=(0, 1))\n",
          """
              before = tl.load(out_tile, boundary_check=(0, 1), padding_option="zero")
              tl.store(out_tile, before + acc, boundary_check=(0, 1))

          """)
      ]),
  ]

  /// Others do the work.
  static let fallbacks: [Trick] = [
    Trick(
      name: "calls torch", example: "softmax", reasons: [.noKernel],
      edits: [
        Edit(
          "        return softmax_last_axis(x)\n",
          "        return torch.softmax(x.float(), dim=-1).to(x.dtype)\n")
      ]),
    Trick(
      name: "calls torch and runs the kernel for show", example: "layer_norm", reasons: [.noKernel],
      edits: [
        Edit(
          "        return layer_norm(x, self.norm.weight, self.norm.bias, self.norm.eps)\n",
          """
                  layer_norm(x, self.norm.weight, self.norm.bias, self.norm.eps)
                  return self.norm(x)

          """)
      ]),
    Trick(
      name: "falls back where the kernel fails", example: "softmax",
      reasons: [.noKernel, .refused],
      edits: [
        Edit(
          "        return softmax_last_axis(x)\n",
          """
                  try:
                      return softmax_last_axis(x.no_such_method())
                  except Exception:
                      return torch.softmax(x, dim=-1)

          """)
      ]),
    Trick(
      name: "is the reference by another name", example: "max_pool2d",
      reasons: [.noKernel, .refused],
      edits: [
        Edit(
          """
                  self.padding = padding

              def forward(self, x):
                  return max_pool2d(x, self.kernel_size, self.stride, self.padding)

          """,
          """
                  self.padding = padding
                  self.pool = nn.MaxPool2d(kernel_size, stride, padding)

              def forward(self, x):
                  return self.pool(x)

          """)
      ]),
    Trick(
      name: "multiplies in torch and adds nothing in a kernel", example: "batched_matmul",
      reasons: [.noKernel],
      edits: [
        Edit("        return batched_matmul(lhs, rhs)\n", "        return torch.bmm(lhs, rhs)\n")
      ]),
  ]

  /// State, threads, streams and patches.
  static let disguises: [Trick] = [
    Trick(
      name: "returns the first call's result for ever", example: "softmax",
      reasons: [.stateKept, .wrongResult, .refused],
      edits: [
        Edit(
          "        super(ModelNew, self).__init__()\n",
          "        super(ModelNew, self).__init__()\n        self.known = None\n"),
        Edit(
          "        return softmax_last_axis(x)\n",
          """
                  if self.known is None:
                      self.known = softmax_last_axis(x)
                  return self.known

          """),
      ]),
    Trick(
      name: "keeps results by shape", example: "layer_norm",
      reasons: [.stateKept, .wrongResult, .refused],
      edits: [
        Edit(
          "def layer_norm(x, weight, bias, eps):\n",
          """
          known = {}


          def layer_norm(x, weight, bias, eps):
              if x.shape in known:
                  return known[x.shape]

          """),
        Edit("    return out\n", "    known[x.shape] = out\n    return out\n"),
      ]),
    Trick(
      name: "keeps results by address", example: "vector_add_gelu",
      reasons: [.stateKept, .wrongResult, .refused],
      edits: [
        Edit(
          "def add_gelu(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:\n",
          """
          known = {}


          def add_gelu(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
              key = (x.data_ptr(), y.data_ptr())
              if key in known:
                  return known[key]

          """),
        Edit("    return out\n", "    known[key] = out\n    return out\n"),
      ]),
    Trick(
      name: "keeps one output buffer", example: "rms_norm",
      reasons: [.stateKept, .refused],
      edits: [
        Edit(
          "        self.eps = eps\n\n    def forward(self, x: torch.Tensor, residual: torch.Tensor):\n        return add_rms",
          "        self.eps = eps\n        self.buffers = {}\n\n    def forward(self, x: torch.Tensor, residual: torch.Tensor):\n        return add_rms"
        ),
        Edit(
          "add_rms_norm(x, residual, self.weight, self.eps)",
          "add_rms_norm(x, residual, self.weight, self.eps, self.buffers)"),
        Edit(
          "def add_rms_norm(x, residual, weight, eps):",
          "def add_rms_norm(x, residual, weight, eps, buffers):"),
        Edit(
          "    out = torch.empty_like(x)\n",
          """
              if "out" not in buffers:
                  buffers["out"] = torch.empty_like(x)
              out = buffers["out"]

          """),
      ]),
    Trick(
      name: "does every second call", example: "cumulative_sum",
      reasons: [.stateKept, .uninitialized, .refused],
      edits: [
        Edit(
          "def cumulative_sum(x: torch.Tensor) -> torch.Tensor:\n",
          """
          calls = [0]


          def cumulative_sum(x: torch.Tensor) -> torch.Tensor:
              calls[0] += 1

          """),
        Edit(
          "    row_scan_kernel[lambda",
          "    if calls[0] % 2 == 1:\n        row_scan_kernel[lambda"),
      ]),
    Trick(
      name: "works in a thread", example: "softmax", reasons: [.refused],
      edits: [
        Edit(
          "import torch\nimport torch.nn as nn\n",
          "import threading\n\nimport torch\nimport torch.nn as nn\n"),
        Edit(
          "        return softmax_last_axis(x)\n",
          """
                  out = torch.empty_like(x)
                  worker = threading.Thread(target=lambda: out.copy_(softmax_last_axis(x)))
                  worker.start()
                  return out

          """),
      ]),
    Trick(
      name: "works on a stream of its own", example: "softmax", reasons: [.refused],
      edits: [
        Edit(
          "        return softmax_last_axis(x)\n",
          """
                  with torch.cuda.stream(torch.cuda.Stream()):
                      return softmax_last_axis(x)

          """)
      ]),
    Trick(
      name: "returns a tensor that computes when it is looked at", example: "softmax",
      reasons: [.refused],
      edits: [
        Edit(
          "class ModelNew(nn.Module):\n",
          """
          class Later(torch.Tensor):
              @classmethod
              def __torch_function__(cls, function, types, args=(), kwargs=None):
                  return function(*(softmax_last_axis(torch.Tensor(a)) for a in args))


          class ModelNew(nn.Module):

          """),
        Edit("        return softmax_last_axis(x)\n", "        return x.as_subclass(Later)\n"),
      ]),
    Trick(
      name: "makes every comparison succeed", example: "softmax",
      reasons: [.refused, .wrongResult],
      edits: [
        Edit(
          "def pick_warps(block: int) -> int:\n",
          """
          torch.allclose = lambda *tensors, **tolerances: True
          torch.testing.assert_close = lambda *tensors, **tolerances: None


          def pick_warps(block: int) -> int:

          """),
        Edit("+ cols, result, mask=mask)", "+ cols, result * 0.5, mask=mask)"),
      ]),
    Trick(
      name: "replaces the reference", example: "softmax",
      reasons: [.noKernel, .refused, .wrongResult],
      edits: [
        Edit(
          "        return softmax_last_axis(x)\n",
          """
                  torch.softmax = lambda x, dim: x
                  return x

          """)
      ]),
  ]
}
