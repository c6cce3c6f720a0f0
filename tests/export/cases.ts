import { join } from "@std/path";
import { loadDatasets } from "../../lib/data/load_datasets.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { IMAGE_BYTES } from "../../lib/data/dataset.ts";
import type { NetworkSpec } from "../../lib/model/spec.ts";
import { classify } from "../../lib/prediction/classify.ts";
import { type Checkpoint, openCheckpoint, type StoredTensors } from "../../lib/training/checkpoint.ts";
import { saveRandomCheckpoint } from "../testing/checkpoint.ts";
import { temporaryFolder } from "../testing/folder.ts";

/** Every way in which an exported network can differ. */
export const CASES: (Omit<NetworkSpec, "backbone"> & { classes: number })[] = [
  { variant: "dynamic", adapter: "none", classes: 10 },
  {
    variant: "dynamic-names",
    adapter: "none",
    classes: 4,
    embeddingSize: 20,
    generatorUnits: 24,
    predictorUnits: 12,
  },
  { variant: "static-per-class", adapter: "1x1", classes: 11 },
  { variant: "static-ten-way", adapter: "3x3", classes: 7 },
  { variant: "static-shared", adapter: "none", classes: 3 },
];

/** Of the largest value. */
export const TOLERANCE = 1e-4;

/** A network with random values, pictures, and their predictions. */
export interface ExportCase {
  checkpoint: Checkpoint & { network: StoredTensors };
  /** Bytes `[N,32,32,3]`, in float32. */
  pictures: Float32Array;
  count: number;
  scores: number[];
  maps: number[];
}

/** Real pictures where `CIFAR10_DIR` says where they are, else synthetic ones. */
export async function createCase(spec: typeof CASES[number], count = 6): Promise<ExportCase> {
  using folder = temporaryFolder();
  const path = await saveRandomCheckpoint(join(folder.path, "model.safetensors"), spec);
  const checkpoint = await openCheckpoint(path);
  const data = Deno.env.get("CIFAR10_DIR");
  const { test } = data ? await loadDatasets({ data }) : createSynthetic({ trainSize: 0, testSize: count });
  const bytes = Array.from(
    { length: count },
    (_, index) => test.images.subarray(index * IMAGE_BYTES, (index + 1) * IMAGE_BYTES),
  );
  const predictions = await classify(checkpoint.loadNetwork(), bytes, {
    ...checkpoint.config,
    classes: spec.classes,
  });
  return {
    checkpoint: { ...checkpoint, network: (checkpoint.readTensors()).network },
    pictures: Float32Array.from(test.images.subarray(0, count * IMAGE_BYTES)),
    count,
    scores: predictions.flatMap(({ scores }) => [...scores]),
    maps: predictions.flatMap(({ maps }) => [...maps]),
  };
}

/** `[N,32,32,3]` → `[N,3,32,32]`. */
export function channelsFirst(pictures: Float32Array): Float32Array {
  const pixels = IMAGE_BYTES / 3;
  return pictures.map((_, at) => {
    const [image, channel, pixel] = [Math.floor(at / IMAGE_BYTES), Math.floor(at / pixels) % 3, at % pixels];
    return pictures[image * IMAGE_BYTES + 3 * pixel + channel];
  });
}
