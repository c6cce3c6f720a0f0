/**
 * A 3×3 convolution by Winograd's minimal filtering F(4×4, 3×3), from matrix products alone.
 *
 * Lavin and Gray 2015, "Fast Algorithms for Convolutional Neural Networks" (arXiv:1509.09308), section 4.2. Four outputs of a
 * one-dimensional filter with three taps g over six inputs d are
 *
 *     Y = Aᵀ [(G g) ⊙ (Bᵀ d)]
 *
 * with six products instead of twelve; in two dimensions Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A takes 36 instead of 144. Summed over the
 * input channels, ⊙ becomes 36 independent matrix products, one for each position in the 6×6 tile.
 *
 * The three transforms are linear, so each is one matrix product too. A map of H×W pixels has T = ⌈H/4⌉·⌈W/4⌉ tiles; cutting them out with
 * their overlap, padding them with zeros and applying Bᵀ · B is one matrix `[36·T, H·W]` on the pixels, and Aᵀ · A with what lies beyond
 * the last row cut off is one matrix `[H·W, 36·T]`. Maps are therefore pixel-major, `[H,W,B,C]`: a pixel is a row of B·C numbers. The
 * matrices grow with the square of the map, which is why this is for small maps: at 8×8 they are 144×64 and multiply fastest whole,
 * though half of them is zeros.
 *
 * The backward pass is the adjoint: the same matrices transposed, in reverse order. Nothing is approximated, but sums are formed
 * in another order and with factors up to 8: in float32 results differ from direct convolution's by some 1e-6 of the largest value.
 *
 * @module
 */
import * as tf from "./tf.ts";
import { boolAttribute, execute, nativeBackend, typeAttribute } from "./binding.ts";
import { differentiate } from "./gradient.ts";
import { matMul } from "./mat_mul.ts";

type Matrix = number[][];

const OUTPUTS = 4; // of a tile, along each axis
const INPUTS = 6;
const POSITIONS = INPUTS * INPUTS; // in a tile

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

const table = (rows: number, columns: number, value: (row: number, column: number) => number): Matrix =>
  Array.from(
    { length: rows },
    (_, row) => Array.from({ length: columns }, (_, column) => value(row, column)),
  );

/** Bᵀ for all tiles along an axis, `[6⌈size/4⌉, size]`, rows by (position, tile); the first tile starts one pixel before the map. */
function inputTransform(size: number): Matrix {
  const tiles = Math.ceil(size / OUTPUTS);
  return table(INPUTS * tiles, size, (row, k) => {
    const [position, tile] = [Math.floor(row / tiles), row % tiles];
    return B_TRANSPOSED[position][k + 1 - OUTPUTS * tile] ?? 0;
  });
}

/** Aᵀ for all tiles along an axis, `[size, 6⌈size/4⌉]`, columns by (position, tile). */
function outputTransform(size: number): Matrix {
  const tiles = Math.ceil(size / OUTPUTS);
  return table(size, INPUTS * tiles, (k, column) => {
    const [position, tile] = [Math.floor(column / tiles), column % tiles];
    return tile === Math.floor(k / OUTPUTS) ? A_TRANSPOSED[k % OUTPUTS][position] : 0;
  });
}

/** Where (position, tile) of both axes stand when all positions come first: (row position, column position, row tile, column tile). */
function positionsFirst(rowTiles: number, columnTiles: number): { row: number; column: number }[] {
  const order = [];
  for (let rowPosition = 0; rowPosition < INPUTS; rowPosition++) {
    for (let columnPosition = 0; columnPosition < INPUTS; columnPosition++) {
      for (let rowTile = 0; rowTile < rowTiles; rowTile++) {
        for (let columnTile = 0; columnTile < columnTiles; columnTile++) {
          order.push({
            row: rowPosition * rowTiles + rowTile,
            column: columnPosition * columnTiles + columnTile,
          });
        }
      }
    }
  }
  return order;
}

/** The transforms of a map's size, as matrices on its pixels: `input` `[36·T, H·W]` and `output` `[H·W, 36·T]`. */
function transforms(H: number, W: number): { tiles: number; input: Matrix; output: Matrix } {
  const [inRows, inColumns, outRows, outColumns] = [
    inputTransform(H),
    inputTransform(W),
    outputTransform(H),
    outputTransform(W),
  ];
  const order = positionsFirst(Math.ceil(H / OUTPUTS), Math.ceil(W / OUTPUTS));
  const pixel = (k: number) => ({ y: Math.floor(k / W), x: k % W });
  return {
    tiles: order.length / POSITIONS,
    input: table(
      order.length,
      H * W,
      (at, k) => inRows[order[at].row][pixel(k).y] * inColumns[order[at].column][pixel(k).x],
    ),
    output: table(
      H * W,
      order.length,
      (k, at) => outRows[pixel(k).y][order[at].row] * outColumns[pixel(k).x][order[at].column],
    ),
  };
}

/** G g Gᵀ as one matrix on the nine taps, `[36, 9]`. */
const KERNEL_TRANSFORM = table(
  POSITIONS,
  9,
  (row, k) => G[Math.floor(row / INPUTS)][Math.floor(k / 3)] * G[row % INPUTS][k % 3],
);

const transpose = (matrix: Matrix): Matrix => matrix[0].map((_, column) => matrix.map((row) => row[column]));

/**
 * Convolves with a 3×3 kernel, stride 1, one pixel of zero padding, like `torch.nn.functional.conv2d(x, kernel, padding=1)`.
 *
 * Worth it for training on CPUs: forwards it is no faster than direct convolution at its best, backwards it takes half the time. Any height
 * and width will do; multiples of four waste nothing.
 *
 * @param x Pixel-major maps `[H,W,B,C]`.
 * @param kernel `[3,3,C,K]`.
 * @returns `[H,W,B,K]`.
 */
export function convolve3x3Winograd(x: tf.Tensor4D, kernel: tf.Tensor4D): tf.Tensor4D {
  const [H, W, B, C] = x.shape;
  const K = kernel.shape[3];
  const { tiles, input, output } = transforms(H, W);
  const stack = (x: tf.Tensor, channels: number) => tf.reshape(x, [POSITIONS, tiles * B, channels]);
  return differentiate({
    forward: (x, kernel) => {
      const V = stack(apply(input, x), C); // [36, T·B, C]
      const U = tf.reshape(apply(KERNEL_TRANSFORM, kernel), [POSITIONS, C, K]);
      const M = multiplyStacks(V, U); // [36, T·B, K]
      return { value: tf.reshape(apply(output, M), [H, W, B, K]), saved: [V, U] };
    },
    backward: (dy, [V, U]) => {
      const dM = stack(apply(transpose(output), dy), K);
      const dV = multiplyStacks(dM, U, false, true);
      const dU = multiplyStacks(V, dM, true);
      return [
        tf.reshape(apply(transpose(input), dV), [H, W, B, C]),
        tf.reshape(apply(transpose(KERNEL_TRANSFORM), dU), [3, 3, C, K]),
      ];
    },
  }, [x, kernel]) as tf.Tensor4D;
}

/** matrix · x, where the first axes of x are as many rows as the matrix has columns. */
function apply(matrix: Matrix, x: tf.Tensor): tf.Tensor2D {
  return matMul(tf.tensor2d(matrix), tf.reshape(x, [matrix[0].length, -1]));
}

/** Products of matrices one by one, `[36,n,k]` · `[36,k,m]`. */
function multiplyStacks(a: tf.Tensor, b: tf.Tensor, transposeA = false, transposeB = false): tf.Tensor {
  if (!nativeBackend()) return tf.matMul(a, b, transposeA, transposeB);
  const attributes = [
    typeAttribute("T", "float32"),
    boolAttribute("adj_x", transposeA),
    boolAttribute("adj_y", transposeB),
  ];
  return execute("BatchMatMulV2", attributes, [a, b]);
}
