"""gpu.open, gpu.load, gpu.unload, gpu.close: the problem and the modules of a measurement."""

import sys

import torch

import gpu_device
import gpu_errors
import gpu_inputs
import gpu_integrity
import gpu_session
import sandbox
from protocol import Refused, operation


@operation("gpu.open")
def open_problem(request):
    """Imports the problem and says what its inputs are. What was open is dropped."""
    gpu_session.close()
    device = torch.device(request.get("device", "cuda"))
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise Refused("torch sees no CUDA device")
        torch.cuda.init()
        torch.zeros(1, device=device)
    try:
        import triton

        version = triton.__version__
    except ImportError:
        version = None
    # Everything of ours that a measurement uses is imported, and watched, before any user code.
    import gpu_check  # noqa: F401
    import gpu_time  # noqa: F401

    try:
        session = gpu_session.Session(request, sandbox.folder("modules"))
        gpu_session.replace(session)
        inputs = _inputs(session) if session.problem is not None or session.specs else None
    except Exception as error:
        found = gpu_errors.described(error)
        found["message"] = "problem: " + found["message"]
        gpu_errors.fail(found)
    reply = {
        "device": gpu_device.facts(device), "torch": torch.__version__, "triton": version,
        "cuda": torch.version.cuda, "python": sys.version.split()[0],
        "problemSHA256": session.problem_sha256,
    }
    reply["inputs"] = inputs
    reply["hasModel"] = session.problem is not None and hasattr(session.problem, "Model")
    reply["integrity"] = session.integrity()
    return reply


def _inputs(session):
    if not session.specs and not hasattr(session.problem, "get_inputs"):
        return None
    made = session.inputs({})
    return {
        "bytes": made.bytes(),
        "leadingSize": gpu_inputs.leading_size(made),
        "tensors": [
            {"path": path, "shape": list(t.shape), "type": str(t.dtype).replace("torch.", "")}
            for path, t in made.tensors()],
    }


@operation("gpu.load")
def load(request):
    """Imports one module, builds its model, and returns the hash of the bytes that were compiled."""
    session = gpu_session.current()
    name = request["name"]
    try:
        with torch.no_grad():
            subject = session.load(name, request["text"], request.get("entry") or "ModelNew")
        if session.device.type == "cuda":
            torch.cuda.synchronize(session.device)
    except Exception as error:
        found = gpu_errors.described(error)
        found["message"] = "%s: %s" % (name, found["message"])
        # What ran before it failed may have changed the process for the next.
        left = session.integrity()
        found["sticky"] = found["sticky"] or bool(left["patched"] or left["threads"])
        gpu_errors.fail(found)
    return {
        "sha256": subject.sha256,
        "kernels": subject.kernels(),
        "configs": [
            {"kernel": kernel, "configs": [str(c) for c in tuner.configs]}
            for kernel, tuner in subject.tuners()],
        "parameters": subject.parameter_note,
        "reference": session.reference_error or "Model",
        "integrity": session.integrity(),
        "inputs": _inputs(session) if session.problem is None else None,
    }


@operation("gpu.unload")
def unload(request):
    session = gpu_session.current()
    session.forget(request["name"])
    if session.device.type == "cuda":
        torch.cuda.empty_cache()
    return {"left": sorted(session.subjects), "threads": gpu_integrity.python_threads()}


@operation("gpu.close")
def close(request):
    gpu_session.close()
    return {}
