"""Compiles one kernel for one target with the installed Triton, 3.2 to 3.6; needs no GPU, no torch."""

import os
import re
import subprocess
import tempfile
import time

import kernel_module
import sandbox
from protocol import Refused, WorkerError, operation

# A result out of Triton's own cache would come without ptxas's report; Hone has its own cache.
os.environ["TRITON_ALWAYS_COMPILE"] = "1"

ALIASES = {"float16": "fp16", "bfloat16": "bf16", "float32": "fp32", "float64": "fp64"}


def triton_version():
    import triton

    numbers = re.findall(r"\d+", triton.__version__)[:2]
    return tuple(int(number) for number in numbers)


@operation("prepare")
def prepare(request):
    """Imports Triton and, if a module is given, loads it: what the first compile would wait for."""
    import triton

    _ptxas_reports()
    version = triton_version()
    if not (3, 2) <= version < (4, 0):
        raise Refused(f"Triton {triton.__version__} is not supported: 3.2 to 3.6 are")
    if request.get("module") is not None:
        kernel_module.load(request["module"], request.get("name") or "module.py")
    return {"triton": triton.__version__}


@operation("compile")
def compile_one(request):
    """Fields: module (text), name, kernel, arguments, options, capability, want.

    `arguments` gives for each parameter {"type": "*fp32", "divisible": true}, {"value": constant} or
    {"items": [...]}. `want` is a list out of "ptx", "sass", "ttgir".
    """
    import triton
    from triton.backends.compiler import GPUTarget

    reports = _ptxas_reports()
    if request["capability"] >= 100 and triton_version() < (3, 3):
        raise Refused(f"Triton {triton.__version__} compiles for sm_80 to sm_90; "
                      f"sm_{request['capability']} needs 3.3 or newer")
    loaded = kernel_module.load(request["module"], request.get("name") or "module.py")
    kernel = kernel_module.find_kernel(loaded, request["kernel"])
    source = _source(kernel, request["arguments"], loaded)
    options = {name: value for name, value in request["options"].items() if value is not None}
    target = GPUTarget("cuda", request["capability"], 32)
    reports.clear()
    began = time.perf_counter()
    with _compiler_output() as output:
        try:
            compiled = triton.compile(source, target=target, options=options)
        except Exception as error:
            raise _failure(error, loaded, output) from error
    seconds = time.perf_counter() - began
    reply = {
        "triton": triton.__version__,
        "seconds": seconds,
        "sharedBytes": compiled.metadata.shared,
        "tensorMemoryColumns": getattr(compiled.metadata, "tmem_size", None) or 0,
        "warps": compiled.metadata.num_warps,
        "blocksPerCluster": getattr(compiled.metadata, "num_ctas", 1),
        **_usage(reports, compiled.metadata.name),
    }
    want = request.get("want") or []
    if "ptx" in want:
        reply["ptx"] = compiled.asm["ptx"]
    if "ttgir" in want:
        reply["ttgir"] = compiled.asm["ttgir"]
    if "sass" in want:
        began = time.perf_counter()
        reply["sass"] = _disassemble(compiled.asm["cubin"])
        reply["disassemblySeconds"] = time.perf_counter() - began
    return reply


# --- what is compiled


def _source(kernel, arguments, loaded):
    from triton.compiler import ASTSource

    unknown = [name for name in arguments if name not in kernel.arg_names]
    if unknown:
        raise WorkerError("python", f"'{kernel.__name__}' has no parameter '{unknown[0]}'")
    signature, constants, divisible = {}, {}, []
    for index, parameter in enumerate(kernel.params):
        given = arguments.get(parameter.name)
        if given is None:
            if not parameter.has_default:
                raise WorkerError("python", f"parameter '{parameter.name}' has no value")
            signature[parameter.name] = "constexpr"
            constants[(index,)] = parameter.default
        else:
            signature[parameter.name] = _argument(given, (index,), constants, divisible, loaded)
    if triton_version() >= (3, 3):
        attributes = {path: [["tt.divisibility", 16]] for path in divisible}
        return ASTSource(kernel, signature, constants, attributes)
    from triton.backends.compiler import AttrsDescriptor

    if any(len(path) > 1 for path in [*constants, *divisible]):
        raise Refused("Triton 3.2 has no tuple arguments")
    attributes = AttrsDescriptor.from_dict({
        "arg_properties": {"tt.divisibility": [path[0] for path in divisible], "tt.equal_to": []},
        "cls": "AttrsDescriptor"})
    names = kernel.arg_names
    return ASTSource(
        kernel,
        {name: kind for name, kind in signature.items() if kind != "constexpr"},
        {names[path[0]]: value for path, value in constants.items()},
        attributes)


def _argument(given, path, constants, divisible, loaded):
    """The signature's entry; notes constants and divisibility under the argument's path."""
    if "items" in given:
        return tuple(_argument(item, (*path, index), constants, divisible, loaded)
                     for index, item in enumerate(given["items"]))
    if "type" in given:
        if given.get("divisible"):
            divisible.append(path)
        return given["type"]
    constants[path] = _constant(given.get("value"), loaded)
    return "constexpr"


def _constant(value, loaded):
    import triton.language as tl

    if isinstance(value, list):
        return tuple(_constant(item, loaded) for item in value)
    if isinstance(value, dict):
        if "function" in value:
            name = value["function"]
            found = kernel_module.kernel_in(getattr(tl, name, None))
            own = getattr(loaded.module, name, None) is not None
            return found if found is not None and not own else kernel_module.find_kernel(loaded, name)
        if "dtype" in value:
            return tl.dtype(ALIASES.get(value["dtype"], value["dtype"]))
        return float(value["float"])  # "inf", "-inf", "nan", or a float that is a whole number
    return value


# --- what ptxas says

_reports = None


class _Subprocess:
    """Stands for the subprocess module in Triton's NVIDIA backend; keeps what `ptxas -v` reports.

    Triton 3.2 to 3.6 all hand ptxas a log file as standard error and delete it afterwards.
    """

    def __init__(self, reports):
        self._reports = reports

    def __getattr__(self, name):
        return getattr(subprocess, name)

    def run(self, *args, **kwargs):
        done = subprocess.run(*args, **kwargs)
        log = kwargs.get("stderr")
        if hasattr(log, "name"):
            with open(log.name, encoding="utf-8", errors="replace") as file:
                self._reports.append(file.read())
        return done


def _ptxas_reports():
    global _reports
    if _reports is None:
        from triton.backends import backends

        # Triton 3.2 does not enter the file as a module that could be imported: its functions know.
        _reports = []
        make = backends["nvidia"].compiler.make_cubin
        make.__globals__["subprocess"] = _Subprocess(_reports)
    return _reports


_FRAME = re.compile(
    r"Function properties for (\S+)\s*\n\s*(\d+) bytes stack frame, (\d+) bytes spill stores,"
    r" (\d+) bytes spill loads")


def _usage(reports, entry):
    """Registers of the entry; stack of the entry; spills of it and all it calls, in bytes."""
    text = "\n".join(reports)
    registers = re.findall(r"Used (\d+) registers", text)
    frames = {name: [int(n) for n in numbers] for name, *numbers in _FRAME.findall(text)}
    if not registers or not frames:
        raise WorkerError("compile", "ptxas reported no registers: " + text.strip()[:400])
    own = frames.get(entry) or max(frames.values())
    return {
        "registers": max(int(number) for number in registers),
        "stackBytes": own[0],
        "spillStoreBytes": sum(frame[1] for frame in frames.values()),
        "spillLoadBytes": sum(frame[2] for frame in frames.values()),
    }


def _disassemble(cubin):
    import environment

    tool = environment.triton_tool("nvdisasm")
    if tool is None:
        raise Refused("there is no nvdisasm, neither in Triton's package nor in PATH")
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        done = subprocess.run([tool, "-c", "-g", file.name], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise WorkerError("compile", "nvdisasm: " + done.stderr.decode(errors="replace")[:400])
    return done.stdout.decode(errors="replace")


# --- what goes wrong


class _compiler_output:
    """Standard error of the process, Triton's C++ parts included, goes to a file meanwhile.

    Should the compiler end the process, Hone finds its last words there.
    """

    def __enter__(self):
        self.path = os.path.join(sandbox.folder(), "compiler.log")
        self.saved = os.dup(2)
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, 2)
        os.close(file)
        return self

    def __exit__(self, *exception):
        os.dup2(self.saved, 2)
        os.close(self.saved)
        os.unlink(self.path)
        return False

    def text(self):
        with open(self.path, encoding="utf-8", errors="replace") as file:
            return file.read()


def _failure(error, loaded, output):
    """Triton's error as one sentence with its line in the module."""
    line = None
    cause = error
    while cause is not None:
        line = kernel_module.line_of(cause, loaded) or line
        if type(cause).__name__ != "CompilationError" or cause.__cause__ is None:
            break
        cause = cause.__cause__
    if type(cause).__name__ == "OutOfResources":
        return WorkerError("out-of-resources", str(cause), line=line)
    lines = [text.strip() for text in str(cause).splitlines() if text.strip(" ^")]
    message = f"{type(cause).__name__}: {lines[-1]}" if lines else type(cause).__name__
    # Triton quotes the exception that its code met: CompilationError: ValueError('…').
    quoted = re.match(r"CompilationError: (\w+)\(([\"'])(.*)\2,?\)$", message)
    if quoted:
        message = f"{quoted.group(1)}: {quoted.group(3)}"
    if "PassManager" in message or "ptxas" in message.lower():
        complaint, place = _complaint(output.text() + "\n" + str(cause), loaded.path)
        if complaint:
            message += f" ({complaint})"
        line = place or line
    return WorkerError("compile", message, line=line)


def _complaint(text, path):
    """The first failed assertion or error that the compiler printed, with the module's line."""
    found = re.search(r"Assertion [`'].*' failed", text)
    error = re.search(r"^(.*?):(\d+):\d+: error: (.*)$", text, re.MULTILINE)
    fatal = re.search(r"^ptxas .*(?:error|fatal)\s*: (.*)$", text, re.MULTILINE)
    message = (found.group(0) if found else error.group(3) if error
               else fatal.group(1) if fatal else None)
    is_ours = error is not None and os.path.basename(error.group(1)) == os.path.basename(path)
    return message, int(error.group(2)) if is_ours else None
