"""What `forward` is called with: seeds, magnitudes, sizes, guard bands."""
import torch

import gpu_memory


def tensor_map(function, value):
    """Applies a function to each tensor in nested lists, tuples and dictionaries."""
    if isinstance(value, torch.Tensor):
        return function(value)
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)(tensor_map(function, item) for item in value)
    if isinstance(value, dict):
        return {key: tensor_map(function, item) for key, item in value.items()}
    return value


def tensors(value, path=""):
    """(path, tensor) of each tensor in nested lists, tuples and dictionaries."""
    if isinstance(value, torch.Tensor):
        return [(path or "0", value)]
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    else:
        return []
    found = []
    for key, item in items:
        found += tensors(item, (path + "." if path else "") + str(key))
    return found


class CallInputs:
    """Arguments of one call."""

    def __init__(self, args, kwargs=None):
        self.args = list(args)
        self.kwargs = dict(kwargs or {})

    def map(self, function):
        return CallInputs(
            tensor_map(function, self.args), tensor_map(function, self.kwargs))

    def tensors(self):
        return tensors(self.args) + tensors(self.kwargs)

    def call(self, model):
        return model(*self.args, **self.kwargs)

    def clone(self):
        return self.map(lambda t: t.clone(memory_format=torch.preserve_format))

    def guarded(self, device, pattern):
        """Copies between guard bands, and their blocks."""
        blocks = []

        def place(tensor):
            if tensor.layout is not torch.strided or tensor.numel() == 0:
                return tensor.clone()
            if tensor.device.type != device.type:
                return tensor.clone()
            copy, block = gpu_memory.guarded_copy(tensor, device, pattern)
            blocks.append(block)
            return copy

        return self.map(place), blocks

    def wide(self):
        """Floating-point tensors in fp64."""
        return self.map(lambda t: t.double() if t.is_floating_point() else t.clone())

    def bytes(self):
        return sum(t.numel() * t.element_size() for _, t in self.tensors())


def _dtype(name):
    found = getattr(torch, name, None)
    if not isinstance(found, torch.dtype):
        raise ValueError("torch has no type '%s'" % name)
    return found


def explicit(specs, device, seed):
    """Inputs from specifications: {"name", "dtype", "shape"} or {"name", "value"}."""
    generator = torch.Generator(device=device)
    generator.manual_seed(seed)
    kwargs = {}
    for spec in specs:
        if "shape" not in spec or spec["shape"] is None:
            kwargs[spec["name"]] = spec["value"]
            continue
        dtype, shape = _dtype(spec["dtype"]), spec["shape"]
        if dtype.is_floating_point or dtype.is_complex:
            wide = dtype if dtype.is_complex else torch.float32
            value = torch.randn(shape, generator=generator, device=device, dtype=wide).to(dtype)
        elif dtype == torch.bool:
            value = torch.randint(0, 2, shape, generator=generator, device=device).bool()
        else:
            value = torch.randint(0, 8, shape, generator=generator, device=device).to(dtype)
        kwargs[spec["name"]] = value
    return CallInputs([], kwargs)


def from_problem(get_inputs, device, seed):
    """`get_inputs()` under a seed, on the device."""
    torch.manual_seed(seed)
    with torch.device(device):
        values = get_inputs()
    if isinstance(values, dict):
        made = CallInputs([], values)
    elif isinstance(values, (list, tuple)):
        made = CallInputs(values)
    else:
        made = CallInputs([values])
    return made.map(lambda t: t.detach().to(device))


def changed(inputs, setting):
    """The inputs as a setting wants them.

    kinds: given; scaled (times 2**exponent); zeros; wide (each element times 2**-12 … 2**12);
    cancelling (odd elements are minus the even ones before them); resized (first axis, where all
    tensors share its size).
    """
    kind = setting.get("kind", "given")

    def floats(function):
        return inputs.map(lambda t: function(t) if t.is_floating_point() else t)

    if kind == "scaled":
        factor = 2.0 ** setting["exponent"]
        return floats(lambda t: (t.double() * factor).to(t.dtype) if t.element_size() < 4
                      else t * factor)
    if kind == "zeros":
        return floats(torch.zeros_like)
    if kind == "wide":
        generator = {}

        def spread(t):
            device = t.device
            if device not in generator:
                generator[device] = torch.Generator(device=device)
                generator[device].manual_seed(setting.get("seed", 1))
            powers = torch.randint(-12, 13, t.shape, generator=generator[device], device=device)
            return (t.float() * torch.exp2(powers.float())).to(t.dtype)

        return floats(spread)
    if kind == "cancelling":
        def cancel(t):
            flat = t.clone(memory_format=torch.contiguous_format).reshape(-1)
            half = flat.numel() // 2
            flat[1:2 * half:2] = -flat[0:2 * half:2]
            return flat.reshape(t.shape)

        return floats(cancel)
    if kind == "resized":
        size = setting["batch"]
        return inputs.map(lambda t: _resized(t, size, setting["from"]))
    return inputs


def _resized(tensor, size, old):
    if tensor.dim() == 0 or tensor.shape[0] != old:
        return tensor
    if size <= old:
        return tensor[:size].contiguous()
    parts = [tensor] * (size // old) + [tensor[:size % old]]
    return torch.cat(parts).contiguous()


def leading_size(inputs):
    """The size of the first axis that all tensors with axes share, or None."""
    sizes = {t.shape[0] for _, t in inputs.tensors() if t.dim() > 0}
    return sizes.pop() if len(sizes) == 1 else None
