"""Timed calls: fresh numbers at the same addresses, the L2 cache emptied, events and a clock.

The functions that measure are taken when this file is imported, before any user code.
"""

import random
import time

import torch

import gpu_compare
import gpu_memory
import gpu_run

_clock = time.perf_counter
_Event = torch.cuda.Event
_record = torch.cuda.Event.record
_elapsed = torch.cuda.Event.elapsed_time
_synchronize = torch.cuda.synchronize


def median(values):
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else 0.5 * (ordered[half - 1] + ordered[half])


class Timed:
    """Something to time: a module, a peer, or the replay of a CUDA graph."""

    def __init__(self, name, call, before=None, adapt=None):
        self.name, self.call = name, call
        # Both run outside the timed part: settings, and what is made of new inputs.
        self.before = before or (lambda: None)
        self.adapt = adapt or (lambda inputs: None)
        self.device_samples, self.wall_samples, self.wall_events = [], [], []
        self.checks = []
        # What the host needs before it has asked for everything, milliseconds.
        self.host = 0.0


class Feed:
    """The tensors that all timed calls get: one set of addresses, ever new numbers."""

    def __init__(self, variants):
        self.variants = variants
        self.inputs = variants[0].clone()
        self._random = random.Random(12345)

    def refill(self, variant, shift):
        """Copies a variant in, its floating-point tensors rotated by `shift` elements."""
        source = self.variants[variant % len(self.variants)]
        with torch.no_grad():
            for (_, target), (_, value) in zip(self.inputs.tensors(), source.tensors()):
                size = target.numel()
                step = shift % size if size else 0
                plain = target.is_contiguous() and value.is_contiguous()
                if step == 0 or not plain or not target.is_floating_point():
                    target.copy_(value)
                else:
                    flat, old = target.view(-1), value.view(-1)
                    flat[:step].copy_(old[size - step:])
                    flat[step:].copy_(old[:size - step])

    def next(self):
        """Which variant and rotation comes next; rotations keep the alignment of vectors."""
        return self._random.randrange(len(self.variants)), 64 * self._random.randrange(1, 4096)


class Sampler:
    """Takes samples of things to time."""

    def __init__(self, device, feed, cache):
        self.device, self.feed, self.cache = device, feed, cache
        self.is_gpu = device.type == "cuda"
        self.flushes, self.hidden = 1, 0.0

    def prepare(self, timed, variant, shift):
        timed.before()
        self.feed.refill(variant, shift)
        timed.adapt(self.feed.inputs)
        self.cache.reset_persisting()
        for _ in range(self.flushes):
            self.cache.flush()

    def call(self, timed):
        with torch.no_grad():
            return timed.call(self.feed.inputs)

    def device_sample(self, timed, variant, shift):
        """Milliseconds between events around one call that waits behind the cache's flush, so that
        the host's work is hidden where it is shorter than that; and the call's result."""
        if not self.is_gpu:
            event, _, value = self.wall_sample(timed, variant, shift)
            return event, value
        self.prepare(timed, variant, shift)
        start, end = _Event(enable_timing=True), _Event(enable_timing=True)
        _record(start)
        value = self.call(timed)
        _record(end)
        _synchronize(self.device)
        return _elapsed(start, end), value

    def wall_sample(self, timed, variant, shift):
        """Milliseconds by events and by the clock of one call from an idle GPU until the whole device
        is idle again, side streams included; and the call's result."""
        self.prepare(timed, variant, shift)
        if not self.is_gpu:
            began = _clock()
            value = self.call(timed)
            wall = 1e3 * (_clock() - began)
            return wall, wall, value
        start, end = _Event(enable_timing=True), _Event(enable_timing=True)
        _synchronize(self.device)
        began = _clock()
        _record(start)
        value = self.call(timed)
        _record(end)
        _synchronize(self.device)
        wall = 1e3 * (_clock() - began)
        return _elapsed(start, end), wall, value

    def hide_host(self, everything):
        """Lets so many flushes go before each call that the host has asked for all of it when the
        GPU begins: else short kernels would be timed by how slowly they are launched. At most 25."""
        if not self.is_gpu:
            return
        start, end = _Event(enable_timing=True), _Event(enable_timing=True)
        _synchronize(self.device)
        _record(start)
        for _ in range(4):
            self.cache.flush()
        _record(end)
        _synchronize(self.device)
        single = max(1e-3, _elapsed(start, end) / 4)
        for timed in everything:
            timed.before()
            timed.adapt(self.feed.inputs)
            times = []
            for _ in range(5):
                _synchronize(self.device)
                began = _clock()
                self.call(timed)
                times.append(1e3 * (_clock() - began))
            _synchronize(self.device)
            timed.host = median(times)
        slowest = max(timed.host for timed in everything)
        self.flushes = max(1, min(25, int(1.3 * slowest / single) + 1))
        self.hidden = self.flushes * single

    def warm(self, timed, limit_seconds):
        """Calls until the median of five changes by less than 2 %; the medians seen."""
        began, medians = _clock(), []
        for _ in range(3):
            self.device_sample(timed, 0, 0)
        while len(medians) < 12:
            medians.append(median([self.device_sample(timed, 0, 0)[0] for _ in range(5)]))
            if len(medians) > 1 and abs(medians[-1] - medians[-2]) <= 0.02 * medians[-2]:
                break
            if _clock() - began > limit_seconds:
                break
        return medians

    def rounds(self, everything, seconds, fewest, most, wall=True, verify=None):
        """Interleaved samples, in an order drawn anew each round. Returns the number of rounds.

        In three rounds that nobody can foresee all get the same numbers and what they return is
        compared with what `verify` (the original) makes of them.
        """
        deadline = _clock() + seconds
        order_of, secret = random.Random(4711), random.SystemRandom()
        done = 0
        checked = {1, 3 + secret.randrange(max(1, fewest - 3))}
        while done < most and (done < fewest or _clock() < deadline):
            plan = [(timed, kind) for timed in everything for kind in ((0, 1) if wall else (0,))]
            order_of.shuffle(plan)
            is_checked = verify is not None and (done in checked or secret.random() < 0.02)
            variant, shift = self.feed.next()
            kept = {}
            for timed, kind in plan:
                if not is_checked:
                    variant, shift = self.feed.next()
                if kind == 0:
                    event, value = self.device_sample(timed, variant, shift)
                    timed.device_samples.append(event)
                else:
                    event, elapsed, value = self.wall_sample(timed, variant, shift)
                    timed.wall_events.append(event)
                    timed.wall_samples.append(elapsed)
                if is_checked:
                    outputs, _ = gpu_run.flatten(value)
                    kept.setdefault(timed.name, []).append(gpu_run.copies(outputs))
                del value
            if is_checked:
                self._verify(everything, kept, verify, variant, shift)
            done += 1
        return done

    def _verify(self, everything, kept, verify, variant, shift):
        verify.before()
        self.feed.refill(variant, shift)
        verify.adapt(self.feed.inputs)
        value = self.call(verify)
        gpu_memory.synchronize(self.device)
        expected, _ = gpu_run.flatten(value)
        measures = [gpu_compare.scale(t) for _, t in expected]
        for timed in everything:
            for outputs in kept.get(timed.name, []):
                timed.checks.append(compared(outputs, expected, measures))


def compared(outputs, expected, measures):
    """The worst figures of some outputs against others."""
    if [t.shape for _, t in outputs] != [t.shape for _, t in expected]:
        return {"relativeL2": 1e308, "worstRelative": 1e308, "nonFinite": 0, "shapes": False}
    worst = {"relativeL2": 0.0, "worstRelative": 0.0, "nonFinite": 0, "shapes": True}
    for (_, tensor), (_, other), measure in zip(outputs, expected, measures):
        if tensor.device != other.device:
            tensor = tensor.to(other.device)
        found = gpu_compare.figures(tensor, other, measure, other)
        for name in ("relativeL2", "worstRelative"):
            worst[name] = max(worst[name], found[name])
        worst["nonFinite"] += found["nonFinite"]
    return worst
