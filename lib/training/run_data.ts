import { InputError } from "../support/errors.ts";
import type { Dataset, Datasets } from "../data/dataset.ts";
import { holdOut, takeSubset } from "../data/splits.ts";
import type { TrainConfig } from "./config.ts";

/** The images of a run. */
export interface RunData {
  train: Dataset;
  /** What each epoch is tested on, and the best one chosen on. */
  chooseOn: Dataset;
  testedOn: "test" | "validation";
  test: Dataset;
}

/** Cuts the data set as a configuration asks for: a subset first, what is held out from it. */
export function selectRunData({ train, test }: Datasets, config: TrainConfig): RunData {
  const { subset, testSubset, validation, seed } = config;
  const tested = testSubset === null ? test : takeSubset(test, testSubset);
  const trained = subset === null ? train : takeSubset(train, subset);
  if (validation === 0) return { train: trained, chooseOn: tested, testedOn: "test", test: tested };
  if (validation >= trained.labels.length) {
    throw new InputError(
      `Cannot hold out ${validation} of ${trained.labels.length} training images: choose a smaller --validation.`,
    );
  }
  const { train: kept, validation: held } = holdOut(trained, validation, seed);
  return { train: kept, chooseOn: held, testedOn: "validation", test: tested };
}

const STRIDE = 61; // of the bytes that are looked at: to read all would take a second

/** A hash by which to tell a run's images from others: FNV-1a over all labels and some of the pixels, as eight hexadecimal digits. */
export function fingerprint({ train, chooseOn, test }: RunData): string {
  let hash = 0x811c9dc5;
  const add = (bytes: Uint8Array, stride: number) => {
    for (let at = 0; at < bytes.length; at += stride) hash = Math.imul(hash ^ bytes[at], 0x01000193);
  };
  for (const { images, labels } of [train, chooseOn, test]) {
    add(labels, 1);
    add(images, STRIDE);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
