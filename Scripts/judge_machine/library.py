"""libdevice; the interpreter refuses it, the GPU computes it."""

import inspect
import random

from .case import Case, output, pointer, samples
from .elementwise import kernel

LANES = 32
# Domains by name; everything else takes (-9, 9). Two entries: two operands.
DOMAIN = {
    "acos": (-1, 1), "asin": (-1, 1), "atanh": (-0.99, 0.99), "acosh": (1, 50), "erfinv": (-0.99, 0.99), "erfcinv": (0.01, 1.99), "normcdfinv": (0.01, 0.99),
    "log": (0.01, 50), "log2": (0.01, 50), "log10": (0.01, 50), "log1p": (-0.9, 50), "sqrt": (0, 50), "rsqrt": (0.01, 50), "y0": (0.1, 20), "y1": (0.1, 20),
    "lgamma": (0.1, 30), "tgamma": (0.1, 30), "erfcx": (-3, 20), "pow": (0.1, 9), "rcbrt": (0.1, 50), "expm1": (-9, 9), "yn": (0.5, 20), "jn": (0.5, 20),
    "fast_log2f": (2, 50), "fast_logf": (2, 50), "fast_log10f": (2, 50), "fast_powf": (1, 4), "fast_tanf": (-1, 1),
}
# CUDA's documented errors are at most 9 ulp outside the Bessel and gamma functions.
LOOSE = {"j0": 4096, "j1": 4096, "jn": 65536, "y0": 4096, "y1": 4096, "yn": 65536, "lgamma": 64, "tgamma": 32, "normcdfinv": 32, "erfcx": 32, "erfcinv": 32, "erfinv": 32, "cyl_bessel_i0": 32,
         "cyl_bessel_i1": 32, "rcp64h": 1 << 33, "normcdf": 32, "erfc": 32}


def overloads():
    """name → [(operand types, symbol, result type)], read from triton's own module."""
    from triton.language.extra.cuda import libdevice
    import re

    short = {"int32": "i32", "int64": "i64", "uint32": "u32", "uint64": "u64", "fp32": "fp32", "fp64": "fp64"}
    for name, function in sorted(vars(libdevice).items()):
        if name.startswith("_") or not callable(function) or not hasattr(function, "__wrapped__") and not hasattr(function, "fn"):
            continue
        try:
            text = inspect.getsource(inspect.unwrap(function))
        except (OSError, TypeError):
            continue
        for types, symbol, result in re.findall(r'\(((?:core\.dtype\("\w+"\),?\s*)+)\):\s*\("(\w+)",\s*core\.dtype\("(\w+)"\)\)', text):
            operands = re.findall(r'"(\w+)"', types)
            if all(t in short for t in operands + [result]):
                yield name, [short[t] for t in operands], symbol, short[result]


def cases():
    for name, operands, symbol, result in overloads():
        rng = random.Random(symbol)
        arguments, lines = [], [f"i = tl.arange(0, {LANES})"]
        low, high = DOMAIN.get(name, (-9, 9))
        for k, t in enumerate(operands):
            if t.startswith("fp"):
                values = [rng.uniform(low, high) for _ in range(LANES)]
                if name in ("ldexp", "scalbn"):
                    values[:4] = [0.0, float("inf"), 1.0, -1.5]
                elif name not in DOMAIN and not name.startswith("fast"):
                    values[:9] = [0.0, -0.0, 1.0, 0.5, -2.5, 2.5, float("inf"), float("-inf"), float("nan")]
            elif name in ("ldexp", "scalbn", "pow"):
                values = [rng.randint(-20, 20) for _ in range(LANES)]
            elif name in ("jn", "yn"):
                values = [rng.randint(0, 5) for _ in range(LANES)]
            else:
                values = samples(t, LANES, k + 1)[:: 1 if k == 0 else -1]
            arguments.append(pointer(f"x{k}", t, values))
            lines.append(f"x{k} = tl.load(x{k} + i)")
        lines.append(f"tl.store(o + i, libdevice.{name}({', '.join(a.name for a in arguments)}))")
        exact = not result.startswith("fp") or any(s in name for s in ("_rn", "_rz", "_rd", "_ru", "_as_")) or name in (
            "abs", "floor", "ceil", "trunc", "round", "rint", "nearbyint", "copysign", "nextafter", "fmod", "remainder", "fdim", "logb", "ldexp", "scalbn", "fma", "saturatef", "hiloint2double")
        if name in ("rsqrt_rn",):
            exact = False
        ulps = 0 if exact else LOOSE.get(name, (1 << 22 if name == "fast_dividef" else 4096) if name.startswith("fast") else 10)
        yield Case(symbol.removeprefix("__nv_"), kernel([a.name for a in arguments] + ["o"], lines), arguments + [output("o", result, LANES)], ulps={"o": ulps} if ulps else {}, judges=("gpu",))
