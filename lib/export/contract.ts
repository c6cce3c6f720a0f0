/**
 * What all exported networks have in common: they take bytes as they are, and the normalisation is inside.
 *
 * @module
 */
import { CLASS_NAMES, IMAGE_SIZE } from "../data/dataset.ts";
import { IMAGE_DEVIATION, IMAGE_MEAN } from "../data/normalise.ts";
import type { Environment } from "../training/progress.ts";
import type { TrainConfig } from "../training/config.ts";

/** Red, green and blue of pictures as bytes are, 0–255, in float32: `[N,3,32,32]`, or `[N,32,32,3]` for TensorFlow.js. */
export const INPUT = "images";
/** Scores before the softmax, `[N,10]`. */
export const SCORES = "scores";
/** Response maps, `[N,10,8,8]`, or `[N,1,8,8]` where all classes share a filter. */
export const MAPS = "maps";

/** Height and width of the pictures. */
export const SIZE = IMAGE_SIZE;

/** What the network's own normalisation makes of a byte x, for each channel: x · scale + shift. */
export const NORMALISATION = {
  scale: Float32Array.from(IMAGE_DEVIATION, (deviation) => 1 / (255 * deviation)),
  shift: Float32Array.from(IMAGE_MEAN, (mean, channel) => -mean / IMAGE_DEVIATION[channel]),
};

/** What an exported file says of itself. */
export function describeNetwork(config: TrainConfig, recorded: Environment): Record<string, string> {
  return {
    variant: config.variant,
    backbone: config.backbone,
    adapter: config.adapter,
    classes: CLASS_NAMES.join(","),
    input: "red, green and blue, 0-255",
    trainedOn: recorded.data,
    weights: recorded.weights,
  };
}
