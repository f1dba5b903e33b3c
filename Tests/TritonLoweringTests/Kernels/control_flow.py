"""Control flow and compile-time evaluation, accepted and refused, for the comparison with real Triton."""

import triton
import triton.language as tl

FLAG = tl.constexpr(True)
PLAIN = 3
DTYPES = tl.constexpr((1, 2))


@triton.constexpr_function
def largest_power(n, limit=64):
    result = 1
    while result * 2 <= min(n, limit):
        result *= 2
    return result


@triton.jit
def scale(x, factor, negate: tl.constexpr = False):
    if negate:
        return -x * factor
    else:
        return x * factor


@triton.jit
def early(x, n):
    if n > 3:
        return x + 1.0
    if n > 2:
        x = x * 2.0
    return x


@triton.jit
def no_value(ptr, n):
    if n == 0:
        return
    tl.store(ptr, n)


@triton.jit
def calls(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offs = tl.arange(0, largest_power(BLOCK))
    x = tl.load(x_ptr + offs)
    x = scale(x, 2, negate=FLAG) + scale(x=x, factor=n)
    x = early(x, n)
    no_value(out_ptr, n)
    t = (x, n, 3)
    a, b, c = t
    u, v = swap(a, b + c)
    tl.store(out_ptr + offs, u * v + t[0] + t[-1])


@triton.jit
def swap(a, b):
    return b, a


@triton.jit
def nested_returns(out_ptr, n, m):
    if n > 1:
        if m > 1:
            tl.store(out_ptr, 1)
            return
        tl.store(out_ptr, 2)
    else:
        if m > 2:
            return
    tl.store(out_ptr, 3)


@triton.jit
def loops(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offs = tl.arange(0, BLOCK)
    acc = tl.zeros((BLOCK, ), tl.float32)
    lo = 0
    hi = n
    while lo < hi:
        mid = (lo + hi) // 2
        if tl.load(x_ptr + mid) > 0:
            hi = mid
        else:
            lo = mid + 1
    for i in range(0, n):
        for j in tl.static_range(2):
            if j == 0:
                acc += tl.load(x_ptr + offs + i)
            else:
                acc = tl.maximum(acc, tl.load(x_ptr + offs * 2))
        if i % 2 == 0:
            acc = acc * 2
    tl.store(out_ptr + offs, acc if BLOCK > 1 else acc + lo)


@triton.jit
def ternaries(out_ptr, n, BLOCK: tl.constexpr, NAME: tl.constexpr = "relu"):
    value = 1 if n > 2 else 2
    flag = (n > 1 and n < 5) or not (n == 3)
    if flag:
        value += 1
    if NAME == "relu" and BLOCK is not None:
        value += 2
    elif NAME == "gelu":
        value = undefined_name
    tl.store(out_ptr, value)


@triton.jit
def refused_global(out_ptr):
    tl.store(out_ptr, PLAIN)


@triton.jit
def refused_static_return(out_ptr, BLOCK: tl.constexpr):
    tl.store(out_ptr, inconsistent(1.0, BLOCK))


@triton.jit
def inconsistent(x, BLOCK: tl.constexpr):
    if BLOCK > 0:
        return 1
    return x * 2.5


@triton.jit
def refused_redefinition(out_ptr, n, BLOCK: tl.constexpr):
    x = 1
    if n > 1:
        x = 2.5
    tl.store(out_ptr, x)


@triton.jit
def refused_branch_only(out_ptr, n, BLOCK: tl.constexpr):
    if n > 1:
        y = 2.5
    tl.store(out_ptr, y)


@triton.jit
def refused_loop_type(out_ptr, n):
    x = 1
    for i in range(n):
        x = x * 1.5
    tl.store(out_ptr, x)


@triton.jit
def refused_loop_return(out_ptr, n):
    for i in range(n):
        if i > 3:
            return
    tl.store(out_ptr, 1)


@triton.jit
def refused_constexpr_twice(out_ptr):
    for i in tl.static_range(3):
        k: tl.constexpr = i
        tl.store(out_ptr + k, 1)


@triton.jit
def refused_chained(out_ptr):
    a = b = 1
    tl.store(out_ptr, a + b)


@triton.jit
def refused_tuple_iteration(out_ptr):
    for i in (1, 2):
        tl.store(out_ptr, i)


@triton.jit
def none_stays_none(out_ptr, n):
    x = None
    if n > 1:
        x = 2
    if x is None:
        tl.store(out_ptr, 1)


@triton.jit
def comprehension(out_ptr, n):
    values = [i * n for i in (1, 2, 3)]
    tl.store(out_ptr, values[0] + values[2])


@triton.jit
def constants(out_ptr, BLOCK: tl.constexpr):
    half: tl.constexpr = BLOCK // 2
    wrapped: tl.constexpr = tl.cdiv(BLOCK, 3)
    for i in range(wrapped):
        tl.store(out_ptr + i, half + triton.next_power_of_2(5) + triton.cdiv(BLOCK, 3))
    for i in tl.static_range(len(DTYPES)):
        tl.store(out_ptr + i, DTYPES[i])
    big = 4294967296
    middle = 2147483648
    tl.store(out_ptr, (big + middle).to(tl.int32))


@triton.jit
def promotions(a_ptr, b_ptr, n, x, BLOCK: tl.constexpr):
    offs = tl.arange(0, BLOCK)
    h = tl.load(a_ptr + offs).to(tl.float16)
    b = h.to(tl.bfloat16)
    i = offs.to(tl.int8)
    u = offs.to(tl.uint8)
    tl.store(a_ptr + offs, h + 1.0)
    tl.store(a_ptr + offs, h * b)
    tl.store(a_ptr + offs, h / 3)
    tl.store(a_ptr + offs, b % 2)
    tl.store(a_ptr + offs, i + u)
    tl.store(a_ptr + offs, u // 3)
    tl.store(a_ptr + offs, (i > 0) + (u == 200))
    tl.store(a_ptr + offs, tl.where(i > 0, h, 0.0))
    tl.store(a_ptr + offs, h > b)
    tl.store(b_ptr + offs.to(tl.int64), offs.to(tl.uint32) >> 3)
    tl.store(a_ptr + offs, h.to(tl.int16, bitcast=True) << 1)
    tl.store(a_ptr + offs, h.to(tl.float8e5, fp_downcast_rounding="rtz").to(tl.float32))
    tl.store(b_ptr + offs, -u)
    tl.store(b_ptr + offs, (x > 1.0) & (offs > 3))
