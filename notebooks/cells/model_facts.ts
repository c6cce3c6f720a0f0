import { CLASS_NAMES } from "../../lib/data/dataset.ts";
import { InputError } from "../../lib/support/errors.ts";
import { formatPercent } from "../../lib/support/format.ts";
import type { Checkpoint } from "../../lib/training/checkpoint.ts";

/** A trained network that a notebook looks at, recorded beside its output. */
export interface ModelFacts {
  /** Whose it is: `the published model`, `run mine`, `a stand-in`. */
  name: string;
  variant: string;
  seed: number;
  /** Best epoch, of so many. */
  epoch: number;
  epochs: number;
  /** Accuracy of that epoch, 0–1; null before the first test. */
  accuracy: number | null;
  /** Images that the epoch was chosen on: test images, or held-out training images. */
  chosenOn: "test" | "held-out";
  /** The data set's name. */
  data: string;
}

/** Describes a model: `run mine: dynamic, epoch 12 of 12, seed 0, 80.3 % of the test images correct; …`. */
export function describeModel({ name, variant, epoch, epochs, seed, ...rest }: ModelFacts): string {
  const { accuracy, chosenOn, data } = rest;
  const share = accuracy === null
    ? "not tested"
    : `${formatPercent(accuracy)} of the ${chosenOn} images correct`;
  return `${name}: ${variant}, epoch ${epoch} of ${epochs}, seed ${seed}, ${share}; data ${data}`;
}

/** Refuses a model without CIFAR-10's ten learned embeddings, which the notebooks read. */
export function requireShowable(
  { config, classNames }: Pick<Checkpoint, "config" | "classNames">,
): void {
  const { run, variant } = config;
  const hasOtherClasses = classNames.join() !== CLASS_NAMES.join();
  if (variant === "dynamic" && !hasOtherClasses) return;
  throw new InputError({
    what: `show run ${run} in the notebooks`,
    why: hasOtherClasses
      ? "its classes are not CIFAR-10's ten"
      : variant === "dynamic-names"
      ? "its embeddings are not learned, but made of names"
      : `its filters are stored, it is ${variant}`,
  });
}
