import { IMAGE_DEVIATION, IMAGE_MEAN } from "../data/normalise.ts";
import {
  CHANNELS,
  filterCount,
  isGenerated,
  NAME_VECTOR_LENGTH,
  type NetworkSpec,
  sizesOf,
} from "../model/spec.ts";

export interface PytorchModuleOptions extends NetworkSpec {
  /** Names of the classes. */
  classNames: readonly string[];
  /** Description of the network, one line. */
  description: string;
  /** Name of the safetensors file in the same folder. */
  weightsFile: string;
  /** Name of the Python file. */
  moduleFile: string;
}

/**
 * Writes a Python file that holds the network as a `torch.nn.Module`, loads its state dict strictly, and
 * runs: it needs `torch` and `safetensors` only. `load()` returns the network, which takes `[N,3,32,32]`,
 * 0–255, and returns scores and maps.
 */
export function writePytorchModule(options: PytorchModuleOptions): string {
  const { variant, adapter, classNames, description, weightsFile, moduleFile } = options;
  const { embeddingSize, generatorUnits, predictorUnits } = sizesOf(options);
  const isDynamic = isGenerated(variant);
  const hasNames = variant === "dynamic-names";
  const size = adapter === "3x3" ? 3 : 1;
  const classes = classNames.length;
  const filters = filterCount(variant, classes);
  const outputs = variant === "static-ten-way" ? classes : 1;
  const lines = [
    `"""${description.replaceAll("\\", "/").replaceAll('"', "'")}`,
    "",
    `    from ${moduleFile.replace(/\.py$/, "")} import CLASSES, load`,
    `    scores, maps = load()(images)  # [N,3,32,32], red, green and blue 0-255 -> [N,${classes}], ` +
    `[N,${filters},8,8]`,
    '"""',
    "",
    "from pathlib import Path",
    "",
    "import torch",
    "from safetensors.torch import load_file",
    "from torch import nn",
    "from torch.nn import functional as F",
    "",
    `CLASSES = ${JSON.stringify(classNames)}`,
    "",
    "",
    "class Block(nn.Module):",
    "    def __init__(self):",
    "        super().__init__()",
    `        self.conv1, self.bn1 = nn.Conv2d(${CHANNELS}, ${CHANNELS}, 3, padding=1, bias=False), nn.BatchNorm2d(${CHANNELS})`,
    `        self.conv2, self.bn2 = nn.Conv2d(${CHANNELS}, ${CHANNELS}, 3, padding=1, bias=False), nn.BatchNorm2d(${CHANNELS})`,
    "",
    "    def forward(self, x):",
    "        return F.relu(x + self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))",
    "",
    "",
    "class Backbone(nn.Module):",
    "    def __init__(self):",
    "        super().__init__()",
    `        self.conv1, self.bn1 = nn.Conv2d(3, ${CHANNELS}, 7, stride=2, padding=3, bias=False), nn.BatchNorm2d(${CHANNELS})`,
    "        self.layer1 = nn.Sequential(Block(), Block())",
    "",
    "    def forward(self, x):",
    "        return self.layer1(F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, stride=2, padding=1))",
    "",
    "",
    "class Network(nn.Module):",
    "    def __init__(self):",
    "        super().__init__()",
    "        self.backbone = Backbone()",
    ...(adapter === "none" ? [] : [
      "        self.adapter = nn.Sequential(",
      `            nn.Conv2d(${CHANNELS}, ${CHANNELS}, ${size}, padding=${
        (size - 1) / 2
      }, bias=False), nn.BatchNorm2d(${CHANNELS}), nn.ReLU()`,
      "        )",
    ]),
    ...(isDynamic
      ? [
        ...(hasNames
          ? [
            `        self.class_names = nn.Embedding(${classes}, ${NAME_VECTOR_LENGTH}).requires_grad_(False)`,
            `        self.name_projection = nn.Linear(${NAME_VECTOR_LENGTH}, ${embeddingSize})`,
          ]
          : [`        self.class_embeddings = nn.Embedding(${classes}, ${embeddingSize})`]),
        "        self.weights_generator = nn.Sequential(",
        `            nn.Linear(${embeddingSize}, ${generatorUnits}), nn.ReLU(), nn.Linear(${generatorUnits}, ${CHANNELS}), nn.Tanh()`,
        "        )",
      ]
      : [`        self.filters = nn.Conv2d(${CHANNELS}, ${filters}, 1, bias=False)`]),
    `        self.score_predictor = nn.Sequential(nn.Linear(64, ${predictorUnits}), nn.ReLU(), nn.Linear(${predictorUnits}, ${outputs}))`,
    `        self.register_buffer("mean", torch.tensor([${
      IMAGE_MEAN.join(", ")
    }]).view(3, 1, 1), persistent=False)`,
    `        self.register_buffer("deviation", torch.tensor([${
      IMAGE_DEVIATION.join(", ")
    }]).view(3, 1, 1), persistent=False)`,
    "",
    "    def forward(self, images):",
    "        v = self.backbone((images / 255 - self.mean) / self.deviation)  # [N,64,8,8]",
    ...(adapter === "none" ? [] : ["        v = self.adapter(v)"]),
    isDynamic
      ? `        w = self.weights_generator(${
        hasNames ? "self.name_projection(self.class_names.weight)" : "self.class_embeddings.weight"
      })  # [${classes},64]`
      : `        w = self.filters.weight.flatten(1)  # [${filters},64]`,
    `        maps = F.conv2d(v, F.normalize(w)[:, :, None, None]) / ${
      Math.sqrt(CHANNELS)
    }  # [N,${filters},8,8]`,
    `        scores = self.score_predictor(maps.flatten(2)).flatten(1)  # [N,${filters * outputs}]`,
    filters * outputs === classes
      ? "        return scores, maps"
      : `        return scores.expand(-1, ${classes}), maps  # one score for all classes`,
    "",
    "",
    `def load(path=Path(__file__).with_name(${JSON.stringify(weightsFile)})):`,
    "    network = Network()",
    "    network.load_state_dict(load_file(path), strict=True)",
    "    return network.eval()",
    "",
    "",
    'if __name__ == "__main__":',
    "    with torch.inference_mode():",
    "        scores, maps = load()(torch.full((1, 3, 32, 32), 127.0))",
    "    for name, score in zip(CLASSES, scores[0].tolist()):",
    '        print(f"{name:10} {score:8.3f}")',
    "",
  ];
  return lines.join("\n");
}
