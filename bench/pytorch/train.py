"""Reference accuracy: trains the lab's network in PyTorch by the lab's recipe, or by one of our recipes' files.

    python bench/pytorch/train.py --data DIR --weights FILE [--recipe lib/training/recipes/fast.json] [--variant dynamic] [--backbone trainable] [--adapter none] [--epochs 12] [--seed 0]

The lab's: SGD with Nesterov momentum 0.9 and weight decay 5e-4, one-cycle learning rate with peak 0.05, pad-4
crop and flip, batches of 128. Prints one line per epoch: training loss and accuracy (running, under
augmentation), test loss and accuracy; with --json one JSON object at the end.
"""

import argparse
import json
import math
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "tests" / "oracles"))

if __name__ == "__main__":
    from peer import use_allocator

    use_allocator(argparse.Namespace(allocator="auto"))  # which starts this program again: before torch is loaded

import cifar10
import torch
from batches import PADDING, FastBatches
from forms import FastNetwork
from muon import Muon
from network import ADAPTERS, BACKBONES, VARIANTS, Network
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F


class OneProduct(Network):
    """Any of the networks with all response maps by one convolution: twice as fast."""

    def response_maps(self, v: Tensor) -> Tensor:
        return F.conv2d(v, self.unit_filters()[:, :, None, None] / 8)


@torch.no_grad()
def evaluate(network: nn.Module, images: Tensor, labels: Tensor) -> tuple[float, float]:
    """Mean loss and accuracy over all images (bytes)."""
    network.eval()
    scores = torch.cat([network(cifar10.normalise(part)) for part in images.split(125)])
    return F.cross_entropy(scores, labels).item(), (scores.argmax(1) == labels).float().mean().item()


LAB = {
    "epochs": 12,
    "batchSize": 128,
    "optimizer": "sgd",
    "learningRate": 0.05,
    "momentum": 0.9,
    "weightDecay": 5e-4,
    "schedule": "one-cycle",
    "labelSmoothing": 0,
    "kernelRate": 1,
    "shift": 4,
}


def read_recipe(path: str | None) -> dict:
    given = json.loads(Path(path).read_text()) if path else {}
    given = {key: value for key, value in given.items() if key not in ("$schema", "recipe")}
    if unknown := given.keys() - LAB.keys():
        sys.exit(f"There is no PyTorch for {', '.join(sorted(unknown))} of {path} yet.")
    return LAB | given


def rate_at(step: int, total: int, recipe: dict) -> float:
    """The learning rate of a step, as lib/training/schedule.ts has it."""
    peak = recipe["learningRate"]
    if recipe["schedule"] == "triangular":
        top = 0.2 * total
        return peak * (0.2 + 0.8 * step / top) if step < top else peak * (total - step) / (total - top)
    start, end, top = peak / 25, peak / 250_000, 0.3 * total - 1
    down = step > top
    low, fraction = (end, (step - top) / (total - 1 - top)) if down else (start, 1 - step / top)
    return low + (peak - low) / 2 * (1 + math.cos(math.pi * fraction))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of CIFAR-10's binary files")
    parser.add_argument("--weights", help="safetensors of ResNet-18's stem and layer1 (default: random)")
    parser.add_argument("--recipe", help="JSON file of training options (default: the lab's)")
    parser.add_argument("--variant", choices=VARIANTS, default="dynamic")
    parser.add_argument("--backbone", choices=BACKBONES, default="trainable")
    parser.add_argument("--adapter", choices=ADAPTERS, default="none")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    recipe = read_recipe(arguments.recipe)
    epochs, batch_size = arguments.epochs or recipe["epochs"], recipe["batchSize"]

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    build = FastNetwork if arguments.variant == "dynamic" else OneProduct
    network = build(arguments.variant, arguments.backbone, arguments.adapter)
    if arguments.weights:
        wanted = network.backbone.state_dict()
        stored = {k.removeprefix("backbone."): v for k, v in load_file(arguments.weights).items()}
        network.backbone.load_state_dict(wanted | {k: v for k, v in stored.items() if k in wanted})
    network = network.to(device, memory_format=torch.channels_last)
    train = [part.to(device) for part in cifar10.read(arguments.data, train=True, padding=PADDING)]
    test = [part.to(device) for part in cifar10.read(arguments.data, train=False)]
    batches = FastBatches(*train)

    trained = [p for p in network.parameters() if p.requires_grad]
    kernels = [p for p in trained if recipe["optimizer"] == "muon" and p.dim() == 4 and p.shape[2] == 3]
    others = [p for p in trained if all(p is not kernel for kernel in kernels)]
    muon = Muon(kernels) if kernels else None
    sgd = torch.optim.SGD(
        others, lr=1, momentum=recipe["momentum"], nesterov=True, weight_decay=recipe["weightDecay"], fused=True
    )
    history = []
    total, step = epochs * -(-len(train[1]) // batch_size), 0
    for epoch in range(epochs):
        start = time.perf_counter()
        network.train()
        sums = torch.zeros(2, device=device)
        for images, labels in batches(batch_size, shift=recipe["shift"]):
            scores = network(images)
            loss = F.cross_entropy(scores, labels, label_smoothing=recipe["labelSmoothing"])
            network.zero_grad()
            loss.backward()
            rate = sgd.param_groups[0]["lr"] = rate_at(step, total, recipe)
            sgd.step()
            if muon:
                muon.step(recipe["kernelRate"] * rate)
            step += 1
            sums += torch.stack([loss.detach() * len(labels), (scores.argmax(1) == labels).sum()])
        train_loss, train_accuracy = (sums / len(train[1])).tolist()
        seconds = time.perf_counter() - start
        test_loss, test_accuracy = evaluate(network, *test)
        history.append({"testLoss": test_loss, "testAccuracy": test_accuracy})
        print(
            f"epoch {epoch + 1:2}  train {train_loss:.4f} {train_accuracy:.2%}  test {test_loss:.4f} {test_accuracy:.2%}"
            f"  {seconds:.1f} s",
            flush=True,
            file=sys.stderr if arguments.json else sys.stdout,
        )
    if arguments.json:
        print(json.dumps({"history": history}))


if __name__ == "__main__":
    main()
