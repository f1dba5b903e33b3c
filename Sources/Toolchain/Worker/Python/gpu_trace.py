"""Which kernels ran, for how long and on which streams, as torch's profiler (CUPTI) saw them."""

import torch

import gpu_memory

_MARK = "hone_call"


def trace(device, call, prepare, calls):
    """Runs `call` several times under the profiler.

    Returns {"calls", "perCallMicroseconds", "kernels"} or {"unavailable": reason}.
    """
    if device.type != "cuda":
        return {"unavailable": "no GPU"}
    from torch.profiler import ProfilerActivity, profile, record_function

    try:
        with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiler:
            for _ in range(calls):
                prepare()
                gpu_memory.synchronize(device)
                with record_function(_MARK):
                    value = call()
                    gpu_memory.synchronize(device)
                del value
    except RuntimeError as error:
        if "profiler" not in str(error).lower() and "cupti" not in str(error).lower():
            raise
        return {"unavailable": str(error)[:300]}
    windows, work = _events(profiler)
    if not windows or not work:
        return {"unavailable": "the profiler reported no kernels (CUPTI is missing or in use)"}
    return _summary(windows, work)


def _events(profiler):
    """(start, end) of each call and (name, start, duration, stream) of each GPU activity, in µs."""
    windows, work = [], []
    try:
        for event in profiler.profiler.kineto_results.events():
            on_gpu = str(event.device_type()).endswith("CUDA")
            start, duration = event.start_ns() / 1e3, event.duration_ns() / 1e3
            if event.name() == _MARK:
                if not on_gpu:
                    windows.append((start, start + duration))
            elif on_gpu:
                work.append((event.name(), start, duration, event.device_resource_id()))
    except AttributeError:
        windows, work = [], []
        for event in profiler.events():
            on_gpu = str(event.device_type).endswith("CUDA")
            start, end = event.time_range.start, event.time_range.end
            if event.name == _MARK:
                if not on_gpu:
                    windows.append((start, end))
            elif on_gpu:
                work.append((event.name, start, end - start, event.device_resource_id))
    return sorted(windows), sorted(work, key=lambda item: item[1])


def _summary(windows, work):
    kernels, sums = {}, []
    for start, end in windows:
        total = 0.0
        for name, at, duration, stream in work:
            if start <= at <= end:
                kind = "copy" if name.startswith(("Memcpy", "Memset")) else "kernel"
                entry = kernels.setdefault(name[:400], {
                    "name": name[:400], "kind": kind, "count": 0, "microseconds": 0.0,
                    "streams": []})
                entry["count"] += 1
                entry["microseconds"] += duration
                if stream not in entry["streams"]:
                    entry["streams"].append(stream)
                total += duration
        sums.append(total)
    outside = sum(
        1 for _, at, _, _ in work if not any(start <= at <= end for start, end in windows))
    return {
        "calls": len(windows), "perCallMicroseconds": sums, "kernels": list(kernels.values()),
        "outside": outside,
    }
