#!/usr/bin/env python3
"""Judge TensorMath by torch itself, in float64 on the CPU.

Every case is one torch operator with its arguments, as a host trace records them, over operands
whose elements follow a formula. `--record` asks torch for the results and writes
Tests/Goldens/TensorMath/*.json, which the Swift tests compare with; without it the recorded
results are compared with torch's of today.

The Python that runs this needs torch; HONE_JUDGE_TORCH names another one to run it with.
"""

import json
import math
import os
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "Tests" / "Goldens" / "TensorMath"
CASES = {}


def start():
    """Runs this file with the Python that has torch, or says why there is none."""
    try:
        import torch  # noqa: F401

        return True
    except ImportError:
        pass
    other = os.environ.get("HONE_JUDGE_TORCH")
    if other and "HONE_JUDGE_STARTED" not in os.environ:
        os.environ["HONE_JUDGE_STARTED"] = "1"
        os.execv(other, [other, *sys.argv])
    print("skipped: no torch; HONE_JUDGE_TORCH may name a Python that has it", file=sys.stderr)
    return False


class T:
    """An operand: shape, element type and what its elements are."""

    def __init__(self, *shape, kind="values", element="fp32", salt=1, low=0, high=0, order=None):
        self.shape, self.kind, self.element, self.salt = list(shape), kind, element, salt
        self.low, self.high, self.order = low, high, order

    def elements(self):
        """The same formulas as GoldenTests.swift; exact in fp16."""
        count = math.prod(self.shape)
        result = []
        for i in range(count):
            raw = (i * 7919 + self.salt * 104729) % 2003
            if self.kind == "integers":
                result.append(self.low + raw % (self.high - self.low))
            elif self.kind == "positive":
                result.append((raw + 1) / 512)
            elif self.kind == "unit":
                result.append((raw % 1000 + 1) / 1002)
            elif self.kind == "special":
                table = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, -1.0, 100.0, -100.0, 0.5]
                result.append(table[(i * 3 + self.salt) % len(table)])
            else:
                result.append((raw - 1001) / 256)
        return result

    def torch(self):
        import torch

        types = {"int1": torch.bool, "int64": torch.int64, "int32": torch.int32, "uint8": torch.uint8}
        values = torch.tensor(self.elements(), dtype=types.get(self.element, torch.float64))
        return values.reshape(self.shape) if self.order is None else values.reshape(
            [self.shape[i] for i in self.order]
        ).permute([self.order.index(i) for i in range(len(self.order))])

    def json(self):
        out = {"element": self.element, "shape": self.shape, "kind": self.kind, "salt": self.salt}
        if self.kind == "integers":
            out |= {"low": self.low, "high": self.high}
        if self.order is not None:
            out["order"] = self.order
        return {"tensor": out}


def encode(value):
    import torch

    if isinstance(value, T):
        return value.json()
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return {"float": repr(value)}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    raise TypeError(value)


def real(value):
    if isinstance(value, T):
        return value.torch()
    if isinstance(value, (list, tuple)):
        return type(value)(real(item) for item in value)
    return value


NAMES = {"int1": "bool", "int64": "int64", "int32": "int32", "uint8": "uint8", "fp32": "float64"}


def case(family, name, call, /, changed=(), results=None, **arguments):
    """One case. `call` takes torch and the real arguments; `changed` names operands it changes."""
    CASES.setdefault(family, []).append((name, call, arguments, list(changed), results))


def evaluate(name, call, arguments, changed, count):
    import torch

    given = {key: real(value) for key, value in arguments.items()}
    results = call(torch, given)
    results = list(results) if isinstance(results, (list, tuple)) else [results]
    if count is not None:
        results = results[:count]
    results += [given[key] for key in changed]
    back = {v: k for k, v in NAMES.items()}
    out = []
    for result in results:
        element = back.get(str(result.dtype).replace("torch.", ""), "fp32")
        flat = result.detach().reshape(-1).tolist()
        # Of long results every step-th element is kept, and the sum of all.
        step = len(flat) // 40 + (len(flat) // 40 + 1) % 2 if len(flat) > 80 else 1
        out.append(
            {
                "element": element,
                "shape": list(result.shape),
                "step": step,
                "values": [repr(float(v)) for v in flat[::step]],
                "sum": repr(math.fsum(flat)) if all(map(math.isfinite, flat)) else "nan",
            }
        )
    return {
        "name": name,
        "arguments": {k: encode(v) for k, v in arguments.items() if v is not None},
        "changed": changed,
        "results": out,
    }


def simple(family, names, /, **arguments):
    """Operators called by their own name with keyword arguments, the first one by position."""
    for name in names.split():
        def call(torch, given, name=name):
            for place in (torch.nn.functional, torch, torch.special):
                if hasattr(place, name):
                    rest = dict(given)
                    first = rest.pop("input")
                    return getattr(place, name)(first, **rest)
            raise AttributeError(name)

        case(family, name, call, **arguments)


def define():
    x34, line = T(3, 4), T(17)
    # Elementwise
    unary = """neg abs square sign floor ceil trunc frac round exp exp2 expm1 tanh sigmoid sin cos
        tan atan sinh cosh asinh erf erfc sinc relu relu6 silu mish softsign hardswish hardsigmoid
        logsigmoid tanhshrink selu gelu elu celu leaky_relu softplus hardtanh hardshrink softshrink
        reciprocal deg2rad rad2deg isnan isinf isfinite signbit logical_not nan_to_num isposinf
        isneginf positive rrelu"""
    simple("unary", unary, input=x34)
    simple("unary", "log log2 log10 log1p sqrt rsqrt lgamma digamma acosh", input=T(3, 4, kind="positive", salt=3))
    simple("unary", "log1p atanh asin acos erfinv logit digamma lgamma", input=T(2, 7, kind="unit"))
    simple("unary", "acosh", input=T(2, 7, kind="integers", low=1, high=9))
    simple(
        "unary",
        """neg abs sign relu relu6 sigmoid tanh exp silu hardtanh softplus leaky_relu elu isnan isinf
        isfinite floor round logical_not signbit mish hardswish logsigmoid square""",
        input=T(20, kind="special"),
    )
    simple("unary", "neg abs sign square relu bitwise_not floor", input=T(12, kind="integers", element="int64", low=-5, high=6))
    simple("unary", "bitwise_not logical_not", input=T(9, kind="integers", element="int1", low=0, high=2))
    case("unary", "nan_to_num", lambda torch, g: torch.nan_to_num(g["input"].float()).double(), input=T(20, kind="special"))
    for name in ["exp", "sigmoid"]:
        case("unary", name, lambda torch, g, name=name: getattr(torch, name)(g["input"].double()), input=T(12, kind="integers", element="int64", low=-5, high=6))
    simple("unary", "gelu", input=T(3, 5, 2), approximate="tanh")
    simple("unary", "elu celu", input=line, alpha=0.7)
    simple("unary", "leaky_relu", input=line, negative_slope=0.2)
    simple("unary", "softplus", input=line, beta=2.0, threshold=3.0)
    simple("unary", "hardtanh", input=line, min_val=-0.25, max_val=2.0)
    simple("unary", "threshold", input=line, threshold=0.1, value=20.0)
    simple("unary", "hardshrink softshrink", input=line, lambd=1.5)
    simple("unary", "round", input=line, decimals=1)
    simple("unary", "nan_to_num", input=T(20, kind="special"), nan=1.0, posinf=2.0, neginf=-3.0)
    simple("unary", "logit", input=T(12, kind="unit"), eps=0.2)
    simple("unary", "prelu", input=T(2, 3, 4), weight=T(3, salt=5))
    simple("unary", "prelu", input=T(2, 3), weight=T(1, salt=5))
    simple("unary", "glu", input=T(3, 4, 2), dim=1)
    simple("unary", "glu", input=T(3, 4))
    simple("unary", "exp", input=T(3, 4, 2, order=[2, 0, 1]))
    simple("unary", "relu", input=T(2, 3, 4, 5, order=[0, 2, 3, 1]))
    simple("unary", "tanh", input=T())

    binary = "add sub mul div maximum minimum fmax fmin atan2 hypot copysign eq ne lt le gt ge remainder fmod floor_divide logaddexp logaddexp2 logical_and logical_or logical_xor isclose"
    simple("binary", binary, input=x34, other=T(3, 4, salt=8))
    simple("binary", binary, input=T(3, 1, 2), other=T(5, 1, salt=8))
    simple("binary", "add mul div lt maximum remainder fmod", input=T(20, kind="special"), other=T(20, kind="special", salt=4))
    simple("binary", "pow", input=T(20, kind="special"), exponent=T(20, kind="special", salt=4))
    simple("binary", "add sub mul div remainder floor_divide eq gt fmod", input=x34, other=2.5)
    simple("binary", "add mul maximum", input=T(3, 4, order=[1, 0]), other=T(4, salt=2))
    simple("binary", "sub mul", input=T(2, 3), other=T(salt=4))
    simple("binary", "pow", input=T(3, 4, kind="positive"), exponent=T(4, salt=4))
    simple("binary", "pow", input=x34, exponent=2)
    simple("binary", "pow", input=x34, exponent=3)
    simple("binary", "pow", input=T(5, kind="integers", element="int64", low=-4, high=5), exponent=3)
    case("binary", "pow", lambda torch, g: torch.pow(g["input"], g["exponent"]), input=2.0, exponent=x34)
    case("binary", "sub", lambda torch, g: g["input"] - g["other"], input=1, other=x34)
    case("binary", "div", lambda torch, g: g["input"] / g["other"], input=1.5, other=x34)
    case("binary", "rsub", lambda torch, g: torch.rsub(g["input"], g["other"]), input=x34, other=2)
    simple("binary", "add sub", input=x34, other=T(3, 4, salt=8), alpha=0.5)
    for mode in ["floor", "trunc"]:
        simple("binary", "div", input=x34, other=T(3, 4, salt=8), rounding_mode=mode)
    ints = dict(input=T(3, 4, kind="integers", element="int64", low=-9, high=10), other=T(4, kind="integers", element="int64", low=1, high=5, salt=3))
    simple("binary", "add sub mul floor_divide remainder fmod maximum minimum eq lt bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift gcd lcm", **ints)
    case("binary", "div", lambda torch, g: g["input"].double() / g["other"], **ints)
    for mode in ["floor", "trunc"]:
        simple("binary", "div", rounding_mode=mode, **ints)
    simple("binary", "add mul", input=T(4, kind="integers", element="int64", low=-9, high=10), other=T(4))
    simple("binary", "bitwise_and bitwise_or bitwise_xor", input=T(8, kind="integers", element="int1", low=0, high=2), other=T(8, kind="integers", element="int1", low=0, high=2, salt=2))
    simple("binary", "xlogy", input=T(3, 4), other=T(3, 4, kind="positive"))
    simple("binary", "heaviside", input=T(20, kind="special"), values=T(1, salt=9))

    # Selection
    mask = T(3, 4, kind="integers", element="int1", low=0, high=2)
    for a, b in [(x34, T(3, 4, salt=7)), (x34, 0.0), (1.0, T(4, salt=2)), (T(3, 1), T(1, 4, salt=2))]:
        case("selection", "where", lambda torch, g: torch.where(g["condition"], g["input"], g["other"]), condition=mask, input=a, other=b)
    case("selection", "masked_fill", lambda torch, g: g["input"].masked_fill(g["mask"], g["value"]), input=x34, mask=mask, value=-1e9)
    case("selection", "masked_fill", lambda torch, g: g["input"].masked_fill(g["mask"], g["value"]), input=T(2, 3, 4), mask=mask, value=float("-inf"))
    simple("selection", "clamp", input=x34, min=-1.0, max=1.5)
    simple("selection", "clamp", input=x34, min=0.5)
    simple("selection", "clamp", input=x34, max=0.25)
    simple("selection", "clamp", input=T(20, kind="special"), min=-2.0, max=3.0)
    simple("selection", "clamp", input=x34, min=2.0, max=-2.0)
    simple("selection", "clamp", input=x34, min=T(4, salt=6), max=T(3, 1, salt=2))
    simple("selection", "clamp", input=T(12, kind="integers", element="int64", low=-5, high=6), min=-1, max=3)
    case("selection", "lerp", lambda torch, g: torch.lerp(g["input"], g["end"], g["weight"]), input=x34, end=T(3, 4, salt=3), weight=0.3)
    case("selection", "lerp", lambda torch, g: torch.lerp(g["input"], g["end"], g["weight"]), input=x34, end=T(3, 4, salt=3), weight=T(4, kind="unit"))
    for name in ["addcmul", "addcdiv"]:
        simple("selection", name, input=x34, tensor1=T(4, salt=3), tensor2=T(3, 1, kind="positive"), value=0.5)

    # Creation
    case("creation", "arange", lambda torch, g: torch.arange(2, 11, 3), start=2, end=11, step=3)
    case("creation", "arange", lambda torch, g: torch.arange(0.5, 3.0, 0.3, dtype=torch.float64), start=0.5, end=3.0, step=0.3)
    for n in [1, 5, 8]:
        case("creation", "linspace", lambda torch, g, n=n: torch.linspace(-1, 2, n, dtype=torch.float64), start=-1, end=2, steps=n)
    case("creation", "logspace", lambda torch, g: torch.logspace(-1, 2, 4, dtype=torch.float64), start=-1, end=2, steps=4)
    case("creation", "eye", lambda torch, g: torch.eye(3, 4, dtype=torch.float64), n=3, m=4)
    case("creation", "full", lambda torch, g: torch.full((2, 3), 1.5, dtype=torch.float64), size=[2, 3], fill_value=1.5)
    case("creation", "tensor", lambda torch, g: torch.tensor(g["data"], dtype=torch.float64), data=[[1, 2.5], [3, -4]])
    case("creation", "tensor", lambda torch, g: torch.tensor(g["data"]), data=[1, 2, 3])
    simple("creation", "tril triu", input=T(2, 4, 5))
    for k in [-2, -1, 1, 3]:
        simple("creation", "tril triu", input=T(4, 5), diagonal=k)
        simple("creation", "diag", input=T(4, 5), diagonal=k)
        simple("creation", "diag", input=T(3), diagonal=k)
    simple("creation", "diag_embed", input=T(2, 3))
    case("creation", "to", lambda torch, g: g["input"].to(torch.int64), input=x34)
    case("creation", "to", lambda torch, g: g["input"].to(torch.bool), input=T(20, kind="special"))
    case("creation", "to", lambda torch, g: g["input"].to(torch.float64), input=mask)

    # Products
    pairs = [((3, 4), (4, 5)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5)), ((2, 1, 3, 4), (3, 4, 2)), ((4,), (4, 3)), ((3, 4), (4,)), ((4,), (4,)), ((2, 3, 4), (4,)), ((4,), (2, 4, 3)), ((7, 9), (9, 6)), ((1, 300), (300, 2)), ((5, 13), (13, 1)), ((3, 4), (2, 4, 5))]
    for a, b in pairs:
        simple("products", "matmul", input=T(*a), other=T(*b, salt=5))
    simple("products", "mm", input=T(3, 4, order=[1, 0]), mat2=T(4, 5, salt=2, order=[1, 0]))
    simple("products", "bmm", input=T(2, 3, 4, order=[0, 2, 1]), mat2=T(2, 4, 5, salt=2))
    simple("products", "mv", input=T(3, 4), vec=T(4, salt=3))
    case("products", "dot", lambda torch, g: torch.dot(g["input"], g["other"]), input=T(6), other=T(6, salt=3))
    simple("products", "inner", input=T(3, 4), other=T(5, 4, salt=3))
    simple("products", "outer", input=T(3), vec2=T(4, salt=3))
    simple("products", "addmm", input=T(5), mat1=T(3, 4, salt=2), mat2=T(4, 5, salt=3), beta=0.5, alpha=2.0)
    simple("products", "addmm", input=T(3, 5), mat1=T(3, 4, salt=2), mat2=T(4, 5, salt=3))
    simple("products", "addmv", input=T(3), mat=T(3, 4, salt=2), vec=T(4, salt=3), alpha=0.25)
    simple("products", "baddbmm", input=T(2, 1, 5), batch1=T(2, 3, 4, salt=2), batch2=T(2, 4, 5, salt=3), beta=0.0)
    simple("products", "linear", input=T(2, 3, 4), weight=T(5, 4, salt=2), bias=T(5, salt=3))
    simple("products", "linear", input=T(4), weight=T(5, 4, salt=2))
    case("products", "tensordot", lambda torch, g: torch.tensordot(g["input"], g["other"], dims=g["dims"]), input=T(2, 3, 4), other=T(3, 4, 5, salt=2), dims=2)
    case("products", "tensordot", lambda torch, g: torch.tensordot(g["input"], g["other"], dims=g["dims"]), input=T(2, 3, 4), other=T(4, 5, 2, salt=2), dims=[[2, 0], [0, 2]])
    for equation, shapes in [
        ("ij,jk->ik", [(3, 4), (4, 5)]), ("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]), ("ij->ji", [(3, 4)]),
        ("ii->i", [(4, 4)]), ("ii", [(4, 4)]), ("ij->", [(3, 4)]), ("i,j->ij", [(3,), (4,)]),
        ("bijl,lk->bijk", [(2, 3, 2, 4), (4, 5)]), ("...ij,jk->...ik", [(2, 2, 3, 4), (4, 5)]),
        ("bhqd,bhkd->bhqk", [(2, 2, 3, 4), (2, 2, 5, 4)]), ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
        ("ij,ij->j", [(3, 4), (3, 4)]), ("ab,cb", [(3, 4), (2, 4)]), ("b...,b->...", [(2, 3, 4), (2,)]),
        ("ijk,k->ij", [(2, 3, 4), (4,)]), ("blh,bl->bh", [(2, 3, 4), (2, 3)]), ("i,i,i->", [(5,), (5,), (5,)]),
    ]:
        case("products", "einsum", lambda torch, g: torch.einsum(g["equation"], *g["operands"]), equation=equation, operands=[T(*s, salt=i + 1) for i, s in enumerate(shapes)])

    # Convolutions
    for rank, sizes in [(1, (9,)), (2, (7, 6)), (3, (5, 4, 6))]:
        k = (3, 2, 3)[:rank]
        name, down = f"conv{rank}d", f"conv_transpose{rank}d"
        variants = [
            {}, {"stride": 2, "padding": 1}, {"dilation": 2, "padding": 2}, {"groups": 2}, {"padding": "same"},
            {"padding": "same", "dilation": 2}, {"stride": list(range(1, rank + 1)), "padding": [1] * rank}, {"groups": 4, "padding": 1},
            {"padding": "valid"}, {"stride": 3},
        ]
        for extra in variants:
            groups = extra.get("groups", 1)
            simple("convolutions", name, input=T(2, 4, *sizes), weight=T(8, 4 // groups, *k, salt=3), bias=T(8, salt=5), **extra)
        simple("convolutions", name, input=T(4, *sizes), weight=T(3, 4, *k, salt=3))
        simple("convolutions", name, input=T(2, 4, *sizes), weight=T(3, 4, *([1] * rank), salt=3))
        for extra in [{}, {"stride": 2, "padding": 1, "output_padding": 1}, {"dilation": 2}, {"groups": 2, "stride": 2}, {"padding": 1, "stride": 3, "output_padding": 2}, {"stride": 2, "dilation": 2, "output_padding": 1, "padding": 2}]:
            groups = extra.get("groups", 1)
            simple("convolutions", down, input=T(2, 4, *sizes), weight=T(4, 6 // groups, *k, salt=3), bias=T(6, salt=5), **extra)
        simple("convolutions", down, input=T(4, *sizes), weight=T(4, 3, *k, salt=3))
    simple("convolutions", "conv2d", input=T(2, 4, 7, 6, order=[0, 2, 3, 1]), weight=T(3, 4, 3, 3, salt=2, order=[0, 2, 3, 1]))
    simple("convolutions", "unfold", input=T(2, 3, 6, 5), kernel_size=[3, 2], padding=1, stride=2)
    simple("convolutions", "unfold", input=T(2, 3, 6, 5), kernel_size=2, dilation=2)
    simple("convolutions", "fold", input=T(2, 12, 20), output_size=[5, 6], kernel_size=2)

    # Pooling
    for rank, sizes in [(1, (11,)), (2, (7, 9)), (3, (5, 6, 7))]:
        for extra in [{"kernel_size": 2}, {"kernel_size": 3, "stride": 2, "padding": 1}, {"kernel_size": 3, "stride": 2, "ceil_mode": True}, {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}]:
            simple("pooling", f"max_pool{rank}d avg_pool{rank}d", input=T(2, 3, *sizes), **extra)
        simple("pooling", f"max_pool{rank}d", input=T(2, 3, *sizes), kernel_size=2, stride=1, dilation=2)
        simple("pooling", f"max_pool{rank}d", input=T(3, *sizes), kernel_size=[2] * rank)
        case("pooling", f"max_pool{rank}d", lambda torch, g, rank=rank: getattr(torch.nn.functional, f"max_pool{rank}d")(g["input"], g["kernel_size"], stride=g["stride"], padding=g["padding"], return_indices=True), input=T(2, 3, *sizes), kernel_size=3, stride=2, padding=1, return_indices=True)
        simple("pooling", f"avg_pool{rank}d", input=T(2, 3, *sizes), kernel_size=3, stride=2, padding=1, count_include_pad=False)
        simple("pooling", f"avg_pool{rank}d", input=T(2, 3, *sizes), kernel_size=3, stride=2, padding=1, count_include_pad=False, ceil_mode=True)
        if rank > 1:
            simple("pooling", f"avg_pool{rank}d", input=T(2, 3, *sizes), kernel_size=2, divisor_override=3)
        for size in [1, 3, list(range(2, 2 + rank))]:
            simple("pooling", f"adaptive_avg_pool{rank}d adaptive_max_pool{rank}d", input=T(2, 3, *sizes), output_size=size)
        simple("pooling", f"max_pool{rank}d", input=T(2, 10, *sizes, kind="special"), kernel_size=2)
    simple("pooling", "lp_pool2d", input=T(2, 3, 6, 6, kind="positive"), norm_type=2.0, kernel_size=2, stride=1)

    # Reductions
    for dim in [None, 0, -1, [0, 2]]:
        extra = {} if dim is None else {"dim": dim}
        simple("reductions", "sum mean amax amin nansum" + ("" if isinstance(dim, list) else " prod argmax argmin any all"), input=T(3, 4, 5), **extra)
        if dim is not None:
            simple("reductions", "logsumexp count_nonzero sum mean", input=T(3, 4, 5, order=[2, 0, 1]), **extra)
        simple("reductions", "std var", input=T(3, 4, 5), **extra)
        simple("reductions", "std var", input=T(3, 4, 5), correction=0, **extra)
    for keep in [True, False]:
        simple("reductions", "sum mean std logsumexp amax", input=T(3, 4, 5), dim=1, keepdim=keep)
        simple("reductions", "max min median", input=T(3, 4, 5), dim=1, keepdim=keep)
    simple("reductions", "max min median sum mean", input=T(3, 4))
    simple("reductions", "sum prod max min amax argmax any all", input=T(4, 5, kind="integers", element="int64", low=-3, high=4))
    simple("reductions", "sum any all", input=T(9, kind="integers", element="int1", low=0, high=2))
    simple("reductions", "sum cumsum", input=T(4, 5, kind="integers", element="int64", low=-3, high=4), dim=1)
    simple("reductions", "max min argmax argmin amax", input=T(6, 5, kind="special"), dim=1)
    simple("reductions", "logsumexp", input=T(6, 5, kind="special"), dim=1)
    simple("reductions", "nanmean nansum", input=T(6, 5, kind="special"), dim=0)
    simple("reductions", "var_mean std_mean", input=T(3, 4, 5), dim=1)
    simple("reductions", "aminmax", input=T(3, 4), dim=1)
    for p in [2, 1, 3, 0.5, float("inf"), float("-inf"), 0, "fro"]:
        simple("reductions", "norm", input=T(3, 4, 5), p=p, dim=1 if p != "fro" else [1])
    simple("reductions", "norm", input=T(3, 4, 5))
    simple("reductions", "norm", input=T(3, 4, 5), p="fro")
    simple("reductions", "norm", input=T(3, 4, 5), p=2, dim=[1, 2], keepdim=True)
    simple("reductions", "trace", input=T(4, 5))
    for dim in [0, 1, -1]:
        simple("reductions", "cumsum cumprod logcumsumexp cummax cummin", input=T(3, 4, 5), dim=dim)
    simple("reductions", "cumsum cummax", input=T(20, kind="special"), dim=0)
    simple("reductions", "cumsum sum", input=T(), dim=0)

    # Sorting
    for extra in [{}, {"descending": True}, {"dim": 0}]:
        simple("sorting", "sort argsort", input=T(4, 6), stable=True, **extra)
    simple("sorting", "sort", input=T(20, kind="special"), stable=True)
    for extra in [{"k": 3}, {"k": 2, "dim": 0}, {"k": 3, "largest": False}]:
        simple("sorting", "topk", input=T(4, 6), **extra)
    simple("sorting", "kthvalue", input=T(4, 6), k=2)
    simple("sorting", "bincount", input=T(9, kind="integers", element="int64", low=0, high=5))

    # Softmax and norms
    for dim in [0, 1, -1]:
        simple("softmax", "softmax log_softmax softmin normalize", input=T(3, 4, 5), dim=dim)
    simple("softmax", "softmax log_softmax", input=T(6, 5, kind="special"), dim=0)
    simple("softmax", "softmax", input=T(4, 5, order=[1, 0]), dim=1)
    simple("softmax", "normalize", input=T(3, 4), p=1.0)
    simple("softmax", "normalize", input=T(3, 4), p=3.0, dim=0)
    case("softmax", "cosine_similarity", lambda torch, g: torch.nn.functional.cosine_similarity(g["x1"], g["x2"], dim=g["dim"]), x1=T(3, 4, 5), x2=T(3, 4, 5, salt=6), dim=1)
    case("softmax", "cosine_similarity", lambda torch, g: torch.nn.functional.cosine_similarity(g["x1"], g["x2"], dim=g["dim"]), x1=T(3, 4), x2=T(1, 4, salt=6), dim=-1)
    case("softmax", "pairwise_distance", lambda torch, g: torch.nn.functional.pairwise_distance(g["x1"], g["x2"], p=g["p"]), x1=T(3, 4), x2=T(3, 4, salt=6), p=2.0)

    # Normalisations
    N = "normalisations"
    simple(N, "layer_norm", input=T(3, 4, 5), normalized_shape=[5], weight=T(5, salt=2), bias=T(5, salt=3), eps=1e-3)
    simple(N, "layer_norm", input=T(3, 4, 5), normalized_shape=[4, 5])
    simple(N, "rms_norm", input=T(3, 4, 5), normalized_shape=[5], weight=T(5, salt=2), eps=1e-5)
    simple(N, "group_norm", input=T(2, 6, 3, 2), num_groups=3, weight=T(6, salt=2), bias=T(6, salt=3))
    simple(N, "group_norm", input=T(2, 6), num_groups=2, eps=0.1)
    bn = dict(running_mean=T(4, salt=2), running_var=T(4, kind="positive", salt=3))
    simple(N, "batch_norm", input=T(3, 4, 2, 5), weight=T(4, salt=4), bias=T(4, salt=5), **bn)
    for training in [{"training": True}, {"training": True, "momentum": 0.3, "eps": 1e-2}]:
        case(N, "batch_norm", lambda torch, g: torch.nn.functional.batch_norm(**g), changed=["running_mean", "running_var"], input=T(3, 4, 2, 5), weight=T(4, salt=4), bias=T(4, salt=5), **bn, **training)
    case(N, "batch_norm", lambda torch, g: torch.nn.functional.batch_norm(running_mean=None, running_var=None, **g), input=T(6, 4), training=True)
    simple(N, "instance_norm", input=T(2, 3, 4, 5), weight=T(3, salt=2), bias=T(3, salt=3))
    simple(N, "instance_norm", input=T(2, 3, 4, 5, 2), eps=0.1)
    simple(N, "local_response_norm", input=T(2, 7, 3, 2), size=5)
    simple(N, "local_response_norm", input=T(2, 7, 3), size=2, alpha=0.5, beta=0.5, k=2.0)
    simple(N, "dropout", input=T(3, 4), p=0.3, training=False)

    # Losses
    L = "losses"
    for reduction in ["mean", "sum", "none"]:
        simple(L, "mse_loss l1_loss smooth_l1_loss huber_loss", input=T(3, 4), target=T(3, 4, salt=4), reduction=reduction)
        simple(L, "binary_cross_entropy", input=T(3, 4, kind="unit"), target=T(3, 4, kind="unit", salt=4), reduction=reduction)
        simple(L, "binary_cross_entropy_with_logits", input=T(3, 4), target=T(3, 4, kind="unit", salt=4), weight=T(4, kind="unit"), pos_weight=T(4, kind="positive"), reduction=reduction)
        simple(L, "kl_div", input=T(3, 4), target=T(3, 4, kind="unit", salt=4), reduction=reduction)
        simple(L, "poisson_nll_loss", input=T(3, 4), target=T(3, 4, kind="positive", salt=4), reduction=reduction)
        simple(L, "cross_entropy", input=T(5, 4), target=T(5, kind="integers", element="int64", low=0, high=4), reduction=reduction)
        simple(L, "cross_entropy", input=T(2, 4, 3), target=T(2, 3, kind="integers", element="int64", low=0, high=4), weight=T(4, kind="positive"), label_smoothing=0.1, ignore_index=2, reduction=reduction)
        simple(L, "cross_entropy", input=T(5, 4), target=T(5, 4, kind="unit"), weight=T(4, kind="positive"), label_smoothing=0.2, reduction=reduction)
        simple(L, "nll_loss", input=T(5, 4), target=T(5, kind="integers", element="int64", low=0, high=4), weight=T(4, kind="positive"), reduction=reduction)
        case(L, "triplet_margin_loss", lambda torch, g: torch.nn.functional.triplet_margin_loss(**g), anchor=T(3, 4), positive=T(3, 4, salt=2), negative=T(3, 4, salt=3), margin=2.0, reduction=reduction)
        case(L, "margin_ranking_loss", lambda torch, g: torch.nn.functional.margin_ranking_loss(**g), input1=T(4), input2=T(4, salt=2), target=T(4, kind="integers", low=0, high=2), margin=0.5, reduction=reduction)
        case(L, "cosine_embedding_loss", lambda torch, g: torch.nn.functional.cosine_embedding_loss(**g), input1=T(3, 4), input2=T(3, 4, salt=2), target=T(3, kind="integers", low=1, high=2), margin=0.1, reduction=reduction)
        simple(L, "hinge_embedding_loss", input=T(4), target=T(4, kind="integers", low=1, high=2), margin=0.5, reduction=reduction)
        simple(L, "soft_margin_loss", input=T(4), target=T(4, kind="integers", low=1, high=2), reduction=reduction)
    simple(L, "smooth_l1_loss", input=T(3, 4), target=T(3, 4, salt=4), beta=0.5)
    simple(L, "huber_loss", input=T(3, 4), target=T(3, 4, salt=4), delta=2.0)
    simple(L, "kl_div", input=T(3, 4), target=T(3, 4, salt=4), reduction="batchmean", log_target=True)
    simple(L, "mse_loss", input=T(3, 4), target=T(3, 1, salt=4))
    case(L, "triplet_margin_loss", lambda torch, g: torch.nn.functional.triplet_margin_loss(**g), anchor=T(3, 4), positive=T(3, 4, salt=2), negative=T(3, 4, salt=3), p=1.0, swap=True)
    simple(L, "cross_entropy", input=T(4), target=T(kind="integers", element="int64", low=2, high=3))

    # Attention
    def attention(torch, g):
        return torch.nn.functional.scaled_dot_product_attention(**g)

    qkv = dict(query=T(2, 2, 3, 4), key=T(2, 2, 5, 4, salt=2), value=T(2, 2, 5, 6, salt=3))
    case("attention", "scaled_dot_product_attention", attention, **qkv)
    case("attention", "scaled_dot_product_attention", attention, is_causal=True, **qkv)
    case("attention", "scaled_dot_product_attention", attention, scale=0.3, **qkv)
    case("attention", "scaled_dot_product_attention", attention, attn_mask=T(3, 5, salt=4), **qkv)
    case("attention", "scaled_dot_product_attention", attention, attn_mask=T(2, 1, 3, 5, kind="integers", element="int1", low=0, high=2), **qkv)
    case("attention", "scaled_dot_product_attention", attention, enable_gqa=True, query=T(2, 4, 3, 4), key=T(2, 2, 5, 4, salt=2), value=T(2, 2, 5, 6, salt=3))

    def heads(torch, g):
        made = torch.nn.MultiheadAttention(6, g["num_heads"], batch_first=g["batch_first"], dtype=torch.float64)
        made.in_proj_weight.data, made.in_proj_bias.data = g["in_proj_weight"].clone(), g["in_proj_bias"].clone()
        made.out_proj.weight.data, made.out_proj.bias.data = g["out_proj_weight"].clone(), g["out_proj_bias"].clone()
        given = {k: g[k] for k in ["attn_mask", "key_padding_mask", "average_attn_weights"] if k in g}
        return list(made(g["query"], g["key"], g["value"], **given))

    weights = dict(in_proj_weight=T(18, 6, kind="unit"), in_proj_bias=T(18, salt=4), out_proj_weight=T(6, 6, salt=5), out_proj_bias=T(6, salt=6))
    apart = dict(query=T(3, 2, 6), key=T(4, 2, 6, salt=2), value=T(4, 2, 6, salt=3))
    hidden = T(2, 4, kind="integers", element="int1", low=0, high=2, salt=4)
    for extra in [{}, {"attn_mask": T(3, 4, salt=7)}, {"attn_mask": T(6, 3, 4, salt=7)}, {"key_padding_mask": hidden}, {"average_attn_weights": False}]:
        case("attention", "multi_head_attention_forward", heads, num_heads=3, batch_first=False, **apart, **weights, **extra)
    case("attention", "multi_head_attention_forward", heads, num_heads=2, batch_first=True, query=T(2, 3, 6), key=T(2, 3, 6, salt=2), value=T(2, 3, 6, salt=3), **weights)

    # Joining
    J = "joining"
    for dim in [0, 1, -1]:
        case(J, "cat", lambda torch, g: torch.cat(g["tensors"], dim=g["dim"]), tensors=[T(2, 3), T(2, 3, salt=2)], dim=dim)
        case(J, "stack", lambda torch, g: torch.stack(g["tensors"], dim=g["dim"]), tensors=[T(2, 3), T(2, 3, salt=2, order=[1, 0])], dim=dim)
    case(J, "cat", lambda torch, g: torch.cat(g["tensors"], dim=g["dim"]), tensors=[T(2, 3), T(4, 3, salt=2), T(1, 3, salt=3)], dim=0)
    for name in ["hstack", "vstack"]:
        case(J, name, lambda torch, g, name=name: getattr(torch, name)(g["tensors"]), tensors=[T(2, 3), T(2, 3, salt=2)])
    case(J, "repeat", lambda torch, g: g["input"].repeat(*g["sizes"]), input=T(2, 3), sizes=[2, 1, 3])
    case(J, "tile", lambda torch, g: torch.tile(g["input"], g["dims"]), input=T(2, 3), dims=[2])
    case(J, "repeat_interleave", lambda torch, g: torch.repeat_interleave(g["input"], g["repeats"], dim=g["dim"]), input=T(2, 3), repeats=2, dim=1)
    case(J, "repeat_interleave", lambda torch, g: torch.repeat_interleave(g["input"], g["repeats"]), input=T(2, 3), repeats=3)
    case(J, "flip", lambda torch, g: torch.flip(g["input"], g["dims"]), input=T(2, 3, 4), dims=[0, 2])
    case(J, "roll", lambda torch, g: torch.roll(g["input"], g["shifts"], g["dims"]), input=T(2, 3, 4), shifts=[1, -2], dims=[1, 2])
    case(J, "roll", lambda torch, g: torch.roll(g["input"], g["shifts"]), input=T(2, 3), shifts=2)
    for mode in ["constant", "reflect", "replicate", "circular"]:
        simple(J, "pad", input=T(2, 3, 6), pad=[2, 1], mode=mode)
        simple(J, "pad", input=T(2, 3, 6, 5), pad=[2, 1, 3, 0], mode=mode)
    simple(J, "pad", input=T(2, 3), pad=[1, -1, 0, 2], value=7.0)
    simple(J, "pixel_shuffle", input=T(2, 8, 2, 3), upscale_factor=2)
    simple(J, "pixel_unshuffle", input=T(2, 2, 4, 6), downscale_factor=2)
    simple(J, "channel_shuffle", input=T(2, 6, 2, 2), groups=3)
    for mode, extra in [("nearest", {}), ("nearest-exact", {}), ("bilinear", {}), ("bilinear", {"align_corners": True})]:
        simple(J, "interpolate", input=T(2, 3, 4, 5), size=[7, 8], mode=mode, **extra)
        simple(J, "interpolate", input=T(2, 3, 4, 5), scale_factor=2.0, mode=mode, **extra)
        simple(J, "interpolate", input=T(2, 3, 6, 5), scale_factor=0.7, mode=mode, **extra)
    simple(J, "interpolate", input=T(2, 3, 5), scale_factor=2, mode="linear")
    simple(J, "interpolate", input=T(1, 2, 3, 4, 2), scale_factor=2, mode="trilinear", align_corners=True)

    # Indexing
    I = "indexing"
    idx = lambda *s, high=4, salt=1: T(*s, kind="integers", element="int64", low=0, high=high, salt=salt)
    for dim, shape in [(0, (2, 3, 2)), (1, (2, 5, 2)), (2, (2, 1, 6))]:
        case(I, "gather", lambda torch, g: torch.gather(g["input"], g["dim"], g["index"]), input=T(4, 4, 4), dim=dim, index=idx(*shape))
        case(I, "scatter", lambda torch, g: torch.scatter(g["input"], g["dim"], g["index"], g["value"]), input=T(4, 4, 4), dim=dim, index=idx(*[min(s, 4) for s in shape]), value=9.0)
        case(I, "scatter_add", lambda torch, g: torch.scatter_add(g["input"], g["dim"], g["index"], g["src"]), input=T(4, 4, 4), dim=dim, index=idx(*[min(s, 4) for s in shape]), src=T(4, 4, 4, salt=2))
        case(I, "index_select", lambda torch, g: torch.index_select(g["input"], g["dim"], g["index"]), input=T(4, 4, 4), dim=dim, index=idx(5))
        case(I, "index_add", lambda torch, g: torch.index_add(g["input"], g["dim"], g["index"], g["source"], alpha=g["alpha"]), input=T(4, 4, 4), dim=dim, index=idx(4), source=T(4, 4, 4, salt=3), alpha=0.5)
        case(I, "index_fill", lambda torch, g: torch.index_fill(g["input"], g["dim"], g["index"], g["value"]), input=T(4, 4, 4), dim=dim, index=idx(2), value=2.0)
    for reduce in ["sum", "prod", "mean", "amax", "amin"]:
        for include in [True, False]:
            case(I, "scatter_reduce", lambda torch, g: g["input"].scatter_reduce(g["dim"], g["index"], g["src"], g["reduce"], include_self=g["include_self"]), input=T(4, 5), dim=0, index=idx(4, 5), src=T(4, 5, salt=2), reduce=reduce, include_self=include)
    case(I, "take_along_dim", lambda torch, g: torch.take_along_dim(g["input"], g["indices"], g["dim"]), input=T(4, 5), indices=idx(1, 5), dim=0)
    simple(I, "embedding", input=idx(2, 3), weight=T(4, 5, salt=2))
    simple(I, "one_hot", input=idx(2, 3), num_classes=5)
    case(I, "index", lambda torch, g: g["input"][g["indices"][0]], input=T(4, 5), indices=[idx(2, 3)])
    case(I, "index", lambda torch, g: g["input"][:, g["indices"][1]], input=T(4, 5), indices=[None, idx(3, high=5)])
    case(I, "index", lambda torch, g: g["input"][g["indices"][0], g["indices"][1]], input=T(4, 5), indices=[idx(3), idx(3, salt=2)])
    case(I, "index", lambda torch, g: g["input"][g["indices"][0], :, g["indices"][2]], input=T(4, 3, 5), indices=[idx(2, 1), None, idx(3, salt=2)])
    case(I, "index", lambda torch, g: g["input"][:, g["indices"][1], g["indices"][2]], input=T(2, 4, 5, 3), indices=[None, idx(2), idx(2, salt=2)])
    case(I, "index", lambda torch, g: g["input"][g["indices"][0]], input=T(3, 4), indices=[T(3, 4, kind="integers", element="int1", low=0, high=2)])
    case(I, "index_put", lambda torch, g: g["input"].index_put_((g["indices"][0],), g["values"]), input=T(4, 5), indices=[idx(1)], values=T(5, salt=2))
    case(I, "index_put", lambda torch, g: g["input"].masked_fill_(g["indices"][0], g["values"]), input=T(4, 5), indices=[T(4, 5, kind="integers", element="int1", low=0, high=2)], values=3.0)
    case(I, "masked_scatter", lambda torch, g: g["input"].masked_scatter(g["mask"], g["source"]), input=T(3, 4), mask=T(3, 4, kind="integers", element="int1", low=0, high=2), source=T(3, 4, salt=2))

    # Recurrence
    R = "recurrence"
    def recurrent(torch, g, kind, layers, both, bias, first):
        made = getattr(torch.nn, kind)(3, 4, layers, bias=bias, batch_first=first, bidirectional=both, dtype=torch.float64)
        for parameter, value in zip(made.parameters(), g["params"]):
            parameter.data = value.clone()
        hx = g.get("hx")
        output, state = made(g["input"]) if hx is None else made(g["input"], tuple(hx) if kind == "LSTM" else hx)
        return [output, *state] if kind == "LSTM" else [output, state]

    for kind, gates, name in [("LSTM", 4, "lstm"), ("GRU", 3, "gru"), ("RNN", 1, "rnn_tanh")]:
        for layers, both, bias, first, given in [(1, False, True, False, False), (2, True, True, True, True), (1, True, False, False, False), (2, False, True, True, False)]:
            params, salt = [], 10
            for layer in range(layers):
                for _ in range(2 if both else 1):
                    width = 3 if layer == 0 else 4 * (2 if both else 1)
                    shapes = [(4 * gates, width), (4 * gates, 4)] + ([(4 * gates,)] * 2 if bias else [])
                    for shape in shapes:
                        salt += 1
                        params.append(T(*shape, kind="unit", salt=salt))
            count = layers * (2 if both else 1)
            extra = {}
            if given:
                state = T(count, 2, 4, salt=3)
                extra["hx"] = [state, T(count, 2, 4, salt=4)] if kind == "LSTM" else state
            case(R, name, lambda torch, g, k=(kind, layers, both, bias, first): recurrent(torch, g, *k), input=T(2, 5, 3) if first else T(5, 2, 3), params=params, has_biases=bias, num_layers=layers, bidirectional=both, batch_first=first, dropout=0.0, train=False, **extra)
        def cell(torch, g, kind=kind):
            made = getattr(torch.nn, kind + "Cell")(3, 4, dtype=torch.float64)
            for key in ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]:
                getattr(made, key).data = g[key.replace("weight", "w").replace("bias", "b")].clone()
            hx = g.get("hx")
            out = made(g["input"]) if hx is None else made(g["input"], tuple(hx) if kind == "LSTM" else hx)
            return list(out) if kind == "LSTM" else [out]

        weights = dict(w_ih=T(4 * gates, 3, kind="unit"), w_hh=T(4 * gates, 4, kind="unit", salt=2), b_ih=T(4 * gates, salt=3), b_hh=T(4 * gates, salt=4))
        case(R, name + "_cell", cell, input=T(2, 3), **weights)
        state = T(2, 4, salt=6)
        case(R, name + "_cell", cell, input=T(2, 3), hx=[state, T(2, 4, salt=7)] if kind == "LSTM" else state, **weights)


def same(a, b):
    x, y = float(a), float(b)
    if math.isnan(x) or math.isnan(y):
        return math.isnan(x) and math.isnan(y)
    return x == y or abs(x - y) <= 1e-12 * max(abs(x), abs(y), 1e-3)


def main():
    if not start():
        return 0
    define()
    record = "--record" in sys.argv
    FOLDER.mkdir(parents=True, exist_ok=True)
    total, stale = 0, []
    for family, cases in CASES.items():
        rows = []
        for c in cases:
            try:
                rows.append(evaluate(*c))
            except Exception as error:
                print("ERR", family, c[0], c[2].keys(), str(error)[:150].replace("\n", " "))
        total += len(rows)
        path = FOLDER / f"{family}.json"
        if record:
            body = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
            path.write_text("[\n" + body + "\n]\n")
            continue
        old = json.loads(path.read_text()) if path.exists() else []
        if len(old) != len(rows):
            stale.append(f"{family}: {len(old)} cases recorded, {len(rows)} defined")
        for index, (was, now) in enumerate(zip(old, rows)):
            if was["arguments"] != json.loads(json.dumps(now["arguments"])) or any(
                a["shape"] != b["shape"] or not all(map(same, a["values"], b["values"]))
                for a, b in zip(was["results"], now["results"])
            ):
                stale.append(f"{family}[{index}] {now['name']}")
    for line in stale:
        print("differs:", line)
    print(f"{total} cases of {len(CASES)} families, {len(stale)} differ from torch")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
