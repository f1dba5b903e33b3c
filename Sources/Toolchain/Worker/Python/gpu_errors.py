"""What an exception of user code means to Hone."""

import traceback

from protocol import WorkerError, kind_of


def described(error, limit=1500):
    """{"kind", "message", "sticky", "traceback"} of an exception."""
    kind, sticky = kind_of(error)
    text = str(error)
    name = type(error).__name__
    return {
        "kind": kind,
        "message": (name + ": " + text if text else name)[:limit],
        "sticky": sticky,
        "traceback": "".join(
            traceback.format_exception(type(error), error, error.__traceback__)
        )[-4000:],
    }


def fail(found):
    """Ends the operation with an error described before."""
    raise WorkerError(
        found["kind"], found["message"], sticky=found["sticky"], cause=found["traceback"])
