"""Checks that a checkpoint loads in PyTorch and gives the same scores there.

    python tests/oracles/load_checkpoint.py RUN_OR_FILE scores.safetensors [--data DIR]

`scores.safetensors` is written by `deno task evaluate RUN_OR_FILE --scores scores.safetensors`, for the whole
test set. The checkpoint is loaded strictly into the plain module of network.py. Exit code 0: all scores agree
to 1e-4; 1: they do not; 2: something could not be read.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import cifar10
import torch
from network import CLASSES, Network
from safetensors import safe_open
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parent.parent.parent
TOLERANCE = 1e-4


def checkpoint_path(given: str) -> Path:
    """A file, a run folder, or a run's name: its best checkpoint."""
    for path in (Path(given), ROOT / "checkpoints" / given):
        if path.is_dir():
            path = path / "best.safetensors"
        if path.is_file():
            return path
    raise FileNotFoundError(f"There is no checkpoint file and no run {given}.")


def load_network(path: Path) -> Network:
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    config = json.loads(metadata["config"])
    classes = len(json.loads(metadata["classNames"])) if "classNames" in metadata else CLASSES
    network = Network(config["variant"], config["backbone"], config["adapter"], classes)
    state = {k: v for k, v in load_file(path).items() if not k.startswith("optimizer.")}
    network.load_state_dict(state, strict=True)
    return network.eval()


@torch.inference_mode()
def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", metavar="RUN_OR_FILE")
    parser.add_argument("scores", metavar="SCORES")
    parser.add_argument("--data", default=os.environ.get("CIFAR10_DIR", ROOT / "data" / "cifar-10-batches-bin"))
    arguments = parser.parse_args()
    try:
        network = load_network(checkpoint_path(arguments.checkpoint))
        expected = load_file(arguments.scores)
        images, labels = cifar10.read(arguments.data, train=False)
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2

    if not torch.equal(labels, expected["labels"].long()):
        print("The scores are of other images: evaluate on this data, without --test-subset.", file=sys.stderr)
        return 2
    scores = torch.cat([network(cifar10.normalise(part)) for part in images.split(500)])
    difference = (scores - expected["scores"]).abs().max().item()
    accuracy = (scores.argmax(1) == labels).float().mean().item()
    print(f"{len(labels)} images, accuracy {accuracy:.4f}, largest difference of a score {difference:.2e} (allowed {TOLERANCE:.0e})")
    return 0 if difference <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
