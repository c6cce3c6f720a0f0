import { InputError } from "../input_error.ts";
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
