"""One case: a kernel, its arguments and how results are compared."""

import base64
import dataclasses

import numpy

PRELUDE = """import triton
import triton.language as tl
from triton.language.extra import libdevice

"""

# Triton's short name → (tl attribute, bytes, numpy storage).
TYPES = {
    "i1": ("int1", 1, numpy.uint8),
    "i8": ("int8", 1, numpy.int8),
    "i16": ("int16", 2, numpy.int16),
    "i32": ("int32", 4, numpy.int32),
    "i64": ("int64", 8, numpy.int64),
    "u8": ("uint8", 1, numpy.uint8),
    "u16": ("uint16", 2, numpy.uint16),
    "u32": ("uint32", 4, numpy.uint32),
    "u64": ("uint64", 8, numpy.uint64),
    "fp16": ("float16", 2, numpy.uint16),
    "bf16": ("bfloat16", 2, numpy.uint16),
    "fp32": ("float32", 4, numpy.float32),
    "fp64": ("float64", 8, numpy.float64),
    "fp8e4nv": ("float8e4nv", 1, numpy.uint8),
    "fp8e5": ("float8e5", 1, numpy.uint8),
    "fp8e4b15": ("float8e4b15", 1, numpy.uint8),
}
INTS = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"]
FLOATS = ["fp16", "bf16", "fp32", "fp64"]
FP8 = ["fp8e4nv", "fp8e5"]


def is_int(t):
    return t in INTS or t == "i1"


def bits(t):
    return 1 if t == "i1" else TYPES[t][1] * 8


@dataclasses.dataclass
class Argument:
    name: str
    type: str  # "*fp32" or "i32"
    bytes: bytes = b""
    value: object = None


@dataclasses.dataclass
class Case:
    name: str
    body: str
    arguments: list
    grid: tuple = (1,)
    constexprs: dict = dataclasses.field(default_factory=dict)
    # Outputs to their tolerance in ulps of their type; others are compared bit for bit.
    ulps: dict = dataclasses.field(default_factory=dict)
    judges: tuple = ("interpreter", "gpu")
    # Whom to believe where both can: the GPU, but the interpreter where the GPU approximates.
    believe: str = ""

    @property
    def source(self):
        return PRELUDE + self.body

    def json(self):
        arguments = []
        for a in self.arguments:
            entry = {"name": a.name, "type": a.type}
            if a.type.startswith("*"):
                if any(a.bytes):
                    entry["bytes"] = base64.b64encode(a.bytes).decode()
                else:
                    entry["zeros"] = len(a.bytes)
            else:
                entry["value"] = a.value
            arguments.append(entry)
        return {"name": self.name, "body": self.body, "grid": list(self.grid), "arguments": arguments,
                "constexprs": self.constexprs, "ulps": self.ulps,
                "believe": self.believe or ("interpreter" if self.ulps else "gpu")}


def to_bf16(x):
    """fp32 → bf16 bits to nearest even."""
    b = numpy.asarray(x, numpy.float32).view(numpy.uint32).astype(numpy.uint64)
    rounded = ((b + 0x7FFF + ((b >> 16) & 1)) >> 16).astype(numpy.uint16)
    return numpy.where(numpy.isnan(x), numpy.uint16(0x7FC0), rounded)


def pack(t, values):
    """Values (or raw fp8 bytes) as stored bytes of the type."""
    if t == "fp16":
        return numpy.asarray(values, numpy.float32).astype(numpy.float16).tobytes()
    if t == "bf16":
        return to_bf16(numpy.asarray(values, numpy.float32)).tobytes()
    if t == "i1":
        return (numpy.asarray(values) != 0).astype(numpy.uint8).tobytes()
    storage = TYPES[t][2]
    if numpy.issubdtype(storage, numpy.integer):
        mask = (1 << (8 * TYPES[t][1])) - 1
        return b"".join((int(v) & mask).to_bytes(TYPES[t][1], "little") for v in values)
    return numpy.asarray(values).astype(storage).tobytes()


def pointer(name, t, values):
    return Argument(name, "*" + t, bytes=pack(t, values))


def raw(name, t, data):
    return Argument(name, "*" + t, bytes=bytes(data))


def output(name, t, count):
    """Zeros; what a kernel leaves is compared too."""
    return Argument(name, "*" + t, bytes=bytes(TYPES[t][1] * count))


def scalar(name, t, value):
    return Argument(name, t, value=value)


def samples(t, count, seed, small=False, nonzero=False):
    """Typical and extreme values of a type; fp8 as raw bytes."""
    r = numpy.random.default_rng(seed)
    if t == "i1":
        return r.integers(0, 2, count).tolist()
    if t.startswith("fp8"):
        v = r.integers(0, 256, count)
        if t != "fp8e4b15":
            limit = 0x7E if t == "fp8e4nv" else 0x7B
            v = (v & 0x80) | numpy.minimum(v & 0x7F, limit)
        return v.tolist()
    if t in INTS:
        signed = t[0] == "i"
        low, high = (-(1 << (bits(t) - 1)), (1 << (bits(t) - 1)) - 1) if signed else (0, (1 << bits(t)) - 1)
        if small:
            low, high = max(low, -9), min(high, 9)
        v = [int(x) for x in r.integers(low, high, count, dtype=numpy.int64 if signed else numpy.uint64, endpoint=True)]
        edges = [0, 1, 2, 3, low, high, low + 1, high - 1] + ([-1, -2, -7] if signed else [])
        if not small:
            small_ones = r.integers(max(low, -100), min(high, 100), count).tolist()
            v = [a if i % 3 else b for i, (a, b) in enumerate(zip(v, small_ones))]
            v[: len(edges)] = edges
        return [x if x or not nonzero else 5 for x in v]
    v = r.normal(0, 4, count)
    if small:
        v = r.integers(-8, 9, count) / 8.0
    else:
        extreme = {"fp16": 65504.0, "bf16": 3.3e38, "fp32": 3.4e38, "fp64": 1.7e308}[t]
        tiny = {"fp16": 6e-8, "bf16": 1e-38, "fp32": 1e-45, "fp64": 5e-324}[t]
        v[:12] = [0.0, -0.0, 1.0, -1.0, 0.5, -1.5, 2.5, extreme, -extreme, tiny, numpy.inf, -numpy.inf]
        v[12] = numpy.nan
        v[13] = 1.0 / 3
    if nonzero:
        v = numpy.where(v == 0, 0.75, v)
    return v.tolist()
