import * as tf from "../../../../lib/tensorflow/runtime/tf.ts";
import { rows } from "./table.ts";

/** Operations that move elements about. */
export const shapes = [
  ...rows((samples) => [samples.signed<tf.Rank.R2>(4, 6)], {
    reshape: (x) => tf.reshape(x, [3, 8]),
    flatten: (x) => tf.reshape(x, [-1]),
    transpose: (x) => tf.transpose(x),
    expandDims: (x) => [tf.expandDims(x, 1), tf.expandDims(x, -1)],
    squeeze: (x) => tf.squeeze(tf.expandDims(x, 0)),
    slice: (x) => tf.slice(x, [1, 2], [2, 3]),
    stridedSlice: (x) => tf.stridedSlice(x, [0, 0], [4, 6], [2, 2]),
    split: (x) => tf.split(x, 2, 1),
    "split unevenly": (x) => tf.split(x, [1, 3], 0),
    unstack: (x) => tf.unstack(x),
    stack: (x) => tf.stack([x, tf.neg(x)]),
    concat: (x) => tf.concat([x, tf.neg(x)], 1),
    tile: (x) => tf.tile(x, [2, 1]),
    pad: (x) => tf.pad(x, [[1, 1], [0, 2]], 3),
    mirrorPad: (x) => tf.mirrorPad(x, [[1, 1], [0, 2]], "reflect"),
    reverse: (x) => tf.reverse(x, 1),
    broadcastTo: (x) => tf.broadcastTo(x, [3, 4, 6]),
    "gather, constant indices": (x) => tf.gather(x, [1, 0]),
    bandPart: (x) => tf.linalg.bandPart(x, 1, 1),
    eye: (x) => tf.mul(tf.eye(6), tf.sum(x)),
    diag: (x) => tf.diag(tf.reshape(tf.slice(x, 0, 1), [6])),
    linspace: (x) => tf.add(tf.linspace(0, 1, 6), x),
    range: (x) => tf.add(tf.range(0, 6), x),
    fill: (x) => tf.add(tf.fill([4, 6], 7), x),
    "large equal constants": (x) => tf.add(tf.tensor(new Float32Array(2400).fill(2.5), [100, 4, 6]), x),
    "large constants": (x) =>
      tf.add(tf.tensor(Float32Array.from({ length: 2400 }, Math.sqrt), [100, 4, 6]), x),
    "large int32 constants": (x) => tf.mul(tf.tensor(new Int32Array(240).fill(-3), [10, 4, 6], "int32"), x),
    "large bool constants": (x) =>
      tf.where(tf.tensor(new Uint8Array(240).fill(1), [10, 4, 6], "bool"), x, tf.neg(x)),
    "empty tensors": (x) => tf.concat([x, tf.zeros([0, 6])], 0),
    tensorScatterUpdate: (x) =>
      tf.tensorScatterUpdate(x, tf.tensor2d([[1]], [1, 1], "int32"), tf.ones([1, 6])),
  }),
  ...rows((samples) => [samples.signed<tf.Rank.R2>(4, 6), samples.whole<tf.Rank.R1>(4, 5)], {
    gather: (x, indices) => tf.gather(x, indices),
    "gather columns": (x, indices) => tf.gather(x, indices, 1),
    "gather in batches": (x, indices) => tf.gather(x, tf.reshape(tf.slice(indices, 0, 4), [4, 1]), 1, 1),
    gatherND: (x, indices) => tf.gatherND(x, tf.reshape(indices, [5, 1])),
    scatterND: (x, indices) => tf.scatterND(tf.reshape(tf.slice(indices, 0, 4), [4, 1]), x, [5, 6]),
    oneHot: (_, indices) => tf.oneHot(indices, 5),
    sparseToDense: (x) =>
      tf.sparseToDense(tf.tensor1d([1, 3], "int32"), tf.reshape(tf.slice(x, [0, 0], [1, 2]), [2]), [5], 7),
  }),
  ...rows((samples) => [samples.signed<tf.Rank.R4>(4, 2, 2, 4)], {
    depthToSpace: (x) => tf.depthToSpace(x, 2),
    spaceToBatchND: (x) => tf.spaceToBatchND(x, [2, 2], [[0, 0], [0, 0]]),
    batchToSpaceND: (x) => tf.batchToSpaceND(x, [2, 2], [[0, 0], [0, 0]]),
    "transpose of four axes": (x) => tf.transpose(x, [1, 2, 0, 3]),
    "reverse of two axes": (x) => tf.reverse(x, [1, 2]),
  }),
];
