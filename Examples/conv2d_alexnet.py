import torch
import torch.nn as nn
import triton
import triton.language as tl

# AlexNet's first layer (3 -> 96 channels, 11x11 window, stride 4, padding 2) as a product of
# matrices that are never stored: a row is one output pixel of one image, a column one output
# channel, and the inner index counts window taps with the channel running fastest. The weights are
# laid out that way once per call, so their tiles are read along rows.


@triton.autotune(
    configs=[
        triton.Config({"TILE_P": 64, "TILE_C": 32, "TILE_K": 32}, num_warps=4, num_stages=2),
        triton.Config({"TILE_P": 64, "TILE_C": 32, "TILE_K": 32}, num_warps=4, num_stages=3),
        triton.Config({"TILE_P": 64, "TILE_C": 32, "TILE_K": 32}, num_warps=8, num_stages=2),
    ],
    key=["channels", "height", "width", "out_channels"],
)
@triton.jit
def conv_taps_kernel(
    image_ptr,  # [batch, channels, height, width]
    taps_ptr,  # [window_h * window_w * channels, out_channels]
    bias_ptr,  # [out_channels]
    out_ptr,  # [batch, out_channels, out_height, out_width]
    channels,
    height,
    width,
    out_channels,
    out_height,
    out_width,
    window_h,
    window_w,
    stride,
    padding,
    TILE_P: tl.constexpr,
    TILE_C: tl.constexpr,
    TILE_K: tl.constexpr,
):
    pixel = tl.program_id(0) * TILE_P + tl.arange(0, TILE_P)
    channel_out = tl.program_id(1) * TILE_C + tl.arange(0, TILE_C)
    image = tl.program_id(2)

    pixels = out_height * out_width
    pixel_ok = pixel < pixels
    # Upper left corner of each pixel's window; negative where the padding reaches in.
    top = (pixel // out_width) * stride - padding
    left = (pixel % out_width) * stride - padding

    image_ptr += image * channels * height * width
    depth = window_h * window_w * channels

    acc = tl.zeros((TILE_P, TILE_C), dtype=tl.float32)
    for k_start in range(0, depth, TILE_K):
        k = k_start + tl.arange(0, TILE_K)
        k_ok = k < depth
        channel = k % channels
        tap = k // channels
        y = top[:, None] + (tap // window_w)[None, :]
        x = left[:, None] + (tap % window_w)[None, :]
        inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        patch = tl.load(
            image_ptr + (channel[None, :] * height + y) * width + x,
            mask=inside & pixel_ok[:, None] & k_ok[None, :],
            other=0.0,
        )
        taps = tl.load(
            taps_ptr + k[:, None] * out_channels + channel_out[None, :],
            mask=k_ok[:, None] & (channel_out < out_channels)[None, :],
            other=0.0,
        )
        acc = tl.dot(patch, taps, acc)

    bias = tl.load(bias_ptr + channel_out, mask=channel_out < out_channels, other=0.0)
    acc += bias[None, :]
    plane = image * out_channels + channel_out
    tl.store(
        out_ptr + plane[None, :] * pixels + pixel[:, None],
        acc,
        mask=pixel_ok[:, None] & (channel_out < out_channels)[None, :],
    )


def conv2d_by_taps(x, weight, bias, stride, padding):
    x = x.contiguous()
    batch, channels, height, width = x.shape
    out_channels, weight_channels, window_h, window_w = weight.shape
    assert weight_channels == channels, "the weights are made for another number of channels"
    out_height = (height + 2 * padding - window_h) // stride + 1
    out_width = (width + 2 * padding - window_w) // stride + 1
    taps = weight.permute(2, 3, 1, 0).reshape(-1, out_channels).contiguous()
    out = torch.empty(
        (batch, out_channels, out_height, out_width), device=x.device, dtype=x.dtype
    )

    def grid(meta):
        return (
            triton.cdiv(out_height * out_width, meta["TILE_P"]),
            triton.cdiv(out_channels, meta["TILE_C"]),
            batch,
        )

    conv_taps_kernel[grid](
        x, taps, bias, out,
        channels, height, width,
        out_channels, out_height, out_width,
        window_h, window_w,
        stride, padding,
    )
    return out


class ModelNew(nn.Module):
    def __init__(self, num_classes: int = 1000):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 96, kernel_size=11, stride=4, padding=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not x.is_cuda:
            return self.conv1(x)
        return conv2d_by_taps(
            x,
            self.conv1.weight,
            self.conv1.bias,
            self.conv1.stride[0],
            self.conv1.padding[0],
        )


class Model(nn.Module):
    def __init__(self, num_classes: int = 1000):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 96, kernel_size=11, stride=4, padding=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv1(x)


batch_size = 128
num_classes = 1000


def get_inputs():
    return [torch.randn(batch_size, 3, 224, 224)]


def get_init_inputs():
    return [num_classes]
