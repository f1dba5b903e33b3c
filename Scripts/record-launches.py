"""Runs a module's ModelNew on tensors without data and prints every kernel launch as a JSON line.

The launches are found by Python and Triton themselves (real decorators, real specialisation), so
they judge Hone's evaluator of host programs; nothing is compiled and no GPU is used. Each config of
an autotuned kernel gives a launch. Needs torch: `Scripts/python-env --torch`.

    PYTHON Scripts/record-launches.py MODULE.py [--problem FILE.py] [--target 89] > launches.jsonl

get_inputs and get_init_inputs come from the module, or from the problem file where one is given.

A line: {"module", "problem" (where given), "kernel", "config", "grid", "signature", "constexprs",
"divisibleBy16", "num_warps", "num_stages", "args"}; Scripts/judge-compile.py reads the same form.
"config" counts the configs of an autotuned kernel from 0 and is null elsewhere; "args" has each
tensor's element type, shape and strides, and the other arguments' values.
"""

import argparse
import importlib.util
import json
import pathlib
import sys


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def as_json(value):
    import triton.language as tl
    from triton.runtime.jit import JITFunction

    if isinstance(value, tl.constexpr):
        return as_json(value.value)
    if isinstance(value, tl.dtype):
        return {"dtype": value.name}
    if hasattr(value, "data_ptr"):
        return {
            "dtype": str(value.dtype).removeprefix("torch."),
            "shape": list(value.shape),
            "strides": list(value.stride()),
        }
    if isinstance(value, JITFunction):
        return {"function": value.__name__}
    if isinstance(value, (tuple, list)):
        return [as_json(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"cannot record a {type(value).__name__}")


class Recorder:
    """Stands in for JITFunction.run and Autotuner.run while ModelNew runs."""

    def __init__(self, path, problem, capability):
        from triton.backends.compiler import GPUTarget
        from triton.compiler.compiler import make_backend

        self.path = path
        self.problem = problem
        self.backend = make_backend(GPUTarget("cuda", capability, 32))
        self.config = None
        self.launches = []

    def install(self):
        from triton.runtime.autotuner import Autotuner
        from triton.runtime.jit import JITFunction

        recorder = self

        def launch(kernel, *args, grid, warmup, **kwargs):
            recorder.record(kernel, grid, args, kwargs)

        def each_config(tuner, *args, **kwargs):
            tuner.nargs = dict(zip(tuner.arg_names, args))
            chosen = tuner.prune_configs(kwargs) if len(tuner.configs) > 1 else tuner.configs
            for config in chosen:
                recorder.config = tuner.configs.index(config)
                tuner.fn.run(*args, **kwargs, **config.all_kwargs())
            recorder.config = None

        JITFunction.run = launch
        Autotuner.run = each_config

    def record(self, kernel, grid, args, kwargs):
        from triton.runtime.jit import create_function_from_signature

        binder = create_function_from_signature(kernel.signature, kernel.params, self.backend)
        bound, specialization, options = binder(*args, **kwargs)
        options, signature, constexprs, attrs = kernel._pack_args(
            self.backend, kwargs, bound, specialization, options
        )
        if callable(grid):
            grid = grid(bound)
        names = list(signature)
        constants = {names[path[0]]: as_json(value) for path, value in constexprs.items()}
        self.launches.append(
            {
                "module": str(self.path),
                **({"problem": str(self.problem)} if self.problem is not None else {}),
                "kernel": kernel.__name__,
                "config": self.config,
                "grid": [int(size) for size in grid],
                "signature": {k: v for k, v in signature.items() if v != "constexpr"},
                "constexprs": constants,
                "divisibleBy16": [names[path[0]] for path, value in attrs.items() if value],
                "num_warps": options.num_warps,
                "num_stages": options.num_stages,
                "args": {k: as_json(v) for k, v in bound.items()},
            }
        )


def pretend_gpu(torch):
    """Lets host code ask for "cuda" and get tensors without data; returns a context to run it in."""
    from torch.overrides import TorchFunctionMode

    def is_cuda(device):
        return device is not None and str(device).startswith("cuda")

    class CudaIsMeta(TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            kwargs = dict(kwargs or {})
            if is_cuda(kwargs.get("device")):
                kwargs["device"] = "meta"
            if function in (torch.Tensor.to, torch.Tensor.new_empty) and len(args) > 1:
                args = tuple("meta" if isinstance(a, (str, torch.device)) and is_cuda(a) else a
                             for a in args)
            if function is torch.Tensor.cuda:
                return args[0].to("meta")
            return function(*args, **kwargs)

    torch.Tensor.is_cuda = property(lambda self: True)
    torch.cuda.is_available = lambda: True
    torch.cuda.current_device = lambda: 0
    return CudaIsMeta()


def record(path, problem, capability):
    import torch

    cuda_is_meta = pretend_gpu(torch)
    recorder = Recorder(path, problem, capability)
    recorder.install()
    module = load(path.resolve())
    problem = load(problem.resolve()) if problem is not None else module
    with torch.device("meta"), torch.no_grad(), cuda_is_meta:
        inputs = [
            value.to("meta") if isinstance(value, torch.Tensor) else value
            for value in problem.get_inputs()
        ]
        model = module.ModelNew(*problem.get_init_inputs()).to("meta")
        model(*inputs)
    return recorder.launches


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("module", type=pathlib.Path)
    parser.add_argument("--problem", type=pathlib.Path, help="the file with get_inputs")
    parser.add_argument("--target", type=int, default=89, help="compute capability, 89 for 8.9")
    options = parser.parse_args()
    for launch in record(options.module, options.problem, options.target):
        print(json.dumps(launch))
    return 0


if __name__ == "__main__":
    sys.exit(main())
