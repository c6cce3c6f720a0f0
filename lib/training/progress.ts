/** Environment of a run, recorded with every result. */
export interface Environment {
  /** Name of the data set. */
  data: string;
  /** Hash of all images and labels, to distinguish data sets of the same name. */
  fingerprint?: string;
  /** Name of the backbone's initial weights. */
  weights: string;
  /** Device that computes. */
  device: "cpu" | "gpu";
  /** Threads within an operation: a different number changes the last bits. */
  threads: number;
  /** TensorFlow's version. */
  tensorflow: string;
  /** Kind of instructions, and name of the processor: others change the last bits. */
  processor?: string;
}

/** One line of `history.jsonl`: metrics of an epoch and its test. */
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
  /** Mean on the test set, or on the held-out images if there are any. */
  testLoss: number;
  /** 0–1. */
  testAccuracy: number;
  /** Duration of the epoch with its test. */
  seconds: number;
  /** Training images per second. */
  imagesPerSecond: number;
  /** Bytes in tensors at the end of the epoch. */
  tensorBytes: number;
  /** Name of the data set. */
  data: string;
  /** Name of the backbone's initial weights. */
  weights: string;
}

/** Sums over the current epoch. */
export interface EpochSums {
  /** Sum of the images' losses. */
  loss: number;
  /** Correct predictions. */
  correct: number;
  /** Images seen. */
  images: number;
  /** Seconds spent on training steps. */
  seconds: number;
}

/** Calibration of a network's probabilities, fitted on held-out training images. */
export interface Calibration {
  /** Divisor of the scores before the softmax. */
  temperature: number;
  /** A prediction of a lower probability is unsure. */
  threshold: number;
  /** Number of held-out images. */
  images: number;
}

/** The epoch of highest accuracy. */
export interface BestEpoch {
  /** 1 for the first. */
  epoch: number;
  /** 0–1. */
  accuracy: number;
  /** Of its network, where it was chosen on held-out training images. */
  calibration?: Calibration;
}

/** Position of a training. */
export interface Progress {
  /** Epochs completed, tested and in the history. */
  epochs: number;
  /** Steps completed in the current epoch. */
  steps: number;
  /** Steps completed in all epochs. */
  totalSteps: number;
  /** Sums over the current epoch. */
  sums: EpochSums;
  /** Best accuracy so far and its epoch, or null before the first test. */
  best: BestEpoch | null;
  /** The sign of the response maps was chosen, at the end of the last epoch; older versions did not. */
  isSignChosen?: boolean;
  /** A record for each completed epoch. */
  history: EpochRecord[];
}

/** Describes a position for messages: `in epoch 2, after step 3`. */
export function describeProgress({ epochs, steps }: Progress): string {
  return steps === 0 ? `after epoch ${epochs}` : `in epoch ${epochs + 1}, after step ${steps}`;
}

/** Returns the calibration of a checkpoint's network; null where it was not trained with held-out images. */
export function calibrationOf({ best, epochs, steps }: Progress): Calibration | null {
  const isBest = best?.epoch === epochs && steps === 0; // the last epoch's network is another one
  return isBest ? best.calibration ?? null : null;
}

/** Creates the position before the first step. */
export function startProgress(): Progress {
  return { epochs: 0, steps: 0, totalSteps: 0, sums: startSums(), best: null, history: [] };
}

/** Creates the sums of an epoch before its first step. */
export function startSums(): EpochSums {
  return { loss: 0, correct: 0, images: 0, seconds: 0 };
}
