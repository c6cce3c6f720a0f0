/** Scores of maps through filters and a perceptron as one operation, and one for all gradients. */
import type * as tf from "../runtime/tf.ts";
import { differentiate, executeMany } from "../runtime/binding.ts";
import { canUseKernels } from "../runtime/kernels.ts";

/** A perceptron with one hidden layer of H units and one output, applied to P pixels. */
export interface Perceptron {
  /** `[H,P]` */
  hiddenWeight: tf.Tensor2D;
  /** `[H]` */
  hiddenBias: tf.Tensor1D;
  /** `[1,H]` */
  outputWeight: tf.Tensor2D;
  /** `[1]` */
  outputBias: tf.Tensor1D;
}

/** Tells whether {@linkcode scoreMaps} can be used: on the CPU, for multiples of 16 and one output. */
export function canScoreMaps([, H, W, C]: number[], { hiddenWeight, outputWeight }: Perceptron): boolean {
  return outputWeight.shape[0] === 1 && canUseKernels(H * W, C, hiddenWeight.shape[0]);
}

/**
 * Applies each filter to maps as a 1×1 convolution, and the perceptron to each of the response maps.
 *
 * Small matrices make this many short operations, each of which takes longer to start than to compute.
 *
 * @param maps `[B,H,W,C]`.
 * @param filters `[K,C]`.
 * @returns Scores `[B,K]`.
 */
export function scoreMaps(maps: tf.Tensor4D, filters: tf.Tensor2D, perceptron: Perceptron): tf.Tensor2D {
  const { hiddenWeight, hiddenBias, outputWeight, outputBias } = perceptron;
  return differentiate({
    forward: (...inputs) => {
      const [scores, responses, hidden] = executeMany("MapScores", [], inputs, 3);
      const [maps, filters, hiddenWeight, , outputWeight] = inputs;
      return { value: scores, saved: [maps, filters, hiddenWeight, outputWeight, responses, hidden] };
    },
    backward: (dScores, saved) => executeMany("MapScoresGradient", [], [dScores, ...saved], 6),
  }, [maps, filters, hiddenWeight, hiddenBias, outputWeight, outputBias]) as tf.Tensor2D;
}
