"""Loading a kernel module from its text, and finding kernels in it."""

import ast
import hashlib
import importlib.machinery
import importlib.util
import inspect
import os
import re
import sys
import textwrap
from contextlib import contextmanager

import sandbox
from protocol import WorkerError
from torch_stand_in import NeedsTorch, StandIn

_loaded = {}


class KernelModule:
    def __init__(self, module, path, text, name):
        self.module = module
        self.path = path
        self.text = text
        # The name that error messages and line tables carry.
        self.name = name


def load(text, name, with_torch=False):
    """The module; equal texts are loaded once per process. The file stays: Triton reads sources."""
    key = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    if (key, with_torch) not in _loaded:
        path = os.path.join(sandbox.folder("modules", key), "module.py")
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        if with_torch:
            module = _run(path, f"hone_torch_{key}")
        else:
            try:
                with StandIn():
                    module = _run(path, f"hone_{key}")
            except NeedsTorch as need:
                if importlib.util.find_spec("torch") is None:
                    raise WorkerError("python", f"{need}, and torch is not installed") from None
                module = _run(path, f"hone_torch_{key}")
        _loaded[key, with_torch] = KernelModule(module, path, text, name)
    return _loaded[key, with_torch]


def _run(path, name):
    loader = importlib.machinery.SourceFileLoader(name, path)
    spec = importlib.util.spec_from_loader(name, loader, origin=path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with _without_driver():
            loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


@contextmanager
def _without_driver():
    """Before Triton 3.4 an autotuner that is made asks the GPU's driver at once for what it will time
    with, and there may be no GPU. Nothing is timed here."""
    from triton.runtime.autotuner import Autotuner

    original = Autotuner.__init__
    if "driver" not in original.__code__.co_names:
        yield
        return

    def init(self, *args, **kwargs):
        if kwargs.get("do_bench") is None:
            kwargs["do_bench"] = _times_nothing
        original(self, *args, **kwargs)

    Autotuner.__init__ = init
    try:
        yield
    finally:
        Autotuner.__init__ = original


def _times_nothing(*args, **kwargs):
    raise WorkerError("protocol", "kernels are compiled here, not timed")


def kernel_in(value):
    """The kernel that a decorated value holds: Autotuner and Heuristics keep it in .fn."""
    from triton.runtime.jit import JITFunction

    for _ in range(16):
        if isinstance(value, JITFunction):
            return value
        if type(value).__module__.split(".")[0] != "triton" or not hasattr(value, "fn"):
            return None
        value = value.fn
    return None


def find_kernel(loaded, name):
    kernel = kernel_in(getattr(loaded.module, name, None))
    if kernel is None:  # bound under another name: tuned = triton.autotune(...)(kernel)
        found = (kernel_in(value) for value in list(vars(loaded.module).values()))
        kernel = next((k for k in found if k is not None and k.__name__ == name), None)
    if kernel is None:
        kernel = _lift(loaded, name)
    if kernel is None:
        raise WorkerError("python", f"the module has no @triton.jit function named '{name}'")
    return kernel


def _lift(loaded, name):
    """A kernel defined inside a host function, as if it stood at the end of the module."""
    for node in ast.walk(ast.parse(loaded.text)):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            lines = loaded.text.splitlines()[node.lineno - 1 : node.end_lineno]
            body = textwrap.dedent("\n".join(lines))
            lifted = loaded.text + "\n\n@triton.jit\n" + body + "\n"
            return kernel_in(getattr(load(lifted, loaded.name).module, name, None))
    return None


def line_of(error, loaded):
    """Where in the module a compilation error of Triton points, if it does."""
    node = getattr(error, "node", None)
    source = getattr(error, "src", None)
    if node is None or not hasattr(node, "lineno"):
        return None
    for value in list(vars(loaded.module).values()):
        kernel = kernel_in(value)
        if kernel is None or (source is not None and kernel.src != source):
            continue
        if source is None and kernel.__name__ != getattr(error, "name", kernel.__name__):
            continue
        if kernel.fn.__code__.co_filename == loaded.path:
            # Triton counts from the line of `def`; the function's first line is its first decorator.
            lines, first = inspect.getsourcelines(kernel.fn)
            decorators = next(
                (n for n, text in enumerate(lines) if re.match(r"\s*def\b", text)), 0)
            return first + decorators + node.lineno - 1
    return None
