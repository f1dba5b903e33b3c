import math

import torch
import torch.nn as nn
import triton
import triton.language as tl

# Attention without storing the score matrix: keys and values stream past one tile of queries while
# a running maximum and a running sum keep the softmax exact. With CAUSAL, tiles that lie wholly in
# the future are never read, and only the tiles on the diagonal need a mask.


@triton.jit
def attend_span(
    acc, row_sum, row_max, q,
    k_ptr, v_ptr,
    stride_s,
    first, last,
    query, length,
    scale_log2,
    HEAD_DIM: tl.constexpr,
    BLOCK_N: tl.constexpr,
    DIAGONAL: tl.constexpr,
):
    dims = tl.arange(0, HEAD_DIM)
    for start in tl.range(first, last, BLOCK_N):
        key = start + tl.arange(0, BLOCK_N)
        k = tl.load(
            k_ptr + key[None, :] * stride_s + dims[:, None], mask=key[None, :] < length, other=0.0
        )
        scores = tl.dot(q, k) * scale_log2
        visible = key[None, :] < length
        if DIAGONAL:
            visible = visible & (key[None, :] <= query[:, None])
        scores = tl.where(visible, scores, float("-inf"))

        new_max = tl.maximum(row_max, tl.max(scores, axis=1))
        p = tl.exp2(scores - new_max[:, None])
        rescale = tl.exp2(row_max - new_max)
        row_sum = row_sum * rescale + tl.sum(p, axis=1)
        v = tl.load(
            v_ptr + key[:, None] * stride_s + dims[None, :], mask=key[:, None] < length, other=0.0
        )
        acc = tl.dot(p.to(v.dtype), v, acc * rescale[:, None])
        row_max = new_max
    return acc, row_sum, row_max


@triton.autotune(
    configs=[
        triton.Config({"BLOCK_M": 64, "BLOCK_N": 32}, num_warps=4, num_stages=2),
        triton.Config({"BLOCK_M": 64, "BLOCK_N": 64}, num_warps=4, num_stages=3),
        triton.Config({"BLOCK_M": 128, "BLOCK_N": 64}, num_warps=8, num_stages=3),
    ],
    key=["length"],
)
@triton.jit
def flash_forward_kernel(
    q_ptr, k_ptr, v_ptr, out_ptr,
    stride_b, stride_h, stride_s,
    heads, length,
    scale_log2,
    HEAD_DIM: tl.constexpr,
    CAUSAL: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
):
    tile = tl.program_id(0)
    sequence = tl.program_id(1)
    batch = sequence // heads
    head = sequence % heads
    base = batch.to(tl.int64) * stride_b + head.to(tl.int64) * stride_h

    query = tile * BLOCK_M + tl.arange(0, BLOCK_M)
    dims = tl.arange(0, HEAD_DIM)
    q_offsets = base + query[:, None] * stride_s + dims[None, :]
    q = tl.load(q_ptr + q_offsets, mask=query[:, None] < length, other=0.0)

    row_max = tl.full([BLOCK_M], float("-inf"), dtype=tl.float32)
    row_sum = tl.zeros([BLOCK_M], dtype=tl.float32)
    acc = tl.zeros([BLOCK_M, HEAD_DIM], dtype=tl.float32)

    if CAUSAL:
        # BLOCK_M is a multiple of BLOCK_N, so the diagonal starts on a tile of keys.
        acc, row_sum, row_max = attend_span(
            acc, row_sum, row_max, q, k_ptr + base, v_ptr + base, stride_s,
            0, tile * BLOCK_M, query, length, scale_log2,
            HEAD_DIM, BLOCK_N, False,
        )
        acc, row_sum, row_max = attend_span(
            acc, row_sum, row_max, q, k_ptr + base, v_ptr + base, stride_s,
            tile * BLOCK_M, tl.minimum((tile + 1) * BLOCK_M, length), query, length, scale_log2,
            HEAD_DIM, BLOCK_N, True,
        )
    else:
        acc, row_sum, row_max = attend_span(
            acc, row_sum, row_max, q, k_ptr + base, v_ptr + base, stride_s,
            0, length, query, length, scale_log2,
            HEAD_DIM, BLOCK_N, False,
        )

    acc = acc / row_sum[:, None]
    tl.store(out_ptr + q_offsets, acc.to(out_ptr.dtype.element_ty), mask=query[:, None] < length)


def flash_attention(q, k, v, causal):
    assert q.shape == k.shape == v.shape
    q, k, v = q.contiguous(), k.contiguous(), v.contiguous()
    batch, heads, length, head_dim = q.shape
    assert head_dim in (32, 64, 128), "head_dim must be a power of two from 32 to 128"
    out = torch.empty_like(q)
    # exp2 is cheaper than exp; log2(e) goes into the scale.
    scale_log2 = 1.4426950408889634 / math.sqrt(head_dim)

    def grid(meta):
        return (triton.cdiv(length, meta["BLOCK_M"]), batch * heads, 1)

    flash_forward_kernel[grid](
        q, k, v, out,
        q.stride(0), q.stride(1), q.stride(2),
        heads, length,
        scale_log2,
        HEAD_DIM=head_dim,
        CAUSAL=causal,
    )
    return out


class ModelNew(nn.Module):
    def __init__(self, causal: bool = True):
        super().__init__()
        self.causal = causal

    def forward(self, q, k, v):
        return flash_attention(q, k, v, self.causal)


class Model(nn.Module):
    def __init__(self, causal: bool = True):
        super().__init__()
        self.causal = causal

    def forward(self, q, k, v):
        return nn.functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal)


def get_inputs():
    shape = (8, 16, 2048, 64)
    return [torch.randn(shape, dtype=torch.float16) for _ in range(3)]


def get_init_inputs():
    return [True]
