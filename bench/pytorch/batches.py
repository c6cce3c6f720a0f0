"""Training batches of each form: bytes -> crop, flip, normalise -> [B,3,32,32]."""

from collections.abc import Iterator

import torch
from cifar10 import normalise
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

PADDING = 4
SHIFTS = 2 * PADDING + 1


class FastBatches:
    """Augments whole batches at once, on the device that holds the bytes: one gather, one flip, one multiply-add.

    The images [N,40,40,3] are padded bytes, and a view shows all 9 x 9 crops of each, so that a crop is an
    index.
    """

    def __init__(self, padded: Tensor, labels: Tensor):
        self.labels = labels
        row, pixel = 40 * 3, 3
        self.crops = padded.as_strided((len(labels), SHIFTS, SHIFTS, 32, 32 * 3), (40 * row, row, pixel, row, 1))

    def __call__(self, batch_size: int, count: int | None = None, shift: int = PADDING) -> Iterator[tuple[Tensor, Tensor]]:
        device = self.labels.device
        order = torch.randperm(len(self.labels), device=device)[:count]
        shifts = torch.randint(PADDING - shift, PADDING + shift + 1, (2, len(order)), device=device)
        flipped = torch.rand(len(order), device=device) < 0.5
        for start in range(0, len(order), batch_size):
            part = slice(start, start + batch_size)
            images = self.crops[order[part], shifts[0, part], shifts[1, part]].unflatten(2, (32, 3))
            chosen = flipped[part].nonzero().squeeze(1)
            images[chosen] = images[chosen].flip(2)
            yield normalise(images), self.labels[order[part]]


class PerImage(Dataset):
    """Augments image by image as torchvision's transforms do: RandomCrop, RandomHorizontalFlip, ToTensor,
    Normalize.
    """

    def __init__(self, images: Tensor, labels: Tensor, count: int | None = None):
        self.images, self.labels = images[:count].permute(0, 3, 1, 2), labels[:count]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        padded = F.pad(self.images[index], [PADDING] * 4)
        top, left = torch.randint(SHIFTS, (2,)).tolist()
        image = padded[:, top : top + 32, left : left + 32]
        if torch.rand(1) < 0.5:
            image = image.flip(2)
        return normalise(image.permute(1, 2, 0)[None])[0], self.labels[index]


class UsualBatches:
    """DataLoader with one worker process per core."""

    def __init__(self, images: Tensor, labels: Tensor, workers: int, device: torch.device):
        self.images, self.labels, self.workers, self.device = images, labels, workers, device

    def __call__(self, batch_size: int, count: int | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        dataset = PerImage(self.images, self.labels, count)
        pinned = self.device.type == "cuda"
        loader = DataLoader(dataset, batch_size, shuffle=True, num_workers=self.workers, pin_memory=pinned)
        for images, labels in loader:
            yield (
                images.contiguous().to(self.device, non_blocking=pinned),
                labels.to(self.device, non_blocking=pinned),
            )
