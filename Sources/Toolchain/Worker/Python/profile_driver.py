"""Runs ModelNew.forward once between cudaProfilerStart and cudaProfilerStop, for ncu.

    python profile_driver.py MODULE PROBLEM RECORD

PROBLEM is "-" where the module has get_inputs itself. RECORD is a JSON file that says which Triton
kernels the profiled forward launched, in order, or what went wrong before it. Everything that is
not the profiled forward (compiling, autotuning, warm-up) runs before cudaProfilerStart, so a
profiler started with --profile-from-start off does not see it.
"""

import importlib.util
import json
import os
import sys
import traceback

# Rounds of forward before the profiled one: at least two, and more while the autotuner still runs.
MIN_WARMUP = 2
MAX_WARMUP = 8


class Fault(Exception):
    """What the user has to change; the message says so."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


def load(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise Fault("input", f"'{path}' is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


class Launches:
    """Notes each launch of a @triton.jit function; runs of the autotuner are counted apart."""

    def __init__(self):
        self.recorded = []
        self.benchmarks = 0
        self.inside = 0

    def install(self):
        from triton.runtime.autotuner import Autotuner
        from triton.runtime.jit import JITFunction

        launches, bench, run = self, Autotuner._bench, JITFunction.run

        def counted(tuner, *args, **kwargs):
            launches.benchmarks += 1
            launches.inside += 1
            try:
                return bench(tuner, *args, **kwargs)
            finally:
                launches.inside -= 1

        def noted(function, *args, **kwargs):
            kernel = run(function, *args, **kwargs)
            if launches.inside == 0 and not kwargs.get("warmup"):
                launches.note(function, kernel, kwargs)
            return kernel

        Autotuner._bench = counted
        JITFunction.run = noted

    def note(self, function, kernel, kwargs):
        name = getattr(function, "__name__", "")
        metadata = getattr(kernel, "metadata", None)
        shown = getattr(kernel, "name", None) or getattr(metadata, "name", None) or name
        knobs = {}
        for knob in ("num_warps", "num_stages", "num_ctas"):
            value = getattr(metadata, knob, None)
            if isinstance(value, int):
                knobs[knob] = value
        names = set(getattr(function, "arg_names", ()))
        constants = {
            key: value
            for key, value in kwargs.items()
            if key in names and isinstance(value, (bool, int, float, str))
        }
        self.recorded.append(
            {"function": name, "name": str(shown), "constants": constants, **knobs}
        )


def moved(value, torch, device):
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, (list, tuple)):
        return type(value)(moved(part, torch, device) for part in value)
    if isinstance(value, dict):
        return {key: moved(part, torch, device) for key, part in value.items()}
    return value


def copied(value, torch):
    if isinstance(value, torch.Tensor):
        return value.clone()
    if isinstance(value, (list, tuple)):
        return type(value)(copied(part, torch) for part in value)
    if isinstance(value, dict):
        return {key: copied(part, torch) for key, part in value.items()}
    return value


def prepared(module_path, problem_path, torch):
    torch.manual_seed(0)
    module = load(module_path, "hone_profiled_module")
    problem = module if problem_path == "-" else load(problem_path, "hone_profiled_problem")
    if not hasattr(module, "ModelNew"):
        raise Fault("input", "the module has no class 'ModelNew'")
    if not hasattr(problem, "get_inputs"):
        raise Fault("input", "there is no get_inputs(): give a problem file")
    arguments = list(getattr(problem, "get_init_inputs", list)())
    keywords = {}
    if len(arguments) == 2 and isinstance(arguments[0], list) and isinstance(arguments[1], dict):
        arguments, keywords = arguments
    model = module.ModelNew(*arguments, **keywords).to("cuda")
    inputs = moved(list(problem.get_inputs()), torch, "cuda")
    return model, inputs


def profiled(module_path, problem_path, record):
    import torch

    if not torch.cuda.is_available():
        raise Fault("no-gpu", "torch sees no GPU")
    launches = Launches()
    launches.install()
    model, inputs = prepared(module_path, problem_path, torch)
    record["device"] = torch.cuda.get_device_name()
    record["capability"] = list(torch.cuda.get_device_capability())
    with torch.no_grad():
        rounds = 0
        while rounds < MIN_WARMUP or (launches.benchmarks and rounds < MAX_WARMUP):
            launches.benchmarks = 0
            launches.recorded.clear()
            arguments = copied(inputs, torch)
            model(*arguments)
            torch.cuda.synchronize()
            rounds += 1
            if rounds == MIN_WARMUP and not launches.recorded and model.training:
                # A module may use its kernels in inference only.
                model.eval()
                rounds = 0
        record["warmup_rounds"] = rounds
        launches.benchmarks = 0
        launches.recorded.clear()
        arguments = copied(inputs, torch)
        torch.cuda.synchronize()
        runtime = torch.cuda.cudart()
        runtime.cudaProfilerStart()
        model(*arguments)
        torch.cuda.synchronize()
        runtime.cudaProfilerStop()
    record["tuned_while_profiled"] = launches.benchmarks
    record["launches"] = launches.recorded


def main():
    module_path, problem_path, record_path = sys.argv[1:4]
    # Instead of this file's folder: the module may import its neighbours.
    sys.path[0] = os.path.dirname(os.path.abspath(module_path))
    record = {}
    code = 0
    try:
        profiled(module_path, problem_path, record)
    except Fault as fault:
        record["error"] = {"kind": fault.kind, "message": str(fault)}
        code = 1
    except ImportError as error:
        record["error"] = {"kind": "missing", "message": str(error), "module": error.name}
        code = 1
    except BaseException as error:
        record["error"] = {
            "kind": "python",
            "message": f"{type(error).__name__}: {error}",
            "traceback": traceback.format_exc()[-8000:],
        }
        code = 1
    with open(record_path, "w", encoding="utf-8") as file:
        json.dump(record, file)
    sys.exit(code)


if __name__ == "__main__":
    main()
