"""Casts, arithmetic with promotion, comparison, bit operations, math."""

from .case import FLOATS, FP8, INTS, TYPES, Case, bits, is_int, output, pack, pointer, raw, samples, scalar

N = 32
ALL = ["i1"] + INTS + FLOATS


def tl(t):
    return "tl." + TYPES[t][0]


def promoted(a, b, division=False):
    """semantic.computation_type_impl for two tensors."""
    for t in ("fp64", "fp32"):
        if t in (a, b):
            return t
    if "fp16" in (a, b):
        return "fp32" if division else "fp16"
    if "bf16" in (a, b):
        return "bf16" if a == b and not division else "fp32"
    # integers
    if a == b:
        return a
    ua, ub = a[0] == "u" or a == "i1", b[0] == "u" or b == "i1"
    if ua == ub:
        return a if bits(a) > bits(b) else b
    unsigned, signed = (a, b) if ua else (b, a)
    return unsigned if bits(unsigned) >= bits(signed) else signed


def kernel(parameters, lines):
    return "@triton.jit\ndef kernel(" + ", ".join(parameters) + "):\n" + "".join(f"    {line}\n" for line in lines)


def casts():
    for source in ALL + FP8 + ["fp8e4b15"]:
        if source == "fp8e4b15":
            targets = ["fp16", "fp32"]
        elif source in FP8:
            # Triton's PTX for fp8e5 → bf16 makes numbers of infinity and NaN: finite inputs for that.
            targets = ["fp16", "fp32"] + (["bf16"] if source == "fp8e4nv" else [])
        else:
            targets = [t for t in ALL if t != source]
        if source in ("fp16", "fp32"):
            targets = targets + FP8 + ["fp8e4b15"]
        elif source == "bf16":
            targets = targets + FP8
        if source.startswith("fp8"):
            values, count = list(range(256)), 256
            data = raw("x", source, bytes(values))
        else:
            count = 64
            values = samples(source, count, 1)
            if not is_int(source):
                # In range of every integer type; the others are judged apart.
                data = None
                values = [v if v == v and abs(v) < 100 else 3.25 for v in values]
                values[20:40] = [i / 4 for i in range(20)]
                data = pointer("x", source, values)
            else:
                data = pointer("x", source, values)
        lines = [f"i = tl.arange(0, {count})", "x = tl.load(x + i)"]
        outputs = []
        for t in targets:
            unsigned = t[0] == "u" or t == "i1"
            value = "tl.abs(x)" if not is_int(source) and unsigned and t != "i1" else "x"
            lines.append(f"tl.store(o_{t} + i, {value}.to({tl(t)}))")
            outputs.append(output(f"o_{t}", t, count))
        yield Case(f"cast_{source}", kernel(["x"] + [o.name for o in outputs], lines), [data] + outputs)
    finite = bytes(k for k in range(256) if k & 0x7F < 0x7C) + bytes(8)
    yield Case("cast_fp8e5_bf16", kernel(["x", "o"], ["i = tl.arange(0, 256)", "tl.store(o + i, tl.load(x + i).to(tl.bfloat16))"]), [raw("x", "fp8e5", finite), output("o", "bf16", 256)])
    # Everything finite and not, to the narrow floats, in each rounding.
    for source in ("fp32", "fp16", "bf16", "fp64"):
        values = samples(source, 128, 2)
        values[20:60] = [2.0**k * f for k in range(-24, 16, 2) for f in (1.0625, 1.1875)]
        values[60:80] = [2.0 ** (k / 2) for k in range(0, 40, 2)]
        values[80:90] = [448.0, 464.0, 465.0, 480.0, 57344.0, 61439.0, 61440.0, 65519.0, 65520.0, 1.9]
        targets = {"fp32": ["fp16", "bf16", "fp8e4nv", "fp8e5", "fp8e4b15"], "fp16": ["bf16"] + FP8 + ["fp8e4b15"],
                   "bf16": ["fp16"] + FP8, "fp64": ["fp32", "fp16", "bf16"]}[source]
        for t in targets:
            modes = [""] + (["rtz"] if (source, t) in (("fp32", "fp16"), ("fp32", "bf16"), ("fp32", "fp8e5")) else [])
            for mode in modes:
                extra = f', fp_downcast_rounding="{mode}"' if mode else ""
                body = kernel(["x", "o"], ["i = tl.arange(0, 128)", f"tl.store(o + i, tl.load(x + i).to({tl(t)}{extra}))"])
                yield Case(f"narrow_{source}_{t}{'_' + mode if mode else ''}", body, [pointer("x", source, values), output("o", t, 128)])
    for source in FLOATS:
        values = samples(source, 64, 4)
        values[14:30] = [127.5, 128.0, -128.9, -129.0, 255.9, 256.0, 300.0, -1.0, 32768.0, 65536.0, -40000.0, 2147483648.0,
                         4294967296.0, -3e9, 1e19, -1e19]
        lines = ["i = tl.arange(0, 64)", "x = tl.load(x + i)"] + [f"tl.store(o_{t} + i, x.to({tl(t)}))" for t in INTS]
        outputs = [output(f"o_{t}", t, 64) for t in INTS]
        yield Case(f"saturate_{source}", kernel(["x"] + [o.name for o in outputs], lines), [pointer("x", source, values)] + outputs, judges=("gpu",))
    for width, group in {8: ["i8", "u8", "fp8e4nv", "fp8e5"], 16: ["i16", "u16", "fp16", "bf16"], 32: ["i32", "u32", "fp32"],
                         64: ["i64", "u64", "fp64"]}.items():
        for source in group:
            data = bytes((37 * k + k // 7) & 0xFF for k in range(32 * width // 8))
            others = [t for t in group if t != source]
            lines = ["i = tl.arange(0, 32)", "x = tl.load(x + i)"]
            lines += [f"tl.store(o_{t} + i, x.to({tl(t)}, bitcast=True))" for t in others]
            outputs = [output(f"o_{t}", t, 32) for t in others]
            yield Case(f"bitcast_{source}", kernel(["x"] + [o.name for o in outputs], lines), [raw("x", source, data)] + outputs)


def binary(name, a, others, operators, division=False, result=None, ulps=0, small=False, nonzero=False, judges=None, static=True, believe=""):
    lines = [f"i = tl.arange(0, {N})", "x = tl.load(x + i)"]
    arguments = [pointer("x", a, samples(a, N, 5, small))]
    outputs, tolerance = [], {}
    for b in others:
        arguments.append(pointer(f"y_{b}", b, samples(b, N, 7, small, nonzero)[::-1]))
        lines.append(f"y = tl.load(y_{b} + i)")
        for k, operator in enumerate(operators):
            x, y = ("fp32" if operator[0] == "." and t == "bf16" else t for t in (a, b))
            t = result or promoted(x, y, division)
            if operator == "/" and is_int(t):
                t = "fp32"
            out = output(f"o{k}_{b}", t, N)
            lines.append(f"z = x {operator} y" if operator[0] != "." else f"z = {operator[1:]}(x, y)")
            if static:
                lines.append(f"tl.static_assert(z.dtype == {tl(t)})")
            lines.append(f"tl.store({out.name} + i, z)")
            outputs.append(out)
            if ulps and not is_int(t):
                tolerance[out.name] = ulps
    arguments += outputs
    return Case(name, kernel([p.name for p in arguments], lines), arguments, ulps=tolerance, judges=judges or ("interpreter", "gpu"), believe=believe)


def arithmetic():
    for a in ALL:
        yield binary(f"add_{a}", a, ALL if a != "i1" else ALL[1:], ["+", "-"])
        yield binary(f"mul_{a}", a, ALL if a != "i1" else ALL[1:], ["*"])
        yield binary(f"compare_{a}", a, ALL, ["<", "<=", "==", "!=", ">", ">="], result="i1")
        yield binary(f"extremes_{a}", a, ALL, [".tl.minimum", ".tl.maximum"])
        yield binary(f"truediv_{a}", a, [b for b in ALL if not (is_int(a) and is_int(b)) or (a in INTS and b in INTS and a[0] == b[0])], ["/"], division=True, ulps=2, nonzero=True, believe="gpu")
    for a in FLOATS:
        yield binary(f"fmod_{a}", a, INTS + FLOATS, ["%"], division=True, ulps=1, small=True, nonzero=True, believe="gpu")
        yield binary(f"nan_extremes_{a}", a, [a], [".nan_min", ".nan_max"])
    for a in INTS:
        same = [b for b in INTS if b[0] == a[0]]
        yield binary(f"intdiv_{a}", a, same, ["//", "%"], division=True, nonzero=True)
        yield binary(f"bits_{a}", a, INTS, ["&", "|", "^"])
    for a in INTS:
        lines = [f"i = tl.arange(0, {N})", "x = tl.load(x + i)", "s = tl.load(s + i)", "tl.store(o0 + i, x << s)", "tl.store(o1 + i, x >> s)",
                 "tl.store(o2 + i, -x)" if a[0] == "i" else "tl.store(o2 + i, x * 2)", "tl.store(o3 + i, ~x)", "tl.store(o4 + i, tl.abs(x))", "tl.store(o5 + i, x << 3)"]
        shifts = [k % bits(a) for k in range(N)]
        outs = [output(f"o{k}", a, N) for k in range(6)]
        yield Case(f"shift_{a}", kernel(["x", "s"] + [o.name for o in outs], lines), [pointer("x", a, samples(a, N, 3)), pointer("s", a, shifts)] + outs)
    for a in FLOATS:
        lines = [f"i = tl.arange(0, {N})", "x = tl.load(x + i)", "tl.store(o0 + i, -x)", "tl.store(o1 + i, tl.abs(x))", "tl.store(o2 + i, x * 2)",
                 "tl.store(o3 + i, 1.5 - x)", "tl.store(o4 + i, x + 7)", "tl.store(o5 + i, tl.where(x > 0, x, 0.0))"]
        outs = [output(f"o{k}", a, N) for k in range(6)]
        yield Case(f"scalars_{a}", kernel(["x"] + [o.name for o in outs], lines), [pointer("x", a, samples(a, N, 3))] + outs)
    for a in INTS:
        t = {"i8": "i8", "u8": "u8"}.get(a, a)
        lines = [f"i = tl.arange(0, {N})", "x = tl.load(x + i)", "tl.store(o0 + i, x + 1)", "tl.store(o1 + i, 5 - x)", "tl.store(o2 + i, x * 1.5)",
                 "tl.store(o3 + i, tl.where(x > 3, x, 3))", "tl.store(o4 + i, x == 2)", "tl.store(o5 + i, x // 3)", "tl.store(o6 + i, x % 3)"]
        outs = [output("o0", t, N), output("o1", t, N), output("o2", "fp32", N), output("o3", t, N), output("o4", "i1", N), output("o5", t, N), output("o6", t, N)]
        yield Case(f"scalars_{a}", kernel(["x"] + [o.name for o in outs], lines), [pointer("x", a, samples(a, N, 3))] + outs)
    for a in ALL + FP8:
        lines = [f"i = tl.arange(0, {N})", "x = tl.load(x + i)", "y = tl.load(y + i)", "c = tl.load(c + i)", "tl.store(o + i, tl.where(c, x, y))",
                 "tl.store(p + i, tl.where(c == 0, x, y))"]
        yield Case(f"where_{a}", kernel(["x", "y", "c", "o", "p"], lines),
                   [pointer("x", a, samples(a, N, 3)), pointer("y", a, samples(a, N, 9)), pointer("c", "i1", samples("i1", N, 2)), output("o", a, N), output("p", a, N)])
    lines = [f"i = tl.arange(0, {N})", "a = tl.load(a + i)", "b = tl.load(b + i)", "tl.store(o0 + i, a & b)", "tl.store(o1 + i, a | b)", "tl.store(o2 + i, a ^ b)",
             "tl.store(o3 + i, ~a)", "tl.store(o4 + i, a.logical_and(b))", "tl.store(o5 + i, a.logical_or(b))", "tl.store(o6 + i, not a)"]
    outs = [output(f"o{k}", "i1", N) for k in range(7)]
    lines[-1] = "tl.store(o6 + i, (a == 0))"
    yield Case("booleans", kernel(["a", "b"] + [o.name for o in outs], lines), [pointer("a", "i1", samples("i1", N, 1)), pointer("b", "i1", samples("i1", N, 2))] + outs)


def math():
    import random
    for t in ("fp32", "fp64"):
        rng = random.Random(4)
        wide = [0.0, -0.0, 1.0, -1.0, float("inf"), float("-inf"), float("nan")] + [rng.uniform(-9, 9) for _ in range(57)]
        positive = [0.0, 1.0, float("inf"), 1e-30, 1e30] + [rng.uniform(0.01, 9) for _ in range(59)]
        for name, values in {"exp": wide, "exp2": wide, "sin": wide, "cos": wide, "erf": wide, "log": positive, "log2": positive, "sqrt": positive,
                             "rsqrt": positive, "floor": wide, "ceil": wide, "abs": wide, "sigmoid": wide}.items():
            body = kernel(["x", "o"], ["i = tl.arange(0, 64)", f"tl.store(o + i, tl.{name}(tl.load(x + i)))"])
            exact = name in ("floor", "ceil", "abs")
            # Hopper's approximations: ex2, lg2, sin, cos are accurate in absolute terms.
            yield Case(f"math_{name}_{t}", body, [pointer("x", t, values), output("o", t, 64)], ulps={} if exact else {"o": 4 if t == "fp32" else 8})
    for t in ("fp32",):
        a, b, c = (samples(t, N, s) for s in (3, 4, 5))
        lines = [f"i = tl.arange(0, {N})", "x = tl.load(x + i)", "y = tl.load(y + i)", "tl.store(o0 + i, tl.div_rn(x, y))", "tl.store(o1 + i, tl.fdiv(x, y))",
                 "tl.store(o2 + i, tl.sqrt_rn(tl.abs(x)))"]
        yield Case("math_rounded", kernel(["x", "y", "o0", "o1", "o2"], lines), [pointer("x", t, a), pointer("y", t, b[::-1])] + [output(f"o{k}", t, N) for k in range(3)], ulps={"o1": 2})
    for t in FLOATS:
        lines = [f"i = tl.arange(0, {N})", "x = tl.load(x + i)", "y = tl.load(y + i)", "z = tl.load(z + i)", "tl.store(o + i, tl.fma(x, y, z))"]
        yield Case(f"fma_{t}", kernel(["x", "y", "z", "o"], lines), [pointer(n, t, samples(t, N, s)[::d]) for n, s, d in (("x", 3, 1), ("y", 4, -1), ("z", 5, 1))] + [output("o", t, N)])
        ts = "fp32" if t == "bf16" else t
        lines = [f"i = tl.arange(0, {N})", "x = tl.load(x + i)", "tl.store(o0 + i, tl.clamp(x, -1.0, 2.0))", "tl.store(o1 + i, tl.clamp(x, -1.0, 2.0, propagate_nan=tl.PropagateNan.ALL))"]
        yield Case(f"clamp_{t}", kernel(["x", "o0", "o1"], lines), [pointer("x", t, samples(t, N, 3)), output("o0", ts, N), output("o1", ts, N)])
    for t in ("i32", "u32", "i64", "u64"):
        lines = [f"i = tl.arange(0, {N})", "tl.store(o + i, tl.umulhi(tl.load(x + i), tl.load(y + i)))"]
        yield Case(f"umulhi_{t}", kernel(["x", "y", "o"], lines), [pointer("x", t, samples(t, N, 3)), pointer("y", t, samples(t, N, 4)[::-1]), output("o", t, N)])
    for t in ("i32", "i64"):
        lines = [f"i = tl.arange(0, {N})", "x = tl.load(x + i)", "tl.store(o0 + i, tl.cdiv(x, 7))", "tl.store(o1 + i, x.cdiv(n))"]
        values = [v if abs(v) < 1 << 30 else 12345 for v in samples(t, N, 3)]
        yield Case(f"cdiv_{t}", kernel(["x", "n", "o0", "o1"], lines), [pointer("x", t, values), scalar("n", "i32", 13), output("o0", t, N), output("o1", t, N)])


def nan_extremes(case):
    """tl.minimum with NaN propagation, spelled as a call of two operands."""
    case.body = "nan_all: tl.constexpr = tl.PropagateNan.ALL\n\n" + case.body
    return case


def cases():
    for case in list(casts()) + list(arithmetic()) + list(math()):
        case.body = case.body.replace("nan_min(x, y)", "tl.minimum(x, y, propagate_nan=tl.PropagateNan.ALL)").replace(
            "nan_max(x, y)", "tl.maximum(x, y, propagate_nan=tl.PropagateNan.ALL)")
        yield case
