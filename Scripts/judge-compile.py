"""Compiles kernel launches with real Triton, without torch and without a GPU.

    PYTHON Scripts/judge-compile.py [MODULE.py] [LAUNCHES.jsonl | -] [--target 89] [--jobs N]

Each line of LAUNCHES (standard input with '-') describes one launch:

    {"module": "m.py", "kernel": "add", "signature": {"x_ptr": "*fp32", "n": "i32"},
     "constexprs": {"BLOCK": 256}, "divisibleBy16": ["x_ptr"], "num_warps": 4, "num_stages": 2}

Types are Triton's own words. "module" may be left out when MODULE.py is given, which then stands
for every line's module. Among constexprs an element type is written {"dtype": "fp32"} and a
@triton.jit function of the module {"function": "name"}. Other fields are ignored
(Scripts/record-launches.py and hone write more). Modules are imported with a stand-in for torch
(Scripts/judge_stubs) that knows no arithmetic.

For each launch one JSON line on standard output, in the order of the input: "ok", "kernel",
"target", "num_warps", "num_stages", "constexprs", "seconds", and
  - "registers" per thread, "shared" (bytes per block), "fits" (whether the target has that much;
    an autotuned kernel skips configs that do not), "spillStores", "spillLoads" (bytes per thread,
    as ptxas reports them), "stack" (bytes per thread), or
  - "error" (one line) and "line" (in the module, where Triton names one).

Exit code 0 when every launch compiled, 1 when one did not, 2 when the input is at fault, 3 when
this python has no triton.
"""

import argparse
import ast
import contextlib
import importlib.machinery
import importlib.util
import io
import json
import multiprocessing
import multiprocessing.connection
import os
import pathlib
import re
import shutil
import sys
import tempfile
import textwrap
import time

# Bytes of shared memory a block may use, by compute capability (CUDA C++ Programming Guide, table
# of technical specifications): Triton refuses to launch what needs more.
SHARED_LIMIT = {75: 65536, 80: 166912, 86: 101376, 87: 166912, 89: 101376, 90: 232448,
                100: 232448, 103: 232448, 120: 101376, 121: 101376}

STUBS = pathlib.Path(__file__).resolve().parent / "judge_stubs"


def load_module(path):
    """Imports the file with the stand-in for torch; equal paths are imported once per process."""
    path = pathlib.Path(path).resolve()
    name = "judged_" + re.sub(r"\W", "_", str(path))
    if name not in sys.modules:
        spec = importlib.util.spec_from_loader(
            name, importlib.machinery.SourceFileLoader(name, str(path)), origin=str(path)
        )
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def kernel_in(value):
    """The kernel that a decorated value holds: Autotuner and Heuristics keep it in .fn."""
    from triton.runtime.autotuner import Autotuner, Heuristics
    from triton.runtime.jit import JITFunction

    while isinstance(value, (Autotuner, Heuristics)):
        value = value.fn
    return value if isinstance(value, JITFunction) else None


def find_kernel(path, name):
    module = load_module(path)
    kernel = kernel_in(getattr(module, name, None))
    if kernel is None:  # bound under another name: tuned = triton.autotune(...)(kernel)
        found = (kernel_in(value) for value in vars(module).values())
        kernel = next((k for k in found if k is not None and k.__name__ == name), None)
    if kernel is None:
        kernel = lift_nested_kernel(path, name)
    if kernel is None:
        raise LookupError(f"the module has no @triton.jit function named '{name}'")
    return kernel


def lift_nested_kernel(path, name):
    """A kernel defined inside a host function, compiled as if it stood at the end of the module."""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            lines = text.splitlines()[node.lineno - 1 : node.end_lineno]
            lifted = text + "\n\n@triton.jit\n" + textwrap.dedent("\n".join(lines)) + "\n"
            # Under the folder that the whole run removes at its end: Triton reads the file again.
            copy = pathlib.Path(tempfile.mkdtemp(dir=os.environ["TRITON_CACHE_DIR"])) / "lifted.py"
            copy.write_text(lifted, encoding="utf-8")
            return kernel_in(getattr(load_module(copy), name, None))
    return None


def constant(value, path):
    import triton.language as tl

    if isinstance(value, dict) and set(value) == {"function"}:
        return find_kernel(path, value["function"])

    if isinstance(value, dict) and set(value) == {"dtype"}:
        aliases = {"float16": "fp16", "bfloat16": "bf16", "float32": "fp32", "float64": "fp64"}
        return tl.dtype(aliases.get(value["dtype"], value["dtype"]))
    if isinstance(value, list):
        return tuple(constant(item, path) for item in value)
    return value


def compile_launch(launch, capability):
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    kernel = find_kernel(launch["module"], launch["kernel"])
    constants = {
        name: constant(v, launch["module"]) for name, v in launch.get("constexprs", {}).items()
    }
    given = launch["signature"]
    unknown = (set(given) | set(constants)) - set(kernel.arg_names)
    if unknown:
        raise LookupError(f"'{launch['kernel']}' has no parameter '{sorted(unknown)[0]}'")
    signature, constexprs = {}, {}
    for index, parameter in enumerate(kernel.params):
        name = parameter.name
        if name in constants:
            signature[name], constexprs[(index,)] = "constexpr", constants[name]
        elif given.get(name, "constexpr") != "constexpr":
            signature[name] = given[name]
        elif parameter.has_default:
            signature[name], constexprs[(index,)] = "constexpr", parameter.default
        else:
            raise LookupError(f"the launch gives parameter '{name}' neither a type nor a value")
    attributes = {
        (kernel.arg_names.index(name),): [["tt.divisibility", 16]]
        for name in launch.get("divisibleBy16", [])
        if signature[name] != "constexpr"
    }
    options = {key: launch[key] for key in ("num_warps", "num_stages", "num_ctas", "maxnreg")
               if launch.get(key) is not None}
    log = io.StringIO()
    with contextlib.redirect_stdout(log):
        compiled = triton.compile(
            ASTSource(kernel, signature, constexprs, attributes),
            target=GPUTarget("cuda", capability, 32),
            options=options,
        )
    result = {"shared": compiled.metadata.shared}
    if capability in SHARED_LIMIT:
        result["fits"] = result["shared"] <= SHARED_LIMIT[capability]
    # ptxas -v: "Used 40 registers, ...", "16 bytes stack frame, 12 bytes spill stores, ...".
    patterns = {
        "registers": r"Used (\d+) registers",
        "stack": r"(\d+) bytes stack frame",
        "spillStores": r"(\d+) bytes spill stores",
        "spillLoads": r"(\d+) bytes spill loads",
    }
    for key, pattern in patterns.items():
        found = re.search(pattern, log.getvalue())
        if found is None:
            raise RuntimeError(f"ptxas reported no {key}")
        result[key] = int(found.group(1))
    return result


def one_line(error):
    """The sentence that says what is wrong, out of Triton's quoted and nested errors."""
    while error.__cause__ is not None and type(error).__name__ == "CompilationError":
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" ^")]
    text = lines[-1] if lines else ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def module_line(error, launch):
    """Where in the module Triton's error points, if it says."""
    node = getattr(error, "node", None)
    if node is None or not hasattr(node, "lineno"):
        return None
    kernel = kernel_in(getattr(load_module(launch["module"]), launch["kernel"], None))
    if kernel is None:
        return None
    if getattr(error, "src", kernel.src) != kernel.src:
        return None  # the error lies in a function that the kernel calls
    decorators = len(kernel.raw_src) - len(kernel.src.splitlines())
    return kernel.starting_line_number + decorators + node.lineno - 1


class CompilerLog:
    """Where the process's own output (Triton's C++ parts write to it) goes in a worker."""

    def __init__(self):
        self.file = tempfile.TemporaryFile()
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(self.file.fileno(), 1)
        os.dup2(self.file.fileno(), 2)

    def clear(self):
        self.file.seek(0)
        self.file.truncate()

    def complaint(self, path):
        """The first failed assertion or error, with the line of `path` it names (or None)."""
        self.file.seek(0)
        text = self.file.read().decode(errors="replace")
        found = re.search(r"Assertion [`'].*' failed", text)
        error = re.search(r"^(.*?):(\d+):\d+: error: (.*)$", text, re.MULTILINE)
        message = found.group(0) if found else error.group(3) if error else None
        same = error is not None and pathlib.Path(error.group(1)).name == pathlib.Path(path).name
        return message, int(error.group(2)) if same else None


def work(connection, capability, cache):
    """A worker process: takes launches from its end of the pipe until it is closed."""
    os.environ["TRITON_CACHE_DIR"] = cache
    os.environ["TRITON_DUMP_PTXAS_LOG"] = "1"
    os.environ["TRITON_ALWAYS_COMPILE"] = "1"  # a cached kernel would come without ptxas's report
    sys.path.insert(0, str(STUBS))
    import torch  # the stand-in, which also stands in for a few packages beside torch
    log = CompilerLog()  # what modules and the compiler print must not mix with the results
    with contextlib.suppress(EOFError):
        while True:
            launch = connection.recv()
            began = time.monotonic()
            log.clear()
            try:
                result = {"ok": True, **compile_launch(launch, capability)}
            except Exception as error:
                result = {"ok": False, "error": one_line(error)}
                line = module_line(error, launch)
                if "PassManager" in result["error"]:
                    complaint, line = log.complaint(launch["module"])
                    result["error"] += f" ({complaint})" if complaint else ""
                if line is not None:
                    result["line"] = line
            except SystemExit:
                result = {"ok": False, "error": "SystemExit: the module ended the program"}
            result["seconds"] = round(time.monotonic() - began, 3)
            connection.send(result)


class Worker:
    def __init__(self, context, capability, cache):
        self.connection, theirs = context.Pipe()
        self.process = context.Process(
            target=work, args=(theirs, capability, cache), daemon=True
        )
        self.process.start()
        theirs.close()
        self.index = None
        self.deadline = None

    def give(self, index, launch, timeout):
        self.index, self.deadline = index, time.monotonic() + timeout
        self.connection.send(launch)

    def stop(self):
        self.connection.close()
        if self.process.is_alive():
            self.process.kill()
        self.process.join()


def judge(launches, capability, jobs, timeout):
    """Compiles all launches; a crash or a hang costs one launch. Results in the order given."""
    context = multiprocessing.get_context("spawn")
    cache = tempfile.mkdtemp(prefix="hone-judge-")
    results = [None] * len(launches)
    waiting = list(range(len(launches)))
    workers = []
    try:
        while waiting or any(worker.index is not None for worker in workers):
            while waiting and len(workers) < min(jobs, len(launches)):
                workers.append(Worker(context, capability, cache))
            for worker in workers:
                if worker.index is None and waiting:
                    index = waiting.pop(0)
                    worker.give(index, launches[index], timeout)
            busy = [worker for worker in workers if worker.index is not None]
            nearest = min(worker.deadline for worker in busy) - time.monotonic()
            ready = multiprocessing.connection.wait(
                [worker.connection for worker in busy], timeout=max(0.0, nearest)
            )
            for worker in busy:
                outcome = None
                if worker.connection in ready:
                    try:
                        outcome = worker.connection.recv()
                    except (EOFError, OSError):
                        worker.process.join()
                        code = worker.process.exitcode
                        outcome = {"ok": False, "error": f"the compiler crashed (exit {code})"}
                elif time.monotonic() >= worker.deadline:
                    outcome = {"ok": False, "error": f"no result within {timeout:g} s"}
                if outcome is None:
                    continue
                results[worker.index] = outcome
                worker.index = None
                if "seconds" not in outcome:  # the worker is dead or stuck
                    worker.stop()
                    workers.remove(worker)
    finally:
        for worker in workers:
            worker.stop()
        shutil.rmtree(cache, ignore_errors=True)
    return results


def read_launches(options):
    text = sys.stdin.read() if options.launches == "-" else pathlib.Path(options.launches).read_text()
    launches = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        launch = json.loads(line)
        for key in ("kernel", "signature"):
            if key not in launch:
                raise ValueError(f"line {number} has no '{key}'")
        if options.module is not None:
            launch["module"] = options.module
        elif "module" not in launch:
            raise ValueError(f"line {number} has no 'module' and none was given")
        launches.append(launch)
    return launches


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", metavar="[MODULE.py] [LAUNCHES.jsonl | -]")
    parser.add_argument("--target", type=int, default=89, help="compute capability, 89 for 8.9")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--timeout", type=float, default=120, help="seconds for one launch")
    options = parser.parse_args()
    options.module = next((path for path in options.paths if path.endswith(".py")), None)
    rest = [path for path in options.paths if path != options.module]
    if len(rest) > 1:
        parser.error("more than one file of launches")
    options.launches = rest[0] if rest else "-"
    try:
        import triton
    except ImportError as error:
        print(f"judge-compile: this python has no triton ({error})", file=sys.stderr)
        return 3
    try:
        launches = read_launches(options)
    except (OSError, ValueError) as error:
        print(f"judge-compile: {error}", file=sys.stderr)
        return 2
    results = judge(launches, options.target, max(1, options.jobs), options.timeout)
    for launch, result in zip(launches, results):
        about = {key: launch.get(key) for key in ("kernel", "num_warps", "num_stages", "constexprs")}
        print(json.dumps({"ok": result["ok"], "target": options.target, **about, **result}))
    good = sum(result["ok"] for result in results)
    print(
        f"judge-compile: {good} of {len(results)} launches compiled for sm_{options.target}"
        f" with Triton {triton.__version__}",
        file=sys.stderr,
    )
    return 0 if good == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
