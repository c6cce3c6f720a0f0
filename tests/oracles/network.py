"""The networks in plain PyTorch: the independent oracle, which also loads our checkpoints.

It follows the lab's text: a literal loop over the classes, nothing fused. Parameters have the names of our
checkpoints: `Network(...).load_state_dict(safetensors.torch.load_file(path))` is strict and works.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

VARIANTS = ("dynamic", "dynamic-names", "static-per-class", "static-ten-way", "static-shared")
BACKBONES = ("trainable", "frozen", "bn-only")
ADAPTERS = ("none", "1x1", "3x3")

CLASSES = 10
CHANNELS = 64
POSITIONS = 8 * 8


class BasicBlock(nn.Module):
    """torchvision.models.resnet.BasicBlock with 64 channels and stride 1."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(CHANNELS)
        self.conv2 = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(CHANNELS)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(x + y)


class Backbone(nn.Module):
    """torchvision.models.resnet18 up to and including layer1: [B,3,32,32] -> [B,64,8,8]."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, CHANNELS, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(CHANNELS)
        self.layer1 = nn.Sequential(BasicBlock(), BasicBlock())
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(images)))  # [B,64,16,16]
        x = F.max_pool2d(x, 3, stride=2, padding=1)  # [B,64,8,8]
        return self.layer1(x)


class Network(nn.Module):
    """One of the five networks. In training mode it is set up as its `backbone` option asks."""

    def __init__(
        self,
        variant: str = "dynamic",
        backbone: str = "trainable",
        adapter: str = "none",
        classes: int = CLASSES,
    ):
        super().__init__()
        if variant not in VARIANTS or backbone not in BACKBONES or adapter not in ADAPTERS:
            raise ValueError(f"There is no network {variant}, {backbone}, {adapter}.")
        self.variant, self.backbone_option, self.classes = variant, backbone, classes
        self.backbone = Backbone()
        self.adapter = None
        if adapter != "none":
            size = int(adapter[0])
            self.adapter = nn.Sequential(
                nn.Conv2d(CHANNELS, CHANNELS, size, padding=size // 2, bias=False),
                nn.BatchNorm2d(CHANNELS),
                nn.ReLU(),
            )
        if variant.startswith("dynamic"):
            if variant == "dynamic":
                self.class_embeddings = nn.Embedding(classes, 128)
            else:
                self.class_names = nn.Embedding(classes, 384).requires_grad_(False)
                self.name_projection = nn.Linear(384, 128)
            self.weights_generator = nn.Sequential(
                nn.Linear(128, 256), nn.ReLU(), nn.Linear(256, CHANNELS), nn.Tanh()
            )
        else:
            self.filters = nn.Conv2d(CHANNELS, classes if variant == "static-per-class" else 1, 1, bias=False)
        self.score_predictor = nn.Sequential(
            nn.Linear(POSITIONS, 64), nn.ReLU(), nn.Linear(64, classes if variant == "static-ten-way" else 1)
        )
        if backbone == "frozen":
            self.backbone.requires_grad_(False)
        if backbone == "bn-only":
            for module in self.backbone.modules():
                if isinstance(module, nn.Conv2d):
                    module.requires_grad_(False)
        self.train()

    def train(self, mode: bool = True) -> "Network":
        super().train(mode)
        if self.backbone_option == "frozen":
            self.backbone.eval()  # the running statistics stay as they are, and are used
        return self

    def features(self, images: Tensor) -> Tensor:
        """The feature map v [B,64,8,8] of images [B,3,32,32]."""
        v = self.backbone(images)
        return v if self.adapter is None else self.adapter(v)

    def unit_filters(self) -> Tensor:
        """The filters w / |w|: [10,64], or [1,64] where there is one for all classes."""
        if self.variant == "dynamic":
            w = self.weights_generator(self.class_embeddings.weight)
        elif self.variant == "dynamic-names":
            w = self.weights_generator(self.name_projection(self.class_names.weight))
        else:
            w = self.filters.weight.flatten(1)
        return w / w.norm(dim=1, keepdim=True)

    def response_maps(self, v: Tensor) -> Tensor:
        """The response map of each filter: [B,K,8,8], or [B,1,8,8]."""
        maps = [F.conv2d(v, w.reshape(1, CHANNELS, 1, 1)) / CHANNELS**0.5 for w in self.unit_filters()]
        return torch.cat(maps, dim=1)

    def forward(self, images: Tensor) -> Tensor:
        """Scores [B,K] of images [B,3,32,32]."""
        maps = self.response_maps(self.features(images))
        scores = [self.score_predictor(maps[:, k].flatten(1)) for k in range(maps.shape[1])]  # [B,1] or [B,K] each
        scores = torch.cat(scores, dim=1)
        return scores.expand(-1, self.classes)  # static-shared has one score for all classes


def state_of(network: nn.Module) -> dict[str, Tensor]:
    """Parameters and running statistics by name, as our checkpoints hold them (no `num_batches_tracked`)."""
    return {k: v for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}
