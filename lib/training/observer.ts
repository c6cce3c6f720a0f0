import type { TrainConfig } from "./config.ts";
import type { Environment, EpochRecord } from "./progress.ts";

/** Receives a training's events as plain data, to be displayed, plotted or collected. */
export interface TrainObserver {
  /** Once, before the first step. */
  onStart?(info: TrainStart): void;
  /** After training steps, some twenty times per second. */
  onStep?(step: TrainStep): void;
  /** After every batch of a test between epochs. */
  onTest?(step: TestStep): void;
  /** After every epoch and its test; `isBest` where its accuracy beats that of all epochs before. */
  onEpoch?(record: EpochRecord, isBest: boolean): void;
  /** A message for the user, such as a fallback. */
  onMessage?(text: string): void;
  /** Once, at the end; also when the training was interrupted or failed. */
  onEnd?(): void;
}

/** A training before its first step. */
export interface TrainStart {
  /** The run's name. */
  run: string;
  /** Configuration of the training. */
  config: TrainConfig;
  /** Data, weights, device and versions. */
  recorded: Environment;
  /** The run's folder. */
  folder: string;
  /** Training images. */
  trainImages: number;
  /** Images that each epoch is tested on. */
  testImages: number;
  /** Epochs of the whole training. */
  epochs: number;
  /** Epochs already completed; not 0 in a resumed run. */
  epochsDone: number;
  /** Set that each epoch is tested on, and the best one chosen on. */
  testedOn: "test" | "validation";
}

/** Progress of a training within an epoch. */
export interface TrainStep {
  /** 1 for the first. */
  epoch: number;
  /** Steps completed in this epoch, 1 for the first. */
  step: number;
  /** Steps per epoch. */
  steps: number;
  /** Mean loss over the epoch so far; `null` until the first is read. */
  loss: number | null;
  /** Losses of the steps since the last event, in order. */
  losses: readonly number[];
  /** Accuracy over the epoch so far, 0–1; `null` until the first is read. */
  accuracy: number | null;
  /** Learning rate of this step. */
  learningRate: number;
  /** Over the epoch so far. */
  imagesPerSecond: number;
  /** Until the end of this epoch's training steps. */
  secondsLeft: number;
  /** Until the end of the whole training; `null` while unknown. */
  totalSecondsLeft?: number | null;
}

/** Progress of the test between epochs. */
export interface TestStep {
  /** The epoch that is tested, 1 for the first. */
  epoch: number;
  /** Batches completed. */
  step: number;
  /** Batches of the test. */
  steps: number;
}
