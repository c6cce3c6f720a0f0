import {
  CHANNELS,
  DEFAULT_CLASSES,
  filterCount,
  isGenerated,
  MAP_SIZE,
  NAME_VECTOR_LENGTH,
  type NetworkSpec,
  sizesOf,
} from "./spec.ts";
import { isStatistic, isTrainable } from "./state_dict.ts";
import { listTensors } from "./tensor_list.ts";

/** One layer of a summary. */
export interface LayerSummary {
  /** PyTorch's name, such as `backbone.conv1`; a description for layers without parameters. */
  layer: string;
  /** Kind of layer, in words. */
  kind: string;
  /** Shape of its output; `B` is the batch size. */
  outputShape: (number | "B")[];
  /** Parameters, running statistics not counted. */
  parameters: number;
  /** Trainable parameters among them. */
  trainable: number;
}

/** A network's layers, as Keras' `model.summary()` lists them. */
export interface NetworkSummary {
  /** From input to output. */
  layers: LayerSummary[];
  /** Parameters of all layers, running statistics not counted. */
  parameters: number;
  /** Trainable parameters among them. */
  trainable: number;
}

/** Lists a network's layers from input to output, with shapes and numbers of parameters. */
export function summarise(spec: NetworkSpec): NetworkSummary {
  const counts = countByLayer(spec);
  const layers = listLayers(spec).map(([layer, kind, outputShape]): LayerSummary => ({
    layer,
    kind,
    outputShape,
    ...(counts.get(layer) ?? { parameters: 0, trainable: 0 }),
  }));
  const total = (key: "parameters" | "trainable") => layers.reduce((sum, layer) => sum + layer[key], 0);
  return { layers, parameters: total("parameters"), trainable: total("trainable") };
}

function countByLayer(spec: NetworkSpec): Map<string, { parameters: number; trainable: number }> {
  const counts = new Map<string, { parameters: number; trainable: number }>();
  for (const { name, shape } of listTensors(spec)) {
    if (isStatistic(name)) continue;
    const layer = name.slice(0, name.lastIndexOf("."));
    const count = counts.get(layer) ?? { parameters: 0, trainable: 0 };
    const size = shape.reduce((product, length) => product * length, 1);
    count.parameters += size;
    if (isTrainable(name, spec.backbone)) count.trainable += size;
    counts.set(layer, count);
  }
  return counts;
}

type Row = [layer: string, kind: string, outputShape: (number | "B")[]];

function listLayers({ variant, adapter, classes = DEFAULT_CLASSES, ...sizes }: NetworkSpec): Row[] {
  const { embeddingSize, generatorUnits, predictorUnits } = sizesOf(sizes);
  const map: Row[2] = ["B", MAP_SIZE, MAP_SIZE, CHANNELS];
  const filters = filterCount(variant, classes);
  const scores: Row[2] = variant === "static-ten-way" ? ["B", classes] : ["B", filters, 1];
  const block = (name: string): Row[] => [
    [`${name}.conv1`, "convolution 3×3", map],
    [`${name}.bn1`, "batch normalisation, ReLU", map],
    [`${name}.conv2`, "convolution 3×3", map],
    [`${name}.bn2`, "batch normalisation, + shortcut, ReLU", map],
  ];
  const adapted: Row[] = adapter === "none" ? [] : [
    ["adapter.0", `convolution ${adapter.replace("x", "×")}`, map],
    ["adapter.1", "batch normalisation, ReLU", map],
  ];
  const generated: Row[] = [
    ...(variant === "dynamic" ? [["class_embeddings", "embedding", [classes, embeddingSize]] as Row] : [
      ["class_names", "fixed vectors of the names", [classes, NAME_VECTOR_LENGTH]] as Row,
      ["name_projection", "fully connected", [classes, embeddingSize]] as Row,
    ]),
    ["weights_generator.0", "fully connected, ReLU", [classes, generatorUnits]],
    ["weights_generator.2", "fully connected, tanh", [classes, CHANNELS]],
  ];
  return [
    ["backbone.conv1", "convolution 7×7, stride 2", ["B", 16, 16, CHANNELS]],
    ["backbone.bn1", "batch normalisation, ReLU", ["B", 16, 16, CHANNELS]],
    ["backbone.maxpool", "max-pooling 3×3, stride 2", map],
    ...block("backbone.layer1.0"),
    ...block("backbone.layer1.1"),
    ...adapted,
    ...(isGenerated(variant) ? generated : [["filters", "stored filters", [filters, CHANNELS]] as Row]),
    ["normalise", "w / ‖w‖₂", [filters, CHANNELS]],
    ["response maps", "1×1 convolution, / √64", ["B", filters, MAP_SIZE, MAP_SIZE]],
    ["score_predictor.0", "fully connected, ReLU", ["B", filters, predictorUnits]],
    ["score_predictor.2", "fully connected", scores],
    ["scores", "one score per class", ["B", classes]],
  ];
}
