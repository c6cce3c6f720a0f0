import { readClassVectors } from "../../lib/analysis/class_vectors.ts";
import {
  CLASS_NAMES,
  classNamesOf,
  type Dataset,
  IMAGE_BYTES,
  IMAGE_SIZE,
  selectImages,
} from "../../lib/data/dataset.ts";
import { normaliseImages } from "../../lib/data/normalise.ts";
import type { SheetImage } from "../../lib/figures/tile_grid.ts";
import {
  type DiagramExample,
  networkDiagram,
  type NetworkDiagramOptions,
} from "../../lib/figures/network_diagram.ts";
import { featureMap, forward } from "../../lib/model/network.ts";
import type { NetworkSpec } from "../../lib/model/spec.ts";
import type { StateDict } from "../../lib/model/state_dict.ts";
import { summarise } from "../../lib/model/summary.ts";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import type { TensorBatch } from "../../lib/training/train_step.ts";
import { displayFigure } from "./display.ts";
import { displayTable } from "./text.ts";

/** Bytes `[32,32,3]` of one image. */
export function pictureAt({ images }: Pick<Dataset, "images">, index: number): Uint8Array {
  return images.subarray(index * IMAGE_BYTES, (index + 1) * IMAGE_BYTES);
}

/** Picks the first images of every class, row by row for a contact sheet of a column per class. */
export function sampleClasses(dataset: Dataset, perClass: number): SheetImage[] {
  const names = classNamesOf(dataset);
  const found = names.map((_, label) =>
    [...dataset.labels.keys()].filter((index) => dataset.labels[index] === label).slice(0, perClass)
  );
  return Array.from({ length: perClass }, (_, row) =>
    names.flatMap((label, column) => {
      const index = found[column][row];
      return index === undefined ? [] : [{ image: pictureAt(dataset, index), label }];
    })).flat();
}

/** Makes a batch of some images of a data set, normalised but not augmented. */
export function makeBatch(dataset: Dataset, indices: readonly number[]): TensorBatch {
  const { images, labels } = selectImages(dataset, indices);
  return {
    images: tf.tensor4d(normaliseImages(images), [indices.length, IMAGE_SIZE, IMAGE_SIZE, 3]),
    labels: tf.tensor1d([...labels], "int32"),
  };
}

/** Shows the shapes of tensors, each with the operation that made it. */
export async function displayShapes(
  rows: readonly (readonly [name: string, tensor: tf.Tensor, operation: string])[],
): Promise<void> {
  await displayTable({
    header: ["tensor", "shape", "made by"],
    rows: rows.map(([name, { shape }, operation]) => [name, `[${shape.join(", ")}]`, operation]),
  });
}

/** Shows the diagram of a network, drawn from its list of layers. */
export async function displayDiagram(
  spec: NetworkSpec,
  options: Omit<NetworkDiagramOptions, "classNames">,
): Promise<void> {
  const layers = summarise(spec).layers.map((layer) => ({ ...layer, trainable: layer.trainable > 0 }));
  await displayFigure(networkDiagram(layers, { classNames: CLASS_NAMES, ...options }));
}

/** Runs a network on one image, for its diagram. */
export async function makeExample(
  spec: NetworkSpec,
  network: StateDict,
  dataset: Dataset,
  index: number,
): Promise<DiagramExample & { maps: Float32Array }> {
  const { images, labels } = makeBatch(dataset, [index]);
  const tensors = tf.tidy(() => {
    const options = { ...spec, mode: "evaluate" } as const;
    const { scores, maps, filters } = forward(network, images, options);
    return [scores, maps, filters, featureMap(network, images, options)];
  });
  const [scores, maps, filters, features] = await Promise.all(
    tensors.map((tensor) => tensor.data() as Promise<Float32Array>),
  );
  tf.dispose([images, labels, ...tensors]);
  const { embeddings } = await readClassVectors(network, spec);
  return {
    image: pictureAt(dataset, index),
    features,
    scores,
    maps,
    filters,
    embeddings: embeddings?.flat(),
  };
}
