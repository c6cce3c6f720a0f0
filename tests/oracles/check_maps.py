"""Computes the measurements of the maps again, by quantus and captum on the PyTorch export, and compares.

    pip install -r tests/oracles/requirements.txt
    deno task export checkpoints/published/dynamic.safetensors --format pytorch --output dist/published.safetensors
    deno run -A tests/oracles/write_maps.ts checkpoints/published/dynamic.safetensors maps.safetensors
    python tests/oracles/check_maps.py dist/load_published.py maps.safetensors

Exit code 0: all agree to 1e-4; 1: they do not. Where quantus 0.6.0 defines something else, the difference is
bridged here and said beside it.
"""

import importlib.util
import sys
import warnings

import numpy as np
import quantus
import torch
from captum.attr import IntegratedGradients, LayerGradCam, Occlusion
from quantus.functions.perturb_func import noisy_linear_imputation
from quantus.functions.similarity_func import correlation_spearman
from safetensors.torch import load_file
from torch import nn

warnings.filterwarnings("ignore")
TOLERANCE = 1e-4
module_file, maps_file = sys.argv[1:]
specification = importlib.util.spec_from_file_location("exported", module_file)
exported = importlib.util.module_from_spec(specification)
specification.loader.exec_module(exported)
network = exported.load()
ours = {name: values.numpy() for name, values in load_file(maps_file).items()}


class Scores(nn.Module):
    """The exported network, which takes 0-255, without its maps; `lead`: each score minus the mean of the others."""

    def __init__(self, lead=False):
        super().__init__()
        self.network, self.lead = network, lead

    def forward(self, images):
        scores = self.network(images)[0]
        return (scores * 10 - scores.sum(1, keepdim=True)) / 9 if self.lead else scores


images = np.ascontiguousarray(ours["images"].transpose(0, 3, 1, 2))
empty = np.broadcast_to(images.mean((2, 3), keepdims=True), images.shape).copy()
labels, classes = ours["labels"].astype(int), ours["classes"].astype(int)
count, model = len(images), Scores().eval()
agreements = []


def compare(what, theirs, own, scale=1.0, part=1.0):
    """Compares values; `part`: the largest difference within this part of them, the smallest first."""
    difference = np.quantile(np.abs(np.asarray(theirs) - np.asarray(own)), part) / scale
    agreements.append(difference <= TOLERANCE)
    print(f"{what:60} {difference:.1e}{'' if agreements[-1] else '   differs'}")


def enlarge(maps):
    """[N,64] -> [N,1,32,32]: each cell is its block of 4x4 pixels."""
    return maps.reshape(-1, 1, 8, 8).repeat(4, 2).repeat(4, 3)


def relevance(order):
    """Attributions of the pixels that give this order of the cells, without ties."""
    places = np.empty(order.shape)
    np.put_along_axis(places, order.astype(int), np.broadcast_to(64.0 - np.arange(64), order.shape), 1)
    return enlarge(places)


def measure(metric, x, y, a, **more):
    return metric(model=model, x_batch=x, y_batch=y, a_batch=a, batch_size=len(x), channel_first=True, **more)


options = {"normalise": False, "abs": False, "disable_warnings": True}


def flip(target):
    """Replaces features by the target's. quantus' own baselines are one number for all channels."""
    flat = target.reshape(count, -1)

    def perturb(arr, indices, **_):
        arr = arr.copy()
        np.put_along_axis(arr, indices, np.take_along_axis(flat, indices, 1), 1)
        return arr

    return perturb


def impute(arr, indices, noise, **_):
    """quantus 0.6.0 numbers features of three channels, its imputation pixels: a third of all features each."""
    return noisy_linear_imputation(arr, np.unique(indices % 1024), noise)


methods = [name.removeprefix("order/") for name in ours if name.startswith("order/")]
quarters = np.zeros((4, 1, 32, 32))
for part in range(4):
    quarters[part, 0, part // 2 * 16 : part // 2 * 16 + 16, part % 2 * 16 : part % 2 * 16 + 16] = 1
mosaics = ours["mosaics"].transpose(0, 3, 1, 2).repeat(4, 0)
for method in methods:
    order = relevance(ours[f"order/{method}"])
    for kind, start, target in (("deletion", images, empty), ("insertion", empty, images)):
        # four cells are three steps of 64 values, as 1,024 must be a multiple; quantus leaves out the first point
        flipping = quantus.PixelFlipping(features_in_step=64, perturb_func=flip(target), **options)
        curve = np.array(measure(flipping, start, classes, order, softmax=True))[:, 2::3]
        compare(f"{kind}: PixelFlipping, {method}", curve, ours[f"{kind}/{method}"][:, 1:])
    road = quantus.ROAD(percentages=[150], noise=0.0, perturb_func=impute, **options)  # of 1,024: half of the features
    accuracy = measure(road, images, labels, order)[150]
    compare(f"ROAD, half of the pixels, no noise: {method}", accuracy, ours[f"road/{method}"].mean())
    # quantus counts a hit if any of several equal maxima lies in the mask; ours takes the first
    pointers = relevance(np.argsort(-ours[f"pointer/{method}"], 1, kind="stable"))
    game = quantus.PointingGame(**options)
    hits = measure(game, mosaics, ours["mosaic classes"].astype(int).ravel(), pointers, s_batch=np.tile(quarters, (count, 1, 1, 1)))
    compare(f"PointingGame: {method}", np.mean(hits), ours[f"pointing/{method}"][0])

for name in [name for name in ours if name.startswith("spearman/")]:
    part, method = name.split("/")[1:]
    theirs = correlation_spearman(ours[f"map/{method}"], ours[f"randomised/{part}/{method}"], batched=True)
    compare(f"Spearman, {part} randomised: {method}", theirs, ours[name])

x, baseline, target = torch.tensor(images), torch.tensor(empty), torch.tensor(classes)
x.requires_grad_()
lead = Scores(lead=True).eval()
cam = LayerGradCam(model, network.backbone.layer1).attribute(x, target, relu_attributions=True)
theirs = {
    "Grad-CAM": cam.detach().numpy(),
    "integrated gradients": IntegratedGradients(lead).attribute(x, baseline, target, n_steps=20, method="riemann_middle").detach().numpy(),
    "occlusion": Occlusion(lead).attribute(x, (3, 4, 4), (3, 4, 4), baseline, target).detach().numpy(),
}


def evidence(model, inputs, targets, **_):
    """Gradient x input of the class's score by its map, minus the mean of the other classes' [N,1,32,32]."""
    maps = model.network(torch.as_tensor(inputs).float())[1].detach().requires_grad_()
    model.network.score_predictor(maps.flatten(2)).sum().backward()
    parts = (maps * maps.grad).detach()
    leads = (parts * 10 - parts.sum(1, keepdim=True)) / 9
    return enlarge(leads[torch.arange(len(leads)), torch.as_tensor(targets)].numpy())


theirs["evidence"] = evidence(model, images, classes)
for method, values in theirs.items():
    if method == "integrated gradients":
        values = values.sum(1).reshape(count, 8, 4, 8, 4).sum((2, 4))
    elif method != "Grad-CAM":  # constant within a cell
        values = values[:, 0, ::4, ::4]
    own = ours[f"map/{method}"]
    # along a path rounding decides on which side of a ReLU's kink a point lies: in a few cells PyTorch's own float32 and
    # float64 differ by 2.5e-4
    part = 0.99 if method == "integrated gradients" else 1.0
    compare(f"captum: {method}, of its maximum", values.reshape(count, 64), own, np.abs(own).max(), part)

# quantus' own randomisation goes layer by layer and draws other numbers: to be looked at, not compared
test = quantus.MPRT(similarity_func=correlation_spearman, layer_order="top_down", disable_warnings=True, normalise=False)
result = test(model=model, x_batch=images, y_batch=classes, a_batch=None, explain_func=evidence, channel_first=True)
for layer, values in result.items():
    print(f"MPRT of the evidence, {layer}: Spearman {np.mean(values):.2f}")
print(f"{sum(agreements)} of {len(agreements)} agree to {TOLERANCE:.0e}")
sys.exit(0 if all(agreements) else 1)
