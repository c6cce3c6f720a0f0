import * as tf from "../../../../lib/tensorflow/runtime/tf.ts";
import { rows } from "./table.ts";

/** Products of matrices, signals, and small networks of them. */
export const matrices = [
  ...rows((samples) => [samples.signed<tf.Rank.R2>(4, 6), samples.signed<tf.Rank.R2>(6, 5)], {
    matMul: (x, y) => tf.matMul(x, y),
    "matMul, transposed": (x, y) => tf.matMul(y, x, true, true),
    dot: (x, y) => tf.dot(x, y),
    einsum: (x, y) => tf.einsum("ij,jk->ik", x, y),
    "fused.matMul": (a, b) => tf.fused.matMul({ a, b, bias: tf.ones([5]), activation: "relu" }),
    gramSchmidt: (x) => tf.linalg.gramSchmidt(x),
    qr: (_, y) => tf.linalg.qr(y),
    basicLSTMCell: (x) =>
      tf.basicLSTMCell(tf.scalar(1), tf.ones([8, 8]), tf.ones([8]), x, tf.zeros([4, 2]), tf.zeros([4, 2])),
    multiRNNCell: (x) => {
      const cell = (data: tf.Tensor2D, c: tf.Tensor2D, h: tf.Tensor2D) =>
        tf.basicLSTMCell(tf.scalar(1), tf.ones([8, 8]), tf.zeros([8]), data, c, h);
      return tf.multiRNNCell([cell], x, [tf.zeros([4, 2])], [tf.zeros([4, 2])]);
    },
  }),
  ...rows((samples) => [samples.signed<tf.Rank.R3>(2, 3, 4), samples.signed<tf.Rank.R3>(2, 4, 5)], {
    "batched matMul": (x, y) => tf.matMul(x, y),
    "batched einsum": (x, y) => tf.einsum("bij,bjk->bik", x, y),
  }),
  ...rows((samples) => [samples.signed<tf.Rank.R1>(16), samples.signed<tf.Rank.R1>(16)], {
    outerProduct: (x, y) => tf.outerProduct(x, y),
    "dot of vectors": (x, y) => tf.dot(x, y),
    fft: (x, y) => tf.abs(tf.fft(tf.complex(x, y))),
    ifft: (x, y) => tf.real(tf.ifft(tf.complex(x, y))),
    rfft: (x) => tf.abs(tf.spectral.rfft(x)),
    stft: (x) => tf.abs(tf.signal.stft(x, 4, 2)),
    frame: (x) => tf.signal.frame(x, 4, 2),
    hannWindow: (x) => tf.mul(x, tf.signal.hannWindow(16)),
  }),
];
