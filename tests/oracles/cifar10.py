"""CIFAR-10's binary files as tensors, and the normalisation that the pretrained backbone expects."""

from pathlib import Path

import numpy
import torch
from torch import Tensor

# ImageNet's, as the backbone was trained with
MEAN = (0.485, 0.456, 0.406)
STANDARD_DEVIATION = (0.229, 0.224, 0.225)


def read(folder: str | Path, train: bool, padding: int = 0) -> tuple[Tensor, Tensor]:
    """Bytes [N,32,32,3] and labels [N] of the training or the test images; with `padding`, black pixels
    around each.
    """
    names = [f"data_batch_{k}.bin" for k in range(1, 6)] if train else ["test_batch.bin"]
    size = 32 + 2 * padding
    images = torch.zeros(10_000 * len(names), size, size, 3, dtype=torch.uint8)
    inside = images[:, padding : padding + 32, padding : padding + 32]
    labels = torch.empty(len(images), dtype=torch.int64)
    for k, name in enumerate(names):
        records = torch.from_numpy(numpy.fromfile(Path(folder) / name, numpy.uint8).reshape(10_000, 3073))
        part = slice(10_000 * k, 10_000 * (k + 1))
        inside[part] = records[:, 1:].reshape(-1, 3, 32, 32).permute(0, 2, 3, 1)
        labels[part] = records[:, 0]
    return images, labels


def noise(count: int, padding: int = 0) -> tuple[Tensor, Tensor]:
    """Noise of the same form, for timing where there is no data."""
    generator = torch.Generator().manual_seed(0)
    size = 32 + 2 * padding
    images = torch.randint(256, (count, size, size, 3), dtype=torch.uint8, generator=generator)
    return images, torch.randint(10, (count,), generator=generator)


def normalise(images: Tensor) -> Tensor:
    """Bytes [B,32,32,3] -> floats [B,3,32,32]; the memory stays NHWC (channels_last)."""
    mean = torch.tensor(MEAN, device=images.device) * 255
    scale = 1 / (torch.tensor(STANDARD_DEVIATION, device=images.device) * 255)
    return ((images.float() - mean) * scale).permute(0, 3, 1, 2)
