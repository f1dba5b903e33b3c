#!/usr/bin/env python3
"""Compares Hone's tile machine with Triton's own interpreter, in one run, on one thread.

    python3 Benchmarks/machine-benchmark.py [--binary PATH] [MODULE [name=size,size...] ...]

Without modules, the examples at the sizes below. MODULE is a file with `ModelNew` and `get_inputs`;
sizes replace those of `get_inputs()` by the name of `forward`'s parameter; `config=N` picks a config
of an autotuned kernel and `programs=N` runs only that many programs along the grid's first axis,
on both sides. Needs torch and triton for CPU; times are processor time of the launches alone: the
interpreter's with its copies of the arguments, the machine's with all its checks.
"""

import inspect
import importlib.util
import json
import math
import os
import subprocess
import sys
import time

os.environ["TRITON_INTERPRET"] = "1"
for name in ("OMP", "OPENBLAS", "MKL"):
    os.environ[name + "_NUM_THREADS"] = "1"

import torch  # noqa: E402
import triton  # noqa: E402
from triton.runtime import interpreter  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = os.path.join(HERE, "..", "Examples")

# Sizes at which the interpreter takes about 1 to 20 seconds.
CASES = {
    "batched_matmul": "lhs=2,512,300 rhs=2,300,640 programs=16",
    "conv2d_alexnet": "x=1,3,224,224 programs=24",
    "cross_entropy": "logits=100,32000 target=100 programs=100",
    "cumulative_sum": "x=64,20000 programs=3",
    "depthwise_conv2d": "x=1,128,112,112 programs=40",
    "flash_attention": "q=1,2,1024,64 k=1,2,1024,64 v=1,2,1024,64 programs=16",
    "grouped_matmul": "x=256,4096 programs=8",
    "histogram": "x=2,524288 programs=4",
    "layer_norm": "programs=200",
    "max_pool2d": "x=2,64,112,112 programs=40",
    "quantized_matvec": "programs=24",
    "rms_norm": "programs=100",
    "rotary_embedding": "programs=300",
    "softmax": "x=1,1,1000,500 programs=1000",
    "vector_add_gelu": "programs=300",
}


class Clock:
    """Times every launch of a module; keeps only the first programs where asked to."""

    def __init__(self, programs):
        self.programs = programs
        self.launches = []
        self.call = interpreter.GridExecutor.__call__

    def __enter__(self):
        clock = self

        def timed(executor, *args, **kwargs):
            given = executor.grid
            full = []

            def grid(meta):
                sizes = given(meta) if callable(given) else given
                sizes = tuple(int(size) for size in sizes)
                full.append(list(sizes))
                if clock.programs:
                    sizes = (min(clock.programs, sizes[0]),) + (1,) * (len(sizes) - 1)
                return sizes

            executor.grid = grid
            start = time.process_time()
            result = clock.call(executor, *args, **kwargs)
            clock.launches.append((executor.fn.__name__, full[0], time.process_time() - start))
            return result

        interpreter.GridExecutor.__call__ = timed
        return self

    def __exit__(self, *_):
        interpreter.GridExecutor.__call__ = self.call


def load(path):
    name = os.path.basename(path).rsplit(".", 1)[0]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def inputs_of(module, sizes):
    """`get_inputs()` with other sizes: element types stay, integers are 0 as on the other side."""
    with torch.device("meta"):
        given = module.get_inputs()
    names = [name for name in inspect.signature(module.ModelNew.forward).parameters if name != "self"]
    result = []
    for name, value in zip(names, given):
        if not isinstance(value, torch.Tensor):
            result.append(value)
            continue
        shape = sizes.get(name, list(value.shape))
        if value.dtype.is_floating_point:
            result.append((torch.rand(shape) * 2 - 1).to(value.dtype))
        else:
            result.append(torch.zeros(shape, dtype=value.dtype))
    return result


def interpret(path, sizes, config, programs):
    module = load(path)
    for value in list(vars(module).values()):
        if isinstance(value, triton.runtime.autotuner.Autotuner):
            value.configs = [value.configs[min(config, len(value.configs) - 1)]]
    # Modules that fall back to torch on the CPU are to launch their kernels all the same.
    torch.Tensor.is_cuda = property(lambda tensor: True)
    torch.manual_seed(0)
    model = module.ModelNew(*module.get_init_inputs())
    with Clock(programs) as clock, torch.no_grad():
        model(*inputs_of(module, sizes))
    return clock.launches


def main():
    arguments = sys.argv[1:]
    binary = os.path.join(HERE, ".build", "release", "MachineBenchmark")
    if "--binary" in arguments:
        at = arguments.index("--binary")
        binary = arguments[at + 1]
        del arguments[at : at + 2]
    cases = []
    for argument in arguments:
        if "=" in argument and cases:
            cases[-1][1].append(argument)
        else:
            path = argument if argument.endswith(".py") else os.path.join(EXAMPLES, argument + ".py")
            cases.append((path, CASES[argument].split() if argument in CASES else []))
    if not cases:
        cases = [(os.path.join(EXAMPLES, name + ".py"), text.split()) for name, text in CASES.items()]
    print(f"triton {triton.__version__}, torch {torch.__version__}, python {sys.version.split()[0]}")
    print(f"{'module':20} {'kernel':26} {'programs':>8} {'interpreter':>12} {'machine':>11} {'prepare':>9} {'ratio':>7}")
    ratios = []
    for path, words in cases:
        settings = dict(word.split("=") for word in words)
        config = int(settings.pop("config", 0))
        programs = int(settings.pop("programs", 0))
        sizes = {name: [int(size) for size in text.split(",")] for name, text in settings.items()}
        command = [binary, path] + [f"{name}={text}" for name, text in settings.items()]
        command += ["--json", "1", "--config", str(config), "--programs", str(programs)]
        output = subprocess.run(command, capture_output=True, text=True)
        if output.returncode != 0:
            print(f"{os.path.basename(path)}: {output.stdout}{output.stderr}")
            continue
        ours = [json.loads(line) for line in output.stdout.splitlines()]
        theirs = interpret(path, sizes, config, programs)
        label = os.path.basename(path)[:-3]
        if not theirs:
            print(f"{label}: launches nothing on the CPU")
            continue
        if [(l["kernel"], l["grid"]) for l in ours] != [(l[0], l[1]) for l in theirs]:
            print(f"{label}: launches differ: {ours} {theirs}")
            continue
        for mine, (kernel, _, seconds) in zip(ours, theirs):
            print(
                f"{label:20} {kernel:26} {mine['programs']:8} {seconds:10.3f} s {mine['run'] * 1e3:8.3f} ms"
                f" {mine['prepare'] * 1e3:6.1f} ms {seconds / mine['run']:7.0f}"
            )
        ratio = sum(launch[2] for launch in theirs) / sum(launch["run"] for launch in ours)
        ratios.append(ratio)
    if ratios:
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        print(f"geomean of {len(ratios)} modules: {mean:.0f}")


main()
