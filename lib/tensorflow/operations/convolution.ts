/** 3×3 convolutions with padding 1, and the epilogue of a convolution. */
import * as tf from "../runtime/tf.ts";
import { boolAttribute, differentiate, execute, typeAttribute } from "../runtime/binding.ts";
import { canUseKernels } from "../runtime/kernels.ts";
import { addBias, relu } from "./dense.ts";

/** Epilogue of a convolution with result y: relu(y + bias + shortcut). */
export interface Epilogue {
  /** `[K]`. */
  bias?: tf.Tensor1D;
  /** Of y's shape. */
  shortcut?: tf.Tensor4D;
  /** Apply ReLU. @default false */
  relu?: boolean;
}

/** Convolves maps `[B,H,W,C]` by a kernel `[h,w,C,K]`. */
export type Convolution = (x: tf.Tensor4D, kernel: tf.Tensor4D, epilogue?: Epilogue) => tf.Tensor4D;

/** Computes relu(y + bias + shortcut), omitting absent terms. */
export function applyEpilogue(
  y: tf.Tensor4D,
  { bias, shortcut, relu: cut = false }: Epilogue = {},
): tf.Tensor4D {
  if (bias) y = addBias(y, bias);
  if (shortcut) {
    tf.util.assertShapesMatch(shortcut.shape, y.shape, "The shortcut: ");
    y = tf.add(y, shortcut);
  }
  return cut ? relu(y) : y;
}

/**
 * Computes `torch.nn.functional.conv2d(x, kernel, padding=1)`, kernel `[3,3,C,K]`, by the backend's
 * operation.
 */
export function convolve3x3Direct(x: tf.Tensor4D, kernel: tf.Tensor4D, epilogue?: Epilogue): tf.Tensor4D {
  return applyEpilogue(tf.conv2d(x, kernel, 1, "same"), epilogue);
}

/**
 * Computes the same by Winograd's minimal filtering, with a quarter of the multiplications, on the native
 * runtime's CPU for multiples of 16 channels; elsewhere by {@linkcode convolve3x3Direct}.
 * `kernels/vectors/winograd.cc` has the derivation.
 *
 * Nothing is approximated, but sums are formed in another order: in float32 results differ from exact ones by
 * up to 4e-6 of the largest value (direct convolution: 1e-6).
 */
export function convolve3x3Winograd(x: tf.Tensor4D, kernel: tf.Tensor4D, epilogue?: Epilogue): tf.Tensor4D {
  const [, , C, K] = kernel.shape;
  if (!canUseKernels(C, K)) return convolve3x3Direct(x, kernel, epilogue);
  return epilogue?.bias
    ? convolveWithEpilogue(x, kernel, epilogue, epilogue.bias)
    : applyEpilogue(convolve(x, kernel), epilogue);
}

function convolve(x: tf.Tensor4D, kernel: tf.Tensor4D): tf.Tensor4D {
  return differentiate({
    forward: (x, kernel) => ({ value: execute("Winograd3x3", [], [x, kernel]), saved: [x, kernel] }),
    backward: (dy, [x, kernel]) => gradients(dy, x, kernel),
  }, [x, kernel]) as tf.Tensor4D;
}

/** Fuses the epilogue into the operation, which saves reading and writing the maps again. */
function convolveWithEpilogue(
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  { shortcut, relu = false }: Epilogue,
  bias: tf.Tensor1D,
) {
  const inputs = [x, kernel, bias, ...(shortcut ? [shortcut] : [])];
  return differentiate({
    forward: (x, kernel, bias, shortcut = tf.zeros([0])) => {
      const y = execute("Winograd3x3Fused", [boolAttribute("relu", relu)], [x, kernel, bias, shortcut]);
      return { value: y, saved: [x, kernel, y] };
    },
    backward: (dy, [x, kernel, y]) => {
      const float = typeAttribute("T", "float32");
      const dSum = relu ? execute("ReluGrad", [float], [dy, y]) : dy;
      return [...gradients(dSum, x, kernel), tf.sum(dSum, [0, 1, 2]), ...(shortcut ? [dSum] : [])];
    },
  }, inputs) as tf.Tensor4D;
}

function gradients(dy: tf.Tensor, x: tf.Tensor, kernel: tf.Tensor): tf.Tensor[] {
  return [
    execute("Winograd3x3InputGradient", [], [dy, kernel]),
    execute("Winograd3x3KernelGradient", [], [x, dy]),
  ];
}
