import torch
import torch.nn as nn
import triton
import triton.language as tl

# The step between two transformer blocks: h = x + residual, then out = rms_norm(h) * weight. Both
# h and out are results. The row is walked twice; the second walk adds x and residual again, because
# reading back what other threads of this program have just stored would be a race.


@triton.autotune(
    configs=[
        triton.Config({"BLOCK": block}, num_warps=warps, num_stages=2)
        for block, warps in [(1024, 4), (2048, 8), (4096, 8)]
    ],
    key=["n_cols"],
)
@triton.jit
def add_rms_norm_kernel(
    x_ptr,
    residual_ptr,
    weight_ptr,
    out_ptr,
    sum_ptr,
    n_cols,
    eps,
    BLOCK: tl.constexpr,
):
    start_of_row = tl.program_id(0).to(tl.int64) * n_cols
    x_ptr += start_of_row
    residual_ptr += start_of_row
    out_ptr += start_of_row
    sum_ptr += start_of_row

    squares = tl.zeros((BLOCK,), dtype=tl.float32)
    for start in tl.range(0, n_cols, BLOCK):
        cols = start + tl.arange(0, BLOCK)
        mask = cols < n_cols
        x = tl.load(x_ptr + cols, mask=mask, other=0.0).to(tl.float32)
        residual = tl.load(residual_ptr + cols, mask=mask, other=0.0).to(tl.float32)
        h = x + residual
        squares += h * h
    scale = 1.0 / tl.sqrt(tl.sum(squares, axis=0) / n_cols + eps)

    for start in tl.range(0, n_cols, BLOCK):
        cols = start + tl.arange(0, BLOCK)
        mask = cols < n_cols
        x = tl.load(x_ptr + cols, mask=mask, other=0.0).to(tl.float32)
        residual = tl.load(residual_ptr + cols, mask=mask, other=0.0).to(tl.float32)
        weight = tl.load(weight_ptr + cols, mask=mask, other=0.0).to(tl.float32)
        h = x + residual
        tl.store(sum_ptr + cols, h.to(tl.bfloat16), mask=mask)
        tl.store(out_ptr + cols, (h * scale * weight).to(tl.bfloat16), mask=mask)


def add_rms_norm(x, residual, weight, eps):
    assert x.shape == residual.shape
    assert x.dtype == residual.dtype == torch.bfloat16, "the stores are bfloat16"
    x = x.contiguous()
    residual = residual.contiguous()
    n_cols = x.shape[-1]
    n_rows = x.numel() // n_cols
    out = torch.empty_like(x)
    total = torch.empty_like(x)
    add_rms_norm_kernel[(n_rows,)](x, residual, weight, out, total, n_cols, eps)
    return out, total


class ModelNew(nn.Module):
    def __init__(self, hidden_size: int = 5120, eps: float = 1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden_size, dtype=torch.bfloat16))
        self.eps = eps

    def forward(self, x: torch.Tensor, residual: torch.Tensor):
        return add_rms_norm(x, residual, self.weight, self.eps)


class Model(nn.Module):
    def __init__(self, hidden_size: int = 5120, eps: float = 1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden_size, dtype=torch.bfloat16))
        self.eps = eps

    def forward(self, x: torch.Tensor, residual: torch.Tensor):
        h = x.float() + residual.float()
        normed = h * torch.rsqrt(h.pow(2).mean(-1, keepdim=True) + self.eps)
        return (normed * self.weight.float()).to(x.dtype), h.to(x.dtype)


batch_size = 4
tokens = 2048
hidden_size = 5120


def get_inputs():
    x = torch.randn(batch_size, tokens, hidden_size, dtype=torch.bfloat16)
    residual = torch.randn(batch_size, tokens, hidden_size, dtype=torch.bfloat16)
    return [x, residual]


def get_init_inputs():
    return [hidden_size]
