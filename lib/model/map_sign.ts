/**
 * The sign of the response maps, which no score depends on: tanh is odd, so with the filters' last layer and
 * the score predictor's first layer negated all maps change their sign and all scores stay as they are, bit
 * for bit. Training alone would leave it to chance whether a class's map is bright or dark where the class
 * is.
 */
import * as tf from "../tensorflow/runtime/tf.ts";
import type { Outputs } from "./network.ts";
import type { StateDict } from "./state_dict.ts";

/** Odd in the sign: parameters, their momentum and Adam's m, but not its v. */
const NEGATED =
  /^(weights_generator\.2\.(weight|bias)|filters\.weight|score_predictor\.0\.weight)(\.(momentum|m))?$/;

/**
 * Negates a network's response maps, in place.
 *
 * @param tensors The network's, or an optimizer's as `<parameter>.<slot>`: flip both, and the training
 * continues as it would have. Those that change are replaced and disposed.
 */
export function negateMaps(tensors: StateDict): void {
  for (const [name, tensor] of Object.entries(tensors)) {
    if (!NEGATED.test(name)) continue;
    tensors[name] = tf.neg(tensor);
    tensor.dispose();
  }
}

/**
 * Computes the covariance, over images and classes, of a map's mean and the class's score. The sign of the
 * maps is chosen such that it is positive: as a rule, the score rises with the map, and bright speaks for the
 * class.
 *
 * @returns A scalar.
 */
export function mapScoreCovariance({ maps, scores }: Pick<Outputs, "maps" | "scores">): tf.Scalar {
  const means = tf.mean(maps, [2, 3]); // [B,K], or [B,1] where all classes share a map
  return tf.mean(tf.mul(tf.sub(means, tf.mean(means)), tf.sub(scores, tf.mean(scores))));
}
