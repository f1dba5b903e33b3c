"""Loads and stores with masks, block pointers, descriptors, atomics."""

from .case import FLOATS, FP8, INTS, Case, output, pointer, samples, scalar
from .elementwise import kernel, tl


def masked():
    for t in ["i1"] + INTS + FLOATS + FP8:
        other = {"i1": "1", "fp8e4nv": "0.0", "fp8e5": "0.0"}.get(t, "3")
        lines = ["i = tl.arange(0, 64)", "x = tl.load(x + i, mask=i < n, other=" + other + ")", "tl.store(o + i, x)", "tl.store(p + i, x, mask=(i % 3) == 0)"]
        yield Case(f"masked_{t}", kernel(["x", "n", "o", "p"], lines), [pointer("x", t, samples(t, 64, 1)), scalar("n", "i32", 45), output("o", t, 64), pointer("p", t, samples(t, 64, 2))])
    lines = ["i = tl.arange(0, 16)", "v = tl.load(x + n)", "tl.store(o + i, v * i)", "tl.store(p, tl.load(x + 1) + tl.load(x + 2, mask=n > 100, other=9.0))",
             "tl.store(q + i, tl.load(x + tl.load(k + i)))", "tl.store(s + i, tl.load(x + i, mask=tl.load(m + i), other=-1.0, cache_modifier='.cg') + tl.load(x + i, eviction_policy='evict_last'))"]
    yield Case("scalar_access", kernel(["x", "n", "k", "m", "o", "p", "q", "s"], lines),
               [pointer("x", "fp32", samples("fp32", 16, 3, True)), scalar("n", "i32", 3), pointer("k", "i32", [(5 * j) % 16 for j in range(16)]),
                pointer("m", "i1", samples("i1", 16, 4)), output("o", "fp32", 16), output("p", "fp32", 1), output("q", "fp32", 16), output("s", "fp32", 16)])
    lines = ["i = tl.program_id(0) * 16 + tl.arange(0, 16)", "m = i < n", "x = tl.load(x + i, mask=m)", "y = tl.load(y + i, mask=m)", "tl.store(o + i, x + y, mask=m)"]
    yield Case("tail", kernel(["x", "y", "o", "n"], lines), [pointer("x", "fp32", samples("fp32", 41, 5, True)), pointer("y", "fp32", samples("fp32", 41, 6, True)), output("o", "fp32", 41),
                                                             scalar("n", "i32", 41)], grid=(3,))
    for t in ("i16", "fp32", "i64"):
        lines = ["i = tl.arange(0, 16)", "p = x + i", "tl.store(o + i, tl.load(p))", "tl.store(q + i, tl.load(p + 16 - 1))",
                 "w = x.to(tl.pointer_type(tl.int8), bitcast=True)", "tl.store(b + i, tl.load(w + i))"]
        yield Case(f"pointers_{t}", kernel(["x", "o", "q", "b"], lines), [pointer("x", t, samples(t, 32, 7, True)), output("o", t, 16), output("q", t, 16), output("b", "i8", 16)])


def blocks():
    for t in ("fp32", "fp16", "i32", "fp64", "i8"):
        padding = ["zero"] + (["nan"] if t[0] == "f" else [])
        for pad in padding:
            lines = ["a = tl.make_block_ptr(x, (M, N), (N, 1), (0, 0), (8, 16), (1, 0))", f'u = tl.load(a, boundary_check=(0, 1), padding_option="{pad}")',
                     "a = tl.advance(a, (2, 3))", f'v = tl.load(a, boundary_check=(0, 1), padding_option="{pad}")',
                     "b = tl.make_block_ptr(o, (M, N), (N, 1), (1, 2), (8, 16), (1, 0))", "tl.store(b, u, boundary_check=(0, 1))",
                     "r = tl.arange(0, 8)[:, None]", "c = tl.arange(0, 16)[None, :]", "tl.store(p + r * 16 + c, v)", "tl.store(q + r * 16 + c, u)"]
            yield Case(f"block_{t}_{pad}", kernel(["x", "o", "p", "q", "M", "N"], lines),
                       [pointer("x", t, samples(t, 70, 3, True)), output("o", t, 70), output("p", t, 128), output("q", t, 128), scalar("M", "i32", 7), scalar("N", "i32", 10)])
    lines = ["a = tl.make_block_ptr(x, (N, M), (1, N), (0, 0), (16, 8), (0, 1))", "s = tl.zeros([16, 8], tl.float32)", "for k in range(0, 2):",
             "    s += tl.load(a, boundary_check=(0,), padding_option='zero')", "    a = tl.advance(a, (0, 8))", "r = tl.arange(0, 16)[:, None]", "c = tl.arange(0, 8)[None, :]", "tl.store(o + r * 8 + c, s)"]
    yield Case("block_loop", kernel(["x", "o", "M", "N"], lines), [pointer("x", "fp32", samples("fp32", 160, 4, True)), output("o", "fp32", 128), scalar("M", "i32", 16), scalar("N", "i32", 10)])
    lines = ["a = tl.make_block_ptr(x, (n,), (2,), (4,), (16,), (0,))", "tl.store(o + tl.arange(0, 16), tl.load(a, boundary_check=(0,), padding_option='zero'))"]
    yield Case("block_strided", kernel(["x", "o", "n"], lines), [pointer("x", "i32", list(range(40))), output("o", "i32", 16), scalar("n", "i32", 17)])
    for t in ("fp32", "fp16", "i32", "i8", "bf16"):
        lines = ["d = tl.make_tensor_descriptor(x, shape=[M, N], strides=[N, 1], block_shape=[8, 16])", "e = tl.make_tensor_descriptor(o, shape=[M, N], strides=[N, 1], block_shape=[8, 16])",
                 "u = d.load([4, 16])", "e.store([0, 0], u)", "e.store([8, 16], d.load([0, 0]))", "r = tl.arange(0, 8)[:, None]", "c = tl.arange(0, 16)[None, :]", "tl.store(p + r * 16 + c, u)"]
        yield Case(f"descriptor_{t}", kernel(["x", "o", "p", "M", "N"], lines),
                   [pointer("x", t, samples(t, 11 * 32, 3, True)), output("o", t, 11 * 32), output("p", t, 128), scalar("M", "i32", 11), scalar("N", "i32", 32)])
    for op in ("add", "min", "max"):
        lines = ["d = tl.make_tensor_descriptor(o, shape=[8, 16], strides=[16, 1], block_shape=[8, 16])", "r = tl.arange(0, 8)[:, None]", "c = tl.arange(0, 16)[None, :]",
                 f"d.atomic_{op}([0, 0], tl.load(x + r * 16 + c))"]
        yield Case(f"descriptor_{op}", kernel(["x", "o"], lines), [pointer("x", "i32", samples("i32", 128, 3, True)), pointer("o", "i32", samples("i32", 128, 4, True))])


def atomics():
    for t in ("i32", "u32", "i64", "u64", "fp32", "fp64", "fp16", "bf16"):
        ops = ["add"]
        if t not in ("fp16", "bf16"):
            ops += ["max", "min"]
        if t[0] in "iu":
            ops += ["and", "or", "xor"]
        if t not in ("fp16", "bf16"):
            ops += ["xchg"]
        for op in ops:
            lines = ["i = tl.arange(0, 32)", "v = tl.load(x + i)", f"old = tl.atomic_{op}(o + i, v, mask=i < 27)", "tl.store(p + i, old, mask=i < 27)", f"tl.atomic_{op}(s + 1, tl.load(x))"]
            yield Case(f"atomic_{op}_{t}", kernel(["x", "o", "p", "s"], lines),
                       [pointer("x", t, samples(t, 32, 3, True)), pointer("o", t, samples(t, 32, 4, True)), output("p", t, 32), pointer("s", t, samples(t, 2, 6, True))])
    for t in ("i32", "i64", "u32"):
        lines = ["i = tl.arange(0, 32)", "old = tl.atomic_cas(o + i, tl.load(x + i), tl.load(y + i))", "tl.store(p + i, old)"]
        yield Case(f"atomic_cas_{t}", kernel(["x", "y", "o", "p"], lines),
                   [pointer("x", t, [k % 3 for k in range(32)]), pointer("y", t, list(range(100, 132))), pointer("o", t, [k % 2 for k in range(32)]), output("p", t, 32)])
    for t in ("i32", "fp32", "fp16"):
        lines = ["i = tl.program_id(0) * 32 + tl.arange(0, 32)", "tl.atomic_add(o + (i * 7) % 5, tl.load(x + i))", "tl.atomic_add(s, tl.sum(tl.load(x + i)))"]
        yield Case(f"atomic_histogram_{t}", kernel(["x", "o", "s"], lines), [pointer("x", t, [k % 4 for k in range(96)]), output("o", t, 5), output("s", t, 1)], grid=(3,))


def cases():
    yield from masked()
    yield from blocks()
    yield from atomics()
