import type { Environment } from "./progress.ts";
import type { TrainConfig } from "./config.ts";

/** What a training tells about itself. Plain data: the command line draws it, notebooks plot it, tests collect it. */
export interface TrainObserver {
  /** Once, before the first step. */
  onStart?(info: TrainStart): void;
  /** After every step of training. */
  onStep?(step: TrainStep): void;
  /** After every batch of a test between epochs. */
  onTest?(progress: TestStep): void;
  /** After every epoch and its test; `isBest` where its accuracy beats that of all epochs before. */
  onEpoch?(record: EpochRecord, isBest: boolean): void;
  /** Something the user should read: what was fallen back to, that there is a new best, … */
  onMessage?(text: string): void;
  /** Once, at the end; also when the training was interrupted or failed. */
  onEnd?(): void;
}

/** What is known before the first step. */
export interface TrainStart {
  /** The run's name. */
  run: string;
  /** What makes the training what it is. */
  config: TrainConfig;
  /** Data, weights, device. */
  recorded: Environment;
  /** The run's folder. */
  folder: string;
  /** Images to learn from. */
  trainImages: number;
  /** Images each epoch is tested on. */
  testImages: number;
  /** Epochs of the whole training. */
  epochs: number;
  /** Steps of one epoch. */
  steps: number;
  /** Epochs already done, and steps of the epoch that is begun: not 0 where a run goes on. */
  epochsDone: number;
  /** Steps done of the epoch that is begun. */
  stepsDone: number;
  /** The images each epoch is tested on, and the best one chosen on. */
  testedOn: "test" | "validation";
}

/** The state after one step. */
export interface TrainStep {
  /** 1 for the first. */
  epoch: number;
  /** Steps of this epoch that are done, 1 for the first. */
  step: number;
  /** Steps of an epoch. */
  steps: number;
  /** Mean loss over the epoch so far; `null` while none was read. */
  loss: number | null;
  /** Share of right answers over the epoch so far, 0–1; `null` while none was read. */
  accuracy: number | null;
  /** Of this step. */
  learningRate: number;
  /** Since the start. */
  imagesPerSecond: number;
  /** Until the end of this epoch's training, in seconds. */
  secondsLeft: number;
  /** Until the end of the whole training, in seconds; `null` while unknown. */
  totalSecondsLeft?: number | null;
}

/** How far a test is. */
export interface TestStep {
  /** The epoch that is tested, 1 for the first. */
  epoch: number;
  /** Batches that are done. */
  step: number;
  /** Batches of the test. */
  steps: number;
}

/** One line of `history.jsonl`. */
export interface EpochRecord {
  /** 1 for the first. */
  epoch: number;
  /** Steps of all epochs so far. */
  step: number;
  /** Learning rate of the epoch's last step. */
  learningRate: number;
  /** Mean over the epoch, with augmentation. */
  trainLoss: number;
  /** 0–1. */
  trainAccuracy: number;
  /** On the test set, or on the held-out images where there are some. */
  testLoss: number;
  /** 0–1. */
  testAccuracy: number;
  /** Duration of the epoch with its test. */
  seconds: number;
  /** Training images a second. */
  imagesPerSecond: number;
  /** Bytes in tensors at the end of the epoch. */
  tensorBytes: number;
  /** What the images were. */
  data: string;
  /** What the backbone started from. */
  weights: string;
}
