import * as tf from "../runtime/tf.ts";
import {
  boolAttribute,
  differentiate,
  execute,
  nativeBackend,
  stringAttribute,
  typeAttribute,
} from "../runtime/binding.ts";

const FLOAT = typeAttribute("T", "float32");
const CHANNELS_LAST = stringAttribute("data_format", "NHWC");

/**
 * Multiplies two matrices, as `tf.matMul` for rank 2.
 *
 * TensorFlow.js always uses the batched operation. TensorFlow's operation for a single pair is faster, and
 * its graph optimiser can fuse it with {@linkcode addBias}.
 *
 * @param a `[n,k]`, or `[k,n]` if `transposeA`.
 * @param b `[k,m]`, or `[m,k]` if `transposeB`.
 * @returns `[n,m]`.
 */
export function matMul(a: tf.Tensor2D, b: tf.Tensor2D, transposeA = false, transposeB = false): tf.Tensor2D {
  if (!nativeBackend()) return tf.matMul(a, b, transposeA, transposeB);
  return differentiate({
    forward: (a, b) => ({ value: multiply(a, b, transposeA, transposeB), saved: [a, b] }),
    backward: (dy, [a, b]) => [
      transposeA ? multiply(b, dy, transposeB, true) : multiply(dy, b, false, !transposeB),
      transposeB ? multiply(dy, a, true, transposeA) : multiply(a, dy, !transposeA, false),
    ],
  }, [a, b]) as tf.Tensor2D;
}

function multiply(a: tf.Tensor, b: tf.Tensor, transposeA: boolean, transposeB: boolean): tf.Tensor {
  const flags = [boolAttribute("transpose_a", transposeA), boolAttribute("transpose_b", transposeB)];
  return execute("MatMul", [FLOAT, ...flags], [a, b]);
}

/** Adds a vector `[C]` along the last axis; the graph optimiser fuses it with its neighbours. */
export function addBias<T extends tf.Tensor>(x: T, bias: tf.Tensor1D): T {
  tf.util.assertShapesMatch(bias.shape, x.shape.slice(-1), "addBias: ");
  if (!nativeBackend()) return tf.add(x, bias);
  return differentiate({
    forward: (x, bias) => ({ value: execute("BiasAdd", [FLOAT, CHANNELS_LAST], [x, bias]), saved: [] }),
    backward: (dy) => [dy, execute("BiasAddGrad", [FLOAT, CHANNELS_LAST], [dy])],
  }, [x, bias]) as T;
}

/** Computes max(x, 0). Natively its gradient is one operation, in TensorFlow.js a mask and a product. */
export function relu<T extends tf.Tensor>(x: T): T {
  if (!nativeBackend()) return tf.relu(x);
  return differentiate({
    forward: (x) => {
      const value = execute("Relu", [FLOAT], [x]);
      return { value, saved: [value] };
    },
    backward: (dy, [y]) => [execute("ReluGrad", [FLOAT], [dy, y])],
  }, [x]) as T;
}
