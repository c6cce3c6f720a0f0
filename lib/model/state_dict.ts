import * as tf from "../tensorflow/runtime/tf.ts";
import type { StoredTensor } from "../support/safetensors.ts";
import type { BackboneMode } from "./spec.ts";

/**
 * A network's tensors by PyTorch's names: parameters, and the running statistics of batch normalisation.
 *
 * Convolutions are held as TensorFlow wants them, `[kH,kW,in,out]`, everything else as in PyTorch (fully
 * connected `[out,in]`).
 */
export type StateDict = Record<string, tf.Tensor>;

/** Tells whether a tensor is a running statistic: updated by batches, not by the optimizer. */
export function isStatistic(name: string): boolean {
  return name.endsWith(".running_mean") || name.endsWith(".running_var");
}

/** Tells whether the optimizer updates a tensor. */
export function isTrainable(name: string, backbone: BackboneMode): boolean {
  if (isStatistic(name) || name === "class_names.weight") return false;
  if (!name.startsWith("backbone.") || backbone === "trainable") return true;
  return backbone === "bn-only" && /\.bn\d\./.test(name);
}

/**
 * Creates a tensor from a stored one: a convolution's axes `[out,in,kH,kW]` become `[kH,kW,in,out]`.
 *
 * @throws {Error} If the values are not float32.
 */
export function fromPyTorch({ shape, data }: StoredTensor): tf.Tensor {
  if (!(data instanceof Float32Array)) throw new Error("a network's tensors are float32");
  return tf.tidy(() => {
    const tensor = tf.tensor(data, shape);
    return shape.length === 4 ? tf.transpose(tensor, [2, 3, 1, 0]) : tensor;
  });
}

/** Reverses {@linkcode fromPyTorch}. Optimizer state has its parameter's layout. */
export async function toPyTorch(tensor: tf.Tensor): Promise<StoredTensor> {
  const laidOut = tensor.rank === 4 ? tf.transpose(tensor, [3, 2, 0, 1]) : tf.clone(tensor);
  try {
    return { shape: laidOut.shape, data: await laidOut.data() as Float32Array };
  } finally {
    laidOut.dispose();
  }
}

/** Counts the filters of a network that exists: one per class, or one that all classes share. */
export function countFilters(tensors: StateDict): number {
  const { "class_embeddings.weight": embeddings, "class_names.weight": names } = tensors;
  return (embeddings ?? names)?.shape[0] ?? tensors["filters.weight"].shape[3]!; // [1,1,64,K]
}

/** Disposes the tensors of a record. */
export function disposeAll(...records: Record<string, tf.Tensor>[]): void {
  for (const record of records) tf.dispose(Object.values(record));
}
