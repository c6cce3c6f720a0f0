import * as tf from "../tensorflow/runtime/tf.ts";
import { executeMany, floatAttribute } from "../tensorflow/runtime/binding.ts";
import { canUseKernels } from "../tensorflow/runtime/kernels.ts";
import { matMul } from "../tensorflow/operations/dense.ts";
import type { ParameterState } from "../tensorflow/operations/nesterov.ts";

/** Tells whether a tensor is the kernel of a 3×3 convolution, `[3,3,in,out]`; each is followed by batch norm. */
export function isKernel3x3({ shape }: tf.Tensor): boolean {
  return shape.length === 4 && shape[0] === 3;
}

/**
 * Takes a step of Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon): along the orthogonal
 * matrix nearest to Nesterov's momentum, so that no direction within a kernel is left behind.
 *
 * On the CPU this is one operation for multiples of 16 outputs: as single ones, it took a tenth of a step.
 *
 * The kernel is first scaled to the norm of such a matrix, which the batch normalisation after it undoes: the
 * learning rate is then the relative length of a step.
 */
export function muonStep(
  { parameter, momentumBuffer }: ParameterState,
  gradient: tf.Tensor,
  { learningRate, momentum }: { learningRate: tf.Scalar; momentum: number },
): ParameterState {
  const out = parameter.shape.at(-1)!;
  if (canUseKernels(out) && parameter.size >= out * out) {
    const inputs = [parameter, gradient, momentumBuffer, learningRate];
    const [moved, next] = executeMany("MuonStep", [floatAttribute("momentum", momentum)], inputs, 2);
    return { parameter: moved, momentumBuffer: next };
  }
  const next = tf.add(tf.mul(momentumBuffer, momentum), gradient);
  const direction = tf.add(gradient, tf.mul(next, momentum));
  const step = tf.reshape(orthogonalise(tf.reshape(direction, [-1, out])), parameter.shape);
  const scaled = tf.mul(parameter, tf.div(Math.sqrt(out), norm(parameter)));
  return { parameter: tf.sub(scaled, tf.mul(step, learningRate)), momentumBuffer: next };
}

/** Momentum of Muon's steps: less than SGD's, since their length does not grow with it. */
export const MUON_MOMENTUM = 0.7;

/** Coefficients of a quintic whose iteration drives singular values of 0.01 to 1 into about 0.7–1.2. */
const [LINEAR, CUBIC, QUINTIC] = [3.4445, -4.775, 2.0315];
const ITERATIONS = 5;
const SMALLEST_NORM = 1e-7;

/**
 * Sets the singular values of a tall matrix to about 1, by Newton–Schulz iterations x ← x·q with
 * q = 3.4 − 4.8 xᵀx + 2.0 (xᵀx)². As xᵀx commutes with q, the iterations need its small matrices alone.
 *
 * @param matrix `[n,m]` with n ≥ m.
 */
export function orthogonalise(matrix: tf.Tensor2D): tf.Tensor2D {
  const x = tf.div(matrix, tf.add(norm(matrix), SMALLEST_NORM)) as tf.Tensor2D;
  const linear = tf.mul(tf.eye(matrix.shape[1]), LINEAR);
  let gram = matMul(x, x, true); // [m,m]
  const polynomial = (): tf.Tensor2D =>
    tf.addN([linear, tf.mul(gram, CUBIC), tf.mul(matMul(gram, gram), QUINTIC)]) as tf.Tensor2D;
  let product = polynomial();
  for (let iteration = 1, q = product; iteration < ITERATIONS; iteration++) {
    gram = matMul(matMul(gram, q), q);
    q = polynomial();
    product = matMul(product, q);
  }
  return matMul(x, product);
}

/** The L2 norm of all values. */
function norm(tensor: tf.Tensor): tf.Scalar {
  return tf.sqrt(tf.sum(tf.square(tensor)));
}
