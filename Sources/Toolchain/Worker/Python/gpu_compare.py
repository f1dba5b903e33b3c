"""Raw figures of a result against another; what they mean is decided by Hone."""
import math

import torch

# Elements converted to fp64 at once.
_CHUNK = 1 << 24
_INTEGER_OF = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def finite(value):
    """A number that JSON can carry: infinities and NaN become the largest."""
    return value if math.isfinite(value) else math.copysign(1e308, 1 if value != value else value)


def real(tensor):
    """A tensor without complex numbers, contiguous and flat."""
    tensor = tensor.detach()
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor.resolve_conj())
    return tensor.contiguous().reshape(-1)


def bits(tensor):
    """The same memory as integers, flat."""
    flat = real(tensor)
    if flat.dtype == torch.bool:
        return flat.to(torch.uint8)
    return flat.view(_INTEGER_OF[flat.element_size()])


def different_bits(a, b):
    """How many elements differ in any bit; all of them if the shapes do."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return max(a.numel(), b.numel(), 1)
    a, b = bits(a), bits(b)
    return sum(
        int((a[at:at + _CHUNK] != b[at:at + _CHUNK]).sum())
        for at in range(0, a.numel(), _CHUNK))


def unwritten(tensor, pattern):
    """Elements that still hold the poison, all bytes of them."""
    if tensor.dtype == torch.bool or tensor.numel() == 0:
        return 0
    flat = bits(tensor)
    size = flat.element_size()
    value = int.from_bytes(bytes([pattern]) * size, "little", signed=flat.dtype != torch.uint8)
    return sum(
        int((flat[at:at + _CHUNK] == value).sum()) for at in range(0, flat.numel(), _CHUNK))


def scale(reference):
    """(norm², finite elements, rms, relative L2 error of the best constant) of a reference."""
    flat = real(reference)
    squares, total, count = 0.0, 0.0, 0
    for at in range(0, flat.numel(), _CHUNK):
        part = flat[at:at + _CHUNK].double()
        part = torch.where(torch.isfinite(part), part, torch.zeros_like(part))
        count += int(torch.isfinite(flat[at:at + _CHUNK].double()).sum())
        squares += float((part * part).sum())
        total += float(part.sum())
    if count == 0:
        return squares, 0, 0.0, 0.0
    variance = max(0.0, squares - total * total / count)
    constant = math.sqrt(variance / squares) if squares > 0 else 0.0
    return squares, count, math.sqrt(squares / count), constant


def figures(values, reference, measure, original=None, judge=None):
    """Errors of `values` against `reference`, whose `scale` is `measure`.

    With `original` also how many elements break the rule for infinities and NaN: one is finite
    where the other is not, or infinities differ, unless a finite value replaces an overflow of the
    original's and the fp64 `judge` is finite there.
    """
    values, reference = real(values), real(reference)
    squares, _, rms, _ = measure
    total, worst_absolute, worst_relative, non_finite, mismatches = 0.0, 0.0, 0.0, 0, 0
    where = -1
    old = real(original) if original is not None else None
    wide = real(judge) if judge is not None else None
    for at in range(0, values.numel(), _CHUNK):
        part = values[at:at + _CHUNK].double()
        expected = reference[at:at + _CHUNK].double()
        both = torch.isfinite(part) & torch.isfinite(expected)
        difference = torch.where(both, (part - expected).abs(), torch.zeros_like(part))
        total += float((difference * difference).sum())
        mismatches += int((difference != 0).sum())
        if difference.numel():
            worst_absolute = max(worst_absolute, float(difference.max()))
            measure_of = torch.where(both, expected.abs(), torch.zeros_like(expected)) + rms
            relative = torch.where(
                difference > 0, difference / measure_of, torch.zeros_like(difference))
            highest = float(relative.max())
            if highest > worst_relative:
                worst_relative, where = highest, at + int(relative.argmax())
        if old is not None:
            before = old[at:at + _CHUNK].double()
            fine = torch.isfinite(part) & torch.isfinite(before)
            fine |= torch.isnan(part) & torch.isnan(before)
            fine |= part == before
            if wide is not None:
                fine |= torch.isfinite(part) & torch.isfinite(wide[at:at + _CHUNK].double())
            non_finite += int((~fine).sum())
    l2 = 0.0
    if total > 0:
        l2 = math.sqrt(total / squares) if squares > 0 else math.inf
    return {
        "relativeL2": finite(l2), "worstAbsolute": finite(worst_absolute),
        "worstRelative": finite(worst_relative), "worstIndex": where, "nonFinite": non_finite,
        "mismatches": mismatches,
    }
