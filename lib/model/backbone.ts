import * as tf from "../tensorflow/runtime/tf.ts";
import { applyEpilogue, type Convolution } from "../tensorflow/operations/convolution.ts";
import { matMul } from "../tensorflow/operations/dense.ts";
import { convolveAndNormalise, type ForwardContext, fusedStem } from "./layers.ts";
import type { AdapterKind } from "./spec.ts";

/**
 * ResNet-18 up to and including `layer1` (He et al. 2016, arXiv:1512.03385; `torchvision.models.resnet18`).
 *
 * @param images Normalised images `[B,32,32,3]`.
 * @returns The feature map v, `[B,8,8,64]`.
 */
export function backbone(context: ForwardContext, images: tf.Tensor4D): tf.Tensor4D {
  let v = stem(context, images); // [B,8,8,64]
  v = basicBlock(context, v, "backbone.layer1.0");
  v = basicBlock(context, v, "backbone.layer1.1");
  return v;
}

/** 7×7 convolution with stride 2 and 3×3 max-pooling with stride 2: `[B,32,32,3]` → `[B,8,8,64]`. */
function stem(context: ForwardContext, images: tf.Tensor4D): tf.Tensor4D {
  if (context.strided === "fused") return fusedStem(context, images, "backbone.conv1", "backbone.bn1");
  const { prepare, convolve, maxPool, restore } = context.strided;
  const epilogue = { relu: true };
  const x = convolveAndNormalise(
    context,
    prepare(images),
    convolve,
    "backbone.conv1",
    "backbone.bn1",
    epilogue,
  ); // [B,16,16,64]
  return restore(maxPool(x)); // [B,8,8,64]
}

/** Two 3×3 convolutions around which the input takes a shortcut (`torchvision.models.resnet.BasicBlock`). */
function basicBlock(context: ForwardContext, x: tf.Tensor4D, name: string): tf.Tensor4D {
  const { convolve3x3 } = context;
  const y = convolveAndNormalise(context, x, convolve3x3, `${name}.conv1`, `${name}.bn1`, { relu: true });
  return convolveAndNormalise(context, y, convolve3x3, `${name}.conv2`, `${name}.bn2`, {
    shortcut: x,
    relu: true,
  });
}

/**
 * Adapter after the backbone: a trainable convolution, 64 → 64 channels, with batch normalisation and ReLU.
 *
 * @param v The feature map `[B,8,8,64]`.
 */
export function adapter(context: ForwardContext, v: tf.Tensor4D, kind: AdapterKind): tf.Tensor4D {
  if (kind === "none") return v;
  const convolve = kind === "3x3" ? context.convolve3x3 : convolve1x1;
  return convolveAndNormalise(context, v, convolve, "adapter.0", "adapter.1", { relu: true });
}

/** A 1×1 convolution by a kernel `[1,1,C,K]` is a matrix product over the pixels. */
const convolve1x1: Convolution = (x, kernel, epilogue) => {
  const [, , C, K] = kernel.shape;
  const [B, H, W] = x.shape;
  const pixels = tf.reshape(x, [-1, C]) as tf.Tensor2D;
  return applyEpilogue(tf.reshape(matMul(pixels, tf.reshape(kernel, [C, K])), [B, H, W, K]), epilogue);
};
