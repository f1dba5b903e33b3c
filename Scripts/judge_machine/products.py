"""tl.dot and tl.dot_scaled. Inputs are small multiples of powers of two, whose sums are exact in any order."""

import numpy

from .case import Case, output, pack, pointer, raw, samples
from .elementwise import kernel, tl

SIZE = 16
GRID = ["r = tl.arange(0, M)[:, None]", "c = tl.arange(0, N)[None, :]", "k = tl.arange(0, K)", "a = tl.load(a + r * K + k[None, :])", "b = tl.load(b + k[:, None] * N + c)"]
SHAPE = ["M: tl.constexpr", "N: tl.constexpr", "K: tl.constexpr"]


def exact(t, count, seed):
    r = numpy.random.default_rng(seed)
    if t in ("i8", "u8"):
        return r.integers(-128 if t == "i8" else 0, 128, count).tolist()
    if t == "fp8e4nv":
        return [int(x) for x in r.choice([0x00, 0x28, 0x30, 0x38, 0x40, 0xB0, 0xB8, 0x34], count)]
    if t == "fp8e5":
        return [int(x) for x in r.choice([0x00, 0x34, 0x38, 0x3C, 0x40, 0xB8, 0xBC, 0x3A], count)]
    return (r.integers(-8, 9, count) / 4.0).tolist()


def dots():
    shape = {"M": SIZE, "N": 32, "K": 32}
    m, n, k = shape.values()
    for t in ("fp16", "bf16", "fp32", "fp64", "i8", "fp8e4nv", "fp8e5"):
        acc = {"i8": "i32", "fp64": "fp64"}.get(t, "fp32")
        size = dict(shape)
        lines = GRID + ["z = tl.dot(a, b)", f"tl.static_assert(z.dtype == {tl(acc)})", "tl.store(o + r * N + c, z)", "w = tl.load(w + r * N + c)", f"tl.store(p + r * N + c, tl.dot(a, b, acc=w, out_dtype={tl(acc)}))"]
        yield Case(f"dot_{t}", kernel(["a", "b", "w", "o", "p"] + SHAPE, lines),
                   [pointer("a", t, exact(t, m * k, 1)), pointer("b", t, exact(t, k * n, 2)), pointer("w", acc, samples(acc, m * n, 3, True)), output("o", acc, m * n), output("p", acc, m * n)], constexprs=size)
    for mode in ("ieee", "tf32", "tf32x3", "bf16x3", "bf16x6"):
        lines = GRID + [f'tl.store(o + r * N + c, tl.dot(a, b, input_precision="{mode}"))']
        yield Case(f"dot_fp32_{mode}", kernel(["a", "b", "o"] + SHAPE, lines),
                   [pointer("a", "fp32", exact("fp32", m * k, 4)), pointer("b", "fp32", exact("fp32", k * n, 5)), output("o", "fp32", m * n)], constexprs=shape)
        r = numpy.random.default_rng(6)
        # One product per sum: what is rounded shows.
        a = numpy.zeros((m, k))
        a[numpy.arange(m), numpy.arange(m)] = r.normal(1, 1, m)
        b = r.normal(1, 1, (k, n))
        yield Case(f"dot_operand_{mode}", kernel(["a", "b", "o"] + SHAPE, lines), [pointer("a", "fp32", a.ravel().tolist()), pointer("b", "fp32", b.ravel().tolist()), output("o", "fp32", m * n)],
                   constexprs=shape, judges=("interpreter", "gpu") if mode == "ieee" else ("gpu",), ulps={"o": 1} if mode[-2] == "x" else {})
    lines = GRID + ["tl.store(o + r * N + c, tl.dot(a, b, out_dtype=tl.float16))"]
    yield Case("dot_fp16_out", kernel(["a", "b", "o"] + SHAPE, lines), [pointer("a", "fp16", exact("fp16", m * k, 7)), pointer("b", "fp16", exact("fp16", k * n, 8)), output("o", "fp16", m * n)], constexprs=shape)
    lines = GRID + ["z = tl.zeros([M, N], tl.float32)", "for s in range(0, 3):", "    z = tl.dot(a, b, z)", "    z += 1", "tl.store(o + r * N + c, z)", "tl.store(p + r * N + c, tl.dot(a, tl.trans(tl.load(q + tl.arange(0, N)[:, None] * K + k[None, :]))))"]
    yield Case("dot_loop", kernel(["a", "b", "q", "o", "p"] + SHAPE, lines),
               [pointer("a", "fp16", exact("fp16", m * k, 9)), pointer("b", "fp16", exact("fp16", k * n, 10)), pointer("q", "fp16", exact("fp16", k * n, 11)), output("o", "fp32", m * n), output("p", "fp32", m * n)], constexprs=shape)
    lines = ["s = tl.arange(0, 4)[:, None, None]", "r = tl.arange(0, 16)[None, :, None]", "c = tl.arange(0, 16)[None, None, :]", "i = s * 256 + r * 16 + c", "tl.store(o + i, tl.dot(tl.load(a + i), tl.load(b + i)))"]
    yield Case("dot_batched", kernel(["a", "b", "o"], lines), [pointer("a", "fp16", exact("fp16", 1024, 12)), pointer("b", "fp16", exact("fp16", 1024, 13)), output("o", "fp32", 1024)])
    r = numpy.random.default_rng(14)
    lines = GRID + ["tl.store(o + r * N + c, tl.dot(a, b))"]
    for t in ("fp16", "bf16"):
        yield Case(f"dot_random_{t}", kernel(["a", "b", "o"] + SHAPE, lines), [pointer("a", t, r.normal(0, 1, m * k).tolist()), pointer("b", t, r.normal(0, 1, k * n).tolist()), output("o", "fp32", m * n)],
                   constexprs=shape, ulps={"o": 4096}, believe="gpu")


def scaled():
    shape = {"M": 32, "N": 32, "K": 64}
    m, n, k = shape.values()
    for lhs in ("e4m3", "e5m2", "e2m1", "bf16", "fp16"):
        for rhs in ("e4m3", "e2m1", "bf16"):
            if (lhs == "fp16") != (rhs == "fp16") and "bf16" in (lhs, rhs) and "fp16" in (lhs, rhs):
                continue
            types = {"e4m3": "fp8e4nv", "e5m2": "fp8e5", "e2m1": "u8", "bf16": "bf16", "fp16": "fp16"}
            r = numpy.random.default_rng(20)

            def operand(name, kind, count):
                if kind == "e2m1":
                    return raw(name, "u8", bytes(r.integers(0, 256, count // 2).tolist()))
                return pointer(name, types[kind], exact(types[kind], count, 21))

            ka, kb = (k // 2 if f == "e2m1" else k for f in (lhs, rhs))
            lines = ["r = tl.arange(0, M)[:, None]", "c = tl.arange(0, N)[None, :]", f"a = tl.load(a + r * {ka} + tl.arange(0, {ka})[None, :])", f"b = tl.load(b + tl.arange(0, {kb})[:, None] * N + c)",
                     "g = tl.arange(0, K // 32)[None, :]"]
            sa = "None" if lhs in ("bf16", "fp16") else "tl.load(sa + r * (K // 32) + g)"
            sb = "None" if rhs in ("bf16", "fp16") else "tl.load(sb + tl.arange(0, N)[:, None] * (K // 32) + g)"
            lines += [f"sa = {sa}", f"sb = {sb}", f'tl.store(o + r * N + c, tl.dot_scaled(a, sa, "{lhs}", b, sb, "{rhs}"))']
            scales = [raw(s, "u8", bytes((123 + r.integers(0, 9, rows * k // 32)).astype("uint8").tolist())) for s, rows in (("sa", m), ("sb", n))]
            yield Case(f"dot_scaled_{lhs}_{rhs}", kernel(["a", "sa", "b", "sb", "o"] + SHAPE, lines), [operand("a", lhs, m * k), scales[0], operand("b", rhs, k * n), scales[1], output("o", "fp32", m * n)], constexprs=shape)


def cases():
    yield from dots()
    yield from scaled()
