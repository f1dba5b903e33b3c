import torch
import torch.nn as nn
import triton
import triton.language as tl

# Depthwise convolution: every channel has one small window of its own. A program makes BLOCK
# neighbouring pixels of one plane; the loops over the window are unrolled at compile time.


@triton.jit
def depthwise_conv2d_kernel(
    x_ptr,
    w_ptr,
    out_ptr,
    channels,
    in_h,
    in_w,
    out_h,
    out_w,
    stride_h,
    stride_w,
    pad_h,
    pad_w,
    dilation_h,
    dilation_w,
    KH: tl.constexpr,
    KW: tl.constexpr,
    BLOCK: tl.constexpr,
):
    plane = tl.program_id(1)  # image * channels + channel
    channel = plane % channels
    pixel = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    oh = pixel // out_w
    ow = pixel % out_w
    mask = pixel < out_h * out_w

    x_plane = x_ptr + plane.to(tl.int64) * in_h * in_w
    w_window = w_ptr + channel * KH * KW
    acc = tl.zeros([BLOCK], dtype=tl.float32)
    for r in tl.static_range(KH):
        ih = oh * stride_h - pad_h + r * dilation_h
        for s in tl.static_range(KW):
            iw = ow * stride_w - pad_w + s * dilation_w
            inside = mask & (ih >= 0) & (ih < in_h) & (iw >= 0) & (iw < in_w)
            value = tl.load(x_plane + ih * in_w + iw, mask=inside, other=0.0)
            weight = tl.load(w_window + r * KW + s)
            acc += value.to(tl.float32) * weight.to(tl.float32)

    out_plane = out_ptr + plane.to(tl.int64) * out_h * out_w
    tl.store(out_plane + pixel, acc, mask=mask)


def out_size(size, window, stride, padding, dilation):
    return (size + 2 * padding - dilation * (window - 1) - 1) // stride + 1


def depthwise_conv2d(x, weight, stride, padding, dilation):
    x = x.contiguous()
    weight = weight.contiguous()
    batch, channels, in_h, in_w = x.shape
    assert weight.shape[0] == channels, "one window for each channel"
    KH, KW = weight.shape[2:]
    out_h = out_size(in_h, KH, stride[0], padding[0], dilation[0])
    out_w = out_size(in_w, KW, stride[1], padding[1], dilation[1])
    out = torch.empty(batch, channels, out_h, out_w, device=x.device, dtype=x.dtype)
    BLOCK = 256
    grid = (triton.cdiv(out_h * out_w, BLOCK), batch * channels)
    depthwise_conv2d_kernel[grid](
        x, weight, out,
        channels, in_h, in_w, out_h, out_w,
        stride[0], stride[1],
        padding[0], padding[1],
        dilation[0], dilation[1],
        KH=KH, KW=KW,
        BLOCK=BLOCK,
        num_warps=4,
        num_stages=2,
    )
    return out


class ModelNew(nn.Module):
    def __init__(self, channels=128, kernel_size=5, stride=2, padding=2):
        super().__init__()
        self.conv = nn.Conv2d(
            channels,
            channels,
            kernel_size,
            stride=stride,
            padding=padding,
            groups=channels,
            bias=False,
        )

    def forward(self, x):
        conv = self.conv
        return depthwise_conv2d(x, conv.weight, conv.stride, conv.padding, conv.dilation)


class Model(nn.Module):
    def __init__(self, channels=128, kernel_size=5, stride=2, padding=2):
        super().__init__()
        self.conv = nn.Conv2d(
            channels,
            channels,
            kernel_size,
            stride=stride,
            padding=padding,
            groups=channels,
            bias=False,
        )

    def forward(self, x):
        return self.conv(x)


def get_inputs():
    return [torch.randn(32, 128, 112, 112)]


def get_init_inputs():
    return [128, 5, 2, 2]
