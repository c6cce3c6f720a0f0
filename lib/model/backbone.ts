import * as tf from "../tensorflow/tf.ts";
import { relu } from "../tensorflow/activation.ts";
import { convolveAndNormalise, type Pass } from "./layers.ts";

/**
 * ResNet-18 up to and including `layer1` (He et al. 2016, arXiv:1512.03385; `torchvision.models.resnet18`).
 *
 * @param images Normalised images `[B,32,32,3]`.
 * @returns The feature map v in the backbone's layout: `[B,8,8,64]` once it has left it.
 */
export function backbone(pass: Pass, images: tf.Tensor4D): tf.Tensor4D {
  let v = pass.layouts.backbone.enter(stem(pass, images)); // [B,8,8,64]
  v = basicBlock(pass, v, "backbone.layer1.0");
  v = basicBlock(pass, v, "backbone.layer1.1");
  return v;
}

/** 7×7 convolution with stride 2 and 3×3 max-pooling with stride 2: `[B,32,32,3]` → `[B,8,8,64]`. */
function stem(pass: Pass, images: tf.Tensor4D): tf.Tensor4D {
  const { enter, convolve, maxPool, leave } = pass.strided;
  let x = convolveAndNormalise(pass, enter(images), convolve, "backbone.conv1", "backbone.bn1"); // [B,16,16,64]
  x = maxPool(relu(x)); // [B,8,8,64]
  return leave(x);
}

/** Two 3×3 convolutions around which the input takes a short cut (`torchvision.models.resnet.BasicBlock`). */
function basicBlock(pass: Pass, x: tf.Tensor4D, name: string): tf.Tensor4D {
  const { convolve3x3 } = pass.layouts.backbone;
  let y = relu(convolveAndNormalise(pass, x, convolve3x3, `${name}.conv1`, `${name}.bn1`));
  y = convolveAndNormalise(pass, y, convolve3x3, `${name}.conv2`, `${name}.bn2`);
  return relu(tf.add(x, y));
}
