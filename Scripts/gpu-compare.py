#!/usr/bin/env python3
"""Times pairs of modules on a GPU: an original and what hone made of it.

usage: gpu-compare.py FOLDER OUT.json [--limit SECONDS]

FOLDER holds one folder per case with original.py, optimized.py and problem.py (get_inputs,
get_init_inputs). Each case runs in a process of its own. First all cases run once, several at a
time (this fills Triton's cache and the autotuners' choices); then each is checked and timed alone:
outputs compared with the original's on fresh inputs, original and optimized timed in turn
(CUDA events, whole forward, L2 flushed between runs), medians and the interval of the ratio by
bootstrap. Needs torch, triton and a GPU.
"""
import importlib.util
import json
import math
import os
import random
import signal
import subprocess
import sys
import time


def load(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def flatten(output, torch):
    if torch.is_tensor(output):
        return output.detach().reshape(-1).double()
    parts = [flatten(part, torch) for part in output if part is not None]
    return torch.cat(parts)


def bootstrap(a, b, rounds=1000):
    """The 95 % interval of median(a) / median(b)."""
    generator = random.Random(0)

    def median(values):
        values = sorted(values)
        return values[len(values) // 2]

    ratios = sorted(
        median([generator.choice(a) for _ in a]) / median([generator.choice(b) for _ in b])
        for _ in range(rounds)
    )
    return ratios[int(0.025 * rounds)], ratios[int(0.975 * rounds)]


def run_case(folder, mode, result_path):
    import torch

    result = {}

    def save():
        with open(result_path, "w") as file:
            json.dump(result, file)

    tag = os.path.basename(folder)
    problem = load(f"{folder}/problem.py", "problem_" + tag)
    torch.manual_seed(7)
    with torch.device("cuda"):
        init = problem.get_init_inputs()

    def inputs(seed):
        torch.manual_seed(seed)
        with torch.device("cuda"):
            values = problem.get_inputs()
        return [v.cuda() if torch.is_tensor(v) else v for v in values]

    def build(which):
        torch.manual_seed(11)
        module = load(f"{folder}/{which}.py", f"{which}_{tag}")
        model = module.ModelNew(*init) if not isinstance(init, dict) else module.ModelNew(**init)
        return model.cuda()

    models = {}
    x = inputs(1)
    with torch.no_grad():
        for which in ("original", "optimized"):
            try:
                models[which] = build(which)
                models[which](*x)
                torch.cuda.synchronize()
            except Exception as error:  # the failure is the finding
                result[which + "_error"] = f"{type(error).__name__}: {error}"[-300:]
                save()
                if which == "original":
                    return
        if mode == "warm" or "optimized" not in models:
            result["ran"] = True
            save()
            return
        worst = 0.0
        for seed in (1, 2):
            x = inputs(seed)
            outputs = {}
            for which, model in models.items():
                before = [v.clone() if torch.is_tensor(v) else v for v in x]
                outputs[which] = flatten(model(*before), torch)
            difference = (outputs["optimized"] - outputs["original"]).norm()
            scale = outputs["original"].norm()
            error = (difference / scale).item() if scale > 0 else difference.item()
            worst = max(worst, error if math.isfinite(error) else float("inf"))
            del outputs
        result["relative_l2_to_original"] = worst
        flush = torch.empty(256 << 20, dtype=torch.int8, device="cuda")
        times = {which: [] for which in models}

        def once(model):
            flush.zero_()
            start = torch.cuda.Event(enable_timing=True)
            end = torch.cuda.Event(enable_timing=True)
            start.record()
            model(*x)
            end.record()
            torch.cuda.synchronize()
            return start.elapsed_time(end)

        for model in models.values():
            for _ in range(3):
                single = once(model)
        rounds = max(7, min(40, int(600 / max(single, 0.05))))
        for _ in range(rounds):
            order = list(models)
            random.shuffle(order)
            for which in order:
                times[which].append(once(models[which]))
        medians = {w: sorted(t)[len(t) // 2] for w, t in times.items()}
        low, high = bootstrap(times["original"], times["optimized"])
        result.update(
            original_ms=medians["original"],
            optimized_ms=medians["optimized"],
            speedup=medians["original"] / medians["optimized"],
            interval=[low, high],
            rounds=rounds,
        )
    save()


def pool(cases, mode, width, limit, timeout, work):
    begin, waiting, running = time.time(), list(cases), []
    while waiting or running:
        if time.time() - begin > limit:
            waiting = []
        while waiting and len(running) < width:
            case = waiting.pop(0)
            path = f"{work}/{mode}_{os.path.basename(case)}.json"
            process = subprocess.Popen(
                [sys.executable, os.path.abspath(__file__), "--case", case, mode, path],
                stdout=subprocess.DEVNULL,
                stderr=open(path + ".err", "w"),
                start_new_session=True,
            )
            running.append((process, time.time()))
        for item in list(running):
            process, started = item
            if process.poll() is not None:
                running.remove(item)
            elif time.time() - started > timeout:
                os.killpg(process.pid, signal.SIGKILL)
                running.remove(item)
        time.sleep(0.05)


def main():
    if sys.argv[1] == "--case":
        return run_case(*sys.argv[2:5])
    folder, out = sys.argv[1:3]
    limit = float(sys.argv[4]) if len(sys.argv) > 4 else 500
    begin = time.time()
    work = out + ".work"
    os.makedirs(work, exist_ok=True)
    cases = sorted(
        f"{folder}/{name}"
        for name in os.listdir(folder)
        if os.path.exists(f"{folder}/{name}/optimized.py")
    )
    pool(cases, "warm", 8, limit * 0.5, 90, work)
    print(f"warm after {time.time() - begin:.0f} s", flush=True)
    pool(cases, "time", 1, limit - (time.time() - begin), 40, work)
    import torch
    import triton

    results = {}
    for case in cases:
        name = os.path.basename(case)
        entry = {}
        for mode in ("warm", "time"):
            try:
                with open(f"{work}/{mode}_{name}.json") as file:
                    entry.update(json.load(file))
            except (OSError, ValueError):
                pass
        results[name] = entry
    speedups = [r["speedup"] for r in results.values() if "speedup" in r]
    report = {
        "gpu": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "triton": triton.__version__,
        "cases": results,
    }
    if speedups:
        ordered = sorted(speedups)
        report["summary"] = {
            "timed": len(ordered),
            "of": len(cases),
            "geomean": math.exp(sum(map(math.log, ordered)) / len(ordered)),
            "median": ordered[len(ordered) // 2],
            "p25": ordered[len(ordered) // 4],
            "p75": ordered[3 * len(ordered) // 4],
            "slower_than_0.98": sum(s < 0.98 for s in ordered),
        }
    with open(out, "w") as file:
        json.dump(report, file, indent=1)
    for name, entry in results.items():
        if "speedup" in entry:
            print(
                f"{name[:46]:46s} {entry['original_ms']:9.3f} {entry['optimized_ms']:9.3f} "
                f"{entry['speedup']:6.3f} [{entry['interval'][0]:.3f}, {entry['interval'][1]:.3f}] "
                f"err {entry['relative_l2_to_original']:.1e}"
            )
        else:
            error = entry.get("optimized_error") or entry.get("original_error") or "no result"
            which = "optimized" if "optimized_error" in entry else "original"
            print(f"{name[:46]:46s} {which}: {error[:120]}")
    print(json.dumps(report.get("summary", {})))


if __name__ == "__main__":
    main()
