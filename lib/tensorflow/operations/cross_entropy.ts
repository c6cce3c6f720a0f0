import * as tf from "../runtime/tf.ts";
import { differentiate, executeMany, nativeBackend, typeAttribute } from "../runtime/binding.ts";

/**
 * Computes the mean softmax cross-entropy of a batch, as `torch.nn.CrossEntropyLoss`.
 *
 * @param scores Unnormalised scores `[B,K]`.
 * @param labels Correct classes `[B]`, int32.
 * @param smoothing Label smoothing (Szegedy et al. 2016, section 7, arXiv:1512.00567).
 * @returns The loss, a scalar in nats.
 */
export function crossEntropy(scores: tf.Tensor2D, labels: tf.Tensor1D, smoothing = 0): tf.Scalar {
  const [images, classes] = scores.shape;
  tf.util.assertShapesMatch(labels.shape, [images], "crossEntropy: a label for each row of scores. ");
  const [right, wrong] = [1 - smoothing + smoothing / classes, smoothing / classes];
  if (!nativeBackend()) {
    // WebAssembly's oneHot writes integers only
    const isRight = tf.equal(tf.expandDims(labels, 1), tf.range(0, classes, 1, "int32"));
    const targets = tf.where(isRight, right, wrong); // [B,K]
    return tf.neg(tf.mean(tf.sum(tf.mul(targets, tf.logSoftmax(scores)), 1)));
  }
  const targets = tf.oneHot(labels, classes, right, wrong, "float32") as tf.Tensor2D; // [B,K]
  const losses = differentiate({
    forward: (scores) => {
      const attributes = [typeAttribute("T", "float32")];
      const [value, slope] = executeMany("SoftmaxCrossEntropyWithLogits", attributes, [scores, targets], 2);
      return { value, saved: [slope] };
    },
    backward: (dy, [slope]) => [tf.mul(slope, tf.expandDims(dy, 1))],
  }, [scores]); // [B]
  return tf.mean(losses);
}
