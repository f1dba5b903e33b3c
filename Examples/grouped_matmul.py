import torch
import torch.nn as nn
import triton
import triton.language as tl

# A grouped linear layer: the features of x fall into GROUPS equal parts and each part has its own
# weight matrix. Axis 1 of the grid is the group; along axis 0 the tiles of one product are visited
# in bands of BAND rows of tiles, so that neighbours in time share their operands in L2.


@triton.jit
def banded_tile(pid, tiles_m, tiles_n, BAND: tl.constexpr):
    tiles_in_band = BAND * tiles_n
    band = pid // tiles_in_band
    first = band * BAND
    height = min(tiles_m - first, BAND)
    inside = pid % tiles_in_band
    return first + inside % height, inside // height


@triton.autotune(
    configs=[
        triton.Config(
            {"BLOCK_M": bm, "BLOCK_N": bn, "BLOCK_K": bk, "BAND": 8},
            num_warps=warps,
            num_stages=stages,
        )
        for bm, bn, bk, warps, stages in [
            (64, 64, 32, 4, 3),
            (128, 64, 32, 4, 3),
            (128, 128, 32, 8, 3),
        ]
    ],
    key=["M", "N", "K"],
)
@triton.heuristics({"EVEN_K": lambda args: args["K"] % args["BLOCK_K"] == 0})
@triton.jit
def grouped_linear_kernel(
    x_ptr, w_ptr, bias_ptr, out_ptr,
    M, N, K,
    stride_xm, stride_xg,
    stride_wg, stride_wk,
    stride_om, stride_og,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
    BAND: tl.constexpr,
    EVEN_K: tl.constexpr,
    ACTIVATION: tl.constexpr,
):
    group = tl.program_id(1)
    tile_m, tile_n = banded_tile(
        tl.program_id(0), tl.cdiv(M, BLOCK_M), tl.cdiv(N, BLOCK_N), BAND
    )
    rows = tile_m * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tile_n * BLOCK_N + tl.arange(0, BLOCK_N)
    inner = tl.arange(0, BLOCK_K)

    # Rows and columns past the end wrap around to valid ones; their results are never stored.
    x_ptrs = x_ptr + group * stride_xg + (rows % M)[:, None] * stride_xm + inner[None, :]
    w_ptrs = w_ptr + group * stride_wg + inner[:, None] * stride_wk + (cols % N)[None, :]

    acc = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for k in range(0, K, BLOCK_K):
        if EVEN_K:
            x = tl.load(x_ptrs)
            w = tl.load(w_ptrs)
        else:
            x = tl.load(x_ptrs, mask=inner[None, :] < K - k, other=0.0)
            w = tl.load(w_ptrs, mask=inner[:, None] < K - k, other=0.0)
        acc = tl.dot(x, w, acc)
        x_ptrs += BLOCK_K
        w_ptrs += BLOCK_K * stride_wk

    bias = tl.load(bias_ptr + group * N + cols, mask=cols < N, other=0.0)
    acc += bias.to(tl.float32)[None, :]
    if ACTIVATION == "relu":
        acc = tl.maximum(acc, 0.0)
    elif ACTIVATION == "silu":
        acc = acc * tl.sigmoid(acc)

    out_ptrs = out_ptr + rows[:, None] * stride_om + group * stride_og + cols[None, :]
    mask = (rows[:, None] < M) & (cols[None, :] < N)
    tl.store(out_ptrs, acc.to(tl.float16), mask=mask)


def grouped_linear(x, weight, bias, activation=""):
    assert x.dtype == weight.dtype == torch.float16
    groups, K, N = weight.shape
    M = x.shape[0]
    assert x.shape[1] == groups * K, "the features must fall into equal groups"
    x = x.contiguous()
    weight = weight.contiguous()
    out = torch.empty((M, groups * N), device=x.device, dtype=x.dtype)

    def grid(meta):
        tiles = triton.cdiv(M, meta["BLOCK_M"]) * triton.cdiv(N, meta["BLOCK_N"])
        return (tiles, groups)

    grouped_linear_kernel[grid](
        x, weight, bias, out,
        M, N, K,
        x.stride(0), K,
        weight.stride(0), weight.stride(1),
        out.stride(0), N,
        ACTIVATION=activation,
    )
    return out


class ModelNew(nn.Module):
    def __init__(self, groups: int, in_features: int, out_features: int):
        super().__init__()
        self.weight = nn.Parameter(
            0.05 * torch.randn(groups, in_features, out_features, dtype=torch.float16)
        )
        self.bias = nn.Parameter(torch.zeros(groups * out_features, dtype=torch.float16))

    def forward(self, x):
        return grouped_linear(x, self.weight, self.bias, activation="silu")


class Model(nn.Module):
    def __init__(self, groups: int, in_features: int, out_features: int):
        super().__init__()
        self.weight = nn.Parameter(
            0.05 * torch.randn(groups, in_features, out_features, dtype=torch.float16)
        )
        self.bias = nn.Parameter(torch.zeros(groups * out_features, dtype=torch.float16))

    def forward(self, x):
        groups, in_features, out_features = self.weight.shape
        parts = x.view(x.shape[0], groups, in_features)
        y = torch.einsum("mgk,gkn->mgn", parts.float(), self.weight.float())
        y = y.reshape(x.shape[0], groups * out_features) + self.bias.float()
        return nn.functional.silu(y).to(x.dtype)


groups = 8
in_features = 512
out_features = 1024


def get_inputs():
    return [torch.randn(4096, groups * in_features, dtype=torch.float16)]


def get_init_inputs():
    return [groups, in_features, out_features]
