"""The same network and training step in PyTorch, in three forms.

| form | |
| --- | --- |
| usual | idiomatic PyTorch: NCHW, a loop over the ten classes, `torch.optim.SGD` with its defaults |
| best | channels_last, all ten maps by one convolution, in-place ReLU, fused SGD; batch norm folded where it is fixed; evaluated as TorchScript optimised for inference |
| compiled | best, with forward and backward (or the evaluation) by `torch.compile`; on a GPU the whole step, or the evaluation, replayed as one CUDA graph |

Tried without gain on a CPU: einsum or matmul for the maps, `foreach`, Inductor's freezing and autotuning,
compiling parts, flushing denormals, pinning threads. Four fifths of the step of `best` are oneDNN's
convolutions.
"""

import copy
from collections.abc import Callable

import torch
from network import Network, state_of
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

FORMS = ("usual", "best", "compiled")
RECIPE = {"lr": 0.01, "momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}


class FastNetwork(Network):
    """`dynamic`, optimised; parameter names and numbers are the plain network's."""

    def features(self, images: Tensor) -> Tensor:
        backbone = self.backbone
        x = F.relu_(backbone.bn1(backbone.conv1(images)))
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        for block in backbone.layer1:
            y = F.relu_(block.bn1(block.conv1(x)))
            y = block.bn2(block.conv2(y))
            x = F.relu_(y.add_(x))
        return x if self.adapter is None else self.adapter(x)

    def forward(self, images: Tensor) -> Tensor:
        filters = self.unit_filters() / 8
        maps = F.conv2d(self.features(images), filters[:, :, None, None])  # [B,10,8,8]
        return self.score_predictor(maps.flatten(2)).squeeze(2)


def fold(backbone: nn.Module) -> nn.Module:
    """Copies a backbone for evaluation, with batch norms folded into the preceding convolutions."""
    folded = copy.deepcopy(backbone).eval()
    folded.conv1, folded.bn1 = fuse_conv_bn_eval(folded.conv1, folded.bn1), nn.Identity()
    for block in folded.layer1:
        block.conv1, block.bn1 = fuse_conv_bn_eval(block.conv1, block.bn1), nn.Identity()
        block.conv2, block.bn2 = fuse_conv_bn_eval(block.conv2, block.bn2), nn.Identity()
    return folded


class Replay:
    """A function of tensors as a CUDA graph: one launch for all its kernels. The first call runs it a few times."""

    def __init__(self, function: Callable[..., Tensor], *inputs: Tensor):
        self.inputs = [x.clone() for x in inputs]
        side = torch.cuda.Stream()  # warm up on another stream, as torch.cuda.graph wants it
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                function(*self.inputs)
        torch.cuda.current_stream().wait_stream(side)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.output = function(*self.inputs)

    def __call__(self, *inputs: Tensor) -> Tensor:
        for own, given in zip(self.inputs, inputs):
            own.copy_(given)
        self.graph.replay()
        return self.output.clone()


class Learner:
    """A network in one form, its optimizer, and the operations that are timed."""

    def __init__(self, form: str, state: dict[str, Tensor], device: torch.device, backbone="trainable", adapter="none"):
        if form not in FORMS:
            raise ValueError(f"There is no form {form}; there are {', '.join(FORMS)}.")
        self.form, self.device = form, device
        self.fast = form != "usual"
        network = (FastNetwork if self.fast else Network)("dynamic", backbone, adapter)
        network.load_state_dict(state_of(network) | state)  # an adapter may start at random, nothing else is lacking
        self.network = network.to(device)
        if self.fast:
            self.network = self.network.to(memory_format=torch.channels_last)
            if backbone == "frozen":  # fixed for good: fold it once, and keep it out of the graph of gradients
                self.network.backbone = fold(self.network.backbone)
        trained = [p for p in self.network.parameters() if p.requires_grad]
        fused = {"fused": True} if self.fast else {}
        self.optimizer = torch.optim.SGD(trained, **RECIPE, **fused)
        self.compute_loss = torch.compile(self._compute_loss, dynamic=False) if form == "compiled" else self._compute_loss
        self.evaluator: nn.Module | None = None
        self.graphs: dict[torch.Size, Replay] = {}

    def place(self, images: Tensor) -> Tensor:
        """Puts images [B,3,32,32] on the device in this form's memory layout."""
        layout = torch.channels_last if self.fast else torch.contiguous_format
        return images.to(self.device).contiguous(memory_format=layout)

    def _compute_loss(self, images: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(self.network(images), labels)

    def step(self, images: Tensor, labels: Tensor) -> Tensor:
        """Takes one training step; the loss is not synchronised."""
        if self.form != "compiled" or self.device.type != "cuda":
            return self._step(images, labels)
        if images.shape not in self.graphs:
            self.graphs[images.shape] = Replay(self._step, images, labels)
        return self.graphs[images.shape](images, labels)

    def _step(self, images: Tensor, labels: Tensor) -> Tensor:
        loss = self.compute_loss(images, labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def prepare_evaluation(self) -> None:
        """Copies the current network; the fast forms fold batch norm into the convolutions."""
        if not self.fast:
            self.evaluator = self.network.eval()
            return
        network = copy.deepcopy(self.network).eval()
        if not isinstance(network.backbone.bn1, nn.Identity):
            network.backbone = fold(network.backbone)
        network = network.to(memory_format=torch.channels_last)
        if self.form == "compiled":
            network = torch.compile(network, dynamic=False, mode="reduce-overhead" if self.device.type == "cuda" else None)
        else:
            example = self.place(torch.zeros(2, 3, 32, 32))
            network = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(network, example)))
        self.evaluator = network

    @torch.no_grad()
    def score(self, images: Tensor) -> Tensor:
        """Scores [B,10] in evaluation mode, after prepare_evaluation."""
        return self.evaluator(images).clone()  # the next replay of a CUDA graph overwrites them
