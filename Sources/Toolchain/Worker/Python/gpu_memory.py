"""Poisoned memory and guard bands.

Torch hands out memory as it finds it: a kernel that leaves part of its output unwritten, or reads
past an end, often gets away with it. `poison` fills free memory with a pattern; `Guarded` puts each
tensor that user code makes between two bands of that pattern and fills it too.
"""
import torch
from torch.utils._python_dispatch import TorchDispatchMode

# Bytes on each side. 512-byte steps keep the alignment that Triton specialises on.
GUARD_BYTES = 1 << 16

_FILLED = {
    "aten::zeros", "aten::zeros_like", "aten::new_zeros", "aten::ones", "aten::ones_like",
    "aten::new_ones", "aten::full", "aten::full_like", "aten::new_full",
}
_UNFILLED = {
    "aten::empty", "aten::empty_like", "aten::empty_strided", "aten::new_empty",
    "aten::new_empty_strided",
}


def synchronize(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def poison(device, pattern, large_bytes):
    """Fills what the allocator will hand out next with a byte; nothing to do on a CPU.

    One block of `large_bytes` from which later large tensors are split, and small blocks (torch
    keeps requests up to 1 MiB in a pool of their own).
    """
    if device.type != "cuda":
        return
    free, _ = torch.cuda.mem_get_info(device)
    held = []
    size = int(min(large_bytes, free * 0.6))
    if size > 1 << 21:
        try:
            held.append(torch.empty(size, dtype=torch.uint8, device=device))
        except torch.cuda.OutOfMemoryError:
            pass
    held += [torch.empty(1 << 20, dtype=torch.uint8, device=device) for _ in range(32)]
    held += [torch.empty(10 << 20, dtype=torch.uint8, device=device) for _ in range(2)]
    for block in held:
        block.fill_(pattern)
    del held, block
    torch.cuda.synchronize(device)


def _extent(shape, strides):
    """Elements from the first to the last one that the strides reach."""
    if any(size == 0 for size in shape):
        return 0
    return 1 + sum((size - 1) * step for size, step in zip(shape, strides))


class GuardedBlock:
    """One tensor between two bands."""

    def __init__(self, like, device, pattern):
        self.pattern = pattern
        extent = _extent(like.shape, like.stride()) * like.element_size()
        self.bytes = extent
        self.buffer = torch.empty(extent + 2 * GUARD_BYTES, dtype=torch.uint8, device=device)
        self.buffer.fill_(pattern)
        self.tensor = torch.empty(0, dtype=like.dtype, device=device).set_(
            self.buffer.untyped_storage(), GUARD_BYTES // like.element_size(),
            tuple(like.shape), tuple(like.stride()))

    def damaged(self):
        """Changed bytes before and after, as a tensor of two counts."""
        before = (self.buffer[:GUARD_BYTES] != self.pattern).sum()
        after = (self.buffer[GUARD_BYTES + self.bytes:] != self.pattern).sum()
        return torch.stack([before, after])


def guarded_copy(tensor, device, pattern):
    """A copy between bands, with the same strides, and its block."""
    block = GuardedBlock(tensor, device, pattern)
    block.tensor.copy_(tensor)
    return block.tensor, block


def damage(blocks):
    """Bytes written before and after all the blocks together."""
    if not blocks:
        return [0, 0]
    return torch.stack([block.damaged() for block in blocks]).sum(dim=0).tolist()


class Guarded(TorchDispatchMode):
    """While it is on, every tensor made on the device lies between bands and starts poisoned."""

    def __init__(self, device, pattern):
        super().__init__()
        self.device, self.pattern = device, pattern
        self.blocks = []
        self.operators = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        name = func._schema.name
        self.operators.add(name)
        if name not in _FILLED and name not in _UNFILLED:
            return result
        if type(result) is not torch.Tensor or result.device.type != self.device.type:
            return result
        if result.layout is not torch.strided or result.numel() == 0 or result.is_quantized:
            return result
        block = GuardedBlock(result, result.device, self.pattern)
        if name in _FILLED:
            block.tensor.copy_(result)
        self.blocks.append(block)
        return block.tensor
