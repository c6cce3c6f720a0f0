import { openSummaryWriter } from "../tensorflow/runtime/summary_writer.ts";
import type { EpochRecord } from "./observer.ts";

/** Event files that TensorBoard draws curves of. */
export interface EventLog extends Disposable {
  /** Adds the numbers of an epoch. */
  write(record: EpochRecord): void;
}

const CURVES = {
  "loss/train": "trainLoss",
  "loss/test": "testLoss",
  "accuracy/train": "trainAccuracy",
  "accuracy/test": "testAccuracy",
  "learning rate": "learningRate",
  "images per second": "imagesPerSecond",
} as const;

/**
 * Opens a folder for event files, which `tensorboard --logdir checkpoints` finds.
 *
 * Wants the native runtime, whose summary writer it uses.
 */
export async function openEventLog(folder: string): Promise<EventLog> {
  const writer = await openSummaryWriter(folder);
  return {
    write: (record) => {
      for (const [curve, key] of Object.entries(CURVES)) writer.scalar(curve, record[key], record.step);
      writer.flush();
    },
    [Symbol.dispose]: () => writer.flush(),
  };
}
