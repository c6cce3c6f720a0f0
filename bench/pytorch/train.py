"""Reference accuracy: trains the lab's network in PyTorch by our default recipe.

    python bench/pytorch/train.py --data DIR --weights FILE [--variant dynamic] [--backbone trainable] [--adapter none] [--epochs 12] [--seed 0]

SGD with Nesterov momentum 0.9 and weight decay 5e-4, one-cycle learning rate with peak 0.05, pad-4 crop and
flip, batches of 128. Prints one line per epoch: training loss and accuracy (running, under augmentation),
test loss and accuracy.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "tests" / "oracles"))

import cifar10
import torch
from batches import PADDING, FastBatches
from network import ADAPTERS, BACKBONES, VARIANTS, Network
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F


class OneProduct(Network):
    """The same network with all response maps by one convolution: twice as fast."""

    def response_maps(self, v: Tensor) -> Tensor:
        return F.conv2d(v, self.unit_filters()[:, :, None, None] / 8)


@torch.no_grad()
def evaluate(network: nn.Module, images: Tensor, labels: Tensor) -> tuple[float, float]:
    """Mean loss and accuracy over all images (bytes)."""
    network.eval()
    scores = torch.cat([network(cifar10.normalise(part)) for part in images.split(125)])
    return F.cross_entropy(scores, labels).item(), (scores.argmax(1) == labels).float().mean().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of CIFAR-10's binary files")
    parser.add_argument("--weights", help="safetensors of ResNet-18's stem and layer1 (default: random)")
    parser.add_argument("--variant", choices=VARIANTS, default="dynamic")
    parser.add_argument("--backbone", choices=BACKBONES, default="trainable")
    parser.add_argument("--adapter", choices=ADAPTERS, default="none")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    torch.manual_seed(arguments.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = OneProduct(arguments.variant, arguments.backbone, arguments.adapter)
    if arguments.weights:
        wanted = network.backbone.state_dict()
        stored = load_file(arguments.weights)
        network.backbone.load_state_dict(wanted | {k: v for k, v in stored.items() if k in wanted})
    network = network.to(device, memory_format=torch.channels_last)
    train = [part.to(device) for part in cifar10.read(arguments.data, train=True, padding=PADDING)]
    test = [part.to(device) for part in cifar10.read(arguments.data, train=False)]
    batches = FastBatches(*train)

    trained = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4, fused=True)
    steps = arguments.epochs * -(-len(train[1]) // arguments.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=arguments.learning_rate, total_steps=steps, cycle_momentum=False
    )
    for epoch in range(1, arguments.epochs + 1):
        start = time.perf_counter()
        network.train()
        sums = torch.zeros(2, device=device)
        for images, labels in batches(arguments.batch_size):
            scores = network(images)
            loss = F.cross_entropy(scores, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            sums += torch.stack([loss.detach() * len(labels), (scores.argmax(1) == labels).sum()])
        train_loss, train_accuracy = (sums / len(train[1])).tolist()
        seconds = time.perf_counter() - start
        test_loss, test_accuracy = evaluate(network, *test)
        print(
            f"epoch {epoch:2}  train {train_loss:.4f} {train_accuracy:.2%}  test {test_loss:.4f} {test_accuracy:.2%}"
            f"  {seconds:.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
