"""One run of a model on poisoned memory, and what can be seen of it from outside."""
import torch

import gpu_compare
import gpu_errors
import gpu_memory


class RunFailed(Exception):
    """User code failed; `found` is {"kind", "message", "traceback"}."""

    def __init__(self, found):
        super().__init__(found["message"])
        self.found = found


class Outcome:
    """Results of one run and what it did beside."""

    def __init__(self):
        self.outputs = []  # (path, tensor)
        self.inputs = []  # (path, tensor) after the run
        self.mutated = []
        self.aliased = []
        self.types = []
        self.damage = {"inputs": [0, 0], "outputs": [0, 0]}
        self.operators = []
        self.guarded = False
        self.note = None


def flatten(value, path=""):
    """(path, tensor) of a result; numbers become tensors. Anything else is named in `odd`."""
    found, odd = [], []
    if isinstance(value, torch.Tensor):
        found.append((path or "out", value))
    elif isinstance(value, (bool, int, float)):
        found.append((path or "out", torch.tensor(value)))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            more, strange = flatten(item, (path + "." if path else "") + str(index))
            found += more
            odd += strange
    elif isinstance(value, dict):
        for key, item in value.items():
            more, strange = flatten(item, (path + "." if path else "") + str(key))
            found += more
            odd += strange
    elif value is not None:
        odd.append("%s is a %s" % (path or "out", type(value).__name__))
    return found, odd


def _span(tensor):
    storage = tensor.untyped_storage()
    start = storage.data_ptr()
    return start, start + storage.nbytes()


def _look(outcome, value, inputs, device):
    """Types, devices and storages of the results, before anything computes with them."""
    found, odd = flatten(value)
    outcome.types += odd
    spans = [(path, _span(t)) for path, t in inputs.tensors() if t.numel() > 0]
    for path, tensor in found:
        if type(tensor) is not torch.Tensor:
            outcome.types.append(
                "%s is a %s, not torch.Tensor" % (path, type(tensor).__name__))
            continue
        if tensor.layout is not torch.strided:
            outcome.types.append("%s has layout %s" % (path, tensor.layout))
            continue
        if tensor.dim() > 0 and tensor.device.type != device.type:
            outcome.types.append("%s is on %s" % (path, tensor.device))
            continue
        if tensor.numel() > 0 and tensor.device.type == device.type:
            if tensor.data_ptr() == 0:
                outcome.types.append("%s has no storage" % path)
                continue
            start, end = _span(tensor)
            outcome.aliased += [
                "%s shares storage with input %s" % (path, name)
                for name, (low, high) in spans if start < high and low < end]
        outcome.outputs.append((path, tensor))


def run(subject, base, device, pattern, guarded, large_bytes):
    """Runs a subject's model once on guarded copies of `base`.

    With `guarded`, tensors that the module makes lie between guard bands too and start filled with
    the pattern; where its operations do not bear that, it runs plainly and `note` says so.
    """
    outcome = Outcome()
    inputs, blocks = base.guarded(device, pattern)
    gpu_memory.poison(device, pattern, large_bytes)
    made = []
    try:
        with torch.no_grad():
            if guarded:
                mode = gpu_memory.Guarded(device, pattern)
                with mode:
                    value = inputs.call(subject.model)
                made = mode.blocks
                outcome.operators = sorted(mode.operators)
                outcome.guarded = True
            else:
                value = inputs.call(subject.model)
            gpu_memory.synchronize(device)
    except Exception as error:
        found = gpu_errors.described(error)
        found["message"] = "%s: %s" % (subject.name, found["message"])
        raise RunFailed(found)
    with torch.no_grad():
        _look(outcome, value, inputs, device)
        outcome.inputs = inputs.tensors()
        outcome.damage["inputs"] = gpu_memory.damage(blocks)
        outcome.damage["outputs"] = gpu_memory.damage(made)
        for (path, before), (_, after) in zip(base.tensors(), outcome.inputs):
            if gpu_compare.different_bits(before, after):
                outcome.mutated.append(path)
    return outcome


def run_wide(model, base):
    """`Model` in fp64 on a widened copy: outputs and inputs after the run, or the reason it failed."""
    wide = base.wide()
    try:
        with torch.no_grad():
            value = wide.call(model)
            found, odd = flatten(value)
        if odd:
            return None, None, "Model returns something that is no tensor: " + odd[0]
        return [(p, t.detach().clone()) for p, t in found], wide.tensors(), None
    except Exception as error:
        described = gpu_errors.described(error)
        if described["sticky"]:
            described["message"] = "Model in fp64: " + described["message"]
            raise RunFailed(described)
        return None, None, described["message"][:300]


def copies(pairs):
    return [(path, tensor.detach().clone()) for path, tensor in pairs]


def count_bytes(pairs):
    return sum(t.numel() * t.element_size() for _, t in pairs)
