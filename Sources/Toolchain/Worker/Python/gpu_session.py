"""One problem and the modules loaded for it."""
import gc
import hashlib
import os
import sys
import types

import torch

import gpu_compare
import gpu_device
import gpu_inputs
import gpu_integrity


def import_text(text, name, folder):
    """A module from text, and the SHA-256 of the very bytes that were compiled.

    The file is written because Triton reads a kernel's source from its file; what is compiled is
    what is read back.
    """
    wanted = hashlib.sha256(text.encode("utf-8")).hexdigest()
    path = os.path.join(folder, "%s_%s.py" % (name, wanted[:16]))
    with open(path, "wb") as file:
        file.write(text.encode("utf-8"))
    with open(path, "rb") as file:
        data = file.read()
    module = types.ModuleType(os.path.splitext(os.path.basename(path))[0])
    module.__file__ = path
    sys.modules[module.__name__] = module
    exec(compile(data, path, "exec"), module.__dict__)
    return module, hashlib.sha256(data).hexdigest(), path


def text_on_disk(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


class Subject:
    """A loaded module with its model."""

    def __init__(self, name, module, sha256, path):
        self.name, self.module, self.sha256, self.path = name, module, sha256, path
        self.model = None
        self.state = {}
        self.parameter_note = ""

    def tuners(self):
        """The module's autotuned kernels: (name, Autotuner), decorators around them included."""
        found, seen = [], set()
        for name, value in list(vars(self.module).items()):
            depth = 0
            while value is not None and depth < 8:
                if hasattr(value, "configs") and hasattr(value, "cache") and hasattr(value, "fn"):
                    if id(value) not in seen:
                        seen.add(id(value))
                        found.append((name, value))
                    break
                value, depth = getattr(value, "fn", None), depth + 1
        return found

    def kernels(self):
        """Names of the module's `@triton.jit` functions, as the profiler shows them."""
        found = set()
        for value in list(vars(self.module).values()):
            depth = 0
            while value is not None and depth < 8:
                inner = getattr(value, "fn", None)
                if isinstance(inner, types.FunctionType):
                    found.add(inner.__name__)
                    break
                value, depth = inner, depth + 1
        return sorted(found)

    def remember_state(self):
        self.state = {k: v.detach().clone() for k, v in self._tensors()}

    def _tensors(self):
        model = self.model
        if not isinstance(model, torch.nn.Module):
            return []
        return list(model.named_parameters()) + list(model.named_buffers())

    def changed_state(self):
        """Names of parameters and buffers that are not as remembered; they are put back."""
        found = []
        for name, tensor in self._tensors():
            saved = self.state.get(name)
            if saved is None:
                continue
            if saved.shape != tensor.shape or saved.dtype != tensor.dtype:
                found.append(name)
            elif gpu_compare.different_bits(saved, tensor):
                found.append(name)
                with torch.no_grad():
                    tensor.copy_(saved)
        return found


class Session:
    """The problem that is open; one for a worker's life or until the next `gpu.open`."""

    def __init__(self, request, folder):
        self.device = torch.device(request.get("device", "cuda"))
        self.folder = folder
        self.seeds = request.get("seeds") or {}
        self.specs = request.get("inputs")
        self.problem = None
        self.problem_sha256 = None
        self.subjects = {}
        self.reference = None
        self.reference_error = None
        self.watch = gpu_integrity.Watch()
        self.settings = gpu_integrity.settings()
        self.threads = gpu_integrity.python_threads()
        self.results = {}
        self.cache = gpu_device.Cache(self.device)
        self.persisting = self.cache.persisting_limit()
        text = request.get("problem")
        if text:
            self.problem, self.problem_sha256, _ = import_text(text, "problem", self.folder)

    def init_arguments(self):
        owner = self._owner("get_init_inputs")
        if owner is None:
            return [], {}
        torch.manual_seed(self.seeds.get("arguments", 7))
        with torch.device(self.device):
            values = owner.get_init_inputs()
        if isinstance(values, dict):
            return [], values
        if isinstance(values, (list, tuple)):
            if len(values) == 2 and isinstance(values[0], (list, tuple)) and \
                    isinstance(values[1], dict):
                return list(values[0]), values[1]
            return list(values), {}
        return [values], {}

    def _owner(self, name):
        for module in [self.problem] + [s.module for s in self.subjects.values()]:
            if module is not None and hasattr(module, name):
                return module
        return None

    def inputs(self, setting):
        """Inputs of a setting, on the device."""
        seed = setting.get("seed", self.seeds.get("inputs", 1))
        if self.specs:
            made = gpu_inputs.explicit(self.specs, self.device, seed)
        else:
            owner = self._owner("get_inputs")
            if owner is None:
                raise ValueError(
                    "neither the problem nor the original has get_inputs; give --problem or --input")
            made = gpu_inputs.from_problem(owner.get_inputs, self.device, seed)
        return gpu_inputs.changed(made, setting)

    def build(self, cls):
        """A model under the session's seed, on the device, not training unless it says so."""
        args, kwargs = self.init_arguments()
        torch.manual_seed(self.seeds.get("init", 11))
        model = cls(*args, **kwargs)
        if isinstance(model, torch.nn.Module):
            model = model.to(self.device)
        return model

    def open_reference(self):
        """`Model` of the problem file, in its own type; None with the reason if it has none."""
        if self.reference is None and self.reference_error is None:
            cls = getattr(self.problem, "Model", None) if self.problem else None
            if cls is None:
                self.reference_error = "the problem file has no Model"
            else:
                try:
                    self.reference = self.build(cls)
                except Exception as error:  # then the original is the judge
                    self.reference_error = "Model(...) failed: %s" % str(error)[:300]
        return self.reference

    def load(self, name, text, entry):
        module, sha256, path = import_text(text, name, self.folder)
        subject = Subject(name, module, sha256, path)
        old = self.subjects.get(name)
        self.subjects[name] = subject
        try:
            cls = getattr(module, entry, None)
            if cls is None:
                raise ValueError("the module has no '%s'" % entry)
            subject.model = self.build(cls)
            subject.parameter_note = self._copy_parameters(subject)
            subject.remember_state()
        except BaseException:
            if old is None:
                del self.subjects[name]
            else:
                self.subjects[name] = old
            raise
        return subject

    def _copy_parameters(self, subject):
        """Copies the reference's parameters, by name or by order; how, in words."""
        source = self.open_reference()
        if source is None:
            others = [s.model for n, s in self.subjects.items() if n != subject.name and s.model]
            source = others[0] if others else None
        if not isinstance(source, torch.nn.Module) or not isinstance(subject.model, torch.nn.Module):
            return "built under the same seed"
        theirs, mine = source.state_dict(), subject.model.state_dict()
        if not mine and not theirs:
            return "no parameters"
        with torch.no_grad():
            same = [k for k in mine if k in theirs and mine[k].shape == theirs[k].shape]
            if len(same) == len(mine) == len(theirs):
                for key in same:
                    mine[key].copy_(theirs[key])
                return "copied by name"
            a, b = list(subject.model.parameters()), list(source.parameters())
            if len(a) == len(b) and all(x.shape == y.shape for x, y in zip(a, b)):
                for x, y in zip(a, b):
                    x.copy_(y)
                return "copied by order"
            for key in same:
                mine[key].copy_(theirs[key])
        return "built under the same seed; %d of %d copied by name" % (len(same), len(mine))

    def forget(self, name):
        subject = self.subjects.pop(name, None)
        if subject is not None:
            sys.modules.pop(subject.module.__name__, None)
            subject.model = None
            subject.state = {}
        gc.collect()

    def integrity(self):
        """What user code changed since the session was opened; settings are put back."""
        changed = self.watch.changed()
        now = gpu_integrity.settings()
        drift = gpu_integrity.differences(self.settings, now)
        if drift:
            gpu_integrity.restore_settings(self.settings)
        persisting = self.cache.persisting_limit()
        if persisting != self.persisting:
            self.cache.set_persisting_limit(self.persisting or 0)
            self.cache.reset_persisting()
        return {
            "persistingL2Bytes": max(0, (persisting or 0) - (self.persisting or 0)),
            "patched": changed,
            "settings": drift,
            "threads": max(0, gpu_integrity.python_threads() - self.threads),
            "rewritten": [
                s.name for s in self.subjects.values() if text_on_disk(s.path) != s.sha256],
        }


_open = []


def current():
    if not _open:
        raise RuntimeError("no problem is open: call gpu.open first")
    return _open[0]


def replace(session):
    _open[:] = [session]


def close():
    for session in _open:
        for name in list(session.subjects):
            session.forget(name)
        session.results.clear()
    _open.clear()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
