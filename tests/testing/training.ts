import assert from "node:assert/strict";
import { join } from "@std/path";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { Interrupted } from "../../lib/support/interrupt.ts";
import { readSafetensors, type Safetensors } from "../../lib/support/safetensors.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import { resolveConfig, type TrainConfig } from "../../lib/training/config.ts";
import type { TrainObserver } from "../../lib/training/observer.ts";
import type { EpochRecord } from "../../lib/training/progress.ts";
import { findCheckpoint } from "../../lib/training/run_folder.ts";
import { assertSameValues } from "./tensors.ts";
import { train, type TrainOptions, type TrainResult } from "../../lib/training/train.ts";

/** 37 images in 5 steps of 8, the last of 5, and 20 images to test on. */
export const TINY_DATASETS = createSynthetic({ trainSize: 37, testSize: 20 });
export const TINY_STEPS = 5;

/** Record of an epoch, for tests that do not train. */
export const EPOCH_RECORD: EpochRecord = {
  epoch: 1,
  step: 5,
  learningRate: 0.05 / 3,
  trainLoss: 2,
  trainAccuracy: 0.3,
  testLoss: 2.1,
  testAccuracy: 1 / 3,
  seconds: 3,
  imagesPerSecond: 100,
  tensorBytes: 1e6,
  data: "synthetic",
  weights: "random",
};

/**
 * A training of seconds, operation by operation: for so few steps that takes less time than to make a graph.
 */
export const TINY: Partial<TrainConfig> = {
  run: "tiny",
  weights: "random",
  device: "cpu",
  epochs: 2,
  batchSize: 8,
  learningRate: 0.01,
  compile: false,
};

/** Options of a training, which may name the run to resume. */
type TinyOptions = Omit<TrainOptions, "resume"> & { resume?: string | null };

/** Trains on {@linkcode TINY_DATASETS}. */
export async function trainTiny(
  runsFolder: string,
  flags: Partial<TrainConfig> = {},
  { resume = null, ...options }: TinyOptions = {},
): Promise<TrainResult> {
  const config = resolveConfig({ flags: { ...TINY, ...flags } });
  const checkpoint = resume && await openCheckpoint(findCheckpoint(resume, "last", runsFolder));
  return await train(config, { runsFolder, datasets: TINY_DATASETS, ...options, resume: checkpoint || null });
}

/**
 * Lets `performance.now()` jump ahead at each reading. A training pauses every 50 ms to listen and saves
 * every 30 s: so it does after each step.
 */
export function jumpingClock(milliseconds = 60): Disposable {
  const real = performance.now;
  let ahead = 0;
  performance.now = () => real.call(performance) + (ahead += milliseconds);
  return { [Symbol.dispose]: () => void (performance.now = real) };
}

/** Where to stop a training: `abort` is to be called in one of the observer's methods. */
export type Stop = (abort: () => void) => TrainObserver;

/** Stops after this many steps of all epochs. The clock must jump, for every step to be reported. */
export function atStep(step: number): Stop {
  return (abort) => ({ onStep: (at) => (at.epoch - 1) * at.steps + at.step === step && abort() });
}

/** Trains until it is stopped; returns the interruption. */
export async function trainUntil(
  stop: Stop,
  runsFolder: string,
  flags: Partial<TrainConfig> = {},
  options: TinyOptions = {},
): Promise<Interrupted> {
  const controller = new AbortController();
  const observer = stop(() => controller.abort());
  try {
    await trainTiny(runsFolder, flags, { ...options, observer, signal: controller.signal });
  } catch (error) {
    assert.ok(error instanceof Interrupted, String(error));
    return error;
  }
  throw new Error("the training was not stopped");
}

/** Removes the fields of a history that differ between runs. */
export function timeless(history: EpochRecord[]): Partial<EpochRecord>[] {
  return history.map(({ seconds: _1, imagesPerSecond: _2, tensorBytes: _3, ...record }) => record);
}

/** The lines of a run's `history.jsonl`. */
export function readHistory(folder: string): EpochRecord[] {
  const lines = Deno.readTextFileSync(join(folder, "history.jsonl")).split("\n");
  assert.equal(lines.pop(), ""); // each line is whole
  return lines.map((line) => JSON.parse(line));
}

/** Asserts that two runs have the same checkpoints, bit for bit, and histories. */
export async function assertSameRun(folder: string, expected: string): Promise<void> {
  for (const name of ["last.safetensors", "best.safetensors"]) {
    const [one, other] = [
      await readSafetensors(join(folder, name)),
      await readSafetensors(join(expected, name)),
    ];
    assertSameValues(dataOf(one), dataOf(other), `of ${name}`);
    assert.deepEqual(timelessProgress(one), timelessProgress(other));
  }
  assert.deepEqual(timeless(readHistory(folder)), timeless(readHistory(expected)));
}

const dataOf = ({ tensors }: Safetensors) =>
  Object.fromEntries([...tensors].map(([name, { data }]) => [name, data]));

function timelessProgress({ metadata }: Safetensors): unknown {
  const { history, sums: { seconds: _, ...sums }, ...progress } = JSON.parse(metadata.progress);
  return { ...progress, sums, history: timeless(history) };
}
