"""Control flow, calls, random numbers, the grid."""

from .case import Case, output, pointer, samples, scalar
from .elementwise import kernel

F = lambda name, seed, count=16: pointer(name, "fp32", samples("fp32", count, seed, True))
I = ["i = tl.arange(0, 16)"]


def control():
    yield Case("for_range", kernel(["x", "o", "n"], I + ["s = tl.zeros([16], tl.float32)", "for k in range(n):", "    s += tl.load(x + i) * k", "tl.store(o + i, s)"]), [F("x", 1), output("o", "fp32", 16), scalar("n", "i32", 5)])
    yield Case("for_steps", kernel(["o", "a", "b"], ["s = 0", "t = 1", "for k in range(a, b, 3):", "    s += k", "    t = t * 2 + s", "for k in range(10, 0, -2):", "    s = s * 3 + k", "tl.store(o, s)", "tl.store(o + 1, t)"]),
               [output("o", "i32", 2), scalar("a", "i32", 2), scalar("b", "i32", 17)])
    yield Case("for_empty", kernel(["o", "n"], ["s = 7", "for k in range(n, 0):", "    s = 1", "tl.store(o, s)"]), [output("o", "i32", 1), scalar("n", "i32", 4)])
    yield Case("static_range", kernel(["x", "o", "K: tl.constexpr"], I + ["s = tl.load(x + i)", "for k in tl.static_range(K):", "    if k % 2 == 0:", "        s = s * 2", "    else:", "        s = s + k", "tl.store(o + i, s)"]),
               [F("x", 2), output("o", "fp32", 16)], constexprs={"K": 5})
    yield Case("tl_range", kernel(["x", "o", "n"], I + ["s = tl.load(x + i)", "for k in tl.range(0, n, 2, num_stages=2):", "    s = s + k", "tl.store(o + i, s)"]), [F("x", 3), output("o", "fp32", 16), scalar("n", "i32", 7)])
    yield Case("while_loop", kernel(["o", "n"], ["k = n", "steps = 0", "while k > 1:", "    if k % 2 == 0:", "        k = k // 2", "    else:", "        k = 3 * k + 1", "    steps += 1", "tl.store(o, steps)", "tl.store(o + 1, k)"]),
               [output("o", "i32", 2), scalar("n", "i32", 27)])
    yield Case("while_and", kernel(["x", "o", "n"], ["k = 0", "s = 0.0", "while (k < n) and (s < 100.0):", "    s += tl.load(x + k) + 20.0", "    k += 1", "tl.store(o, s)", "tl.store(o + 1, k.to(tl.float32))"]), [F("x", 4), output("o", "fp32", 2), scalar("n", "i32", 9)])
    yield Case("if_else", kernel(["x", "o", "n"], I + ["p = tl.program_id(0)", "v = tl.load(x + i)", "if p == 0:", "    v = v + 1", "elif p < n:", "    v = v * 2", "    if p == 2:", "        v = -v", "else:", "    v = tl.zeros_like(v)", "tl.store(o + p * 16 + i, v)"]),
               [F("x", 5), output("o", "fp32", 80), scalar("n", "i32", 3)], grid=(5,))
    yield Case("early_return", kernel(["x", "o", "n"], I + ["p = tl.program_id(0)", "if p >= n:", "    return", "tl.store(o + p * 16 + i, tl.load(x + i) + p)"]), [F("x", 6), output("o", "fp32", 64), scalar("n", "i32", 2)], grid=(4,))
    yield Case("grid3", kernel(["o"], ["a = tl.program_id(0)", "b = tl.program_id(1)", "c = tl.program_id(2)", "k = (c * tl.num_programs(1) + b) * tl.num_programs(0) + a", "tl.store(o + k, a + 10 * b + 100 * c + 1000 * tl.num_programs(2))"]),
               [output("o", "i32", 24)], grid=(4, 3, 2))
    helper = """@triton.jit
def scale(x, factor, bias: tl.constexpr = 0.5):
    if factor > 0:
        return x * factor + bias
    else:
        return x - bias


@triton.jit
def both(x):
    return x + 1, x * 2


@triton.jit
def nested(x, n: tl.constexpr):
    a, b = both(x)
    for k in tl.static_range(n):
        a = scale(a, 2.0)
    return a, (b, n)


"""
    yield Case("calls", helper + kernel(["x", "o", "p"], I + ["a, rest = nested(tl.load(x + i), 3)", "b, n = rest", "tl.store(o + i, scale(a, 1.5))", "tl.store(p + i, b + n + scale(b, -1.0, bias=2.0))"]), [F("x", 7), output("o", "fp32", 16), output("p", "fp32", 16)])
    yield Case("constexprs", "@triton.constexpr_function\ndef double(n):\n    return 2 * n\n\n\n" + kernel(["x", "o", "N: tl.constexpr", "FLAG: tl.constexpr"],
               ["M: tl.constexpr = double(N)", "tl.static_assert(M == 16)", "i = tl.arange(0, M)", "v = tl.load(x + i)", "if FLAG:", "    v = v + N", "w = v if N > 4 else -v", "tl.store(o + i, w)"]), [F("x", 8), output("o", "fp32", 16)], constexprs={"N": 8, "FLAG": True})
    yield Case("runtime_scalars", kernel(["o", "a", "b", "f", "g"], ["tl.store(o, a // b)", "tl.store(o + 1, a % b)", "tl.store(o + 2, (f * 2 + a).to(tl.int32))", "tl.store(o + 3, (a > b).to(tl.int32))", "tl.store(o + 4, tl.where(g > 0, a, b))",
               "tl.store(o + 5, min(a, b) + max(a, 3))", "tl.store(o + 6, a if b > 3 else -a)", "tl.store(o + 7, (a << 3) ^ (b >> 1) | 5)", "tl.store(o + 8, -a // b)", "tl.store(o + 9, (-a) % b)", "tl.store(o + 10, not (a == b))"]),
               [output("o", "i32", 11), scalar("a", "i32", 23), scalar("b", "i32", 5), scalar("f", "fp32", 2.25), scalar("g", "fp32", -1.0)])
    yield Case("wide_scalars", kernel(["o", "a", "b"], ["tl.store(o, a + b)", "tl.store(o + 1, a * 2)", "tl.store(o + 2, (a + 1).to(tl.int32))", "tl.store(o + 3, b - a)"]), [output("o", "i64", 4), scalar("a", "i64", 1 << 40), scalar("b", "i32", 7)])
    yield Case("wraparound", kernel(["o", "a"], ["tl.store(o, a + a)", "tl.store(o + 1, a * a)", "tl.store(o + 2, (a.to(tl.int64) + a).to(tl.int32))", "tl.store(o + 3, -a - 2)"]), [output("o", "i32", 4), scalar("a", "i32", 2147483647)])
    yield Case("carried", kernel(["x", "o"], I + ["a = tl.load(x + i)", "b = a * 0", "best = a - 100", "where = tl.zeros([16], tl.int32)", "for k in range(6):", "    a, b = b + k, a - 1", "    better = a > best", "    best = tl.where(better, a, best)", "    where = tl.where(better, k, where)",
               "tl.store(o + i, best)", "tl.store(o + 16 + i, where.to(tl.float32))"]), [F("x", 9), output("o", "fp32", 32)])
    yield Case("nested_loops", kernel(["o", "n"], ["s = 0", "for a in range(n):", "    for b in range(a, n):", "        k = b", "        while k > 0:", "            s += k * (a + 1)", "            k -= 2", "tl.store(o, s)"]), [output("o", "i32", 1), scalar("n", "i32", 6)])
    yield Case("hints", kernel(["x", "o", "n"], ["tl.assume(n > 0)", "i = tl.max_contiguous(tl.multiple_of(tl.arange(0, 16), 16), 16)", "tl.device_assert(n > 0, 'n')", "tl.debug_barrier()", "tl.store(o + i, tl.load(x + i) + n)"]), [F("x", 10), output("o", "fp32", 16), scalar("n", "i32", 3)])
    yield Case("ln_row", kernel(["x", "w", "b", "y", "n", "eps", "BLOCK: tl.constexpr"], ["p = tl.program_id(0)", "i = tl.arange(0, BLOCK)", "m = i < n", "v = tl.load(x + p * n + i, mask=m, other=0.0)", "mean = tl.sum(v, axis=0) / n", "d = tl.where(m, v - mean, 0.0)", "var = tl.sum(d * d, axis=0) / n",
               "r = 1 / tl.sqrt(var + eps)", "tl.store(y + p * n + i, d * r * tl.load(w + i, mask=m) + tl.load(b + i, mask=m), mask=m)"]),
               [F("x", 11, 60), F("w", 12, 20), F("b", 13, 20), output("y", "fp32", 60), scalar("n", "i32", 20), scalar("eps", "fp32", 1e-5)], grid=(3,), constexprs={"BLOCK": 32}, ulps={"y": 64})


def random():
    for name, t in (("rand", "fp32"), ("randn", "fp32"), ("randint", "i32")):
        for offsets in ("i32", "i64"):
            cast = ".to(tl.int64)" if offsets == "i64" else ""
            wide_result = "i64" if (name, offsets) == ("randint", "i64") else t
            yield Case(f"{name}_{offsets}", kernel(["o", "seed"], ["i = tl.arange(0, 64)", f"tl.store(o + i, tl.{name}(seed, i{cast}))"]), [output("o", wide_result, 64), scalar("seed", "i32", 1234567)],
                       ulps={"o": 16} if name == "randn" else {})
    for name, t in (("rand4x", "fp32"), ("randint4x", "i32"), ("randn4x", "fp32")):
        lines = ["i = tl.arange(0, 16)", f"a, b, c, d = tl.{name}(seed, i)"] + [f"tl.store(o + {16 * k} + i, {v})" for k, v in enumerate("abcd")]
        yield Case(name, kernel(["o", "seed"], lines), [output("o", t, 64), scalar("seed", "i64", (1 << 45) + 99)], ulps={"o": 16} if name == "randn4x" else {})
    yield Case("rand_rounds", kernel(["o", "seed"], ["i = tl.arange(0, 32)", "tl.store(o + i, tl.rand(seed, i, n_rounds=7))"]), [output("o", "fp32", 32), scalar("seed", "i32", 42)])
    lines = ["i = tl.arange(0, 16)", "z = tl.zeros([16], tl.uint32)", "a, b, c, d = tl.philox(seed, i.to(tl.uint32), z + 1, z + 2, z + 3)"] + [f"tl.store(o + {16 * k} + i, {v})" for k, v in enumerate("abcd")]
    yield Case("philox", kernel(["o", "seed"], lines), [output("o", "u32", 64), scalar("seed", "i32", 77)])
    yield Case("dropout", kernel(["x", "o", "seed", "p"], ["i = tl.program_id(0) * 16 + tl.arange(0, 16)", "keep = tl.rand(seed, i) > p", "tl.store(o + i, tl.where(keep, tl.load(x + i) / (1 - p), 0.0))"]),
               [F("x", 14, 64), output("o", "fp32", 64), scalar("seed", "i32", 5), scalar("p", "fp32", 0.5)], grid=(4,))


def cases():
    yield from control()
    yield from random()
