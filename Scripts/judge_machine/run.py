"""Runs cases with real Triton: under its interpreter or on a GPU."""

import importlib.util
import pathlib
import tempfile

import torch
import triton
import triton.language as tl

TORCH = {
    "i1": torch.bool, "i8": torch.int8, "i16": torch.int16, "i32": torch.int32, "i64": torch.int64, "u8": torch.uint8,
    "u16": torch.uint16, "u32": torch.uint32, "u64": torch.uint64, "fp16": torch.float16, "bf16": torch.bfloat16,
    "fp32": torch.float32, "fp64": torch.float64, "fp8e4nv": torch.float8_e4m3fn, "fp8e5": torch.float8_e5m2,
}


def execute(source, arguments, constexprs, grid, device):
    """arguments: (name, type, bytes or value) → the final bytes of each pointer, by name."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "case.py"
        path.write_text(source)
        spec = importlib.util.spec_from_file_location("case", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if device == "cuda":
            triton.set_allocator(lambda size, align, stream: torch.empty(size, dtype=torch.int8, device="cuda"))
        buffers, passed = {}, {}
        for name, kind, value in arguments:
            if kind.startswith("*"):
                buffer = torch.frombuffer(bytearray(value), dtype=torch.uint8).clone().to(device)
                buffers[name] = buffer
                element = kind[1:]
                if element == "fp8e4b15":
                    passed[name] = triton.reinterpret(buffer.view(torch.int8), tl.float8e4b15)
                else:
                    passed[name] = buffer.view(TORCH[element])
            else:
                passed[name] = value
        module.kernel[tuple(grid)](**passed, **constexprs)
        if device == "cuda":
            torch.cuda.synchronize()
        return {name: bytes(buffer.cpu().numpy().tobytes()) for name, buffer in buffers.items()}
