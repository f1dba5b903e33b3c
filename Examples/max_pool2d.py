import torch
import torch.nn as nn
import triton
import triton.language as tl

# Max pooling over NCHW images. The output is treated as one long vector; each lane finds its plane,
# row and column by division, which is why the kernel spends much of its time on integers.


@triton.heuristics({"BLOCK": lambda args: 256 if args["n_out"] < 1 << 20 else 512})
@triton.jit
def max_pool2d_kernel(
    x_ptr,
    out_ptr,
    n_out,
    in_h,
    in_w,
    out_h,
    out_w,
    window,
    stride,
    padding,
    BLOCK: tl.constexpr,
):
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = index < n_out
    ow = index % out_w
    rest = index // out_w
    oh = rest % out_h
    plane = rest // out_h

    best = tl.full((BLOCK,), float("-inf"), dtype=tl.float32)
    for tap in range(window * window):
        ih = oh * stride - padding + tap // window
        iw = ow * stride - padding + tap % window
        inside = mask & (ih >= 0) & (ih < in_h) & (iw >= 0) & (iw < in_w)
        value = tl.load(
            x_ptr + (plane * in_h + ih) * in_w + iw, mask=inside, other=float("-inf")
        )
        best = tl.maximum(best, value)
    tl.store(out_ptr + index, best, mask=mask)


def max_pool2d(x, window, stride, padding):
    x = x.contiguous()
    n, c, in_h, in_w = x.shape
    out_h = (in_h + 2 * padding - window) // stride + 1
    out_w = (in_w + 2 * padding - window) // stride + 1
    out = torch.empty((n, c, out_h, out_w), device=x.device, dtype=x.dtype)
    n_out = out.numel()
    grid = lambda args: (triton.cdiv(n_out, args["BLOCK"]),)
    max_pool2d_kernel[grid](
        x, out, n_out, in_h, in_w, out_h, out_w, window, stride, padding, num_warps=4
    )
    return out


class ModelNew(nn.Module):
    def __init__(self, kernel_size: int, stride: int, padding: int):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding

    def forward(self, x):
        return max_pool2d(x, self.kernel_size, self.stride, self.padding)


class Model(nn.Module):
    def __init__(self, kernel_size: int, stride: int, padding: int):
        super().__init__()
        self.pool = nn.MaxPool2d(kernel_size, stride, padding)

    def forward(self, x):
        return self.pool(x)


def get_inputs():
    return [torch.randn(32, 64, 112, 112)]


def get_init_inputs():
    return [3, 2, 1]
