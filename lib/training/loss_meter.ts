import * as tf from "../tensorflow/runtime/tf.ts";
import type { EpochSums } from "./progress.ts";

/** A step's results that are not read yet. */
interface Pending {
  loss: tf.Scalar;
  correct: tf.Scalar;
  images: number;
}

/** Sums up losses and right answers, and reads them late: to read a value is to wait for it. */
export interface LossMeter {
  /** Takes a step's results; disposes them once read. */
  add(loss: tf.Scalar, correct: tf.Scalar, images: number): void;
  /**
   * Reads what is pending into the sums, in the order of the steps, so that it does not matter when it is read.
   *
   * @returns How many steps ago the loss was first not finite (0: in the last one), or null.
   */
  read(sums: EpochSums): Promise<number | null>;
}

/** Creates a {@linkcode LossMeter}. */
export function createLossMeter(): LossMeter {
  let pending: Pending[] = [];
  return {
    add: (loss, correct, images) => void pending.push({ loss, correct, images }),
    async read(sums) {
      const steps = pending;
      pending = [];
      let lost: number | null = null;
      for (const [index, { loss, correct, images }] of steps.entries()) {
        const [value] = await loss.data();
        const [right] = await correct.data();
        if (!Number.isFinite(value)) lost ??= steps.length - 1 - index;
        sums.loss += value * images;
        sums.correct += right;
        sums.images += images;
        tf.dispose([loss, correct]);
      }
      return lost;
    },
  };
}
