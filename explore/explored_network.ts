import type { AdapterKind, Variant } from "../lib/model/spec.ts";
import type { Checkpoint } from "../lib/training/checkpoint_format.ts";
import { calibrationOf } from "../lib/training/progress.ts";

/** Facts about the network that is open. */
export interface ExploredNetwork {
  /** Name of its run. */
  name: string;
  variant: Variant;
  adapter: AdapterKind;
  /** In the order of the scores. */
  classNames: readonly string[];
  /** Divisor of the scores before the softmax; 1 where it was never fitted. */
  temperature: number;
  /** A prediction of a lower probability is unsure; null where that was never fitted. */
  unsureBelow: number | null;
  /** Accuracy on the test images, 0–1; null where it is not known. */
  testAccuracy: number | null;
  /** Accuracy on training images that were held out, 0–1; null where none were. */
  heldOutAccuracy: number | null;
  /** Name of the data set that it was trained on. */
  data: string;
}

/** Describes the network of a checkpoint. */
export function describeNetwork({ config, progress, recorded, classNames }: Checkpoint): ExploredNetwork {
  const calibration = calibrationOf(progress);
  // of the epoch whose network this is
  const accuracy = progress.steps === 0 ? progress.history.at(-1)?.testAccuracy ?? null : null;
  return {
    name: config.run,
    variant: config.variant,
    adapter: config.adapter,
    classNames,
    temperature: calibration?.temperature ?? 1,
    unsureBelow: calibration?.threshold ?? null,
    testAccuracy: config.validation === 0 ? accuracy : null,
    heldOutAccuracy: config.validation === 0 ? null : accuracy,
    data: recorded.data,
  };
}
