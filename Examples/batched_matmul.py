import torch
import torch.nn as nn
import triton
import triton.language as tl

# out[b] = lhs[b] @ rhs[b] in float32 with TF32 tensor cores. The grid has three axes (tile of rows,
# tile of columns, batch) and the tiles are addressed with block pointers, whose boundary checks
# stand in for masks.


@triton.autotune(
    configs=[
        triton.Config({"BLOCK_M": 64, "BLOCK_N": 64, "BLOCK_K": 32}, num_warps=4, num_stages=2),
        triton.Config({"BLOCK_M": 64, "BLOCK_N": 128, "BLOCK_K": 32}, num_warps=4, num_stages=3),
        triton.Config({"BLOCK_M": 128, "BLOCK_N": 64, "BLOCK_K": 32}, num_warps=8, num_stages=3),
    ],
    key=["M", "N", "K"],
)
@triton.jit
def batched_matmul_kernel(
    lhs_ptr,
    rhs_ptr,
    out_ptr,
    M,
    N,
    K,
    stride_lb,
    stride_lm,
    stride_lk,
    stride_rb,
    stride_rk,
    stride_rn,
    stride_ob,
    stride_om,
    stride_on,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    pid_m = tl.program_id(0)
    pid_n = tl.program_id(1)
    batch = tl.program_id(2).to(tl.int64)

    lhs_tile = tl.make_block_ptr(
        base=lhs_ptr + batch * stride_lb,
        shape=(M, K),
        strides=(stride_lm, stride_lk),
        offsets=(pid_m * BLOCK_M, 0),
        block_shape=(BLOCK_M, BLOCK_K),
        order=(1, 0),
    )
    rhs_tile = tl.make_block_ptr(
        base=rhs_ptr + batch * stride_rb,
        shape=(K, N),
        strides=(stride_rk, stride_rn),
        offsets=(0, pid_n * BLOCK_N),
        block_shape=(BLOCK_K, BLOCK_N),
        order=(1, 0),
    )
    acc = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for _ in range(tl.cdiv(K, BLOCK_K)):
        lhs = tl.load(lhs_tile, boundary_check=(0, 1), padding_option="zero")
        rhs = tl.load(rhs_tile, boundary_check=(0, 1), padding_option="zero")
        acc += tl.dot(lhs, rhs, input_precision="tf32")
        lhs_tile = tl.advance(lhs_tile, (0, BLOCK_K))
        rhs_tile = tl.advance(rhs_tile, (BLOCK_K, 0))

    out_tile = tl.make_block_ptr(
        base=out_ptr + batch * stride_ob,
        shape=(M, N),
        strides=(stride_om, stride_on),
        offsets=(pid_m * BLOCK_M, pid_n * BLOCK_N),
        block_shape=(BLOCK_M, BLOCK_N),
        order=(1, 0),
    )
    tl.store(out_tile, acc, boundary_check=(0, 1))


def batched_matmul(lhs: torch.Tensor, rhs: torch.Tensor) -> torch.Tensor:
    batch, M, K = lhs.shape
    batch_rhs, K_rhs, N = rhs.shape
    assert batch == batch_rhs and K == K_rhs, "shapes do not fit"
    out = torch.empty((batch, M, N), device=lhs.device, dtype=torch.float32)
    grid = lambda meta: (
        triton.cdiv(M, meta["BLOCK_M"]),
        triton.cdiv(N, meta["BLOCK_N"]),
        batch,
    )
    batched_matmul_kernel[grid](
        lhs,
        rhs,
        out,
        M,
        N,
        K,
        *lhs.stride(),
        *rhs.stride(),
        *out.stride(),
    )
    return out


class ModelNew(nn.Module):
    def forward(self, lhs, rhs):
        return batched_matmul(lhs, rhs)


class Model(nn.Module):
    def forward(self, lhs, rhs):
        return torch.bmm(lhs, rhs)


def get_inputs():
    lhs = torch.randn(96, 512, 300)
    rhs = torch.randn(96, 300, 640)
    return [lhs, rhs]


def get_init_inputs():
    return []
