"""gpu.time and gpu.span: how long modules take, beside the original and in the same minutes."""

import os
import random
import time
from functools import partial

import torch

import gpu_compare
import gpu_device
import gpu_errors
import gpu_graph
import gpu_integrity
import gpu_judge
import gpu_peers
import gpu_run
import gpu_session
import gpu_trace
from gpu_sampling import Feed, Sampler, Timed, compared
from protocol import operation

_clock = time.perf_counter


def _timed(subject, session):
    """Runs under the settings the session was opened with: peers change some of them."""
    model = subject.model
    return Timed(
        subject.name, lambda inputs: inputs.call(model),
        lambda: gpu_integrity.restore_precision(session.settings))


def _native_threads():
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return None


@operation("gpu.time")
def measure(request):
    """Raw samples of every subject; medians and intervals are Hone's."""
    session = gpu_session.current()
    try:
        return _measure(session, request)
    except Exception as error:
        found = gpu_errors.described(error)
        gpu_errors.fail(found)
    finally:
        session.cache.release()


def _measure(session, request):
    device = session.device
    began = _clock()
    seconds = request.get("seconds", 20)
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        if free < total // 4:
            gpu_judge.make_room(session)
    monitor = gpu_device.Monitor(device)
    session.cache.prepare()
    names = [request["original"]] + [n for n in request["candidates"] if n != request["original"]]
    variants = [
        session.inputs({"seed": seed}) for seed in _seeds(session, request, device)]
    feed = Feed(variants)
    sampler = Sampler(device, feed, session.cache)
    reply = {"before": monitor.read(), "nativeThreadsBefore": _native_threads()}
    subjects = [_timed(session.subjects[name], session) for name in names]
    warm = {}
    failures = {}
    alive = []
    for timed in subjects:
        request["channel"].progress({"stage": "warm-up", "label": timed.name})
        _tune_again(session.subjects[timed.name], timed is subjects[0])
        try:
            warm[timed.name] = sampler.warm(timed, 0.1 * seconds)
            alive.append(timed)
        except Exception as error:
            found = gpu_errors.described(error)
            found["message"] = "%s: %s" % (timed.name, found["message"])
            if found["sticky"] or timed is subjects[0]:
                gpu_errors.fail(found)
            failures[timed.name] = found
    integrity = session.integrity()
    peers, reply["peersLeftOut"] = _peers(session, request, feed, sampler, warm)
    everything = alive + peers
    threads = gpu_integrity.python_threads()  # torch.compile's stay
    sampler.hide_host(everything)
    request["channel"].progress({"stage": "timing", "label": "%d modules" % len(everything)})
    reply["rounds"] = sampler.rounds(
        everything, seconds, request.get("fewestRounds", 12), request.get("mostRounds", 150),
        verify=subjects[0])
    reply["after"] = monitor.read()
    graphs, reply["graphLeftOut"] = _graphs(request, alive, feed, sampler, device, seconds)
    traces = {}
    if request.get("kernels", True):
        for timed in everything:
            request["channel"].progress({"stage": "kernels", "label": timed.name})
            traces[timed.name] = gpu_trace.trace(
                device, partial(sampler.call, timed), partial(_prepare, sampler, timed),
                request.get("traceCalls", 5))
    gpu_integrity.restore_precision(session.settings)
    after = session.integrity()
    after["threads"] = max(0, gpu_integrity.python_threads() - threads)
    reply["integrity"] = _joined(integrity, after)
    reply["nativeThreadsAfter"] = _native_threads()
    reply["seconds"] = _clock() - began
    reply["inputBytes"] = feed.inputs.bytes()
    reply["failures"] = failures
    reply["subjects"] = []
    for timed in everything:
        subject = session.subjects.get(timed.name)
        graph = graphs.get(timed.name)
        reply["subjects"].append({
            "name": timed.name,
            "sha256": subject.sha256 if subject else None,
            "deviceMilliseconds": timed.device_samples,
            "wallMilliseconds": timed.wall_samples,
            "wallEventMilliseconds": timed.wall_events,
            "graphMilliseconds": graph.device_samples if graph else [],
            "warmUpMedians": warm.get(timed.name, []),
            "checks": timed.checks + (graph.checks if graph else []),
            "trace": traces.get(timed.name),
            "ownKernels": subject.kernels() if subject else [],
            "relativeL2": getattr(timed, "error", None),
            "hostMilliseconds": timed.host,
            "isHostBound": sampler.is_gpu and timed.host > sampler.hidden,
        })
    return reply


def _tune_again(subject, keep):
    """Autotuners choose inside the measurement, where the GPU is held for it alone; the original's
    choice is kept for later candidates."""
    if keep and getattr(subject, "is_tuned", False):
        return
    subject.is_tuned = True
    for _, tuner in subject.tuners():
        tuner.cache.clear()


def _prepare(sampler, timed):
    sampler.prepare(timed, *sampler.feed.next())


def _seeds(session, request, device):
    """Several sets of numbers, while they take less than a tenth of the free memory."""
    seeds = list(request.get("seeds") or [101, 102, 103])
    if device.type != "cuda":
        return seeds[:2]
    free, _ = torch.cuda.mem_get_info(device)
    size = max(1, session.inputs({"seed": seeds[0]}).bytes())
    return seeds[:max(1, min(len(seeds), int(0.1 * free / size)))]


def _peers(session, request, feed, sampler, warm):
    """Peers that run, with their errors; and why the others do not."""
    peers, left_out = [], {}
    for name in request.get("peers") or []:
        request["channel"].progress({"stage": "peer", "label": name})
        timed, reason = gpu_peers.peer(name, session, feed, request.get("peerSeconds", 120))
        if timed is not None:
            try:
                warm[timed.name] = sampler.warm(timed, 2.0)
                timed.error = _peer_error(session, feed, sampler, timed)
            except Exception as error:
                found = gpu_errors.described(error)
                if found["sticky"]:
                    gpu_errors.fail(found)
                timed, reason = None, found["message"][:300]
        if timed is None:
            left_out[name] = reason
        else:
            peers.append(timed)
    gpu_integrity.restore_settings(session.settings)
    return peers, left_out


def _peer_error(session, feed, sampler, timed):
    """The peer's relative L2 error against `Model` in fp64; None where that does not run."""
    feed.refill(0, 0)
    timed.before()
    timed.adapt(feed.inputs)
    outputs, _ = gpu_run.flatten(sampler.call(timed))
    outputs = gpu_run.copies(outputs)
    wide, _, _ = gpu_run.run_wide(gpu_judge.wide_model(session), feed.inputs)
    if wide is None:
        return None
    return compared(outputs, wide, [gpu_compare.scale(t) for _, t in wide])["relativeL2"]


def _graphs(request, alive, feed, sampler, device, seconds):
    graphs, left_out = {}, {}
    if not request.get("graph", True):
        return graphs, {timed.name: "not asked for" for timed in alive}
    for timed in alive:
        request["channel"].progress({"stage": "graph", "label": timed.name})
        replay, reason = gpu_graph.captured(timed, feed, device)
        if replay is None:
            left_out[timed.name] = reason
        else:
            graphs[timed.name] = replay
    if graphs:
        sampler.rounds(
            list(graphs.values()), 0.2 * seconds, 8, 40, wall=False, verify=alive[0])
    return graphs, left_out


def _joined(first, second):
    found = dict(second)
    for name in ("patched", "settings", "rewritten"):
        found[name] = sorted(set(first[name]) | set(second[name]))
    for name in ("threads", "persistingL2Bytes"):
        found[name] = max(first[name], second[name])
    return found


@operation("gpu.span")
def span(request):
    """Calls a module so many times in a row: Hone holds its own clock beside this one."""
    session = gpu_session.current()
    subject = session.subjects[request["name"]]
    feed = Feed([session.inputs({"seed": request.get("seed", 104 + random.randrange(100))})])
    sampler = Sampler(session.device, feed, session.cache)
    timed = _timed(subject, session)
    for _ in range(3):
        sampler.call(timed)
    if session.device.type == "cuda":
        torch.cuda.synchronize(session.device)
    request["channel"].progress({"stage": "span", "label": "start"})
    began = _clock()
    for _ in range(request["calls"]):
        sampler.call(timed)
    if session.device.type == "cuda":
        torch.cuda.synchronize(session.device)
    claimed = _clock() - began
    return {"calls": request["calls"], "claimedSeconds": claimed}
