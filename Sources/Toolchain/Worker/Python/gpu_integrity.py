"""What user code must leave alone: timing functions, torch's functions and settings, threads.

A `Watch` is taken before any user code is imported and compared afterwards. It holds the functions
themselves, so one put back under its old name but changed (`__code__`) is seen too.
"""
import builtins
import hashlib
import importlib
import json
import math
import random
import statistics
import sys
import threading
import time

import torch

_TORCH = (
    "empty empty_like empty_strided zeros zeros_like full ones tensor as_tensor equal isfinite isnan "
    "allclose no_grad device is_tensor rand randn randint cat where matmul"
).split()
_TENSOR = (
    "copy_ clone double float to fill_ zero_ add_ mul_ view reshape contiguous detach set_ item "
    "data_ptr untyped_storage storage_offset stride size numel element_size is_contiguous cpu cuda "
    "tolist sum max abs square isfinite isnan __eq__ __ne__ __sub__ __getitem__ "
    "is_floating_point new_empty flatten"
).split()
_CUDA = (
    "Event Stream synchronize current_stream default_stream stream set_stream CUDAGraph graph "
    "empty_cache memory_allocated mem_get_info get_device_properties"
).split()
_TIME = (
    "perf_counter perf_counter_ns time time_ns monotonic monotonic_ns process_time sleep"
).split()


def _function_code(value):
    return getattr(value, "__code__", None)


def _import_lazy_parts():
    """Some of torch replaces functions of torch when it is first imported: that comes first."""
    for name in ("torch._dynamo", "torch.profiler", "torch.utils._python_dispatch"):
        try:
            importlib.import_module(name)
        except Exception:  # parts that this torch has not, or that do not bear this platform
            continue


class Watch:
    """Identities of what the measurement rests on."""

    def __init__(self):
        self._places = []
        _import_lazy_parts()
        self._add("time", time, _TIME)
        self._add("torch", torch, _TORCH)
        self._add("torch.Tensor", torch.Tensor, _TENSOR)
        self._add("torch.cuda", torch.cuda, _CUDA)
        self._add("torch.nn", torch.nn, ["Module", "Parameter", "functional"])
        for name in ("Event", "Stream", "CUDAGraph"):
            cls = getattr(torch.cuda, name, None)
            if cls is not None:
                members = "record wait synchronize query elapsed_time __new__ __init__ replay".split()
                self._add("torch.cuda." + name, cls, members)
        for module in (statistics, hashlib, json, math, random):
            names = [n for n, v in vars(module).items() if callable(v) and not n.startswith("__")]
            self._add(module.__name__, module, names)
        self._add("builtins", builtins, [n for n, v in vars(builtins).items() if callable(v)])
        self._add("threading", threading, ["enumerate", "active_count", "Thread"])
        self._add("sys", sys, ["_current_frames"])
        for name, module in list(sys.modules.items()):
            if name in ("__main__", "protocol", "sandbox") or name.startswith("gpu_"):
                members = [
                    n for n, v in vars(module).items()
                    if callable(v) and getattr(v, "__module__", None) == name
                ]
                self._add(name, module, members)
                for member in members:
                    value = getattr(module, member)
                    if isinstance(value, type):
                        methods = [n for n, v in vars(value).items() if _function_code(v)]
                        self._add(name + "." + member, value, methods)

    def _add(self, label, owner, names):
        for name in names:
            value = getattr(owner, name, None)
            if value is not None:
                self._places.append((label + "." + name, owner, name, value, _function_code(value)))

    def changed(self):
        """Names of what is no longer what it was."""
        found = []
        for label, owner, name, value, code in self._places:
            now = getattr(owner, name, None)
            if now is not value or _function_code(now) is not code:
                found.append(label)
        return found

    def restore(self):
        """Puts back what was replaced (a changed `__code__` cannot be, so callers end the process)."""
        for _, owner, name, value, _ in self._places:
            if getattr(owner, name, None) is not value:
                try:
                    setattr(owner, name, value)
                except (AttributeError, TypeError):
                    pass


def _settings():
    backends = torch.backends
    return {
        "torch.backends.cuda.matmul.allow_tf32": lambda: backends.cuda.matmul.allow_tf32,
        "torch.backends.cudnn.allow_tf32": lambda: backends.cudnn.allow_tf32,
        "torch.backends.cudnn.benchmark": lambda: backends.cudnn.benchmark,
        "torch.backends.cudnn.deterministic": lambda: backends.cudnn.deterministic,
        "torch.backends.cudnn.enabled": lambda: backends.cudnn.enabled,
        "torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction":
            lambda: backends.cuda.matmul.allow_fp16_reduced_precision_reduction,
        "torch.get_float32_matmul_precision": torch.get_float32_matmul_precision,
        "torch.get_default_dtype": lambda: str(torch.get_default_dtype()),
        "torch.are_deterministic_algorithms_enabled": torch.are_deterministic_algorithms_enabled,
        "torch.is_grad_enabled": torch.is_grad_enabled,
        "torch.is_inference_mode_enabled": torch.is_inference_mode_enabled,
        "torch.get_num_threads": torch.get_num_threads,
        "torch.get_default_device": lambda: str(torch.get_default_device()),
        "torch.cuda.current_stream": lambda: (
            torch.cuda.current_stream().cuda_stream if torch.cuda.is_initialized() else 0),
        "sys.getswitchinterval": sys.getswitchinterval,
    }


def settings():
    """Torch's global settings by name; what a version lacks is left out."""
    found = {}
    for name, read in _settings().items():
        try:
            found[name] = read()
        except Exception:  # torch refuses to mix its old and its new TF32 switches
            continue
    return found


def restore_precision(saved):
    """Sets back the two switches for TF32 only."""
    if "torch.backends.cudnn.allow_tf32" not in saved:
        return
    torch.backends.cudnn.allow_tf32 = saved["torch.backends.cudnn.allow_tf32"]
    torch.backends.cuda.matmul.allow_tf32 = saved["torch.backends.cuda.matmul.allow_tf32"]


def restore_settings(saved):
    """Sets back what `settings` read."""
    def put(name, action):
        if name in saved:
            try:
                action(saved[name])
            except Exception:
                pass

    def attribute(owner, name):
        return lambda value: setattr(owner, name, value)

    backends = torch.backends
    put("torch.get_float32_matmul_precision", torch.set_float32_matmul_precision)
    put("torch.backends.cuda.matmul.allow_tf32", attribute(backends.cuda.matmul, "allow_tf32"))
    put("torch.backends.cudnn.allow_tf32", attribute(backends.cudnn, "allow_tf32"))
    put("torch.backends.cudnn.benchmark", attribute(backends.cudnn, "benchmark"))
    put("torch.backends.cudnn.deterministic", attribute(backends.cudnn, "deterministic"))
    put("torch.backends.cudnn.enabled", attribute(backends.cudnn, "enabled"))
    put("torch.get_default_dtype",
        lambda name: torch.set_default_dtype(getattr(torch, name.split(".")[-1])))
    put("torch.are_deterministic_algorithms_enabled", torch.use_deterministic_algorithms)
    put("torch.is_grad_enabled", torch._C._set_grad_enabled)
    put("torch.get_num_threads", torch.set_num_threads)
    if settings().get("torch.get_default_device") != saved.get("torch.get_default_device"):
        torch.set_default_device(None)
    if torch.cuda.is_initialized() and "torch.cuda.current_stream" in saved:
        if torch.cuda.current_stream().cuda_stream != saved["torch.cuda.current_stream"]:
            torch.cuda.set_stream(torch.cuda.default_stream())


def differences(before, after):
    """"name: old -> new" for each setting that changed."""
    return [
        "%s: %s -> %s" % (name, before[name], after[name])
        for name in sorted(before) if name in after and before[name] != after[name]
    ]


def python_threads():
    """The number of threads that run Python, those of `_thread` included."""
    return len(sys._current_frames())
