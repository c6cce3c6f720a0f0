import { type Dataset, IMAGE_BYTES, IMAGE_SIZE } from "../../lib/data/dataset.ts";
import { normaliseImages } from "../../lib/data/normalise.ts";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import type { TensorBatch } from "../../lib/training/train_step.ts";
import { type Cell, displayTable } from "./text.ts";

/** Makes a batch of some images of a data set, normalised, and as they are: not moved, not mirrored. */
export function makeBatch(dataset: Dataset, indices: readonly number[]): TensorBatch {
  const bytes = new Uint8Array(indices.length * IMAGE_BYTES);
  indices.forEach((index, at) =>
    bytes.set(dataset.images.subarray(index * IMAGE_BYTES, (index + 1) * IMAGE_BYTES), at * IMAGE_BYTES)
  );
  return {
    images: tf.tensor4d(normaliseImages(bytes), [indices.length, IMAGE_SIZE, IMAGE_SIZE, 3]),
    labels: tf.tensor1d(indices.map((index) => dataset.labels[index]), "int32"),
  };
}

/** Shows tensors with their real shapes: what each is, and in what it differs from the one before. */
export async function displayShapes(
  rows: readonly (readonly [step: string, tensor: tf.Tensor, how: string])[],
): Promise<void> {
  await displayTable({
    header: ["what", "shape", "how it is made"],
    rows: rows.map(([step, tensor, how]): Cell[] => [step, `[${tensor.shape.join(", ")}]`, how]),
  });
}

/** The values of a matrix, a list a row. */
export async function readRows(matrix: tf.Tensor2D): Promise<number[][]> {
  const values = await matrix.data();
  const [rows, columns] = matrix.shape;
  return Array.from({ length: rows }, (_, row) => [...values.slice(row * columns, (row + 1) * columns)]);
}

/** The largest difference between two tensors' values, and the largest value, to judge it by. */
export async function compareValues(
  one: tf.Tensor,
  other: tf.Tensor,
): Promise<{ difference: number; largest: number }> {
  if (String(one.shape) !== String(other.shape)) {
    throw new RangeError(`Tensors of shapes [${one.shape}] and [${other.shape}] cannot be compared.`);
  }
  const [a, b] = await Promise.all([one.data(), other.data()]);
  let [difference, largest] = [0, 0];
  for (let at = 0; at < a.length; at++) {
    difference = Math.max(difference, Math.abs(a[at] - b[at]));
    largest = Math.max(largest, Math.abs(a[at]));
  }
  return { difference, largest };
}
