"""Writes tests/testdata/wide_ranges.safetensors: our own operations' results over wide ranges of values.

    python tests/oracles/make_wide_ranges.py

As in make_oracles.py, all is computed in float64 from values that float32 holds exactly. Within a tensor values
reach over six decades, and its channels, the last axis, over SPAN more: results are to be compared channel by
channel. Layouts are ours: images and maps [B,H,W,C], kernels [H,W,in,out].
"""

import sys
from pathlib import Path

import torch
from make_oracles import write
from torch import Tensor
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "bench" / "pytorch"))

from muon import MOMENTUM, orthogonalise  # noqa: E402

SPAN = 24  # decades between the first channel and the last


def magnitudes(channels: int, sign: int = 1) -> Tensor:
    return 10 ** (sign * torch.linspace(-SPAN / 2, SPAN / 2, channels))


def wide(*shape: int) -> Tensor:
    """Normally distributed values, each at a magnitude of its own."""
    return torch.randn(shape) * 10 ** (torch.rand(shape) * 6 - 3)


def channels_first(x: Tensor) -> Tensor:
    return x.permute(0, 3, 1, 2)


def convolve(x: Tensor, kernel: Tensor, stride: int = 1) -> Tensor:
    padding = kernel.shape[0] // 2
    y = F.conv2d(channels_first(x), kernel.permute(3, 2, 0, 1), stride=stride, padding=padding)
    return y.permute(0, 2, 3, 1)


def normalise(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return F.batch_norm(channels_first(x), None, None, weight, bias, training=True).permute(0, 2, 3, 1)


def stem(images: Tensor, kernel: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    y = channels_first(normalise(convolve(images, kernel, stride=2), weight, bias).relu())
    return F.max_pool2d(y, 3, stride=2, padding=1).permute(0, 2, 3, 1)


def score_maps(maps: Tensor, filters: Tensor, hidden_weight: Tensor, hidden_bias: Tensor, output_weight: Tensor) -> Tensor:
    """Scores [B,K]; filters [C,K]."""
    responses = (maps @ filters).flatten(1, 2).mT  # [B,K,P]
    return ((responses @ hidden_weight.T + hidden_bias).relu() @ output_weight.T).squeeze(2)


def with_gradients(function, gradient: Tensor, **inputs: Tensor) -> dict[str, Tensor]:
    """Inputs, the result `y`, its gradient `dy` and those of all inputs, `d_…`."""
    leaves = {name: value.float().double().requires_grad_() for name, value in inputs.items()}
    dy = gradient.float().double()
    y = function(*leaves.values())
    y.backward(dy)
    return leaves | {"y": y, "dy": dy} | {f"d_{name}": leaf.grad for name, leaf in leaves.items()}


def main() -> None:
    torch.manual_seed(4)
    out: dict[str, dict[str, Tensor]] = {}
    out["convolution"] = with_gradients(
        convolve, wide(3, 5, 7, 32) * magnitudes(32, -1), x=wide(3, 5, 7, 16), kernel=wide(3, 3, 16, 32) * magnitudes(32)
    )
    out["norm"] = with_gradients(
        normalise,
        wide(3, 5, 7, 32) * magnitudes(32, -1),
        x=torch.randn(3, 5, 7, 32) * magnitudes(32),
        weight=wide(32),
        bias=wide(32),
    )
    out["stem"] = with_gradients(
        stem,
        wide(2, 5, 4, 16),
        images=wide(2, 19, 14, 3),
        kernel=torch.randn(7, 7, 3, 16) * magnitudes(16),
        weight=wide(16),
        bias=wide(16),
    )
    out["scores"] = with_gradients(
        score_maps,
        wide(3, 9) * magnitudes(9, -1),
        maps=wide(3, 2, 8, 16),
        filters=wide(16, 9) * magnitudes(9),
        hidden_weight=wide(32, 16),
        hidden_bias=wide(32),
        output_weight=wide(1, 32),
    )
    parameter, gradient, buffer = (torch.randn(9, 25) * magnitudes(25) for _ in range(3))
    out["nesterov"] = nesterov(parameter, gradient, buffer)
    for name, scale in (("muon_small", 1e-4), ("muon_large", 1e12)):
        out[name] = muon(*(torch.randn(3, 3, 32, 16) * scale for _ in range(3)))
    named = {f"{case}.{name}": value for case, tensors in out.items() for name, value in tensors.items()}
    write("wide_ranges", named, madeBy="tests/oracles/make_wide_ranges.py")


def nesterov(*inputs: Tensor) -> dict[str, Tensor]:
    """A step with learning rate 0.5, momentum 0.75 and weight decay 0.125, which float32 holds exactly."""
    parameter, gradient, buffer = (value.float().double() for value in inputs)
    slope = gradient + 0.125 * parameter
    following = 0.75 * buffer + slope
    moved = parameter - 0.5 * (slope + 0.75 * following)
    return {"parameter": parameter, "gradient": gradient, "buffer": buffer, "moved": moved, "following": following}


def muon(*inputs: Tensor) -> dict[str, Tensor]:
    """A step with learning rate 0.5."""
    parameter, gradient, buffer = (value.float().double() for value in inputs)
    following = MOMENTUM * buffer + gradient
    step = orthogonalise((gradient + MOMENTUM * following).reshape(1, -1, parameter.shape[3]))
    scaled = parameter * parameter.shape[3] ** 0.5 / parameter.norm()
    moved = scaled - 0.5 * step.view(parameter.shape)
    return {"parameter": parameter, "gradient": gradient, "buffer": buffer, "moved": moved, "following": following}


if __name__ == "__main__":
    main()
