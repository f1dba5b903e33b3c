import torch
import torch.nn as nn
import triton
import triton.language as tl

# Layer norm over the last axis. A program takes a few whole rows as one two-dimensional tile; the
# variance is taken around the mean that was just computed, which loses less than E[x^2] - E[x]^2.


@triton.heuristics(
    {
        "BLOCK_COLS": lambda args: triton.next_power_of_2(args["n_cols"]),
        "HAS_BIAS": lambda args: args["bias_ptr"] is not None,
        "num_warps": lambda args: 8 if args["n_cols"] > 1024 else 4,
    }
)
@triton.jit
def layer_norm_kernel(
    x_ptr,
    weight_ptr,
    bias_ptr,
    out_ptr,
    n_rows,
    n_cols,
    eps,
    HAS_BIAS: tl.constexpr,
    BLOCK_ROWS: tl.constexpr,
    BLOCK_COLS: tl.constexpr,
):
    rows = tl.program_id(0) * BLOCK_ROWS + tl.arange(0, BLOCK_ROWS)
    cols = tl.arange(0, BLOCK_COLS)
    col_mask = cols < n_cols
    mask = (rows < n_rows)[:, None] & col_mask[None, :]
    offsets = rows[:, None].to(tl.int64) * n_cols + cols[None, :]

    x = tl.load(x_ptr + offsets, mask=mask, other=0.0).to(tl.float32)
    mean = tl.sum(x, axis=1) / n_cols
    # Columns past the end were read as 0 and must not add mean^2 to the variance.
    centred = tl.where(mask, x - mean[:, None], 0.0)
    variance = tl.sum(centred * centred, axis=1) / n_cols
    y = centred * tl.rsqrt(variance + eps)[:, None]

    weight = tl.load(weight_ptr + cols, mask=col_mask, other=0.0).to(tl.float32)
    y = y * weight[None, :]
    if HAS_BIAS:
        bias = tl.load(bias_ptr + cols, mask=col_mask, other=0.0).to(tl.float32)
        y = y + bias[None, :]
    tl.store(out_ptr + offsets, y.to(out_ptr.dtype.element_ty), mask=mask)


def layer_norm(x, weight, bias, eps):
    n_cols = x.shape[-1]
    x = x.contiguous()
    out = torch.empty_like(x)
    n_rows = x.numel() // n_cols
    block_rows = 4 if n_cols <= 1024 else 1
    grid = (triton.cdiv(n_rows, block_rows), 1, 1)
    layer_norm_kernel[grid](
        x, weight, bias, out, n_rows, n_cols, eps, BLOCK_ROWS=block_rows
    )
    return out


class ModelNew(nn.Module):
    def __init__(self, features: int):
        super().__init__()
        self.norm = nn.LayerNorm(features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return layer_norm(x, self.norm.weight, self.norm.bias, self.norm.eps)


class Model(nn.Module):
    def __init__(self, features: int):
        super().__init__()
        self.norm = nn.LayerNorm(features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(x)


batch_size = 64
tokens = 1024
features = 768


def get_inputs():
    return [torch.randn(batch_size, tokens, features)]


def get_init_inputs():
    return [features]
