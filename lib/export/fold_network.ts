/**
 * Folds a trained network: batch normalisation goes into the convolutions, the filters are generated,
 * normalised and divided by √64. Five convolutions (or six), one product with the filters and two fully
 * connected layers remain, which any other runtime supports. Exported networks take bytes; normalisation is
 * part of them.
 */
import { IMAGE_SIZE } from "../data/dataset.ts";
import { IMAGE_DEVIATION, IMAGE_MEAN } from "../data/normalise.ts";
import { CHANNELS, DEFAULT_CLASSES, isGenerated, type NetworkSpec, SMALLEST_NORM } from "../model/spec.ts";
import { InputError } from "../support/errors.ts";
import type { StoredTensor } from "../support/safetensors.ts";
import { EPSILON } from "../tensorflow/operations/batch_norm.ts";
import type { Checkpoint } from "../training/checkpoint.ts";

/** Tensors of a network by PyTorch's names and in its layouts, as in a checkpoint. */
export type StoredNetwork = ReadonlyMap<string, StoredTensor>;

/** A convolution with a bias. */
export interface FoldedConvolution {
  /** `[out,in,size,size]`. */
  weight: Float32Array;
  /** `[out]`. */
  bias: Float32Array;
  out: number;
  in: number;
  size: number;
}

/** A fully connected layer. */
export interface FoldedLinear {
  /** `[in,out]`, transposed to multiply rows from the right. */
  weight: Float32Array;
  /** `[out]`. */
  bias: Float32Array;
  in: number;
  out: number;
}

/** A network ready for another runtime. */
export interface FoldedNetwork {
  /** 7×7, stride 2, padding 3. */
  stem: FoldedConvolution;
  /** The two convolutions, 3×3, of each block of `layer1`. */
  blocks: [FoldedConvolution, FoldedConvolution][];
  adapter: FoldedConvolution | null;
  /** Filters divided by their length and by √64, `[K,64]`. */
  filters: Float32Array;
  /** Number of filters: one per class, or 1 if all classes share it. */
  filterCount: number;
  /** Number of classes K. */
  classes: number;
  hidden: FoldedLinear;
  output: FoldedLinear;
}

/**
 * Folds a network. Computed in double precision and rounded once.
 *
 * @throws {InputError} If the scores could be NaN or infinite.
 */
export function foldNetwork(
  network: StoredNetwork,
  { variant, adapter, classes = DEFAULT_CLASSES }: NetworkSpec,
): FoldedNetwork {
  const block = (name: string): [FoldedConvolution, FoldedConvolution] => [
    foldConvolution(network, `${name}.conv1`, `${name}.bn1`),
    foldConvolution(network, `${name}.conv2`, `${name}.bn2`),
  ];
  const filters = scaleFilters(
    isGenerated(variant) ? generateFilters(network) : Float64Array.from(valuesOf(network, "filters.weight")),
  );
  const filterCount = filters.length / CHANNELS;
  const output = transposeLinear(network, "score_predictor.2");
  const scores = filterCount * output.out;
  const folded = {
    stem: foldConvolution(network, "backbone.conv1", "backbone.bn1"),
    blocks: [block("backbone.layer1.0"), block("backbone.layer1.1")],
    adapter: adapter === "none" ? null : foldConvolution(network, "adapter.0", "adapter.1"),
    filters,
    filterCount,
    classes: scores === 1 ? classes : scores, // one score is that of all classes
    hidden: transposeLinear(network, "score_predictor.0"),
    output,
  };
  if (boundScores(folded) < LARGEST_FLOAT) return folded;
  throw new InputError({
    what: "export the network",
    why: "its scores could be NaN or infinite",
    next: [{ advice: "use another checkpoint" }],
  });
}

const LARGEST_FLOAT = 3.4e38; // in float32

/** Bounds the scores' magnitude for every image; NaN or infinite if a folded value is. */
function boundScores({ stem, blocks, adapter, filters, filterCount, hidden, output }: FoldedNetwork): number {
  const pixels = IMAGE_MEAN.map((mean, channel) => Math.max(mean, 1 - mean) / IMAGE_DEVIATION[channel]);
  const convolve = (inputs: number, { weight, bias }: Pick<FoldedConvolution, "weight" | "bias">) =>
    boundLayer(inputs, weight, bias, (at) => Math.floor(at / (weight.length / bias.length)));
  const connect = (inputs: number, { weight, bias, out }: FoldedLinear) =>
    boundLayer(inputs, weight, bias, (at) => at % out);
  let features = convolve(Math.max(...pixels), stem);
  for (const [first, second] of blocks) features += convolve(convolve(features, first), second);
  if (adapter !== null) features = convolve(features, adapter);
  const maps = convolve(features, { weight: filters, bias: new Float32Array(filterCount) });
  return connect(connect(maps, hidden), output);
}

/** Bounds a layer's outputs for inputs of at most this magnitude; `outOf` gives a weight's output. */
function boundLayer(
  inputs: number,
  weight: Float32Array,
  bias: Float32Array,
  outOf: (at: number) => number,
): number {
  const sums = Float64Array.from(bias, Math.abs);
  weight.forEach((value, at) => sums[outOf(at)] += Math.abs(value) * inputs);
  return Math.max(...sums);
}

function valuesOf(network: StoredNetwork, name: string): Float32Array {
  return network.get(name)!.data as Float32Array;
}

function foldConvolution(network: StoredNetwork, convName: string, normName: string): FoldedConvolution {
  const { shape: [out, from, size], data } = network.get(`${convName}.weight`)!;
  const [weight, bias, mean, variance] = ["weight", "bias", "running_mean", "running_var"]
    .map((part) => valuesOf(network, `${normName}.${part}`));
  const scale = Array.from(weight, (value, channel) => value / Math.sqrt(variance[channel] + EPSILON));
  const perChannel = from * size * size;
  return {
    weight: (data as Float32Array).map((value, at) => value * scale[Math.floor(at / perChannel)]),
    bias: bias.map((value, channel) => value - mean[channel] * scale[channel]),
    out,
    in: from,
    size,
  };
}

/** Applies the weights generator: `[K,64]`. */
function generateFilters(network: StoredNetwork): Float64Array {
  const embeddings = network.has("class_names.weight")
    ? applyLinear(network, "name_projection", valuesOf(network, "class_names.weight"))
    : valuesOf(network, "class_embeddings.weight");
  const hidden = applyLinear(network, "weights_generator.0", embeddings).map((value) => Math.max(0, value));
  return applyLinear(network, "weights_generator.2", hidden).map(Math.tanh);
}

function applyLinear(
  network: StoredNetwork,
  name: string,
  rows: Float32Array | Float64Array,
): Float64Array {
  const [weight, bias] = [valuesOf(network, `${name}.weight`), valuesOf(network, `${name}.bias`)];
  const [to, from] = network.get(`${name}.weight`)!.shape;
  return Float64Array.from({ length: rows.length / from * to }, (_, at) => {
    const [row, column] = [Math.floor(at / to), at % to];
    let sum = bias[column];
    for (let index = 0; index < from; index++) {
      sum += rows[row * from + index] * weight[column * from + index];
    }
    return sum;
  });
}

function scaleFilters(filters: Float64Array): Float32Array {
  const scaled = new Float32Array(filters.length);
  for (let start = 0; start < filters.length; start += CHANNELS) {
    const filter = filters.subarray(start, start + CHANNELS);
    const norm = Math.max(Math.hypot(...filter), SMALLEST_NORM);
    const scale = 1 / (norm * Math.sqrt(CHANNELS));
    scaled.set(filter.map((value) => value * scale), start);
  }
  return scaled;
}

function transposeLinear(network: StoredNetwork, name: string): FoldedLinear {
  const { shape: [out, from], data } = network.get(`${name}.weight`)!;
  const weight = Float32Array.from(
    { length: data.length },
    (_, at) => (data as Float32Array)[(at % out) * from + Math.floor(at / out)],
  );
  return { weight, bias: valuesOf(network, `${name}.bias`), in: from, out };
}

/** Name of the input: red, green, blue, 0–255, float32 `[N,3,32,32]` (TensorFlow.js `[N,32,32,3]`). */
export const INPUT = "images";
/** Name of the scores (logits), `[N,K]`. */
export const SCORES = "scores";
/** Name of the response maps, `[N,K,8,8]`, or `[N,1,8,8]` where all classes share a filter. */
export const MAPS = "maps";

/** Height and width of the images. */
export const SIZE = IMAGE_SIZE;

/** Input normalisation of a byte x, per channel: x · scale + shift. */
export const NORMALISATION = {
  scale: Float32Array.from(IMAGE_DEVIATION, (deviation) => 1 / (255 * deviation)),
  shift: Float32Array.from(IMAGE_MEAN, (mean, channel) => -mean / IMAGE_DEVIATION[channel]),
};

/** Describes the network, for the exported file's metadata. */
export function describeNetwork(
  { config, recorded, classNames }: Pick<Checkpoint, "config" | "recorded" | "classNames">,
): Record<string, string> {
  return {
    variant: config.variant,
    backbone: config.backbone,
    adapter: config.adapter,
    classes: classNames.join(","),
    input: "red, green and blue, 0-255",
    trainedOn: recorded.data,
    weights: recorded.weights,
  };
}
