"""Muon (Jordan et al. 2024) as lib/training/muon.ts has it: the kernels of one shape are stepped together."""

import torch
from torch import Tensor, nn

LINEAR, CUBIC, QUINTIC = 3.4445, -4.775, 2.0315
ITERATIONS = 5
MOMENTUM = 0.7


def orthogonalise(matrices: Tensor) -> Tensor:
    """Sets the singular values of tall matrices [K,n,m] to about 1, by Newton-Schulz iterations."""
    x = matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-7)
    linear = LINEAR * torch.eye(x.shape[2], device=x.device)
    gram = x.mT @ x
    product = None
    for iteration in range(ITERATIONS):
        if iteration > 0:
            gram = gram @ q @ q
        q = linear + CUBIC * gram + QUINTIC * (gram @ gram)
        product = q if product is None else product @ q
    return x @ product


class Muon:
    """Steps kernels [64,64,3,3], each scaled to the norm of an orthogonal matrix first."""

    def __init__(self, kernels: list[nn.Parameter]):
        self.kernels = kernels
        self.buffers = torch.zeros(len(kernels), *self.flatten(kernels[0]).shape, device=kernels[0].device)

    @staticmethod
    def flatten(kernel: Tensor) -> Tensor:
        """[out,in,3,3] -> [9·in,out]"""
        return kernel.flatten(1).t()

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        gradients = torch.stack([self.flatten(kernel.grad) for kernel in self.kernels])
        self.buffers.mul_(MOMENTUM).add_(gradients)
        steps = orthogonalise(gradients.add_(self.buffers, alpha=MOMENTUM))
        for kernel, step in zip(self.kernels, steps):
            kernel.mul_(len(kernel) ** 0.5 / kernel.norm()).sub_(step.t().view(kernel.shape), alpha=learning_rate)
