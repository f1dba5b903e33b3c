"""The line protocol, and what an error is called.

    Hone → worker   {"id": 7, "op": "hello", ...}
    worker → Hone   {"id": 7, "ok": true, ...}
                    {"id": 7, "ok": false, "error": {"kind": "python", "message": "...", ...}}
                    {"id": 7, "progress": ...}          any number of these before the answer

An operation is a function of one of the files beside this one:

    @operation("hello")
    def hello(request): return {"python": "3.12.1"}

Its file is imported when the operation is first asked for, so that compiling needs no torch.
"""

import importlib
import json
import math
import os
import queue
import re
import signal
import sys
import threading
import time
import traceback

VERSION = 1

_registered = {}


def operation(name):
    """Makes the function the one that answers requests for `name`."""

    def register(function):
        _registered[name] = function
        return function

    return register


class WorkerError(Exception):
    """An error with its kind; `fields` go into the reply's error object.

    Kinds: python, compile, out-of-memory, out-of-resources, illegal-address, cuda, refused,
    protocol.
    """

    def __init__(self, kind, message, sticky=False, **fields):
        super().__init__(message)
        self.kind = kind
        self.sticky = sticky
        self.fields = fields


class Refused(WorkerError):
    """The worker will not do it, and says why."""

    def __init__(self, message, **fields):
        super().__init__("refused", message, **fields)


class Operations:
    """Finds the file of an operation by its decorator, without running the file."""

    def __init__(self, folder):
        self.files = {}
        for name in sorted(os.listdir(folder)):
            if not name.endswith(".py") or name in ("main.py", "protocol.py", "sandbox.py"):
                continue
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                for found in re.findall(r'^@operation\("([^"]+)"\)', file.read(), re.MULTILINE):
                    self.files[found] = name[:-3]

    def find(self, name):
        if name not in _registered:
            if name not in self.files:
                raise WorkerError("protocol", f"no operation '{name}'")
            importlib.import_module(self.files[name])
        return _registered[name]


class Channel:
    """The two descriptors of the protocol, out of reach of the code that the worker runs."""

    def __init__(self):
        sys.stdout.flush()
        self._out = os.dup(1)  # not inherited by what the worker starts
        source = os.dup(0)
        os.dup2(2, 1)  # what is printed goes to standard error
        empty = os.open(os.devnull, os.O_RDONLY)
        os.dup2(empty, 0)
        os.close(empty)
        self._lines = queue.Queue()
        self._current = None
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._parent = os.getppid()
        self._is_orphan = False
        reader = threading.Thread(target=self._read, args=(source,), daemon=True)
        reader.start()

    def _read(self, source):
        with os.fdopen(source, "rb") as file:
            for line in file:
                self._lines.put(line)
        self._is_orphan = self._parent_is_gone()
        self._lines.put(None)
        # Hone closed the line. Idle, the worker just ends; in the middle of something it waits for
        # nothing, and where Hone is gone (killed) it takes its folder with it.
        if self._current is not None or self._is_orphan:
            self.abandon()
        # What ends between the two lines above is caught here.
        if not self._ended.wait(2.0):
            self.abandon()

    def _parent_is_gone(self):
        """A process that is killed closes its files a moment before its children have another
        parent: the end of the line alone does not tell a Hone that is gone."""
        for _ in range(20):
            if os.getppid() != self._parent:
                return True
            time.sleep(0.005)
        return False

    def abandon(self):
        if self._is_orphan or os.getppid() != self._parent:
            import sandbox

            sandbox.remove()
        try:
            if os.getpgrp() == os.getpid():
                os.killpg(0, signal.SIGKILL)
        finally:
            os._exit(70)

    def requests(self):
        while True:
            line = self._lines.get()
            if line is None:
                if self._is_orphan:
                    self.abandon()
                self._ended.set()
                return
            try:
                request = json.loads(line)
                if not isinstance(request, dict) or "id" not in request or "op" not in request:
                    raise ValueError("a request has an id and an op")
            except ValueError as error:
                self.send({"id": None, "ok": False,
                           "error": {"kind": "protocol", "message": str(error)}})
                continue
            yield request

    def send(self, message):
        try:
            text = json.dumps(message, allow_nan=False, separators=(",", ":"))
        except (TypeError, ValueError):
            text = json.dumps(plain(message), allow_nan=False, separators=(",", ":"))
        data = (text + "\n").encode()
        with self._lock:
            while data:
                data = data[os.write(self._out, data):]

    def progress(self, value):
        """For operations that take long: `request["channel"].progress(...)`."""
        self.send({"id": self._current, "progress": value})

    def answer(self, request, operations):
        self._current = request["id"]
        request["channel"] = self
        try:
            reply = operations.find(request["op"])(request) or {}
            reply = {**reply, "id": request["id"], "ok": True}
        except BaseException as error:  # also SystemExit: user code may call exit()
            reply = {"id": request["id"], "ok": False, "error": describe(error)}
        sys.stdout.flush()
        sys.stderr.flush()
        self.send(reply)
        self._current = None


def plain(value):
    """The value in JSON's types; infinities and NaN become the words Hone reads as such."""
    if isinstance(value, bool) or value is None or isinstance(value, (int, str)):
        return value
    if isinstance(value, float):
        if math.isnan(value):
            return "nan"
        return value if math.isfinite(value) else ("inf" if value > 0 else "-inf")
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if hasattr(value, "item") and callable(value.item):
        try:
            return plain(value.item())
        except (TypeError, ValueError, RuntimeError):
            pass
    return str(value)


# What CUDA and Triton call an error of the device after which the context is of no use.
_ILLEGAL = re.compile(
    r"illegal memory access|misaligned address|illegal address|illegal instruction"
    r"|invalid program counter|hardware stack error|unspecified launch failure"
    r"|device-side assert|launch timed out", re.IGNORECASE)
_MEMORY = re.compile(r"out of memory", re.IGNORECASE)
_CUDA = re.compile(r"CUDA error|Triton Error \[CUDA\]|cudaError|CUDA driver|cuda runtime", re.IGNORECASE)


def kind_of(error):
    """The protocol's word for an exception, and whether the process is of no use after it."""
    if isinstance(error, WorkerError):
        return error.kind, error.sticky
    names = {cls.__name__ for cls in type(error).__mro__}
    text = str(error)
    if "OutOfResources" in names:
        return "out-of-resources", False
    if _ILLEGAL.search(text) and ("RuntimeError" in names or "AcceleratorError" in names):
        return "illegal-address", True
    if "OutOfMemoryError" in names or "MemoryError" in names or (
        _MEMORY.search(text) and "RuntimeError" in names
    ):
        return "out-of-memory", False
    if names & {"CompilationError", "CompileTimeAssertionFailure", "UnsupportedLanguageConstruct",
                "PTXASError", "CompileError"}:
        return "compile", False
    if _CUDA.search(text) or "AcceleratorError" in names:
        return "cuda", True
    return "python", False


def describe(error):
    kind, sticky = kind_of(error)
    message = str(error)
    if isinstance(error, SystemExit):
        message = f"the code ended the program (exit code {error.code})"
    elif not isinstance(error, WorkerError):
        name = type(error).__name__
        message = f"{name}: {message}" if message else name
    result = {"kind": kind, "message": message[:8000], "sticky": sticky}
    if isinstance(error, WorkerError):
        result.update(error.fields)
    if not isinstance(error, Refused):
        try:
            lines = traceback.format_exception(type(error), error, error.__traceback__)
            result["traceback"] = "".join(lines)[-8000:]
        except Exception:  # an exception whose own text raises
            pass
    return result
