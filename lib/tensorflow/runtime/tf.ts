/**
 * TensorFlow.js as the model sees it: typed, and the same on every backend.
 *
 * The native runtime ({@linkcode useNativeTensorFlow}) and a browser's backends share one engine with these
 * functions. Code that is to run everywhere writes `tf.add(x, y)`, not `x.add(y)`, and reads values by `await
 * x.data()`.
 *
 * @example
 * ```ts
 * import { useNativeTensorFlow } from "./native.ts";
 * import * as tf from "./tf.ts";
 *
 * await useNativeTensorFlow();
 * const sum = tf.add(tf.scalar(1), tf.scalar(2));
 * console.log(await sum.data()); // 3
 * ```
 *
 * @module
 */
export * from "@tensorflow/tfjs-core";
