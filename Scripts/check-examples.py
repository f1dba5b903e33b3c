"""Runs every example and compares ModelNew with Model.

With a GPU (torch and triton that see one): at the sizes of the small cases below and at the sizes
of get_inputs. Without: through Triton's own interpreter on the CPU, the small cases alone. Each
config of an autotuned kernel is run by itself.

    Scripts/python-env --torch        # prints the python to use
    PYTHON Scripts/check-examples.py [NAME...]

Exit code 0 when every example agrees with its reference, 1 otherwise.
"""

import importlib.util
import os
import pathlib
import sys
import time

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent / "Examples"


def small_cases(torch):
    """name -> list of (arguments of the models, inputs of forward); odd sizes reach the masks."""
    half, bf16 = torch.float16, torch.bfloat16

    def normal(*shape, dtype=torch.float32):
        return torch.randn(*shape, dtype=torch.float32).to(dtype)

    targets = torch.randint(0, 1000, (37,))
    targets[5] = -100
    return {
        "vector_add_gelu": [([], [normal(3, 1237), normal(3, 1237)])],
        "softmax": [([], [normal(2, 3, 77, dtype=half)]), ([], [normal(5, 1500)])],
        "layer_norm": [([96], [normal(3, 7, 96)]), ([1500], [normal(3, 1500)])],
        "rms_norm": [([1300], [normal(2, 3, 1300, dtype=bf16), normal(2, 3, 1300, dtype=bf16)])],
        "grouped_matmul": [
            ([3, 64, 72], [normal(150, 192, dtype=half)]),
            ([2, 40, 33], [normal(70, 80, dtype=half)]),
        ],
        "batched_matmul": [([], [normal(3, 70, 50), normal(3, 50, 90)])],
        "conv2d_alexnet": [([10], [normal(2, 3, 43, 51)])],
        "depthwise_conv2d": [
            ([6, 5, 2, 2], [normal(2, 6, 31, 37)]),
            ([4, 3, 1, 1], [normal(1, 4, 16, 18)]),
        ],
        "flash_attention": [
            ([True], [normal(1, 2, 150, 64, dtype=half) for _ in range(3)]),
            ([False], [normal(2, 1, 100, 32, dtype=half) for _ in range(3)]),
        ],
        "cross_entropy": [
            ([-100, 0.1], [normal(37, 1000), targets]),
            ([-100, 0.0], [normal(37, 9000), targets]),
        ],
        "rotary_embedding": [
            ([16, 64], [normal(2, 9, 5, 64, dtype=half), normal(2, 9, 2, 64, dtype=half)])
        ],
        "cumulative_sum": [([1], [normal(5, 3000)]), ([0], [normal(70, 6)])],
        "histogram": [([64, -2.0, 2.0], [normal(3, 5001)])],
        "max_pool2d": [([3, 2, 1], [normal(2, 3, 17, 19)])],
        "quantized_matvec": [([1030, 45], [0.05 * normal(1030, dtype=half)])],
    }


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def flatten(value):
    return list(value) if isinstance(value, (tuple, list)) else [value]


def tolerance(torch, dtype):
    # Relative to the largest magnitude of the reference: one rounding of the result's type, and
    # TF32 products (10 bits) for float32.
    return {torch.float16: 4e-3, torch.bfloat16: 1.6e-2, torch.float32: 4e-3}.get(dtype, 0.0)


def compare(torch, got, want):
    """The largest relative error over all outputs; raises AssertionError where it is too large."""
    got, want = flatten(got), flatten(want)
    assert len(got) == len(want), f"{len(got)} outputs instead of {len(want)}"
    worst = 0.0
    for g, w in zip(got, want):
        assert g.shape == w.shape, f"shape {tuple(g.shape)} instead of {tuple(w.shape)}"
        assert g.dtype == w.dtype, f"{g.dtype} instead of {w.dtype}"
        g, limit = g.double().cpu(), tolerance(torch, w.dtype)
        w = w.double().cpu()
        assert torch.isfinite(g).all(), "a result is not finite"
        error = (g - w).abs().max().item() / max(w.abs().max().item(), 1e-30)
        assert error <= limit, f"relative error {error:.2e} is over {limit:.2e}"
        worst = max(worst, error)
    return worst


def autotuned(module):
    from triton.runtime.autotuner import Autotuner

    return [value for value in vars(module).values() if isinstance(value, Autotuner)]


def run_case(torch, module, device, init, inputs):
    """Runs Model and ModelNew with equal parameters, once for each config."""
    torch.manual_seed(1)
    reference = module.Model(*init).to(device)
    candidate = module.ModelNew(*init).to(device)
    # Buffers that only one of the two has (tables) stay as built.
    candidate.load_state_dict(reference.state_dict(), strict=False)
    inputs = [value.to(device) for value in inputs]
    with torch.no_grad():
        want = reference(*[value.clone() for value in inputs])
        tuners = autotuned(module)
        all_configs = [list(tuner.configs) for tuner in tuners]
        worst = 0.0
        for index in range(max([1] + [len(configs) for configs in all_configs])):
            for tuner, configs in zip(tuners, all_configs):
                tuner.configs = [configs[min(index, len(configs) - 1)]]
                tuner.cache.clear()
            got = candidate(*[value.clone() for value in inputs])
            worst = max(worst, compare(torch, got, want))
        for tuner, configs in zip(tuners, all_configs):
            tuner.configs = configs
    return worst


def main():
    try:
        import torch
    except ImportError:
        print("check-examples: this python has no torch (Scripts/python-env --torch)")
        return 1
    on_gpu = torch.cuda.is_available()
    if not on_gpu:
        os.environ["TRITON_INTERPRET"] = "1"
        # The examples take their reference path for tensors that are not on a GPU.
        torch.Tensor.is_cuda = property(lambda self: True)
    device = "cuda" if on_gpu else "cpu"
    if on_gpu:
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
    torch.manual_seed(0)
    cases = small_cases(torch)
    present = sorted(path.stem for path in EXAMPLES.glob("*.py"))
    chosen = sys.argv[1:] or present
    failed = []
    for name in chosen:
        began = time.monotonic()
        try:
            if name not in cases:
                raise LookupError("check-examples.py has no case for it")
            module = load(name)
            runs = [(f"case {i}", init, inputs) for i, (init, inputs) in enumerate(cases[name])]
            if on_gpu:
                runs.append(("get_inputs", module.get_init_inputs(), module.get_inputs()))
            worst = max(run_case(torch, module, device, init, inputs) for _, init, inputs in runs)
        except Exception as error:  # one broken example must not hide the others
            failed.append(name)
            print(f"{name:20} FAILED  {type(error).__name__}: {error}", flush=True)
            continue
        seconds = time.monotonic() - began
        print(f"{name:20} ok  relative error {worst:.1e}  {seconds:.1f} s", flush=True)
    where = torch.cuda.get_device_name() if on_gpu else "Triton's interpreter"
    print(f"{len(chosen) - len(failed)} of {len(chosen)} examples agree, on {where}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
