"""What this Python has: versions, tools, GPUs. Imports nothing heavy unless asked."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import sysconfig

from protocol import operation


def version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        pass
    return None


def why_not_importable(package):
    """None when the package imports, else one line that says what fails."""
    try:
        importlib.import_module(package)
    except BaseException as error:  # a broken install may raise anything, SystemExit included
        text = str(error).strip().splitlines()
        return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
    return None


def triton_tool(name):
    """A tool of CUDA: the one in Triton's wheel, else the one in PATH."""
    spec = importlib.util.find_spec("triton")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = os.path.join(folder, "backends", "nvidia", "bin", name)
        if os.access(path, os.X_OK):
            return path
    return shutil.which(name)


def visible(gpus, text):
    """The GPUs that CUDA_VISIBLE_DEVICES leaves, numbered anew in its order, as CUDA does it: by
    index or the beginning of a UUID, up to the first entry that names none."""
    chosen = []
    for entry in text.split(","):
        entry = entry.strip()
        named = [gpu for gpu in gpus if entry == str(gpu["index"])
                 or entry.startswith("GPU-") and gpu["uuid"].startswith(entry)]
        if len(named) != 1 or named[0] in chosen:
            break
        chosen.append(named[0])
    return [dict(gpu, index=index) for index, gpu in enumerate(chosen)]


def gpus_by_driver():
    """The GPUs as the driver lists them, without a CUDA context."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    query = "index,name,compute_cap,memory.total,driver_version,uuid,mig.mode.current"
    try:
        done = subprocess.run(
            [tool, "--query-gpu=" + query, "--format=csv,noheader,nounits"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    gpus = []
    for line in done.stdout.decode(errors="replace").splitlines():
        fields = [field.strip() for field in line.split(",")]
        if len(fields) < 6:
            continue
        try:
            memory = int(float(fields[3]) * 1024 * 1024)
        except ValueError:
            memory = None
        gpus.append({"index": int(fields[0]), "name": fields[1], "capability": fields[2],
                     "memoryBytes": memory, "driver": fields[4], "uuid": fields[5]})
    text = os.environ.get("CUDA_VISIBLE_DEVICES")
    return gpus if text is None else visible(gpus, text)


def gpus_by_torch():
    import torch

    if not torch.cuda.is_available():
        return []
    gpus = []
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        gpus.append({"index": index, "name": properties.name,
                     "capability": f"{properties.major}.{properties.minor}",
                     "memoryBytes": properties.total_memory, "driver": None, "uuid": None})
    return gpus


@operation("hello")
def hello(request):
    """Versions and tools; with "imports": true the packages are imported, not only looked up."""
    packages = {}
    for name in ("triton", "torch", "numpy", "setuptools"):
        spec = None
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            pass
        if spec is None:
            continue
        problem = None
        if request.get("imports") and name in ("triton", "torch"):
            problem = why_not_importable(name)
        module = sys.modules.get(name)
        found = getattr(module, "__version__", None) or version(name)
        packages[name] = {"version": found, "problem": problem,
                          "folder": os.path.dirname(spec.origin) if spec.origin else None}
    cuda = None
    gpus = gpus_by_driver()
    torch = sys.modules.get("torch")
    if torch is not None and packages.get("torch", {}).get("problem") is None:
        cuda = {"version": getattr(torch.version, "cuda", None),
                "available": bool(torch.cuda.is_available())}
        if gpus is None:
            gpus = gpus_by_torch()
    tools = {name: shutil.which(name) for name in ("ncu", "nsys", "compute-sanitizer", "nvidia-smi")}
    tools.update({name: triton_tool(name) for name in ("ptxas", "cuobjdump", "nvdisasm")})
    # Triton builds a small C library when it first launches on a GPU.
    compiler = os.environ.get("CC") or next(
        (path for path in map(shutil.which, ("gcc", "clang", "cc")) if path), None)
    tools["cc"] = shutil.which(compiler) if compiler else None
    header = os.path.join(sysconfig.get_paths().get("include") or "", "Python.h")
    return {
        "hasHeaders": os.path.isfile(header),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "executable": sys.executable,
        "prefix": sys.prefix,
        "isVirtual": sys.prefix != sys.base_prefix,
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": packages,
        "cuda": cuda,
        "gpus": gpus or [],
        "tools": {name: path for name, path in tools.items() if path},
    }
