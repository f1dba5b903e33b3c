import torch
import torch.nn as nn
import triton
import triton.language as tl

# Rotary position embedding of queries and keys, "half" layout: the first half of a head pairs with
# the second. One program turns a tile of heads of one token; queries and keys have different
# numbers of heads, so the kernel is launched once for each.


@triton.jit
def rotate_heads_kernel(
    x_ptr,
    out_ptr,
    cos_ptr,
    sin_ptr,
    seq_len,
    n_heads,
    stride_token,
    stride_head,
    HALF_DIM: tl.constexpr,
    BLOCK_H: tl.constexpr,
):
    token = tl.program_id(0)  # batch * seq_len + position
    position = token % seq_len
    head = tl.program_id(1) * BLOCK_H + tl.arange(0, BLOCK_H)
    pair = tl.arange(0, HALF_DIM)

    cos = tl.load(cos_ptr + position * HALF_DIM + pair)[None, :]
    sin = tl.load(sin_ptr + position * HALF_DIM + pair)[None, :]

    low = token.to(tl.int64) * stride_token + head[:, None] * stride_head + pair[None, :]
    high = low + HALF_DIM
    mask = (head < n_heads)[:, None]
    a = tl.load(x_ptr + low, mask=mask, other=0.0).to(tl.float32)
    b = tl.load(x_ptr + high, mask=mask, other=0.0).to(tl.float32)
    tl.store(out_ptr + low, (a * cos - b * sin).to(tl.float16), mask=mask)
    tl.store(out_ptr + high, (b * cos + a * sin).to(tl.float16), mask=mask)


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    batch, seq_len, n_heads, head_dim = x.shape
    assert head_dim & (head_dim - 1) == 0, "head_dim must be a power of two"
    x = x.contiguous()
    out = torch.empty_like(x)
    block_h = min(8, triton.next_power_of_2(n_heads))
    rotate_heads_kernel[(batch * seq_len, triton.cdiv(n_heads, block_h))](
        x,
        out,
        cos,
        sin,
        seq_len,
        n_heads,
        x.stride(1),
        x.stride(2),
        HALF_DIM=head_dim // 2,
        BLOCK_H=block_h,
        num_warps=2,
    )
    return out


def rotation_tables(max_positions, head_dim, base=10000.0):
    exponent = torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim
    angle = torch.outer(torch.arange(max_positions, dtype=torch.float32), base**-exponent)
    return torch.cos(angle), torch.sin(angle)


class ModelNew(nn.Module):
    def __init__(self, max_positions: int, head_dim: int):
        super().__init__()
        cos, sin = rotation_tables(max_positions, head_dim)
        self.register_buffer("cos", cos)
        self.register_buffer("sin", sin)

    def forward(self, q, k):
        return rotate(q, self.cos, self.sin), rotate(k, self.cos, self.sin)


class Model(nn.Module):
    def __init__(self, max_positions: int, head_dim: int):
        super().__init__()
        exponent = torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim
        angle = torch.outer(torch.arange(max_positions, dtype=torch.float32), 10000.0**-exponent)
        self.register_buffer("cos", torch.cos(angle))
        self.register_buffer("sin", torch.sin(angle))

    def turn(self, x):
        cos = self.cos[: x.shape[1], None, :]
        sin = self.sin[: x.shape[1], None, :]
        a, b = x.float().chunk(2, dim=-1)
        return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1).to(x.dtype)

    def forward(self, q, k):
        return self.turn(q), self.turn(k)


batch_size = 4
seq_len = 2048
head_dim = 128


def get_inputs():
    q = torch.randn(batch_size, seq_len, 28, head_dim, dtype=torch.float16)
    k = torch.randn(batch_size, seq_len, 4, head_dim, dtype=torch.float16)
    return [q, k]


def get_init_inputs():
    return [4096, head_dim]
