import { InputError } from "../support/errors.ts";
import type { Dataset, Datasets } from "../data/dataset.ts";
import { holdOut, takeSubset } from "../data/splits.ts";
import type { TrainConfig } from "./config.ts";

/** The images of a run. */
export interface RunData {
  train: Dataset;
  /** Set that each epoch is tested on, and the best one chosen on. */
  chooseOn: Dataset;
  testedOn: "test" | "validation";
  test: Dataset;
}

/** Selects the images of a run: a subset first, then a validation set held out from it. */
export function selectRunData({ train, test }: Datasets, config: TrainConfig): RunData {
  const { subset, testSubset, validation, seed } = config;
  const tested = testSubset === null ? test : takeSubset(test, testSubset);
  const trained = subset === null ? train : takeSubset(train, subset);
  if (validation === 0) return { train: trained, chooseOn: tested, testedOn: "test", test: tested };
  if (validation >= trained.labels.length) {
    throw new InputError({
      what: `hold out ${validation} of ${trained.labels.length} training images`,
      why: "none would be left to train on",
      setting: "validation",
      next: [{ advice: "choose a smaller number" }],
    });
  }
  const { train: kept, validation: held } = holdOut(trained, validation, seed);
  return { train: kept, chooseOn: held, testedOn: "validation", test: tested };
}
