/**
 * TensorFlow.js's common API: the same functions on the native backend, in a browser and on the plain `cpu`
 * backend. Code that is to run everywhere writes `tf.add(x, y)`, not `x.add(y)`, and `await x.data()`.
 */
export * from "@tensorflow/tfjs-core";
