"""Shapes, reductions, scans, sorting: what moves and combines the elements of a tile."""

from .case import FLOATS, FP8, INTS, Case, output, pointer, samples
from .elementwise import kernel, tl

HELPERS = """@triton.jit
def combine_add(a, b):
    return a + b


@triton.jit
def combine_max(a, b):
    return tl.maximum(a, b)


@triton.jit
def combine_affine(a1, b1, a2, b2):
    return a1 * a2, b1 * a2 + b2


@triton.jit
def combine_welford(mean_a, m2_a, n_a, mean_b, m2_b, n_b):
    delta = mean_b - mean_a
    n = n_a + n_b
    return mean_a + delta * (n_b / n), m2_a + m2_b + delta * delta * n_a * (n_b / n), n


@triton.jit
def combine_first(value_a, index_a, value_b, index_b):
    take = (value_a > value_b) | ((value_a == value_b) & (index_a < index_b))
    return tl.where(take, value_a, value_b), tl.where(take, index_a, index_b)


"""

GRID2 = ["r = tl.arange(0, R)[:, None]", "c = tl.arange(0, C)[None, :]", "x = tl.load(x + r * C + c)"]


def matrix(t, rows, columns, seed, small=True):
    return pointer("x", t, samples(t, rows * columns, seed, small))


def wide(t):
    return {"i1": "i32", "i8": "i32", "i16": "i32", "u8": "u32", "u16": "u32", "bf16": "fp32"}.get(t, t)


def finite(t, values):
    return [v if isinstance(v, int) or v == v else 0.375 for v in values]


def reductions():
    rows, columns = 8, 16
    shape = {"R": rows, "C": columns}
    for t in INTS + FLOATS + ["i1"]:
        summed = wide(t) if t != "bf16" else "bf16"
        lines = GRID2 + ["tl.store(o0 + tl.arange(0, C), tl.sum(x, axis=0))", "tl.store(o1 + tl.arange(0, R), tl.sum(x, axis=1))",
                         "tl.store(o2, tl.sum(x))", "tl.store(o3 + r, tl.sum(x, axis=1, keep_dims=True))"]
        outs = [output("o0", summed, columns), output("o1", summed, rows), output("o2", summed, 1), output("o3", summed, rows)]
        yield Case(f"sum_{t}", kernel(["x"] + [o.name for o in outs] + ["R: tl.constexpr", "C: tl.constexpr"], lines), [matrix(t, rows, columns, 1)] + outs, constexprs=shape)
        if t == "i1":
            continue
        kept = "fp32" if t == "bf16" else t if t not in ("i8", "i16", "u8", "u16") else wide(t)
        values = pointer("x", t, finite(t, samples(t, rows * columns, 2, True)))
        lines = GRID2 + ["tl.store(o0 + tl.arange(0, C), tl.max(x, axis=0))", "tl.store(o1 + tl.arange(0, R), tl.min(x, axis=1))", "tl.store(o2, tl.max(x))",
                         "tl.store(o3 + tl.arange(0, R), tl.argmax(x, axis=1))", "tl.store(o4 + tl.arange(0, C), tl.argmin(x, axis=0))",
                         "v, k = tl.max(x, axis=1, return_indices=True)", "tl.store(o5 + tl.arange(0, R), v)", "tl.store(o6 + tl.arange(0, R), k)",
                         "v, k = tl.min(x, axis=0, return_indices=True)", "tl.store(o7 + tl.arange(0, C), v)", "tl.store(o8 + tl.arange(0, C), k)"]
        outs = [output("o0", kept, columns), output("o1", kept, rows), output("o2", kept, 1), output("o3", "i32", rows), output("o4", "i32", columns),
                output("o5", kept, rows), output("o6", "i32", rows), output("o7", kept, columns), output("o8", "i32", columns)]
        yield Case(f"extrema_{t}", kernel(["x"] + [o.name for o in outs] + ["R: tl.constexpr", "C: tl.constexpr"], lines), [values] + outs, constexprs=shape)
    for t in INTS:
        lines = GRID2 + ["tl.store(o0 + tl.arange(0, C), tl.xor_sum(x, axis=0))", "tl.store(o1 + tl.arange(0, R), tl.reduce_or(x, axis=1))"]
        outs = [output("o0", wide(t), columns), output("o1", wide(t), rows)]
        yield Case(f"xor_{t}", kernel(["x", "o0", "o1", "R: tl.constexpr", "C: tl.constexpr"], lines), [matrix(t, rows, columns, 3, False)] + outs, constexprs=shape)
    for t in ("fp32", "fp64", "i32"):
        lines = GRID2 + ["tl.store(o0 + tl.arange(0, C), tl.reduce(x, 0, combine_add))", "tl.store(o1, tl.reduce(x, None, combine_max))",
                         "k = (r * C + c) + tl.zeros_like(x).to(tl.int32)", "v, i = tl.reduce((x, k), 1, combine_first)", "tl.store(o2 + tl.arange(0, R), v)", "tl.store(o3 + tl.arange(0, R), i)"]
        outs = [output("o0", t, columns), output("o1", t, 1), output("o2", t, rows), output("o3", "i32", rows)]
        yield Case(f"reduce_{t}", HELPERS + kernel(["x", "o0", "o1", "o2", "o3", "R: tl.constexpr", "C: tl.constexpr"], lines), [matrix(t, rows, columns, 4)] + outs, constexprs=shape)
    lines = GRID2 + ["m, s, n = tl.reduce((x, tl.zeros_like(x), tl.full([R, C], 1.0, tl.float32)), 1, combine_welford)", "q = tl.arange(0, R)",
                     "tl.store(o0 + q, m)", "tl.store(o1 + q, s)", "tl.store(o2 + q, n)"]
    yield Case("reduce_welford", HELPERS + kernel(["x", "o0", "o1", "o2", "R: tl.constexpr", "C: tl.constexpr"], lines),
               [matrix("fp32", rows, columns, 5)] + [output(f"o{k}", "fp32", rows) for k in range(3)], constexprs=shape, ulps={"o0": 64, "o1": 64})
    lines = GRID2 + ["tl.store(o0 + tl.arange(0, R), tl.argmax(x, axis=1, tie_break_left=True))", "tl.store(o1 + tl.arange(0, R), tl.argmin(x, axis=1, tie_break_left=True))"]
    yield Case("ties", kernel(["x", "o0", "o1", "R: tl.constexpr", "C: tl.constexpr"], lines),
               [pointer("x", "fp32", [[1, 3, 3, 0, 0, 2, 3, 1][k % 8] for k in range(rows * columns)]), output("o0", "i32", rows), output("o1", "i32", rows)], constexprs=shape)
    nan = float("nan")
    lines = GRID2 + ["tl.store(o0 + tl.arange(0, R), tl.max(x, axis=1))", "tl.store(o1 + tl.arange(0, R), tl.min(x, axis=1))", "tl.store(o2 + tl.arange(0, R), tl.sum(x, axis=1))"]
    yield Case("extrema_nan", kernel(["x", "o0", "o1", "o2", "R: tl.constexpr", "C: tl.constexpr"], lines),
               [pointer("x", "fp32", [nan if k % 5 == 0 or k // 16 == 3 else k % 7 - 3 for k in range(rows * columns)])] + [output(f"o{k}", "fp32", rows) for k in range(3)], constexprs=shape)


def scans():
    rows, columns = 4, 16
    shape = {"R": rows, "C": columns}
    for t in INTS + FLOATS:
        result = wide(t)
        lines = GRID2 + ["tl.store(o0 + r * C + c, tl.cumsum(x, axis=1))", "tl.store(o1 + r * C + c, tl.cumsum(x, axis=0, reverse=True))"]
        outs = [output(f"o{k}", result, rows * columns) for k in range(2)]
        yield Case(f"cumsum_{t}", kernel(["x"] + [o.name for o in outs] + ["R: tl.constexpr", "C: tl.constexpr"], lines), [matrix(t, rows, columns, 6)] + outs, constexprs=shape)
    for t in ("i32", "fp32", "fp64", "u8"):
        result = wide(t)
        lines = GRID2 + ["tl.store(o0 + r * C + c, tl.cumprod(x, axis=1))", "tl.store(o1 + r * C + c, tl.associative_scan(x, 1, combine_max))",
                         "tl.store(o2 + r * C + c, tl.associative_scan(x, 0, combine_max, reverse=True))"]
        outs = [output("o0", result, rows * columns), output("o1", t, rows * columns), output("o2", t, rows * columns)]
        values = [[1, 2, 0.5, 1, 1, 4][k % 6] if t[0] == "f" else [1, 2, 3, 1][k % 4] for k in range(rows * columns)]
        yield Case(f"scan_{t}", HELPERS + kernel(["x"] + [o.name for o in outs] + ["R: tl.constexpr", "C: tl.constexpr"], lines), [pointer("x", t, values)] + outs, constexprs=shape)
    lines = GRID2 + ["a, b = tl.associative_scan((x, x + 1), 1, combine_affine)", "tl.store(o0 + r * C + c, a)", "tl.store(o1 + r * C + c, b)"]
    yield Case("scan_pair", HELPERS + kernel(["x", "o0", "o1", "R: tl.constexpr", "C: tl.constexpr"], lines),
               [pointer("x", "fp32", [[1, 2, 0.5, -1][k % 4] for k in range(rows * columns)])] + [output(f"o{k}", "fp32", rows * columns) for k in range(2)], constexprs=shape)


def sorting():
    for t in INTS + FLOATS:
        n = 32
        values = finite(t, samples(t, n, 8))
        lines = ["i = tl.arange(0, 32)", "x = tl.load(x + i)", "tl.store(o0 + i, tl.sort(x))", "tl.store(o1 + i, tl.sort(x, descending=True))",
                 "tl.store(o2 + tl.arange(0, 4), tl.topk(x, 4))"]
        outs = [output("o0", t, n), output("o1", t, n), output("o2", t, 4)]
        yield Case(f"sort_{t}", kernel(["x"] + [o.name for o in outs], lines), [pointer("x", t, values)] + outs)
    lines = GRID2 + ["tl.store(o0 + r * C + c, tl.sort(x, dim=1))", "tl.store(o1 + r * C + c, tl.flip(x, 1))", "tl.store(o2 + r * C + c, tl.flip(x, 0))"]
    yield Case("sort_rows", kernel(["x", "o0", "o1", "o2", "R: tl.constexpr", "C: tl.constexpr"], lines),
               [matrix("fp32", 4, 16, 9)] + [output(f"o{k}", "fp32", 64) for k in range(3)], constexprs={"R": 4, "C": 16})
    lines = ["i = tl.arange(0, 64)", "x = tl.load(x + i)", "tl.store(o0 + tl.arange(0, 16), tl.histogram(x, 16))", "tl.store(o1 + tl.arange(0, 16), tl.histogram(x, 16, mask=i < 40))"]
    yield Case("histogram", kernel(["x", "o0", "o1"], lines), [pointer("x", "i32", [(k * k) % 16 for k in range(64)]), output("o0", "i32", 16), output("o1", "i32", 16)])
    for t in ("fp32", "i8", "fp16", "i64"):
        lines = GRID2 + ["k = tl.load(k + r * C + c)", "tl.store(o0 + r * C + c, tl.gather(x, k, 0))", "tl.store(o1 + r * C + c, tl.gather(x, k, 1))"]
        yield Case(f"gather_{t}", kernel(["x", "k", "o0", "o1", "R: tl.constexpr", "C: tl.constexpr"], lines),
                   [matrix(t, 8, 8, 10), pointer("k", "i32", [(3 * k + k // 8) % 8 for k in range(64)]), output("o0", t, 64), output("o1", t, 64)], constexprs={"R": 8, "C": 8})


def shapes():
    for t in ["i1"] + INTS + FLOATS + FP8:
        lines = GRID2 + ["q = tl.arange(0, R * C)", "tl.store(o0 + q, tl.reshape(x, [R * C]))", "tl.store(o1 + q, tl.ravel(tl.trans(x)))",
                         "tl.store(o2 + q, tl.ravel(tl.permute(tl.reshape(x, [2, R // 2, C]), [2, 0, 1])))",
                         "tl.store(o3 + q, tl.ravel(tl.broadcast_to(tl.expand_dims(tl.load(y + tl.arange(0, C)), 0), [R, C])))"]
        outs = [output(f"o{k}", t, 64) for k in range(4)]
        yield Case(f"shape_{t}", kernel(["x", "y"] + [o.name for o in outs] + ["R: tl.constexpr", "C: tl.constexpr"], lines),
                   [matrix(t, 8, 8, 11, False), pointer("y", t, samples(t, 8, 12, True))] + outs, constexprs={"R": 8, "C": 8})
    for t in ("i8", "fp16", "fp32", "i64"):
        lines = ["i = tl.arange(0, 16)", "x = tl.load(x + i)", "y = tl.load(y + i)", "j = tl.join(x, y)", "a, b = tl.split(j)",
                 "tl.store(o0 + i[:, None] * 2 + tl.arange(0, 2)[None, :], j)", "tl.store(o1 + i, a)", "tl.store(o2 + i, b)", "q = tl.arange(0, 32)",
                 "tl.store(o3 + q, tl.interleave(x, y))", "tl.store(o4 + q, tl.sort(tl.cat(x, y, can_reorder=True)))",
                 "e, f = tl.split(tl.reshape(j, [8, 2, 2]))", "tl.store(o5 + tl.arange(0, 8)[:, None] * 2 + tl.arange(0, 2)[None, :], f)"]
        outs = [output("o0", t, 32), output("o1", t, 16), output("o2", t, 16), output("o3", t, 32), output("o4", t, 32), output("o5", t, 16)]
        yield Case(f"join_{t}", kernel(["x", "y"] + [o.name for o in outs], lines), [pointer("x", t, samples(t, 16, 13, True)), pointer("y", t, samples(t, 16, 14, True))] + outs)
    lines = ["i = tl.arange(0, 8)[:, None]", "j = tl.arange(0, 4)[None, :]", "a, b = tl.swizzle2d(i, j, 8, 4, 2)", "tl.store(o0 + i * 4 + j, a)", "tl.store(o1 + i * 4 + j, b)",
             "tl.store(o2 + i * 4 + j, tl.full([8, 4], 7, tl.int64))", "tl.store(o3 + i * 4 + j, tl.zeros([8, 4], tl.float16) - 1)", "tl.store(o4 + tl.arange(0, 8), tl.arange(8, 16))",
             "tl.store(o5 + i * 4 + j, tl.full([8, 4], 0.1, tl.bfloat16))"]
    outs = [output("o0", "i32", 32), output("o1", "i32", 32), output("o2", "i64", 32), output("o3", "fp16", 32), output("o4", "i32", 8), output("o5", "bf16", 32)]
    yield Case("creation", kernel([o.name for o in outs], lines), outs)
    lines = GRID2 + ["tl.store(o0 + tl.arange(0, 8), tl.sum(tl.reshape(x, [2, 4, 8]), axis=1).reshape(16).reshape(2, 8).sum(0))",
                     "tl.store(o1 + tl.arange(0, 64), x.T.reshape(64))", "tl.store(o2 + r * C + c, tl.softmax(x))"]
    yield Case("shape_methods", kernel(["x", "o0", "o1", "o2", "R: tl.constexpr", "C: tl.constexpr"], lines),
               [matrix("fp32", 8, 8, 15), output("o0", "fp32", 8), output("o1", "fp32", 64), output("o2", "fp32", 64)], constexprs={"R": 8, "C": 8}, ulps={"o2": 6})


def cases():
    yield from reductions()
    yield from scans()
    yield from sorting()
    yield from shapes()
