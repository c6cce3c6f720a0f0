/**
 * A 3×3 convolution by Winograd's minimal filtering F(4×4, 3×3), from matrix products alone.
 *
 * Lavin and Gray 2015, "Fast Algorithms for Convolutional Neural Networks" (arXiv:1509.09308), section 4.2. Four outputs of a
 * one-dimensional filter with three taps g over six inputs d are
 *
 *     Y = Aᵀ [(G g) ⊙ (Bᵀ d)]
 *
 * with six products instead of twelve; in two dimensions Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A takes 36 instead of 144. Summed over the
 * input channels, ⊙ becomes 36 independent matrix products, one for each position in the 6×6 tile. Each of the three transforms is
 * linear, and so it is one matrix product here as well:
 *
 * - a row of tiles covers H rows by ⌈H/4⌉ tiles of six rows, neighbours sharing two. Cutting the tiles out, padding them with zeros and
 *   applying Bᵀ is one matrix [6⌈H/4⌉, H]; Aᵀ, with what lies beyond the last row cut off, is one matrix [H, 6⌈H/4⌉];
 * - maps are pixel-major, [H,W,B,C]: both matrices act on the leading axes and leave rows of B·C neighbours alone.
 *
 * The backward pass is the adjoint: the same matrices transposed, in reverse order. Nothing is approximated, but sums are formed
 * in another order and with factors up to 8: in float32 results differ from direct convolution's by some 1e-6 of the largest value.
 *
 * @module
 */
import * as tf from "./tf.ts";
import { boolAttribute, execute, nativeBackend, typeAttribute } from "./binding.ts";
import { differentiate } from "./gradient.ts";

type Matrix = number[][];

const OUTPUTS = 4; // of a tile, along each axis
const INPUTS = 6;

// Lavin and Gray 2015, section 4.2: interpolation points 0, ±1, ±2 and infinity
const B_TRANSPOSED: Matrix = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
];
const G: Matrix = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
];
const A_TRANSPOSED: Matrix = [
  [1, 1, 1, 1, 1, 0],
  [0, 1, -1, 2, -2, 0],
  [0, 1, 1, 4, 4, 0],
  [0, 1, -1, 8, -8, 1],
];

/** Where row `r` of the stacked tiles belongs: in which tile, and at which of its six positions. */
type Order = (row: number, tiles: number) => { tile: number; position: number };
const tileFirst: Order = (row) => ({ tile: Math.floor(row / INPUTS), position: row % INPUTS });
const positionFirst: Order = (row, tiles) => ({ tile: row % tiles, position: Math.floor(row / tiles) });

const table = (rows: number, columns: number, value: (row: number, column: number) => number): Matrix =>
  Array.from(
    { length: rows },
    (_, row) => Array.from({ length: columns }, (_, column) => value(row, column)),
  );

/** Bᵀ for all tiles along an axis, `[6⌈size/4⌉, size]`; the first tile starts one row before the picture (padding 1). */
function inputTransform(size: number, order: Order): Matrix {
  const tiles = Math.ceil(size / OUTPUTS);
  return table(INPUTS * tiles, size, (row, k) => {
    const { tile, position } = order(row, tiles);
    return B_TRANSPOSED[position][k + 1 - OUTPUTS * tile] ?? 0;
  });
}

/** Aᵀ for all tiles along an axis, `[size, 6⌈size/4⌉]`. */
function outputTransform(size: number, order: Order): Matrix {
  const tiles = Math.ceil(size / OUTPUTS);
  return table(size, INPUTS * tiles, (k, row) => {
    const { tile, position } = order(row, tiles);
    return tile === Math.floor(k / OUTPUTS) ? A_TRANSPOSED[k % OUTPUTS][position] : 0;
  });
}

/** G g Gᵀ as one matrix on the nine taps, `[36, 9]`. */
const KERNEL_TRANSFORM = table(
  INPUTS * INPUTS,
  9,
  (row, k) => G[Math.floor(row / INPUTS)][Math.floor(k / 3)] * G[row % INPUTS][k % 3],
);

/**
 * Convolves with a 3×3 kernel, stride 1, one pixel of zero padding, like `torch.nn.functional.conv2d(x, kernel, padding=1)`.
 *
 * Worth it on CPUs, where direct convolution is bound by arithmetic. Any height and width will do; multiples of four waste nothing.
 *
 * @param x Pixel-major maps `[H,W,B,C]`.
 * @param kernel `[3,3,C,K]`.
 * @returns `[H,W,B,K]`.
 */
export function convolve3x3Winograd(x: tf.Tensor4D, kernel: tf.Tensor4D): tf.Tensor4D {
  const [H, W, B, C] = x.shape;
  const K = kernel.shape[3];
  const [tileRows, tileColumns] = [Math.ceil(H / OUTPUTS), Math.ceil(W / OUTPUTS)];
  const tiles = (
    channels: number,
  ): [number, number, number, number] => [tileRows, 36, tileColumns * B, channels];
  // rows of tiles (tile, position), columns (position, tile): so the 36 positions of a tile are neighbours, [tile row, 36, …]
  const [inRows, inColumns] = [inputTransform(H, tileFirst), inputTransform(W, positionFirst)];
  const [outRows, outColumns] = [outputTransform(H, tileFirst), outputTransform(W, positionFirst)];
  return differentiate({
    forward: (x, kernel) => {
      const V = tf.reshape(transform(inRows, x, inColumns, B * C), tiles(C)); // [tile rows, 36, tile columns · B, C]
      const U = tf.reshape(multiply(tf.tensor2d(KERNEL_TRANSFORM), tf.reshape(kernel, [9, C * K])), [
        1,
        36,
        C,
        K,
      ]);
      const M = multiplyBatches(V, U); // [tile rows, 36, tile columns · B, K]
      return { value: tf.reshape(transform(outRows, M, outColumns, B * K), [H, W, B, K]), saved: [V, U] };
    },
    backward: (dy, [V, U]) => {
      const dM = tf.reshape(transformAdjoint(outRows, dy, outColumns, B * K), tiles(K));
      const dV = multiplyBatches(dM, U, false, true);
      const dU = tf.sum(multiplyBatches(V, dM, true), 0); // [36, C, K]
      return [
        tf.reshape(transformAdjoint(inRows, dV, inColumns, B * C), [H, W, B, C]),
        tf.reshape(multiply(tf.tensor2d(KERNEL_TRANSFORM), tf.reshape(dU, [36, C * K]), true), [3, 3, C, K]),
      ];
    },
  }, [x, kernel]) as tf.Tensor4D;
}

/** rows · x · columnsᵀ over the two leading axes of x, whose other axes hold `width` numbers: `[rows, columns, width]`. */
function transform(rows: Matrix, x: tf.Tensor, columns: Matrix, width: number): tf.Tensor {
  const down = multiply(tf.tensor2d(rows), tf.reshape(x, [rows[0].length, -1]));
  return multiplyBatches(tf.tensor2d(columns), tf.reshape(down, [rows.length, columns[0].length, width]));
}

/** rowsᵀ · x · columns: the adjoint of {@linkcode transform}, which carries gradients back through it. */
function transformAdjoint(rows: Matrix, x: tf.Tensor, columns: Matrix, width: number): tf.Tensor {
  const up = multiply(tf.tensor2d(rows), tf.reshape(x, [rows.length, -1]), true);
  return multiplyBatches(tf.tensor2d(columns), tf.reshape(up, [rows[0].length, columns.length, width]), true);
}

function multiply(a: tf.Tensor2D, b: tf.Tensor, transposeA = false): tf.Tensor {
  return tf.matMul(a, b, transposeA);
}

/** Matrix products over leading axes that broadcast. TensorFlow.js flattens and tiles them first; TensorFlow's operation need not. */
function multiplyBatches(a: tf.Tensor, b: tf.Tensor, transposeA = false, transposeB = false): tf.Tensor {
  if (!nativeBackend()) return tf.matMul(a, b, transposeA, transposeB);
  const attributes = [
    typeAttribute("T", "float32"),
    boolAttribute("adj_x", transposeA),
    boolAttribute("adj_y", transposeB),
  ];
  return execute("BatchMatMulV2", attributes, [a, b]);
}
