"""PyTorch under test: reads one JSON command per line on stdin, answers one JSON line on stdout.

Another process interleaves the rounds: ours, PyTorch, ours, ... The first use of a form builds (and compiles)
it within the reported time: discard that round. Commands, with their defaults:

    {"command": "describe"}
    {"command": "load", "state": FILE, "data": DIR or null (noise), "images": 50000}
    {"command": "step", "form": "best", "batchSize": 128, "count": 10, "backbone": "trainable", "adapter": "none"}
    {"command": "epoch", "form": "best", "batchSize": 128, "images": null (all), "backbone": ..., "adapter": ...}
    {"command": "evaluate", "form": "best", "batchSize": 125, "count": 10}         one batch of floats, repeatedly
    {"command": "test", "form": "best", "batchSize": 125}                          the test images, from bytes
    {"command": "gradients", "form": "best", "batch": FILE, "out": FILE, "backbone": ..., "adapter": ...}

Answers have `milliseconds` (step, evaluate: per repetition; epoch, test: in all) where something was timed,
or `error`. `state` is a checkpoint or initial state of `dynamic` with our names, `batch` has `images`
[B,32,32,3] (normalised) and `labels` [B]. `out` receives `loss` and `gradient.<name>`.

Flags: --threads N (all cores), --device auto|cpu|cuda, --allocator PATH|none (default: mimalloc where pip
brought it).
"""

import argparse
import json
import os
import sys
import sysconfig
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "tests" / "oracles"))


def parse_flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--allocator", default="auto")
    return parser.parse_args()


def use_allocator(flags: argparse.Namespace) -> None:
    """Restarts this program with another malloc: glibc's keeps returning memory to the system and fetching it
    again.
    """
    if flags.allocator == "auto":
        found = Path(sysconfig.get_path("purelib")) / "cmeel.prefix" / "lib" / "libmimalloc.so"
        flags.allocator = str(found) if found.exists() else "none"
    if flags.allocator != "none" and os.environ.get("LD_PRELOAD") != flags.allocator:
        os.environ["LD_PRELOAD"] = flags.allocator
        os.execv(sys.executable, [sys.executable, *sys.argv])


class Peer:
    def __init__(self, flags: argparse.Namespace):
        import torch

        self.torch, self.flags = torch, flags
        torch.set_num_threads(flags.threads)
        cuda = flags.device == "cuda" or (flags.device == "auto" and torch.cuda.is_available())
        self.device = torch.device("cuda" if cuda else "cpu")
        torch.backends.cudnn.benchmark = True
        self.learners: dict = {}
        self.fixed_batches: dict = {}

    def describe(self) -> dict:
        torch = self.torch
        device = torch.cuda.get_device_name() if self.device.type == "cuda" else "cpu"
        return {
            "torch": torch.__version__,
            "python": sys.version.split()[0],
            "device": device,
            "threads": torch.get_num_threads(),
            "allocator": Path(self.flags.allocator).stem.removeprefix("lib") if self.flags.allocator != "none" else "malloc",
            "capability": torch.backends.cpu.get_cpu_capability(),
        }

    def load(self, state: str, data: str | None = None, images: int = 50_000) -> dict:
        import cifar10
        from batches import PADDING, FastBatches, UsualBatches
        from safetensors.torch import load_file

        self.state = {k: v for k, v in load_file(state).items() if not k.startswith("optimizer.")}
        if data is None:
            padded, labels = cifar10.noise(images, PADDING)
            self.test_data = cifar10.noise(10_000)
        else:
            padded, labels = (part[:images] for part in cifar10.read(data, train=True, padding=PADDING))
            self.test_data = cifar10.read(data, train=False)
        self.train = padded[:, PADDING:-PADDING, PADDING:-PADDING], labels
        self.batches = {
            False: UsualBatches(*self.train, self.flags.threads, self.device),
            True: FastBatches(padded.to(self.device), labels.to(self.device)),
        }
        return {"images": len(self.train[1]), "testImages": len(self.test_data[1])}

    def learner(self, form: str, backbone: str, adapter: str):
        from forms import Learner

        key = (form, backbone, adapter)
        if key not in self.learners:
            self.torch.manual_seed(0)
            self.learners[key] = Learner(form, self.state, self.device, backbone, adapter)
        return self.learners[key]

    def fixed_batch(self, learner, size: int) -> tuple:
        """The first images, normalised and placed as the form wants them."""
        from cifar10 import normalise

        if (learner.fast, size) not in self.fixed_batches:
            images, labels = self.train
            pair = learner.place(normalise(images[:size])), labels[:size].to(self.device)
            self.fixed_batches[learner.fast, size] = pair
        return self.fixed_batches[learner.fast, size]

    def clock(self) -> float:
        if self.device.type == "cuda":
            self.torch.cuda.synchronize()
        return time.perf_counter() * 1000

    def step(self, form="best", batchSize=128, count=10, backbone="trainable", adapter="none") -> dict:
        learner = self.learner(form, backbone, adapter)
        images, labels = self.fixed_batch(learner, batchSize)
        learner.network.train()
        start = self.clock()
        for _ in range(count):
            loss = learner.step(images, labels)
        return {"milliseconds": (self.clock() - start) / count, "loss": loss.item()}

    def epoch(self, form="best", batchSize=128, images=None, backbone="trainable", adapter="none") -> dict:
        learner = self.learner(form, backbone, adapter)
        learner.network.train()
        start = self.clock()
        total, seen = self.torch.zeros((), device=self.device), 0
        for batch, labels in self.batches[learner.fast](batchSize, images):
            total += learner.step(batch, labels) * len(labels)
            seen += len(labels)
        loss = total.item() / seen
        return {"milliseconds": self.clock() - start, "images": seen, "loss": loss}

    def evaluate(self, form="best", batchSize=125, count=10) -> dict:
        learner = self.learner(form, "trainable", "none")
        images, _ = self.fixed_batch(learner, batchSize)
        if learner.evaluator is None:
            learner.prepare_evaluation()
        durations = []
        for _ in range(count):
            start = self.clock()
            scores = learner.score(images)
            durations.append(self.clock() - start)
        slowest = self.torch.tensor(durations).quantile(0.99).item()
        return {"milliseconds": sum(durations) / count, "percentile99": slowest, "score": scores[0, 0].item()}

    def test(self, form="best", batchSize=125) -> dict:
        from cifar10 import normalise

        learner = self.learner(form, "trainable", "none")
        images, labels = self.test_data
        if learner.evaluator is None:
            learner.prepare_evaluation()
        start = self.clock()
        parts = []
        for part in images.split(batchSize):
            batch = normalise(part.to(self.device))
            parts.append(learner.score(batch if learner.fast else batch.contiguous()))
        scores, labels = self.torch.cat(parts).float(), labels.to(self.device)
        loss = self.torch.nn.functional.cross_entropy(scores, labels).item()
        accuracy = (scores.argmax(1) == labels).float().mean().item()
        return {"milliseconds": self.clock() - start, "images": len(labels), "loss": loss, "accuracy": accuracy}

    def gradients(self, batch: str, out: str, form="best", backbone="trainable", adapter="none") -> dict:
        from forms import Learner
        from safetensors.torch import load_file, save_file

        learner = Learner(form, self.state, self.device, backbone, adapter)
        tensors = load_file(batch)
        images = learner.place(tensors["images"].permute(0, 3, 1, 2))
        labels = tensors["labels"].long().to(self.device)
        learner.network.train()
        loss = learner.compute_loss(images, labels)
        loss.backward()
        named = learner.network.named_parameters()
        result = {f"gradient.{k}": p.grad.contiguous().cpu() for k, p in named if p.grad is not None}
        result["loss"] = loss.detach().cpu()
        save_file(result, out)
        return {"loss": loss.item()}

    def answer(self, line: str) -> dict:
        command = json.loads(line)
        name = command.pop("command")
        if name not in ("describe", "load", "step", "epoch", "evaluate", "test", "gradients"):
            raise ValueError(f"There is no command {name}.")
        return getattr(self, name)(**command)


def main() -> None:
    flags = parse_flags()
    use_allocator(flags)
    answers = os.fdopen(os.dup(1), "w")  # anything else that prints must not come between the answers
    os.dup2(2, 1)
    peer = Peer(flags)
    for line in sys.stdin:
        if not line.strip():
            continue
        try:
            result = peer.answer(line)
        except Exception as error:  # the benchmark decides what a failure means
            result = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(result), file=answers, flush=True)


if __name__ == "__main__":
    main()
