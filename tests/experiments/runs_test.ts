import assert from "node:assert/strict";
import { join } from "@std/path";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { compareResults } from "../../lib/experiments/comparison.ts";
import { selectExperiments } from "../../lib/experiments/experiments.ts";
import { type PlannedRun, planRuns } from "../../lib/experiments/plan.ts";
import { identifyData } from "../../lib/data/identify.ts";
import { collectResults } from "../../lib/experiments/results.ts";
import {
  addSession,
  inspectRun,
  planThreads,
  readRunRecord,
  type RunState,
} from "../../lib/experiments/runs.ts";
import { Interrupted } from "../../lib/support/interrupt.ts";
import type { TrainConfig } from "../../lib/training/config.ts";
import { train, type TrainOptions } from "../../lib/training/train.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { seedResult } from "./samples.ts";

const DATASETS = createSynthetic({ trainSize: 32, testSize: 20 });
const DATA = await identifyData(DATASETS);
const COMMON = { data: DATA, weights: "random" };
const SESSION = seedResult(0, [0]).sessions[0];

function planOne(name: string, flags: Partial<TrainConfig> = {}): PlannedRun {
  const { experiments } = selectExperiments([name]);
  const tiny = { data: "synthetic", weights: "random", epochs: 2, batchSize: 16, compile: false, ...flags };
  return planRuns({ experiments, seeds: [0], flags: tiny })[0];
}

/** Trains a run as the comparison's worker does. */
async function trainRun(
  { config }: PlannedRun,
  runsFolder: string,
  options: TrainOptions = {},
): Promise<void> {
  const { observer, ...rest } = options;
  const onStart = ({ folder }: { folder: string }) => addSession(folder, DATA, SESSION);
  await train(config, { datasets: DATASETS, runsFolder, observer: { ...observer, onStart }, ...rest });
}

Deno.test("a run is new, then interrupted, then finished, and its result is collected", async () => {
  using temporary = temporaryFolder();
  const run = planOne("static-shared");
  const inspect = () => inspectRun(run, COMMON, temporary.path);
  assert.deepEqual(await inspect(), { stage: "new", history: [], config: run.config });

  const controller = new AbortController();
  const observer = { onEpoch: () => controller.abort() };
  await assert.rejects(trainRun(run, temporary.path, { signal: controller.signal, observer }), Interrupted);
  const interrupted = await inspect();
  assert.equal(interrupted.stage, "interrupted");
  assert.ok(interrupted.threads! >= 1);
  assert.deepEqual(interrupted.history.map(({ epoch }) => epoch), [1]);

  await trainRun(run, temporary.path, {
    resume: await openCheckpoint(join(temporary.path, run.config.run, "last.safetensors")),
  });
  const last = await inspect();
  assert.equal(last.stage, "finished");

  const [result] = await collectResults([{ ...run, saved: last.saved! }], temporary.path);
  assert.deepEqual([result.experiment, result.data, result.weights], ["static-shared", DATA, "random"]);
  const [{ history, sessions, best }] = result.seeds;
  assert.deepEqual(history.map(({ epoch }) => epoch), [1, 2]);
  assert.equal(sessions.length, 2); // it was interrupted once
  assert.equal(best.accuracy, 0.1); // ten equal scores
  assert.ok(!JSON.stringify(result).includes(temporary.path));
  const [{ final, trainableParameters }] = compareResults([result]);
  assert.deepEqual([final.mean, trainableParameters], [0.1, 161_793]);

  for (
    const [flags, words] of [
      [{ epochs: 3 }, /has epochs 2 instead of epochs 3/],
      [{ learningRate: 0.01 }, /has learningRate 0.05 instead of learningRate 0.01/],
      [{ augment: false }, /has augment true instead of augment false/],
    ] as const
  ) {
    const other = planOne("static-shared", flags);
    await assert.rejects(inspectRun(other, COMMON, temporary.path), { name: "InputError", message: words });
  }
  const elsewhere = planOne("static-shared", { data: "/other/folder", device: "cpu", compile: true });
  assert.equal((await inspectRun(elsewhere, COMMON, temporary.path)).stage, "finished");
  // the same weights found in another way: the run is resumed with its original path, which training
  // demands
  const { stage, config } = await inspectRun(
    planOne("static-shared", { weights: "/a/path" }),
    COMMON,
    temporary.path,
  );
  assert.deepEqual([stage, config.weights], ["finished", "random"]);

  const otherName = { ...COMMON, data: { ...DATA, name: "CIFAR-10" } };
  await assert.rejects(inspectRun(run, otherName, temporary.path), { message: /was trained on synthetic/ });
  const otherImages = { ...COMMON, data: { ...DATA, fingerprint: "f" } };
  await assert.rejects(inspectRun(run, otherImages, temporary.path), { message: /other images of the name/ });
  const otherWeights = { ...COMMON, weights: "ResNet-18" };
  await assert.rejects(inspectRun(run, otherWeights, temporary.path), { message: /from the weights random/ });
});

Deno.test("runs share the processor, and what is left of them keeps the threads of the others", () => {
  const run = (threads?: number): RunState => ({
    stage: "new",
    history: [],
    config: planOne("dynamic").config,
    threads,
  });
  const four = [run(), run(), run(), run()];
  assert.deepEqual([1, 2, 3, 4, 8].map((jobs) => planThreads(four, jobs, 8)), [8, 4, 2, 2, 2]);
  assert.equal(planThreads(four, 4, 2), 1);
  assert.equal(planThreads([run(4), run(4), run(4), run()], 2, 8), 4); // of which one is left
  assert.equal(planThreads([run(), run(4)], 1, 8), 4);
});

Deno.test("a run's record grows by a training session, and a damaged one is refused", () => {
  using temporary = temporaryFolder();
  assert.equal(readRunRecord(temporary.path), null);
  addSession(temporary.path, DATA, SESSION);
  addSession(temporary.path, DATA, { ...SESSION, threads: 2 });
  assert.deepEqual(readRunRecord(temporary.path)!.sessions.map(({ threads }) => threads), [1, 2]);
  Deno.writeTextFileSync(`${temporary.path}/provenance.json`, "{");
  assert.throws(() => readRunRecord(temporary.path), { name: "InputError" });
});
