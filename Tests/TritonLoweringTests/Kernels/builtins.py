"""Kernels that use every function of triton.language, for the comparison with real Triton."""

import math

import triton
import triton.language as tl
from triton.language.extra import libdevice
from triton.language.extra.cuda import libdevice as cuda_libdevice

SCALE = tl.constexpr(4)


@triton.jit
def block_pointers(a_ptr, c_ptr, M, N, stride_m, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr):
    a = tl.make_block_ptr(base=a_ptr, shape=(M, N), strides=(stride_m, 1), offsets=(0, 0),
                          block_shape=(BLOCK_M, BLOCK_N), order=(1, 0))
    c = tl.make_block_ptr(c_ptr, (M, N), (stride_m, 1), (0, 0), (BLOCK_M, BLOCK_N), (1, 0))
    acc = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
    for _ in range(0, N, BLOCK_N):
        acc += tl.load(a, boundary_check=(0, 1), padding_option="zero")
        a = tl.advance(a, (0, BLOCK_N))
    tl.store(c, acc.to(c_ptr.dtype.element_ty), boundary_check=(0,))


@triton.jit
def device_descriptors(a_ptr, c_ptr, M, N, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr):
    a = tl.make_tensor_descriptor(a_ptr, shape=[M, N], strides=[N, 1], block_shape=[BLOCK_M, BLOCK_N])
    c = tl.make_tensor_descriptor(c_ptr, [M, N], [N, 1], [BLOCK_M, BLOCK_N])
    x = a.load([tl.program_id(0) * BLOCK_M, 0])
    c.store([tl.program_id(0) * BLOCK_M, 0], x * 2)
    c.atomic_add([0, 0], x)
    tl.store_tensor_descriptor(c, [0, 0], tl.load_tensor_descriptor(a, [0, 0]))


@triton.jit
def atomics(f_ptr, i_ptr, n, BLOCK: tl.constexpr):
    offs = tl.arange(0, BLOCK)
    mask = offs < n
    tl.atomic_add(f_ptr + offs, 1.5, mask=mask)
    tl.atomic_max(f_ptr + offs, offs.to(tl.float32), mask=mask, sem="relaxed")
    tl.atomic_min(f_ptr + offs, 2.0)
    tl.atomic_xchg(i_ptr + offs, offs, mask=mask, scope="cta")
    tl.atomic_and(i_ptr + offs, offs, mask=mask)
    tl.atomic_or(i_ptr, 1)
    tl.atomic_xor(i_ptr, 1, sem="release")
    old = tl.atomic_cas(i_ptr, 0, 1, sem="acquire")
    while tl.atomic_cas(i_ptr + 1, 0, 1) == 1:
        pass
    tl.atomic_add(i_ptr + 2, old)


@triton.jit
def scans(x_ptr, i_ptr, out_ptr, BLOCK: tl.constexpr):
    offs = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs)
    tl.store(out_ptr + offs, tl.cumsum(x, 0) + tl.cumprod(x, axis=0, reverse=True))
    tl.store(out_ptr + offs, tl.associative_scan(x, 0, larger))
    a, b = tl.associative_scan((x, x), 0, pair)
    tl.store(out_ptr + offs, a + b)
    small = offs.to(tl.int8)
    tl.store(i_ptr + offs, tl.cumsum(small))


@triton.jit
def larger(a, b):
    return tl.maximum(a, b)


@triton.jit
def pair(a0, b0, a1, b1):
    return a0 + a1, b0 * b1


@triton.jit
def reductions(x_ptr, out_ptr, i_ptr, BLOCK: tl.constexpr):
    offs = tl.arange(0, 16)[:, None] * 64 + tl.arange(0, 64)[None, :]
    x = tl.load(x_ptr + offs)
    rows = tl.arange(0, 16)
    tl.store(out_ptr + rows, tl.sum(x, 1) + tl.max(x, axis=1) + tl.min(x, axis=-1))
    tl.store(i_ptr + rows, tl.argmax(x, 1) + tl.argmin(x, axis=1, tie_break_left=False))
    value, index = tl.max(x, 1, return_indices=True)
    tl.store(out_ptr + rows, value)
    tl.store(i_ptr + rows, index)
    tl.store(out_ptr, tl.sum(x))
    tl.store(out_ptr, tl.sum(x.to(tl.bfloat16)))
    tl.store(i_ptr, tl.xor_sum(offs))
    tl.store(i_ptr, tl.reduce_or(offs, axis=None))
    tl.store(out_ptr + rows[:, None], tl.sum(x, axis=1, keep_dims=True))
    tl.store(i_ptr, tl.sum((x > 0).to(tl.int8)))
    tl.store(i_ptr, tl.max(offs.to(tl.int16)))
    tl.store(out_ptr, tl.reduce(tl.reshape(x, (16 * 64, )), 0, larger))
    tl.store(out_ptr + tl.arange(0, 64), x.sum(0) + x.max(axis=0))


@triton.jit
def shapes(x_ptr, out_ptr, BLOCK: tl.constexpr):
    x = tl.load(x_ptr + tl.arange(0, 64))
    y = tl.reshape(x, 8, 8)
    z = y.trans() + tl.permute(y, (1, 0)) + y.T + tl.trans(y, 1, 0)
    a, b = tl.split(tl.join(z, z))
    lanes = tl.interleave(a, b)
    tl.store(out_ptr + tl.arange(0, 8)[:, None] * 16 + tl.arange(0, 16)[None, :], lanes)
    tl.store(out_ptr + tl.arange(0, 128), tl.cat(x, x, can_reorder=True))
    tl.store(out_ptr + tl.arange(0, 64), tl.ravel(z) + z.view(64))
    tl.store(out_ptr + tl.arange(0, 8)[:, None] + tl.arange(0, 8), tl.broadcast_to(tl.expand_dims(tl.sum(z, 0), 0), (8, 8)))
    p, q = tl.broadcast(tl.sum(z, 0)[None, :], z)
    tl.store(out_ptr + tl.arange(0, 64), tl.reshape(p + q, [64]))
    tl.store(out_ptr + tl.arange(0, 64), tl.flip(x, 0) + tl.gather(x, tl.arange(0, 64), 0))
    tl.store(out_ptr, tl.full((1, ), 3.0, tl.float32).item() + tl.zeros_like(x).numel)


@triton.jit
def sorting(x_ptr, out_ptr, i_ptr, BLOCK: tl.constexpr):
    x = tl.load(x_ptr + tl.arange(0, 32))
    tl.store(out_ptr + tl.arange(0, 32), tl.sort(x))
    tl.store(out_ptr + tl.arange(0, 32), tl.sort(x, descending=True))
    tl.store(out_ptr + tl.arange(0, 8), tl.topk(x, 8))
    tl.store(i_ptr + tl.arange(0, 16), tl.histogram(x.to(tl.int32), 16))
    tl.store(i_ptr + tl.arange(0, 32), tl.bitonic_merge(x.to(tl.int32)))


@triton.jit
def mathematics(x_ptr, i_ptr, out_ptr, eps, n, BLOCK: tl.constexpr):
    offs = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs)
    y = tl.exp(x) + tl.exp2(x) + tl.log(x) + tl.log2(x) + tl.sin(x) + tl.cos(x) + tl.sqrt(x) + tl.rsqrt(x)
    y += tl.math.erf(x) + tl.floor(x) + tl.ceil(x) + tl.abs(x) + tl.sqrt_rn(x) + tl.div_rn(x, y)
    y += tl.fma(x, y, x) + tl.fdiv(x, y) + tl.clamp(x, 0.0, 1.0) + tl.sigmoid(x) + tl.softmax(x)
    y += libdevice.tanh(x) + cuda_libdevice.pow(x, y) + libdevice.isnan(x).to(tl.float32)
    y += tl.minimum(x, y, propagate_nan=tl.PropagateNan.ALL) + tl.maximum(x, 0) + min(x, y)
    y = y * math.pi + eps / n + x.exp() + tl.where(x > 0, x, -x)
    k = tl.umulhi(offs, offs) + tl.cdiv(n, 4) + (offs << 2) + (offs >> 1) + ~offs - (-offs)
    k ^= offs | 3
    k = k & 255 if BLOCK > 1 else k
    i, j = tl.swizzle2d(tl.program_id(0), tl.program_id(1), n, n, 8)
    tl.store(i_ptr + offs, k + i + j)
    tl.store(out_ptr + offs, y / SCALE)


@triton.jit
def randoms(out_ptr, i_ptr, seed, n, BLOCK: tl.constexpr):
    offs = tl.arange(0, BLOCK)
    tl.store(out_ptr + offs, tl.rand(seed, offs) + tl.randn(seed, offs))
    tl.store(i_ptr + offs, tl.randint(seed, offs))
    a, b, c, d = tl.rand4x(seed, offs)
    e, f, g, h = tl.randn4x(seed, offs.to(tl.int64))
    tl.store(out_ptr + offs, a + b + c + d + e + f + g + h)
    r0, r1, r2, r3 = tl.randint4x(seed, offs, n_rounds=7)
    tl.store(i_ptr + offs, r0 ^ r1 ^ r2 ^ r3)


@triton.jit
def dots(a_ptr, b_ptr, c_ptr, BLOCK: tl.constexpr):
    offs = tl.arange(0, 32)[:, None] * 32 + tl.arange(0, 32)[None, :]
    a = tl.load(a_ptr + offs)
    b = tl.load(b_ptr + offs)
    c = tl.dot(a, b)
    c = tl.dot(a, b, c, allow_tf32=False)
    c += tl.dot(a.to(tl.float16), b.to(tl.float16), out_dtype=tl.float16)
    c += tl.dot(a.to(tl.bfloat16), b.to(tl.bfloat16), acc=c, input_precision="tf32x3")
    c += tl.dot(a.to(tl.int8), b.to(tl.int8))
    c += tl.dot(a.to(tl.float8e5), b.to(tl.float8e5))
    batch = tl.dot(tl.reshape(a, 2, 16, 32), tl.reshape(b, 2, 32, 16), input_precision="ieee")
    c += tl.sum(batch)
    tl.store(c_ptr + offs, c)


@triton.jit
def effects(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offs = tl.max_contiguous(tl.multiple_of(tl.arange(0, BLOCK), BLOCK), BLOCK)
    tl.assume(n > 0)
    tl.debug_barrier()
    tl.device_print("offs", offs)
    print("n: ", n)
    assert n > 0, "n must be positive"
    tl.device_assert(n < 100, "n too large")
    tl.static_assert(BLOCK >= 16, "small")
    tl.static_print("BLOCK", BLOCK)
    x = tl.load(x_ptr + offs, cache_modifier=".cg", eviction_policy="evict_first", volatile=True)
    y = tl.inline_asm_elementwise("add.f32 $0, $1, $2;", "=r,r,r", [x, 1.0], dtype=tl.float32, is_pure=True, pack=1)
    tl.store(out_ptr + offs, y + tl.extra.cuda.smid(), cache_modifier=".wt", eviction_policy="evict_last")
    for i in tl.range(0, n, 2, num_stages=3, flatten=True):
        tl.store(out_ptr + i, 1.0)
    for i in range(10, 0, -1):
        tl.store(out_ptr + i, i)
