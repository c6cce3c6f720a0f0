/**
 * Drift of a trained backbone from its initial weights, independent of the kernels' norms: the batch
 * normalisation after each convolution cancels them, and weight decay shrinks them.
 */
import { type StateDict, toPyTorch } from "../model/state_dict.ts";
import type { StoredTensor } from "../support/safetensors.ts";
import { type LayerMoments, NORM_LAYERS } from "./batch_statistics.ts";

/** Values in PyTorch's layout: the first axis is the output channel. */
export type Weights = Pick<StoredTensor, "shape"> & { data: ArrayLike<number> };

/** Relative length below which a kernel is dead: its channel is the same for every image. */
const DEAD_LENGTH = 1e-3;

/** Drift of a layer's kernels. */
export interface KernelDrift {
  /** ‖w − w₀‖ / ‖w₀‖ over the whole layer; it includes growth of the norm. */
  change: number;
  /** Mean angle between kernels before and after, in degrees, dead ones left out; 90° if unrelated. */
  angle: number;
  /** Dead kernels before and after. */
  dead: [before: number, after: number];
}

/** Measures the drift of a layer's kernels. @throws {RangeError} If the shapes differ. */
export function measureKernelDrift(before: Weights, after: Weights): KernelDrift {
  if (String(before.shape) !== String(after.shape)) {
    throw new RangeError(`Kernels [${before.shape}] cannot be compared with [${after.shape}].`);
  }
  const [one, other] = [lengthsOf(before), lengthsOf(after)];
  const [deadBefore, deadAfter] = [findDead(one), findDead(other)];
  const size = before.data.length / before.shape[0];
  let [moved, angles, alive] = [0, 0, 0];
  for (let channel = 0; channel < one.length; channel++) {
    let product = 0;
    for (let at = channel * size; at < (channel + 1) * size; at++) {
      moved += (after.data[at] - before.data[at]) ** 2;
      product += after.data[at] * before.data[at];
    }
    if (deadBefore.has(channel) || deadAfter.has(channel)) continue;
    const cosine = Math.max(-1, Math.min(1, product / (one[channel] * other[channel])));
    angles += Math.acos(cosine) * 180 / Math.PI;
    alive++;
  }
  return {
    change: Math.sqrt(moved) / Math.hypot(...one),
    angle: alive === 0 ? 0 : angles / alive,
    dead: [deadBefore.size, deadAfter.size],
  };
}

/** Computes the lengths of a layer's kernels, one per channel. */
export function lengthsOf({ shape, data }: Weights): number[] {
  const size = data.length / shape[0];
  return Array.from({ length: shape[0] }, (_, channel) => {
    let sum = 0;
    for (let at = channel * size; at < (channel + 1) * size; at++) sum += data[at] ** 2;
    return Math.sqrt(sum);
  });
}

/** Finds channels whose kernel is dead. */
export function findDead(lengths: readonly number[]): Set<number> {
  const typical = lengths.toSorted((one, other) => one - other)[Math.floor(lengths.length / 2)];
  return new Set(lengths.flatMap((length, channel) => length < DEAD_LENGTH * typical ? [channel] : []));
}

/** Difference between a layer's channel moments and the expected ones. */
export interface MomentsDrift {
  /** Mean over channels of |mean − expected mean|, in expected standard deviations. */
  shift: number;
  /** Geometric mean of variance / expected variance: below 1 the channels vary less than expected. */
  ratio: number;
  /** Typical factor between the two variances, in either direction: 1 if all are as expected. */
  factor: number;
}

/**
 * Compares the moments of each layer with those expected, over the channels that are not constant.
 *
 * @returns By the layer's name.
 */
export function compareMoments(expected: LayerMoments, found: LayerMoments): Map<string, MomentsDrift> {
  return new Map([...found].map(([layer, { mean, variance }]) => {
    const before = expected.get(layer)!;
    const dead = findDead(Array.from(before.variance, Math.sqrt));
    let [shift, logs, absolute, channels] = [0, 0, 0, 0];
    for (let channel = 0; channel < mean.length; channel++) {
      if (dead.has(channel) || !(variance[channel] > 0)) continue;
      const log = Math.log(variance[channel] / before.variance[channel]);
      shift += Math.abs(mean[channel] - before.mean[channel]) / Math.sqrt(before.variance[channel]);
      logs += log;
      absolute += Math.abs(log);
      channels++;
    }
    const drift = {
      shift: shift / channels,
      ratio: Math.exp(logs / channels),
      factor: Math.exp(absolute / channels),
    };
    return [layer, drift];
  }));
}

/** Drift of a convolution and of the statistics after it. */
export interface LayerDrift extends KernelDrift {
  /** The convolution, such as `backbone.conv1`. */
  layer: string;
  /** Drift of the running statistics after it, as if every kernel had length 1. */
  moments: MomentsDrift;
}

/** Measures the drift of each convolution of a backbone and of the statistics after it, in order. */
export async function measureBackboneDrift(start: StateDict, end: StateDict): Promise<LayerDrift[]> {
  const layers: LayerDrift[] = [];
  for (const norm of NORM_LAYERS) {
    const layer = norm.replace(/\bbn(\d)$/, "conv$1");
    const [before, after] = [await readLayer(start, layer, norm), await readLayer(end, layer, norm)];
    layers.push({
      layer,
      ...measureKernelDrift(before.kernel, after.kernel),
      moments: compareMoments(before.moments, after.moments).get(norm)!,
    });
  }
  return layers;
}

async function readLayer(tensors: StateDict, layer: string, norm: string) {
  const read = async (name: string) => {
    const { shape, data } = await toPyTorch(tensors[name]);
    return { shape, data: data as Float32Array };
  };
  const kernel = await read(`${layer}.weight`);
  const [mean, variance] = [await read(`${norm}.running_mean`), await read(`${norm}.running_var`)];
  const lengths = lengthsOf(kernel);
  const moments = {
    mean: mean.data.map((value, channel) => value / lengths[channel]),
    variance: variance.data.map((value, channel) => value / lengths[channel] ** 2),
  };
  const dead = findDead(lengths);
  moments.variance.forEach((_, channel) => dead.has(channel) && (moments.variance[channel] = 0));
  return { kernel, moments: new Map([[norm, moments]]) as LayerMoments };
}
