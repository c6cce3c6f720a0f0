import assert from "node:assert/strict";
import { join } from "@std/path";
import { chooseMedianSeed, publishModel } from "../../lib/experiments/publish.ts";
import { readSafetensors, writeSafetensors } from "../../lib/support/safetensors.ts";
import { loadConfig } from "../../lib/training/stored_checkpoint.ts";
import { resolveConfig } from "../../lib/training/config.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { experimentResult, seedResult } from "./samples.ts";

const choose = (accuracies: number[], first = 0) =>
  chooseMedianSeed(accuracies.map((accuracy, index) => seedResult(first + index, [accuracy])));

Deno.test("the published seed is the one with the median accuracy", () => {
  assert.equal(choose([0.9, 0.7, 0.8]), 2);
  assert.equal(choose([0.9, 0.1, 0.8, 0.2, 0.85]), 2);
  assert.equal(choose([0.9], 5), 5);
});

Deno.test("of two in the middle, and of equals, the lowest seed is published", () => {
  assert.equal(choose([0.7, 0.803, 0.9, 0.801]), 1);
  assert.equal(choose([0.9, 0.801, 0.7, 0.803]), 1);
  assert.equal(choose([0.9, 0.8, 0.8, 0.8, 0.7]), 1);
});

Deno.test("the best epoch counts for the choice, not the last", () => {
  const seeds = [seedResult(0, [0.9, 0.1]), seedResult(1, [0.8, 0.8]), seedResult(2, [0.2, 0.7])];
  assert.equal(chooseMedianSeed(seeds), 1);
});

const RECORDED = JSON.stringify({ data: "CIFAR-10", weights: "ResNet-18" });
const PROGRESS = JSON.stringify({ epochs: 0, steps: 0, totalSteps: 0, sums: {}, best: null, history: [] });

/** Runs folder with a best checkpoint for each seed, whose bias is the seed. */
function writeRuns(folder: string, seeds: number[]): void {
  for (const seed of seeds) {
    const run = `dynamic-seed${seed}`;
    const config = resolveConfig({
      flags: { run, seed, data: "/home/somebody/cifar", weights: "/home/somebody/w" },
    });
    const tensor = { shape: [1], data: Float32Array.of(seed) };
    Deno.mkdirSync(join(folder, run));
    writeSafetensors(join(folder, run, "best.safetensors"), [
      ["score_predictor.2.bias", tensor],
      ["optimizer.score_predictor.2.bias.momentum", tensor],
    ], {
      format: "dynamic-filters/1",
      config: JSON.stringify(config),
      recorded: RECORDED,
      progress: PROGRESS,
    });
  }
}

Deno.test("the model is published without optimizer, path and run name, with a card that says what it is", async () => {
  using temporary = temporaryFolder();
  writeRuns(temporary.path, [0, 1, 2]);
  const seeds = [seedResult(0, [0.9]), seedResult(1, [0.7, 0.8, 0.78]), seedResult(2, [0.6])];
  const result = await experimentResult("dynamic", seeds);
  const folder = join(temporary.path, "published");
  const path = await publishModel({ result, runsFolder: temporary.path, folder });
  const { tensors, metadata } = await readSafetensors(path);
  assert.deepEqual([...tensors.keys()], ["score_predictor.2.bias"]);
  assert.equal(tensors.get("score_predictor.2.bias")!.data[0], 1);
  assert.ok(!JSON.stringify(metadata).includes("somebody"));
  const config = await loadConfig(path);
  assert.deepEqual([config.seed, config.run, config.data, config.weights], [1, "dynamic", null, null]);
  const card = Deno.readTextFileSync(join(folder, "README.md"));
  for (
    const words of [
      "| 80.00 %, after epoch 2 of 3;",
      "seed 1, by rule",
      "| 78.00 % |",
      "CIFAR-10 (fingerprint 0123456789abcdef)",
      "12 epochs, batches of 128, sgd",
      "2026-01-02",
      "load_state_dict",
      "212,481 parameters",
    ]
  ) assert.ok(card.includes(words), `${words} is not in\n${card}`);
});

Deno.test("a checkpoint that is not the chosen run's is not published", async () => {
  using temporary = temporaryFolder();
  writeRuns(temporary.path, [0]);
  Deno.renameSync(join(temporary.path, "dynamic-seed0"), join(temporary.path, "dynamic-seed3"));
  const result = await experimentResult("dynamic", [seedResult(3, [0.5])]);
  await assert.rejects(publishModel({ result, runsFolder: temporary.path, folder: temporary.path }), {
    name: "InputError",
  });
});
