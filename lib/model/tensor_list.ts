import {
  CHANNELS,
  DEFAULT_CLASSES,
  filterCount,
  isGenerated,
  MAP_SIZE,
  NAME_VECTOR_LENGTH,
  type NetworkSizes,
  type NetworkSpec,
  sizesOf,
  type Variant,
} from "./spec.ts";

/** Initialisation of a tensor. */
export type Start =
  /** Standard normal: `nn.Embedding`. */
  | { kind: "normal"; deviation: number }
  /** Uniform in ± `bound`: `nn.Linear` and `nn.Conv2d`, whose bound is 1/√fan-in. */
  | { kind: "uniform"; bound: number }
  /** One value everywhere. */
  | { kind: "constant"; value: number }
  /** Fixed vectors of the classes' names. */
  | { kind: "names" };

/** A tensor of the network. */
export interface TensorDescription {
  /** By PyTorch's name. */
  name: string;
  /** In PyTorch's layout. */
  shape: number[];
  /** Initialisation without pretrained weights. */
  start: Start;
}

/** Lists all tensors of a network, from input to output. Creation, checks and counts all use this list. */
export function listTensors(
  { variant, adapter, classes = DEFAULT_CLASSES, ...sizes }: Omit<NetworkSpec, "backbone">,
): TensorDescription[] {
  const complete = sizesOf(sizes);
  const { predictorUnits } = complete;
  return [
    ...listBackbone(),
    ...(adapter === "none" ? [] : listAdapter(adapter === "3x3" ? 3 : 1)),
    ...(isGenerated(variant)
      ? listGenerator(variant, classes, complete)
      : listFilters(filterCount(variant, classes))),
    ...listLinear("score_predictor.0", MAP_SIZE * MAP_SIZE, predictorUnits),
    ...listLinear("score_predictor.2", predictorUnits, variant === "static-ten-way" ? classes : 1),
  ];
}

/** ResNet's own initialisation is normal by fan-out (He et al. 2015), as in torchvision without weights. */
function listBackbone(): TensorDescription[] {
  const conv = (name: string, out: number, from: number, size: number): TensorDescription => ({
    name: `backbone.${name}.weight`,
    shape: [out, from, size, size],
    start: { kind: "normal", deviation: Math.sqrt(2 / (out * size * size)) },
  });
  const block = (name: string) => [
    conv(`${name}.conv1`, CHANNELS, CHANNELS, 3),
    ...listNorm(`backbone.${name}.bn1`),
    conv(`${name}.conv2`, CHANNELS, CHANNELS, 3),
    ...listNorm(`backbone.${name}.bn2`),
  ];
  return [
    conv("conv1", CHANNELS, 3, 7),
    ...listNorm("backbone.bn1"),
    ...block("layer1.0"),
    ...block("layer1.1"),
  ];
}

function listNorm(name: string): TensorDescription[] {
  const vector = (part: string, value: number): TensorDescription => ({
    name: `${name}.${part}`,
    shape: [CHANNELS],
    start: { kind: "constant", value },
  });
  return [vector("weight", 1), vector("bias", 0), vector("running_mean", 0), vector("running_var", 1)];
}

function listAdapter(size: number): TensorDescription[] {
  const bound = 1 / Math.sqrt(CHANNELS * size * size);
  const kernel = { name: "adapter.0.weight", shape: [CHANNELS, CHANNELS, size, size], start: uniform(bound) };
  return [kernel, ...listNorm("adapter.1")];
}

function listGenerator(
  variant: Variant,
  classes: number,
  { embeddingSize, generatorUnits }: Required<NetworkSizes>,
): TensorDescription[] {
  const embeddings: TensorDescription = {
    name: "class_embeddings.weight",
    shape: [classes, embeddingSize],
    start: { kind: "normal", deviation: 1 },
  };
  const names: TensorDescription = {
    name: "class_names.weight",
    shape: [classes, NAME_VECTOR_LENGTH],
    start: { kind: "names" },
  };
  return [
    ...variant === "dynamic"
      ? [embeddings]
      : [names, ...listLinear("name_projection", NAME_VECTOR_LENGTH, embeddingSize)],
    ...listLinear("weights_generator.0", embeddingSize, generatorUnits),
    ...listLinear("weights_generator.2", generatorUnits, CHANNELS),
  ];
}

function listFilters(count: number): TensorDescription[] {
  return [{
    name: "filters.weight",
    shape: [count, CHANNELS, 1, 1],
    start: uniform(1 / Math.sqrt(CHANNELS)),
  }];
}

function listLinear(name: string, from: number, to: number): TensorDescription[] {
  const start = uniform(1 / Math.sqrt(from));
  return [{ name: `${name}.weight`, shape: [to, from], start }, { name: `${name}.bias`, shape: [to], start }];
}

function uniform(bound: number): Start {
  return { kind: "uniform", bound };
}
