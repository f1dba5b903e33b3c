"""Compares `hone compile` with a bare parallel loop over triton.compile, in one run.

    PYTHON Benchmarks/compile-benchmark.py REQUEST.md [--hone .build/release/hone] [--configs 48]
        [--jobs 2] [--gpu rtx4090] [--rounds 1]

PYTHON is one with triton; both sides use it. REQUEST is a request document or a module with one
autotuned kernel whose BLOCK_M, BLOCK_N and BLOCK_K are constexprs; its list of configs is replaced
by --configs others. Hone compiles from nothing (no cache, no instruction mix, the resources alone);
the loop imports triton once in each process, loads the module once, and calls triton.compile on the
same jobs, handed out one at a time. Both start with an empty Triton cache.

Printed: wall and CPU seconds of both, their ratios, and whether all registers agree: the loop reads
them from the same ptxas reports. CPU time (all children counted) is the figure to judge by on a
machine that does other things; with --rounds the sides alternate.
"""

import argparse
import itertools
import json
import multiprocessing
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
WORKER = HERE.parent / "Sources/Toolchain/Worker/Python"


def module_of(path):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    if path.endswith(".py"):
        return text
    blocks = re.findall(r"^```(?:python)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return next(block for block in blocks if "@triton.jit" in block)


def with_configs(text, count):
    """The module with its list of configs replaced by `count` others."""
    start = text.index("configs=[") + len("configs=")
    depth, end = 0, start
    for end in range(start, len(text)):
        depth += {"[": 1, "]": -1}.get(text[end], 0)
        if depth == 0:
            break
    shapes = itertools.product((32, 64), (32, 64), (16, 32), (4, 2, 8), (1, 2))
    lines = [
        f"triton.Config({{'BLOCK_M': {m}, 'BLOCK_N': {n}, 'BLOCK_K': {k}}}, num_warps={w},"
        f" num_stages={s}),"
        for m, n, k, w, s in itertools.islice(shapes, count)
    ]
    return text[:start] + "[\n        " + "\n        ".join(lines) + "\n    ]" + text[end + 1 :]


def loop_worker(module, queue, results, cache):
    """One process of the bare loop."""
    os.environ["TRITON_CACHE_DIR"] = cache
    sys.path.insert(0, str(WORKER))
    import sandbox  # for the folder that modules are written to

    sandbox._folder = cache
    import compile_kernel  # only to build Triton's ASTSource from a job
    import kernel_module
    import triton
    from triton.backends.compiler import GPUTarget

    del os.environ["TRITON_ALWAYS_COMPILE"]
    loaded = kernel_module.load(module, "module.py")
    reports = compile_kernel._ptxas_reports()
    while True:
        job = queue.get()
        if job is None:
            break
        source = compile_kernel._source(
            kernel_module.find_kernel(loaded, job["kernel"]), job["arguments"], loaded)
        options = {key: value for key, value in job["options"].items() if value is not None}
        reports.clear()
        triton.compile(source, target=GPUTarget("cuda", job["capability"], 32), options=options)
        registers = re.findall(r"Used (\d+) registers", "\n".join(reports))
        results.put((job["index"], int(registers[-1]) if registers else None))


def bare_loop(module, jobs, processes):
    """Compiles the jobs; returns the registers by index."""
    context = multiprocessing.get_context("spawn")
    cache = tempfile.mkdtemp(prefix="compile-benchmark-")
    queue, results = context.Queue(), context.Queue()
    for job in jobs + [None] * processes:
        queue.put(job)
    workers = [
        context.Process(target=loop_worker, args=(module, queue, results, f"{cache}/{index}"))
        for index in range(processes)
    ]
    for worker in workers:
        worker.start()
    registers = dict(results.get() for _ in jobs)
    for worker in workers:
        worker.join()
    shutil.rmtree(cache, ignore_errors=True)
    return registers


def hone(options, path):
    done = subprocess.run(
        [options.hone, "compile", str(path), "--gpu", options.gpu, "--python", sys.executable,
         "--no-cache", "--no-mix", "--jobs", str(options.jobs), "--format", "json",
         *(["--input", options.input] if options.input else [])],
        stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def measured(function, *arguments):
    def cpu():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    wall, before = time.perf_counter(), cpu()
    result = function(*arguments)
    return result, time.perf_counter() - wall, cpu() - before


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("request")
    parser.add_argument("--hone", default=str(HERE.parent / ".build/release/hone"))
    parser.add_argument("--configs", type=int, default=48)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--gpu", default="rtx4090")
    parser.add_argument("--input", default="x=f32[256,3,224,224]")
    options = parser.parse_args()
    module = with_configs(module_of(options.request), options.configs)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="compile-benchmark-"))
    path = folder / "module.py"
    path.write_text(module, encoding="utf-8")
    totals = {"hone": [0.0, 0.0], "loop": [0.0, 0.0]}
    agree = True
    try:
        for _ in range(options.rounds):
            records, wall, cpu = measured(hone, options, path)
            totals["hone"][0] += wall
            totals["hone"][1] += cpu
            jobs = [
                {"index": index, "kernel": record["kernel"], "arguments": record["arguments"],
                 "options": record["options"], "capability": int(record["target"][3:])}
                for index, record in enumerate(records)
            ]
            registers, wall, cpu = measured(bare_loop, module, jobs, options.jobs)
            totals["loop"][0] += wall
            totals["loop"][1] += cpu
            agree &= all(
                record.get("compiled", {}).get("registers") == registers[index]
                for index, record in enumerate(records))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    ratios = {name: totals["hone"][i] / totals["loop"][i] for i, name in enumerate(("wall", "cpu"))}
    print(json.dumps({
        "configs": len(jobs), "jobs": options.jobs, "rounds": options.rounds,
        "registersAgree": agree,
        "hone": {"wallSeconds": round(totals["hone"][0], 2), "cpuSeconds": round(totals["hone"][1], 2)},
        "loop": {"wallSeconds": round(totals["loop"][0], 2), "cpuSeconds": round(totals["loop"][1], 2)},
        "ratio": {name: round(ratio, 3) for name, ratio in ratios.items()},
    }, indent=2))


if __name__ == "__main__":
    main()
