/**
 * The matrices of Winograd's minimal filtering F(m, 3): m outputs of a filter with three taps from m + 2 products.
 *
 * Winograd 1980, "Arithmetic Complexity of Computations"; built after Toom and Cook as in Barabasz et al. 2020, "Error Analysis and Improving
 * the Accuracy of Winograd Convolution for Deep Neural Networks" (arXiv:1803.10986). A product of polynomials is known from its values at
 * enough points; to filter is the transpose of that:
 *
 *     y = Aᵀ [(G g) ⊙ (Bᵀ d)]
 *
 * with taps g, inputs d and outputs y. G and A evaluate polynomials at the points, Bᵀ holds the polynomials of Lagrange that are 1 at one
 * point and 0 at the others. One of the points is infinity, where a polynomial's value is its leading coefficient.
 *
 * @module
 */

/** Rows of numbers. */
export type Matrix = number[][];

/** F(m, 3) as matrices. */
export interface MinimalFiltering {
  /** m: outputs of a tile. */
  outputs: number;
  /** m + 2: inputs of a tile, and products. */
  inputs: number;
  /** Aᵀ, `[m, m+2]`. */
  output: Matrix;
  /** Bᵀ, `[m+2, m+2]`. */
  input: Matrix;
  /** G, `[m+2, 3]`. */
  kernel: Matrix;
}

const TAPS = 3;

/**
 * The finite points, by number of outputs. Rounding errors grow with the powers of the points; points and their negative reciprocals keep
 * them small. Found by search: in float32 the largest error of F(4, 3)² is half of that with Lavin and Gray's 0, ±1, ±2.
 */
const POINTS: Record<number, number[]> = {
  4: [0, 1, -1, 1 / 2, -2],
  8: [0, 1, -1, 5 / 4, -4 / 5, -2, 1 / 2, 3, -1 / 3],
};

/** Creates F(m, 3) for m = 4 or 8. */
export function createMinimalFiltering(outputs: 4 | 8): MinimalFiltering {
  const points = POINTS[outputs];
  const infinity = (length: number) => [...new Array(length - 1).fill(0), 1];
  const powers = (
    length: number,
  ) => [...points.map((point) => exponents(length).map((k) => point ** k)), infinity(length)];
  const lagrange = points.map((point) => {
    const others = points.filter((other) => other !== point);
    const scale = others.reduce((product, other) => product * (point - other), 1);
    return [...expand(others).map((coefficient) => coefficient / scale), 0];
  });
  const rows = { output: powers(outputs), input: [...lagrange, expand(points)], kernel: powers(TAPS) };
  balance(rows);
  return {
    outputs,
    inputs: outputs + TAPS - 1,
    input: rows.input,
    kernel: rows.kernel,
    output: transpose(rows.output),
  };
}

function exponents(length: number): number[] {
  return Array.from({ length }, (_, k) => k);
}

/** Coefficients of Π (t − root), the constant first. */
function expand(roots: number[]): number[] {
  return roots.reduce((polynomial, root) => {
    const shifted = [0, ...polynomial];
    return shifted.map((coefficient, k) => coefficient - root * (polynomial[k] ?? 0));
  }, [1]);
}

/**
 * Makes the three rows of each product equally long, by powers of two, so that none is added to much larger ones. Their scales
 * cancel out.
 */
function balance({ output, input, kernel }: Record<"output" | "input" | "kernel", Matrix>): void {
  const length = (row: number[]) => Math.hypot(...row);
  for (let product = 0; product < input.length; product++) {
    const mean = Math.cbrt(length(output[product]) * length(input[product]) * length(kernel[product]));
    const [a, b] = [input, kernel].map((matrix) =>
      2 ** Math.round(Math.log2(mean / length(matrix[product])))
    );
    input[product] = input[product].map((value) => value * a);
    kernel[product] = kernel[product].map((value) => value * b);
    output[product] = output[product].map((value) => value / (a * b));
  }
}

/** Rows become columns. */
export function transpose(matrix: Matrix): Matrix {
  return matrix[0].map((_, column) => matrix.map((row) => row[column]));
}
