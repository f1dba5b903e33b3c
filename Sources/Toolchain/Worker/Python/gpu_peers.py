"""What else computes the same: `Model` by torch in several ways."""

import copy
import signal

import torch

import gpu_errors
import gpu_integrity
from gpu_sampling import Timed

NAMES = ("eager", "tf32", "channels-last", "compile")


class PeerTimedOut(Exception):
    pass


def _tf32(allowed):
    def put():
        torch.backends.cuda.matmul.allow_tf32 = allowed
        torch.backends.cudnn.allow_tf32 = allowed

    return put


def _channels_last(inputs):
    return inputs.map(
        lambda t: t.contiguous(memory_format=torch.channels_last) if t.dim() == 4 else t)


def _deadline(seconds, function):
    """Runs a function, interrupted by an alarm: compiling has no limit of its own."""
    def ring(number, frame):
        raise PeerTimedOut("not done after %d s" % seconds)

    old = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return function()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


def _channels_last_peer(model, feed):
    """`Model` and its inputs in channels-last layout; converting the inputs is not timed."""
    other = copy.deepcopy(model).to(memory_format=torch.channels_last)
    held = _channels_last(feed.inputs.clone())

    def adapt(inputs):
        for (_, target), (_, value) in zip(held.tensors(), inputs.tensors()):
            target.copy_(value)

    return Timed("peer:channels-last", lambda _: held.call(other), _tf32(True), adapt)


def peer(name, session, feed, seconds):
    """The peer as something to time, or the reason why it is not."""
    model = session.open_reference()
    if model is None:
        return None, session.reference_error
    try:
        if name == "eager":
            return Timed("peer:eager", lambda x: x.call(model), _tf32(False)), None
        if name == "tf32":
            return Timed("peer:tf32", lambda x: x.call(model), _tf32(True)), None
        if name == "channels-last":
            if not any(t.dim() == 4 for _, t in feed.inputs.tensors()):
                return None, "no input has four axes"
            return _channels_last_peer(model, feed), None
        if name == "compile":
            _tf32(True)()
            compiled = torch.compile(model, mode="max-autotune")

            def first():
                with torch.no_grad():
                    for _ in range(3):
                        feed.inputs.call(compiled)
                if session.device.type == "cuda":
                    torch.cuda.synchronize(session.device)

            _deadline(seconds, first)
            return Timed("peer:compile", lambda x: x.call(compiled), _tf32(True)), None
        return None, "no such peer"
    except PeerTimedOut as late:
        return None, str(late)
    except Exception as error:
        found = gpu_errors.described(error)
        if found["sticky"]:
            gpu_errors.fail(found)
        return None, found["message"][:300]
    finally:
        gpu_integrity.restore_settings(session.settings)
