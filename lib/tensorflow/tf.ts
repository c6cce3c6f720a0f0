/**
 * TensorFlow.js as the model sees it: typed, and the same on every backend.
 *
 * The native runtime ({@linkcode useNativeTensorFlow}) and a browser's backends share one engine with these functions. Code that is to
 * run everywhere writes `tf.add(x, y)`, not `x.add(y)`, and reads values by `await x.data()`.
 *
 * @example
 * ```ts no-eval
 * import * as tf from "./tf.ts";
 * const sum = tf.add(tf.scalar(1), tf.scalar(2));
 * ```
 *
 * @module
 */
export * from "@tensorflow/tfjs-core";
