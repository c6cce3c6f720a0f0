/**
 * A 3×3 convolution by Winograd's minimal filtering, from matrix products alone.
 *
 * Lavin and Gray 2015, "Fast Algorithms for Convolutional Neural Networks" (arXiv:1509.09308). In two dimensions minimal filtering is
 *
 *     Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A
 *
 * A tile here has 8 rows and 4 columns of outputs (fewer where the map is smaller): F(8, 3) down and F(4, 3) across, 60 products where
 * direct convolution takes 288. Summed over the input channels, ⊙ becomes 60 independent matrix products, one for each position in the tile.
 *
 * The three transforms are linear, so each is one matrix product too. A map of H×W pixels has T = ⌈H/8⌉·⌈W/4⌉ tiles; cutting them out with
 * their overlap, padding them with zeros and applying Bᵀ · B is one matrix `[60·T, H·W]` on the pixels, and Aᵀ · A with what lies beyond
 * the last row cut off is one matrix `[H·W, 60·T]`. Maps are therefore pixel-major, `[H,W,B,C]`: a pixel is a row of B·C numbers. The
 * matrices grow with the square of the map, which is why this is for small maps: at 8×8 they are 120×64 and multiply fastest whole,
 * though half of them is zeros.
 *
 * The backward pass is the adjoint: the same matrices transposed, in reverse order. Nothing is approximated, but sums are formed in another
 * order and with larger factors: in float32 results differ from exact ones by up to 1e-5 of the largest value (direct convolution: 1e-6).
 * Taller tiles would do with fewer products still, F(8, 3) both ways with 100 for 576, but by 5e-5.
 *
 * @module
 */
import * as tf from "./tf.ts";
import { boolAttribute, execute, nativeBackend, typeAttribute } from "./binding.ts";
import { differentiate } from "./gradient.ts";
import { matMul } from "./mat_mul.ts";
import {
  createMinimalFiltering,
  type Matrix,
  type MinimalFiltering,
  transpose,
} from "./minimal_filtering.ts";

/**
 * Convolves with a 3×3 kernel, stride 1, one pixel of zero padding, like `torch.nn.functional.conv2d(x, kernel, padding=1)`.
 *
 * Worth it for training on CPUs: forwards it is no faster than direct convolution at its best, backwards it takes half the time. Any height
 * and width will do; multiples of 8 and 4 waste nothing.
 *
 * @param x Pixel-major maps `[H,W,B,C]`.
 * @param kernel `[3,3,C,K]`.
 * @returns `[H,W,B,K]`.
 */
export function convolve3x3Winograd(x: tf.Tensor4D, kernel: tf.Tensor4D): tf.Tensor4D {
  const [H, W, B, C] = x.shape;
  const K = kernel.shape[3];
  const { positions, tiles, transforms, adjoints } = planTiles(H, W);
  const stack = (x: tf.Tensor, channels: number) => tf.reshape(x, [positions, tiles * B, channels]);
  return differentiate({
    forward: (x, kernel) => {
      const V = stack(apply(transforms.input, x), C); // [60, T·B, C]
      const U = tf.reshape(apply(transforms.kernel, kernel), [positions, C, K]);
      const M = multiplyStacks(V, U); // [60, T·B, K]
      return { value: tf.reshape(apply(transforms.output, M), [H, W, B, K]), saved: [V, U] };
    },
    backward: (dy, [V, U]) => {
      const dM = stack(apply(adjoints.output, dy), K);
      const dV = multiplyStacks(dM, U, false, true);
      const dU = multiplyStacks(V, dM, true);
      return [
        tf.reshape(apply(adjoints.input, dV), [H, W, B, C]),
        tf.reshape(apply(adjoints.kernel, dU), [3, 3, C, K]),
      ];
    },
  }, [x, kernel]) as tf.Tensor4D;
}

/** How a map is cut into tiles. */
interface TilePlan {
  /** Products in a tile. */
  positions: number;
  tiles: number;
  /** `input` `[positions·tiles, H·W]` and `output` `[H·W, positions·tiles]` act on pixels, `kernel` `[positions, 9]` on taps. */
  transforms: Transforms;
  /** Their transposes, which carry gradients back. */
  adjoints: Transforms;
}

interface Transforms {
  input: Matrix;
  kernel: Matrix;
  output: Matrix;
}

const plans = new Map<string, TilePlan>(); // a map's size decides all of it: made once, not at each call

function planTiles(H: number, W: number): TilePlan {
  const key = `${H}×${W}`;
  const known = plans.get(key) ?? makePlan(H, W);
  plans.set(key, known);
  return known;
}

function makePlan(H: number, W: number): TilePlan {
  const [down, across] = [planAxis(H, H > 4 ? 8 : 4), planAxis(W, 4)];
  const [n, m] = [down.filtering.inputs, across.filtering.inputs];
  // positions come first, tiles second: (position down, position across, tile down, tile across)
  const order: [down: number, across: number][] = [];
  for (let p = 0; p < n; p++) {
    for (let q = 0; q < m; q++) {
      for (let t = 0; t < down.tiles; t++) {
        for (let u = 0; u < across.tiles; u++) order.push([p * down.tiles + t, q * across.tiles + u]);
      }
    }
  }
  const product = kronecker(down.input, across.input);
  const output = kronecker(transpose(down.output), transpose(across.output));
  const pick = (matrix: Matrix) => order.map(([row, column]) => matrix[row * across.input.length + column]);
  const transforms = {
    input: pick(product),
    output: transpose(pick(output)),
    kernel: kronecker(down.filtering.kernel, across.filtering.kernel),
  };
  return {
    positions: n * m,
    tiles: down.tiles * across.tiles,
    transforms,
    adjoints: {
      input: transpose(transforms.input),
      output: transpose(transforms.output),
      kernel: transpose(transforms.kernel),
    },
  };
}

/** The transforms along one axis for all its tiles, rows (columns of `output`) by (position, tile). */
function planAxis(
  size: number,
  outputs: 4 | 8,
): { filtering: MinimalFiltering; tiles: number; input: Matrix; output: Matrix } {
  const filtering = createMinimalFiltering(outputs);
  const tiles = Math.ceil(size / outputs);
  const rows = tiles * filtering.inputs;
  const input = table(rows, size, (row, pixel) => {
    const [position, tile] = [Math.floor(row / tiles), row % tiles];
    return filtering.input[position][pixel + 1 - outputs * tile] ?? 0; // a tile starts one pixel before its outputs
  });
  const output = table(size, rows, (pixel, row) => {
    const [position, tile] = [Math.floor(row / tiles), row % tiles];
    return tile === Math.floor(pixel / outputs) ? filtering.output[pixel % outputs][position] : 0;
  });
  return { filtering, tiles, input, output };
}

function table(rows: number, columns: number, value: (row: number, column: number) => number): Matrix {
  return Array.from(
    { length: rows },
    (_, row) => Array.from({ length: columns }, (_, column) => value(row, column)),
  );
}

/** The matrix that acts on both axes of a picture as `a` and `b` do on one. */
function kronecker(a: Matrix, b: Matrix): Matrix {
  return a.flatMap((rowA) =>
    b.map((rowB) => rowA.flatMap((valueA) => rowB.map((valueB) => valueA * valueB)))
  );
}

/** matrix · x, where the first axes of x are as many rows as the matrix has columns. */
function apply(matrix: Matrix, x: tf.Tensor): tf.Tensor2D {
  return matMul(tf.tensor2d(matrix), tf.reshape(x, [matrix[0].length, -1]));
}

/** Products of matrices one by one, `[60,n,k]` · `[60,k,m]`. */
function multiplyStacks(a: tf.Tensor, b: tf.Tensor, transposeA = false, transposeB = false): tf.Tensor {
  if (!nativeBackend()) return tf.matMul(a, b, transposeA, transposeB);
  const attributes = [
    typeAttribute("T", "float32"),
    boolAttribute("adj_x", transposeA),
    boolAttribute("adj_y", transposeB),
  ];
  return execute("BatchMatMulV2", attributes, [a, b]);
}
