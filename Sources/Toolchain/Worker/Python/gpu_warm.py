"""gpu.warm, gpu.trim: work around a check that needs no lock on the GPU.

gpu.warm compiles a module's kernels for the given inputs and launches none of them.

What is compiled here is found ready by the check, which then holds the GPU for moments only. Configs
are compiled side by side where Triton can (AsyncCompileMode, 3.5 and newer), else one by one.
gpu.trim gives memory that torch keeps for later back to other processes.
"""

import gc
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext

import torch

import gpu_session
from protocol import operation


def _modes(executor):
    try:
        from triton.runtime._async_compile import AsyncCompileMode
    except ImportError:
        return nullcontext()
    return AsyncCompileMode(executor, ignore_errors=True)


@contextmanager
def _compiling_only(launched):
    """Inside, a launch compiles every config of its kernel and does nothing else."""
    from triton.runtime.autotuner import Autotuner
    from triton.runtime.jit import JITFunction

    plain, tuned = JITFunction.run, Autotuner.run

    def run(self, *args, grid, warmup, **kwargs):
        launched.append(self)
        try:
            plain(self, *args, grid=grid, warmup=True, **kwargs)
        except Exception as error:  # the check will meet it again and say whose it is
            launched.append(error)

    def tune(self, *args, **kwargs):
        self.nargs = dict(zip(self.arg_names, args))
        for config in self.prune_configs(kwargs):
            self.fn.run(*args, **{**kwargs, **config.all_kwargs()})
        self.nargs = None

    JITFunction.run, Autotuner.run = run, tune
    try:
        yield
    finally:
        JITFunction.run, Autotuner.run = plain, tuned


@operation("gpu.warm")
def warm(request):
    """Never fails for what the module does: the check says that."""
    session = gpu_session.current()
    subject = session.subjects[request["name"]]
    began = time.perf_counter()
    launched = []
    threads = request.get("threads") or min(8, os.cpu_count() or 1)
    note = None
    inputs = session.inputs({"seed": 1})
    with ThreadPoolExecutor(threads) as executor:
        try:
            with _compiling_only(launched), torch.no_grad(), _modes(executor):
                inputs.call(subject.model)
        except Exception as error:
            note = "%s: %s" % (type(error).__name__, str(error)[:300])
    subject.changed_state()
    errors = [entry for entry in launched if isinstance(entry, Exception)]
    if errors and note is None:
        note = "%s: %s" % (type(errors[0]).__name__, str(errors[0])[:300])
    return {
        "launches": len(launched) - len(errors), "note": note,
        "seconds": time.perf_counter() - began,
    }


@operation("gpu.trim")
def trim(request):
    """Frees what is above the limit only: asking the driver again takes longer than keeping."""
    if gpu_session.current().device.type != "cuda":
        return {"bytes": 0}
    before = torch.cuda.memory_reserved()
    if request.get("all"):
        gpu_session.current().results.clear()
    if before > request.get("above", 2 << 30) or request.get("all"):
        gc.collect()
        torch.cuda.empty_cache()
    return {"bytes": before - torch.cuda.memory_reserved()}
