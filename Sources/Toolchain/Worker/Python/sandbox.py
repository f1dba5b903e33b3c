"""Keeps what the worker and the code it runs write inside one folder, and off the network.

This is order, not a wall: code that wants out gets out. Hone runs kernels of the user's own.
"""

import os
import shutil
import sys

_folder = None

# Where each library puts what it keeps between runs, if asked by these names.
_CACHES = {
    "TRITON_CACHE_DIR": "triton/cache",
    "TRITON_HOME": "triton",
    "TRITON_DUMP_DIR": "triton/dump",
    "TRITON_OVERRIDE_DIR": "triton/override",
    "TORCHINDUCTOR_CACHE_DIR": "inductor",
    "TORCH_EXTENSIONS_DIR": "torch_extensions",
    "TORCH_HOME": "torch",
    "CUDA_CACHE_PATH": "cuda",
    "XDG_CACHE_HOME": "cache",
    "XDG_CONFIG_HOME": "config",
    "XDG_DATA_HOME": "data",
    "MPLCONFIGDIR": "matplotlib",
    "NUMBA_CACHE_DIR": "numba",
    "HF_HOME": "huggingface",
    "TMPDIR": "tmp",
    "HOME": "home",
}


def enter(folder):
    """Points every cache and temporary folder into `folder`, which must exist."""
    global _folder
    _folder = os.path.abspath(folder)
    for name, place in _CACHES.items():
        path = os.path.join(_folder, place)
        os.environ[name] = path
        if name in ("TMPDIR", "HOME"):
            os.makedirs(path, exist_ok=True)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["PIP_NO_INDEX"] = "1"
    os.chdir(os.environ["TMPDIR"])
    import tempfile

    tempfile.tempdir = None
    if hasattr(sys, "addaudithook"):
        sys.addaudithook(_no_network)


def _no_network(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        raise PermissionError(f"no network here: connection to {arguments[1][0]} refused")
    if event == "socket.getaddrinfo":
        raise PermissionError(f"no network here: look-up of {arguments[0]} refused")


def folder(*parts):
    """A folder inside the sandbox, made if it is missing."""
    path = os.path.join(_folder, *parts)
    os.makedirs(path, exist_ok=True)
    return path


def remove():
    """Removes the whole scratch folder; for a worker whose Hone is gone."""
    if _folder is not None:
        marker = os.path.join(os.path.dirname(_folder), ".hone-scratch")
        # Hone's scratch folder holds one folder for each worker; only a marked one is removed.
        shutil.rmtree(os.path.dirname(_folder) if os.path.exists(marker) else _folder,
                      ignore_errors=True)
