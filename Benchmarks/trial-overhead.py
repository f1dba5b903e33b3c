"""What a trial of `hone optimize --backend gpu` takes beyond compiling and the GPU's time.

    python3 Benchmarks/trial-overhead.py [--hone .build/release/hone] [--gpus 0] [--rounds 1]
        [--compile 0.6] [--check 0.3] [--time 0.3] [INPUT ...]

The GPUs are made up (Scripts/fake-gpus): each operation on one takes a time that is set here and
writes what it took. INPUTs are modules or request documents; default: some of Examples/. A run's
overhead is its wall time without those operations, by trial: the start of Hone and of the workers,
the predictions, the rules, the tile machine where it takes longer than compiling, the log (synced
before and after each trial) and the worker's protocol. With several GPUs it is the wall time
without the longest chain of operations on one of them, and the trials are that GPU's.

Also printed: the processor time of Hone and its workers together by trial, which tells on a machine
that does other things; and the overhead of each trial after the first one's start.
"""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEFAULT = ["Examples/requests/conv2d-taps-4090-micro-tuning.md",
           "Examples/requests/depthwise-conv2d-l4-micro-tuning.md",
           "Examples/requests/rms-norm-h100-micro-tuning.md",
           "Examples/layer_norm.py", "Examples/softmax.py", "Examples/flash_attention.py"]
# What an operation's time counts as: nobody's overhead.
MEASURED = ("gpu.warm", "gpu.check", "gpu.time", "gpu.span", "gpu.prepare", "gpu.open", "gpu.load")


def run(options, path, folder):
    seconds = {"gpu.warm": options.compile, "gpu.check": options.check, "gpu.time": options.time}
    factors = {"num_warps=2": 0.97, "num_warps=8": 0.95, "tl.constexpr": 0.99}
    variables = {
        **os.environ, "HONE_FAKE_LOG": str(folder / "events"), "HONE_FAKE_ID": str(os.getpid()),
        "HONE_FAKE_SECONDS": json.dumps(seconds), "HONE_FAKE_FACTORS": json.dumps(factors)}
    command = [options.hone, "optimize", str(path), "--backend", "gpu", "--python",
               str(ROOT / "Scripts/fake-gpus"), "--gpus", options.gpus, "--log",
               str(folder / "log"), "--no-winners", "--output", str(folder / "out.py"),
               "--budget", str(options.budget)]
    if str(path).endswith(".py"):
        command += ["--gpu", "H200", "--stage", "micro-tuning"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(command, env=variables, stderr=subprocess.PIPE, text=True, check=False)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit("%s: exit code %d\n%s" % (path, done.returncode, done.stderr))
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    log = [json.loads(line) for line in open(folder / "log", encoding="utf-8")]
    trials = [line for line in log if "end" in line]
    events = [json.loads(line) for line in open(folder / "events", encoding="utf-8")]
    ends = [event for event in events if event["event"] == "end" and event["op"] in MEASURED]
    by_gpu = {}
    for event in ends:
        by_gpu[event["gpu"]] = by_gpu.get(event["gpu"], 0) + event["seconds"]
    gpu, measured = max(by_gpu.items(), key=lambda item: item[1])
    own = sum(event["gpu"] == gpu and event["op"] == "gpu.time" for event in ends)
    count = len(trials) if len(by_gpu) == 1 else own
    # Of the run after its first trial began.
    first = next(event["at"] for event in events if event["op"] == "gpu.warm")
    last = max(event["at"] for event in events)
    later = sum(event["seconds"] for event in ends if event["gpu"] == gpu and event["at"] > first)
    return {
        "input": str(path), "trials": len(trials), "wallSeconds": round(wall, 3),
        "measuredSeconds": round(measured, 3), "cpuSeconds": round(cpu, 3),
        "overheadMilliseconds": round(1e3 * (wall - measured) / count, 1),
        "overheadBetweenTrialsMilliseconds": round(1e3 * (last - first - later) / count, 1),
        "cpuMillisecondsPerTrial": round(1e3 * cpu / len(trials), 1)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("inputs", nargs="*")
    parser.add_argument("--hone", default=str(ROOT / ".build/release/hone"))
    parser.add_argument("--gpus", default="0")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--budget", type=float, default=120)
    parser.add_argument("--compile", type=float, default=0.6)
    parser.add_argument("--check", type=float, default=0.3)
    parser.add_argument("--time", type=float, default=0.3)
    options = parser.parse_args()
    rows = []
    for path in options.inputs or [ROOT / name for name in DEFAULT]:
        for _ in range(options.rounds):
            with tempfile.TemporaryDirectory() as folder:
                row = run(options, path, pathlib.Path(folder))
            rows.append(row)
            print("%-50s %4d trials %7.2f s, %6.1f ms a trial (%6.1f between trials, %6.1f of "
                  "processors)" % (
                      os.path.basename(row["input"]), row["trials"], row["wallSeconds"],
                      row["overheadMilliseconds"], row["overheadBetweenTrialsMilliseconds"],
                      row["cpuMillisecondsPerTrial"]), flush=True)
    total = sum(row["trials"] for row in rows)
    lost = sum(row["overheadMilliseconds"] * row["trials"] for row in rows)
    print(json.dumps({
        "what": "Benchmarks/trial-overhead.py", "gpus": options.gpus, "compile": options.compile,
        "check": options.check, "time": options.time, "trials": total,
        "overheadMilliseconds": round(lost / total, 1), "runs": rows}, indent=1))


if __name__ == "__main__":
    main()
