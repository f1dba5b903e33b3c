"""A stand-in for torch, enough to import a kernel module: names exist, nothing computes.

Names with a capital are classes (they can be subclassed and used in annotations); every other name
is an `Anything`, which answers each operation with itself. torch.nn.functional and every other
submodule are made on demand, and so are the packages in STAND_INS.
"""

import importlib.abc
import importlib.machinery
import sys
import types

__version__ = "2.0.0+stand-in"

# Packages that kernel modules import beside torch, for their host code alone.
STAND_INS = {"torch", "torchvision", "einops"}


class Anything:
    """Called with a function alone it returns that function, so that it can be a decorator."""

    def __init__(self, *args, **kwargs):
        pass

    def __call__(self, *args, **kwargs):
        if len(args) == 1 and not kwargs and isinstance(args[0], (type, types.FunctionType)):
            return args[0]
        return self

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return self

    def __setattr__(self, name, value):
        pass

    def __getitem__(self, key):
        return self

    def __setitem__(self, key, value):
        pass

    def __iter__(self):
        return iter(())

    def __len__(self):
        return 0

    def __bool__(self):
        return False

    def __int__(self):
        return 0

    __index__ = __int__

    def __float__(self):
        return 0.0

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

    def _no(self, other):
        return False

    __lt__ = __le__ = __gt__ = __ge__ = _no


class StandInType(type):
    """Class attributes that nobody defined are Anything too (torch.Tensor.float, say)."""

    def __getattr__(cls, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return Anything()


class dtype(Anything):
    pass


class device(Anything):
    pass


def _member(module, name):
    if name.startswith("__") and name.endswith("__"):
        raise AttributeError(name)
    if name[:1].isupper():
        value = StandInType(name, (Anything,), {"__module__": module.__name__})
    else:
        value = Anything()
    setattr(module, name, value)
    return value


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname, path=None, target=None):
        if fullname.split(".")[0] in STAND_INS:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__path__ = []
        module.__getattr__ = lambda name: _member(module, name)
        return module

    def exec_module(self, module):
        pass


def __getattr__(name):
    return _member(sys.modules[__name__], name)


sys.meta_path.append(_Finder())

# The submodules that modules reach without importing them.
for _name in ("nn", "nn.functional", "nn.init", "cuda", "autograd", "backends", "utils", "jit"):
    __import__(f"torch.{_name}")
