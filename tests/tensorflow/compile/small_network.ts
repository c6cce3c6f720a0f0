import * as tf from "../../../lib/tensorflow/runtime/tf.ts";

/** Parameters and their momentum. */
export type State = {
  parameters: Record<string, tf.Tensor>;
  momentum: Record<string, tf.Tensor>;
};

/** One step of gradient descent for a convolution and a linear layer. */
export function trainStep(
  state: State,
  x: tf.Tensor4D,
  labels: tf.Tensor1D,
  decay: number,
): { state: State; loss: tf.Tensor } {
  const names = Object.keys(state.parameters);
  const { value: loss, grads } = tf.valueAndGrads((kernel: tf.Tensor, weight: tf.Tensor) => {
    const maps = tf.relu(tf.conv2d(x, kernel as tf.Tensor4D, 1, "same"));
    const scores = tf.matMul(
      tf.reshape(tf.maxPool(maps, 2, 2, "same"), [x.shape[0], -1]),
      weight as tf.Tensor2D,
    );
    return tf.losses.softmaxCrossEntropy(tf.oneHot(labels, 3), scores);
  })(Object.values(state.parameters));
  const next: State = { parameters: {}, momentum: {} };
  names.forEach((name, index) => {
    next.momentum[name] = tf.add(tf.mul(state.momentum[name], decay), grads[index]);
    next.parameters[name] = tf.sub(state.parameters[name], tf.mul(next.momentum[name], 0.05));
  });
  return { state: next, loss };
}

/** What the first step starts from: always the same. */
export function makeStart(): { state: State; x: tf.Tensor4D; labels: tf.Tensor1D } {
  const parameters = {
    kernel: tf.randomNormal([3, 3, 3, 8], 0, 0.2, "float32", 1),
    weight: tf.randomNormal([128, 3], 0, 0.2, "float32", 2),
  };
  const momentum = { kernel: tf.zeros([3, 3, 3, 8]), weight: tf.zeros([128, 3]) };
  return {
    state: { parameters, momentum },
    x: tf.randomNormal([6, 8, 8, 3], 0, 1, "float32", 3),
    labels: tf.tensor1d([0, 1, 2, 0, 1, 2], "int32"),
  };
}
