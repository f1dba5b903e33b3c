"""gpu.check: does a candidate compute on the GPU what the original computes?

The candidate always runs before the original, so nothing of the original's lies in memory that was
freed. Only figures are returned; Hone decides.
"""
import time

import torch

import gpu_compare
import gpu_errors
import gpu_inputs
import gpu_judge
import gpu_memory
import gpu_run
import gpu_session
from protocol import operation

_clock = time.perf_counter


@operation("gpu.check")
def check(request):
    session = gpu_session.current()
    candidate = session.subjects[request["candidate"]]
    original = session.subjects[request["original"]]
    deadline = _clock() + request.get("seconds", 60)
    rows, left = [], 0
    for setting in request["settings"]:
        if rows and _clock() > deadline:
            left += 1
            continue
        request["channel"].progress({"stage": "check", "label": setting["label"]})
        row = {"label": setting["label"], "kind": setting.get("kind", "given"), "outputs": []}
        rows.append(row)
        found, culprit = _attempt(
            session, lambda: _check(session, candidate, original, setting, row))
        if found is not None:
            row["error"] = found
            row["failed"] = "harness" if culprit is None else (
                "original" if culprit.startswith(original.name + ":") else "candidate")
    return {"rows": rows, "left": left, "integrity": session.integrity()}


def _attempt(session, action):
    """Runs an action; (error, message of the module at fault) where it fails. Where memory is short,
    once more without the results that are kept. Errors that end the process are raised."""
    for is_last in (False, True):
        try:
            action()
            return None, None
        except gpu_run.RunFailed as failed:
            found, culprit = failed.found, failed.found["message"]
        except Exception as error:
            found, culprit = gpu_errors.described(error), None
        if found["sticky"]:
            gpu_errors.fail(found)
        if is_last or found["kind"] != "out-of-memory" or not gpu_judge.make_room(session):
            return found, culprit
    return None, None


@operation("gpu.prepare")
def prepare(request):
    """Runs the original and its judge at each setting; a setting that it does not bear is named."""
    session = gpu_session.current()
    original = session.subjects[request["original"]]
    rows = []
    for setting in request["settings"]:
        request["channel"].progress({"stage": "original", "label": setting["label"]})
        row = {"label": setting["label"]}
        rows.append(row)
        found, _ = _attempt(session, lambda: _prepare(session, original, setting, row))
        if found is not None:
            row["unusable"] = found["message"][:300]
    return {"rows": rows, "integrity": session.integrity()}


def _prepare(session, original, setting, row):
    base = _base(session, setting, row)
    if base is None:
        row["unusable"] = row.pop("skipped")
        return
    found = _expected(session, original, base, setting)
    row["judge"] = "fp64" if found.judge == "fp64" else found.judge_note or "original"
    row["bytes"] = found.bytes()
    if found.types:
        row["unusable"] = found.types[0]


def _sizes(session, base):
    """Bytes of free memory to poison: several times what the inputs take."""
    return max(256 << 20, 3 * base.bytes())


def _check(session, candidate, original, setting, row):
    base = _base(session, setting, row)
    if base is None:
        return
    kind = setting.get("kind", "given")
    if kind == "config":
        _check_config(session, candidate, original, setting, row, base)
    elif kind == "refill":
        _check_refill(session, candidate, original, setting, row, base)
    else:
        _check_twice(session, candidate, original, setting, row, base)


def _base(session, setting, row):
    """The setting's inputs; None, with the reason in the row, where it does not apply."""
    if setting.get("kind") != "resized":
        return session.inputs({**setting, "kind": {"config": "given", "refill": "given"}.get(
            setting.get("kind", "given"), setting.get("kind", "given"))})
    given = session.inputs({**setting, "kind": "given"})
    old = gpu_inputs.leading_size(given)
    model = session.open_reference()
    if old is None or old == setting["batch"]:
        row["skipped"] = "the inputs have no common first axis of another size"
        return None
    if model is None:
        # Shapes that do not go together would send kernels out of bounds: torch has to accept them.
        row["skipped"] = "no Model to ask whether this size is legal"
        return None
    base = gpu_inputs.changed(given, {**setting, "from": old})
    outputs, _, reason = gpu_run.run_wide(gpu_judge.wide_model(session), base)
    if outputs is None:
        row["skipped"] = "Model refuses this size: %s" % reason[:200]
        return None
    return base


def _expected(session, original, base, setting):
    name = {**setting}
    if name.get("kind") in ("config", "refill"):
        name["kind"] = "given"
    for extra in ("label", "index", "oldSeed"):
        name.pop(extra, None)
    return gpu_judge.expected(session, original, base, name, _sizes(session, base))


def _describe(row, outcome):
    row["types"] = outcome.types
    row["aliased"] = outcome.aliased
    row["mutated"] = outcome.mutated
    row["guards"] = {
        "inputsBefore": outcome.damage["inputs"][0], "inputsAfter": outcome.damage["inputs"][1],
        "outputsBefore": outcome.damage["outputs"][0],
        "outputsAfter": outcome.damage["outputs"][1],
    }
    row["guarded"] = outcome.guarded
    row["operators"] = outcome.operators


def _compare(row, found, outcome, pattern, label="outputs"):
    row[label] = gpu_judge.measured(found, outcome.outputs, pattern)
    row["judge"] = found.judge
    if found.judge_note:
        row["judgeNote"] = found.judge_note
    row["originalMutated"] = found.mutated
    row["originalAliased"] = [text.split(" ")[0] for text in found.aliased]
    row["originalDiffersOnRepeat"] = found.differs_on_repeat
    row["originalFirstCallDiffers"] = found.first_call_differs
    row["originalState"] = found.state
    after = dict(outcome.inputs)
    row["mutatedDifferently"] = {
        path: gpu_compare.different_bits(after[path], found.original_inputs[path])
        for path in outcome.mutated if path in found.original_inputs}


def _check_twice(session, candidate, original, setting, row, base):
    large = _sizes(session, base)
    device = session.device
    first = gpu_run.run(candidate, base, device, 0xFF, False, large)
    state = candidate.changed_state()
    kept = gpu_run.copies(first.outputs)
    try:
        second = gpu_run.run(candidate, base, device, 0x7F, True, large)
    except gpu_run.RunFailed as failed:
        if failed.found["sticky"]:
            raise
        second = gpu_run.run(candidate, base, device, 0x7F, False, large)
        second.note = failed.found["message"][:300]
    candidate.changed_state()
    row["state"] = state
    row["reused"] = _reused(first, second, kept)
    row["differsOnRepeat"] = sum(
        gpu_compare.different_bits(a, b) for (_, a), (_, b) in zip(second.outputs, kept))
    _describe(row, second)
    row["types"] = first.types + [t for t in second.types if t not in first.types]
    row["aliased"] = first.aliased
    row["mutated"] = sorted(set(first.mutated) | set(second.mutated))
    if second.note:
        row["guardNote"] = second.note
    found = _expected(session, original, base, setting)
    _compare(row, found, second, 0x7F)
    first.outputs = kept
    row["firstCall"] = gpu_judge.measured(found, kept, 0xFF) if row["differsOnRepeat"] else []


def _reused(first, second, kept):
    """What the second call did to the first call's results."""
    found = []
    for (path, tensor), (_, copy), (_, other) in zip(first.outputs, kept, second.outputs):
        if tensor.numel() == 0 or tensor.dim() == 0:
            continue
        if tensor.untyped_storage().data_ptr() == other.untyped_storage().data_ptr():
            found.append("%s: both calls return one storage" % path)
        elif gpu_compare.different_bits(tensor, copy):
            found.append("%s: the second call changed the first call's result" % path)
    return found


def _check_refill(session, candidate, original, setting, row, base):
    """Other numbers in the same tensors: results kept by object, address or version show."""
    device = session.device
    inputs, _ = session.inputs({"seed": setting["oldSeed"]}).guarded(device, 0xFF)
    try:
        with torch.no_grad():
            inputs.call(candidate.model)
            gpu_memory.synchronize(device)
            for (_, tensor), (_, new) in zip(inputs.tensors(), base.tensors()):
                tensor.data.copy_(new)  # leaves the version counter as it was
            value = inputs.call(candidate.model)
            gpu_memory.synchronize(device)
    except Exception as error:
        found = gpu_errors.described(error)
        found["message"] = "%s: %s" % (candidate.name, found["message"])
        raise gpu_run.RunFailed(found)
    outcome = gpu_run.Outcome()
    outcome.outputs, outcome.types = gpu_run.flatten(value)
    candidate.changed_state()
    outcome.inputs = inputs.tensors()
    _describe(row, outcome)
    _compare(row, _expected(session, original, base, setting), outcome, 0xFF)


def _check_config(session, candidate, original, setting, row, base):
    """One autotune config by itself, so that no other fills the gaps it leaves."""
    tuners = candidate.tuners()
    index = setting["index"]
    saved = [(tuner, tuner.configs, dict(tuner.cache)) for _, tuner in tuners]
    row["config"] = []
    try:
        for name, tuner in tuners:
            chosen = tuner.configs[min(index, len(tuner.configs) - 1)]
            row["config"].append("%s: %s" % (name, chosen))
            tuner.configs = [chosen]
            tuner.cache.clear()
        try:
            outcome = gpu_run.run(
                candidate, base, session.device, 0xFF, True, _sizes(session, base))
        except gpu_run.RunFailed as failed:
            if failed.found["kind"] != "python":
                raise
            outcome = gpu_run.run(
                candidate, base, session.device, 0xFF, False, _sizes(session, base))
    finally:
        candidate.changed_state()
        for tuner, configs, cache in saved:
            tuner.configs = configs
            tuner.cache.clear()
            tuner.cache.update(cache)
    _describe(row, outcome)
    _compare(row, _expected(session, original, base, setting), outcome, 0xFF)
