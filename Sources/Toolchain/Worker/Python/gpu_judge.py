"""What a setting's results are measured against: the original's, and `Model` in fp64.

They are kept for later candidates while they take less than a quarter of the device's memory, and
of what is free: other processes may want some.
"""
import copy
import gc
import json

import torch

import gpu_compare
import gpu_errors
import gpu_memory
import gpu_run


class Expected:
    """The original's results at one setting and the reference they are judged by."""

    def __init__(self):
        self.original = []  # (path, tensor)
        self.reference = []  # (path, tensor) or []
        self.original_inputs = {}
        self.mutated, self.aliased, self.state = [], [], []
        self.types = []
        self.differs_on_repeat = 0
        self.judge = "original"
        self.judge_note = None
        self.measures = []
        self.first_call_differs = 0

    def bytes(self):
        return gpu_run.count_bytes(self.original) + gpu_run.count_bytes(self.reference)


def make_room(session):
    """Forgets all results, so that memory is free again; whether there were any."""
    had = bool(session.results)
    session.results.clear()
    gc.collect()
    if session.device.type == "cuda":
        torch.cuda.empty_cache()
    return had


def key(setting):
    return json.dumps({k: v for k, v in setting.items() if k != "config"}, sort_keys=True)


def wide_model(session):
    model = session.open_reference()
    if not isinstance(model, torch.nn.Module):
        return model
    return copy.deepcopy(model).double()


def expected(session, original, base, setting, large_bytes):
    """Runs original and reference at a setting, or takes what an earlier candidate left."""
    name = (original.name, original.sha256, key(setting))
    if name in session.results:
        return session.results[name]
    found = Expected()
    device = session.device
    if not getattr(original, "is_warm", False):
        # Autotuning happens here: it may leave an accumulating kernel's first result wrong.
        first = gpu_run.run(original, base, device, 0xFF, False, large_bytes)
        first_outputs = gpu_run.copies(first.outputs)
        original.changed_state()
        original.is_warm = True
    else:
        first_outputs = None
    outcome = gpu_run.run(original, base, device, 0xFF, False, large_bytes)
    found.state = original.changed_state()
    found.original = gpu_run.copies(outcome.outputs)
    found.types = outcome.types
    found.mutated, found.aliased = outcome.mutated, outcome.aliased
    found.original_inputs = {
        path: tensor.clone() for path, tensor in outcome.inputs if path in outcome.mutated}
    if first_outputs is not None:
        found.first_call_differs = sum(
            gpu_compare.different_bits(a, b)
            for (_, a), (_, b) in zip(first_outputs, found.original))
        del first, first_outputs
    del outcome
    # Two poisons: what the original leaves unwritten is seen as a difference.
    again = gpu_run.run(original, base, device, 0x7F, False, large_bytes)
    original.changed_state()
    found.differs_on_repeat = sum(
        gpu_compare.different_bits(a, b)
        for (_, a), (_, b) in zip(again.outputs, found.original))
    del again
    _measure(session, base, found, device)
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        held = sum(e.bytes() for e in session.results.values())
        if held + found.bytes() < total // 4 and found.bytes() < free // 8:
            session.results[name] = found
    else:
        session.results[name] = found
    return found


def _measure(session, base, found, device):
    model = session.open_reference()
    if model is None:
        found.judge_note = session.reference_error
    else:
        try:
            wide = wide_model(session)
            outputs, _, reason = gpu_run.run_wide(wide, base)
            gpu_memory.synchronize(device)
            del wide
        except gpu_run.RunFailed:
            raise
        except Exception as error:
            described = gpu_errors.described(error)
            if described["sticky"]:
                raise gpu_run.RunFailed(described)
            outputs, reason = None, described["message"][:300]
        if outputs is None:
            found.judge_note = reason
        elif [t.shape for _, t in outputs] != [t.shape for _, t in found.original]:
            found.judge_note = "Model's results have other shapes than the original's"
        else:
            found.reference = [
                (path, t.to(device) if t.device != device else t) for path, t in outputs]
            found.judge = "fp64"
        if device.type == "cuda":
            torch.cuda.empty_cache()
    judges = found.reference or found.original
    found.measures = [gpu_compare.scale(t) for _, t in judges]


def measured(found, outputs, pattern):
    """One entry per output: the candidate's and the original's figures against the judge."""
    entries = []
    judges = found.reference or found.original
    for index, (path, tensor) in enumerate(outputs):
        if index >= len(found.original):
            entries.append({"path": path, "problem": "the original has no such output"})
            continue
        old = found.original[index][1]
        entry = {
            "path": path, "shape": list(tensor.shape),
            "type": str(tensor.dtype).replace("torch.", ""),
            "originalShape": list(old.shape),
            "originalType": str(old.dtype).replace("torch.", ""),
        }
        entries.append(entry)
        if tensor.shape != old.shape or tensor.dtype != old.dtype:
            entry["problem"] = "the original's is %s of %s" % (
                str(old.dtype).replace("torch.", ""), list(old.shape))
            continue
        judge = judges[index][1]
        measure = found.measures[index]
        if tensor.device != judge.device:
            tensor = tensor.to(judge.device)
        wide = judge if found.reference else None
        entry["rms"] = gpu_compare.finite(measure[2])
        entry["constantError"] = gpu_compare.finite(measure[3])
        entry["candidate"] = gpu_compare.figures(tensor, judge, measure, old, wide)
        if not hasattr(found, "own"):
            found.own = {}
        if index not in found.own:
            found.own[index] = gpu_compare.figures(old, judge, measure)
        entry["original"] = found.own[index]
        entry["candidate"]["unwritten"] = max(
            0, gpu_compare.unwritten(tensor, pattern) - gpu_compare.unwritten(old, pattern))
        entry["differentBits"] = gpu_compare.different_bits(tensor, old)
    for path, _ in found.original[len(outputs):]:
        entries.append({"path": path, "problem": "the candidate returns no such output"})
    return entries
