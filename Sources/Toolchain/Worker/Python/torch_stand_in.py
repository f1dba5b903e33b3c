"""A stand-in for torch, enough to run a kernel module's top level: names exist, nothing computes.

Compiling a kernel needs its source and the constants beside it, not torch: importing the stand-in
takes no time and works where torch is not installed. Where the top level asks for something that
only torch knows (a tensor's contents, whether there is a GPU), `NeedsTorch` is raised, and the
module is loaded again with the real torch where there is one.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types

# Packages that kernel modules import for their host code alone. All but torch are stood in for only
# where they are missing.
PACKAGES = ("torch", "torchvision", "einops", "numpy")


class NeedsTorch(Exception):
    """The module's top level depends on a value that the stand-in does not know."""


def _is_dunder(name):
    return name.startswith("__") and name.endswith("__")


class Anything:
    """Answers attributes and calls with itself; has no value.

    Called with one function or class alone it returns that, so that it can be a decorator.
    """

    def __init__(self, *args, **kwargs):
        pass

    def __call__(self, *args, **kwargs):
        if len(args) == 1 and not kwargs and isinstance(args[0], (type, types.FunctionType)):
            return args[0]
        return self

    def __getattr__(self, name):
        if _is_dunder(name):
            raise AttributeError(name)
        return self

    def __setattr__(self, name, value):
        pass

    def __getitem__(self, key):
        return self

    def __setitem__(self, key, value):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return False

    def __hash__(self):
        return id(self)

    def _same(self, *others):
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _same
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _same
    __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __neg__ = __abs__ = _same
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __invert__ = _same

    def _no_value(self, *others):
        raise NeedsTorch("the module's top level needs a value that torch computes")

    __lt__ = __le__ = __gt__ = __ge__ = _no_value
    __int__ = __index__ = __float__ = __len__ = __iter__ = __bool__ = _no_value


class _Type(type):
    """Attributes of a class that nobody defined are Anything too (torch.Tensor.float, say)."""

    def __getattr__(cls, name):
        if _is_dunder(name):
            raise AttributeError(name)
        return Anything()


# What a kernel's constants may honestly be made of: bits, largest, smallest normal, eps.
_FLOATS = {
    "float64": (64, 1.7976931348623157e308, 2.2250738585072014e-308, 2.220446049250313e-16),
    "float32": (32, 3.4028234663852886e38, 1.1754943508222875e-38, 1.1920928955078125e-07),
    "float16": (16, 65504.0, 6.103515625e-05, 0.0009765625),
    "bfloat16": (16, 3.3895313892515355e38, 1.1754943508222875e-38, 0.0078125),
    "float8_e4m3fn": (8, 448.0, 0.015625, 0.125),
    "float8_e5m2": (8, 57344.0, 6.103515625e-05, 0.25),
}
_INTEGERS = {
    "uint8": (8, 0, 255), "int8": (8, -128, 127), "int16": (16, -(2**15), 2**15 - 1),
    "int32": (32, -(2**31), 2**31 - 1), "int64": (64, -(2**63), 2**63 - 1),
}
_ALIASES = {"float": "float32", "double": "float64", "half": "float16", "short": "int16",
            "int": "int32", "long": "int64", "cfloat": "complex64", "cdouble": "complex128"}
_OTHERS = ("bool", "complex64", "complex128", "float8_e4m3fnuz", "float8_e5m2fnuz", "uint16",
           "uint32", "uint64")


class dtype:
    """An element type: has a name, is equal to itself, can be a key."""

    def __init__(self, name):
        self._name = name
        self.is_floating_point = name.startswith(("float", "bfloat"))
        self.is_complex = name.startswith("complex")
        self.is_signed = not name.startswith("uint") and name != "bool"
        bits = (_FLOATS.get(name) or _INTEGERS.get(name) or (None,))[0]
        digits = "".join(c for c in name.split("_")[0] if c.isdigit())
        self.itemsize = bits // 8 if bits else int(digits) // 8 if digits else 1

    def __repr__(self):
        return f"torch.{self._name}"


class finfo:
    def __init__(self, type=None):
        name = (type or _DTYPES["float32"])._name
        if name not in _FLOATS:
            raise NeedsTorch(f"torch.finfo of torch.{name}")
        self.bits, self.max, self.tiny, self.eps = _FLOATS[name]
        self.min, self.smallest_normal, self.dtype = -self.max, self.tiny, name


class iinfo:
    def __init__(self, type):
        if type._name not in _INTEGERS:
            raise NeedsTorch(f"torch.iinfo of torch.{type._name}")
        self.bits, self.min, self.max = _INTEGERS[type._name]
        self.dtype = type._name


_DTYPES = {name: dtype(name) for name in (*_FLOATS, *_INTEGERS, *_OTHERS)}
_DTYPES.update({alias: _DTYPES[name] for alias, name in _ALIASES.items()})


class _version(str):
    """torch.__version__: the newest there is, for `if torch.__version__ >= "2.1"`."""


def _member(module, name):
    if _is_dunder(name):
        raise AttributeError(name)
    if name[:1].isupper() or name == "device":
        value = _Type(name, (Anything,), {"__module__": module.__name__})
    else:
        value = Anything()
    setattr(module, name, value)
    return value


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes the packages and all their submodules on demand."""

    def __init__(self, packages):
        self.packages = packages

    def find_spec(self, fullname, path=None, target=None):
        if fullname.split(".")[0] in self.packages:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__path__ = []
        module.__getattr__ = lambda name: _member(module, name)
        if spec.name == "torch":
            module.__version__ = _version("2.99.0+stand-in")
            module.dtype, module.finfo, module.iinfo = dtype, finfo, iinfo
            module.inf, module.nan, module.pi, module.e = (
                float("inf"), float("nan"), 3.141592653589793, 2.718281828459045)
            for name, value in _DTYPES.items():
                setattr(module, name, value)
        return module

    def exec_module(self, module):
        if module.__name__ == "torch":  # the submodules that code reaches without importing them
            for name in ("nn", "nn.functional", "nn.init", "cuda", "autograd", "backends", "utils",
                         "jit", "amp", "version", "distributed"):
                importlib.import_module(f"torch.{name}")


class StandIn:
    """While it is entered, `import torch` gives the stand-in."""

    def __enter__(self):
        missing = set()
        for name in PACKAGES:
            try:
                found = importlib.util.find_spec(name) is not None
            except (ImportError, ValueError):
                found = False
            if name == "torch" or not found:
                missing.add(name)
        self.finder = _Finder(missing)
        self.hidden = {name: module for name, module in sys.modules.items()
                       if name.split(".")[0] in missing}
        for name in self.hidden:
            del sys.modules[name]
        sys.meta_path.insert(0, self.finder)
        return self

    def __exit__(self, *exception):
        # Functions of the module that import torch later find the stand-in gone, as they should:
        # nothing of the host code is run here.
        sys.meta_path.remove(self.finder)
        for name in [n for n in sys.modules if n.split(".")[0] in self.finder.packages]:
            del sys.modules[name]
        sys.modules.update(self.hidden)
        return False
