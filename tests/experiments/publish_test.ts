import assert from "node:assert/strict";
import { join } from "@std/path";
import { chooseMedianSeed, publishedModelFolder, publishModel } from "../../lib/experiments/publish.ts";
import { listTensors } from "../../lib/model/tensor_list.ts";
import { isTrainable } from "../../lib/model/state_dict.ts";
import { openSafetensors, readSafetensors, type StoredTensor } from "../../lib/support/safetensors.ts";
import { openCheckpoint, writeCheckpoint } from "../../lib/training/checkpoint.ts";
import { resolveConfig } from "../../lib/training/config.ts";
import { startProgress } from "../../lib/training/progress.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { experimentResult, seedResult } from "./samples.ts";

const choose = (accuracies: number[], first = 0) =>
  chooseMedianSeed(accuracies.map((accuracy, index) => seedResult(first + index, [accuracy])));

Deno.test("the published seed is the one with the median accuracy", () => {
  assert.equal(choose([0.9, 0.7, 0.8]), 2);
  assert.equal(choose([0.9, 0.1, 0.8, 0.2, 0.85]), 2);
  assert.equal(choose([0.9], 5), 5);
});

Deno.test("ties go to the lowest seed", () => {
  assert.equal(choose([0.7, 0.803, 0.9, 0.801]), 1);
  assert.equal(choose([0.9, 0.801, 0.7, 0.803]), 1);
  assert.equal(choose([0.9, 0.8, 0.8, 0.8, 0.7]), 1);
});

Deno.test("the choice is by the best epoch, not the last", () => {
  const seeds = [seedResult(0, [0.9, 0.1]), seedResult(1, [0.8, 0.8]), seedResult(2, [0.2, 0.7])];
  assert.equal(chooseMedianSeed(seeds), 1);
});

const RECORDED = {
  data: "CIFAR-10",
  weights: "ResNet-18",
  device: "cpu",
  threads: 2,
  tensorflow: "2",
} as const;

/** Writes a best checkpoint for each seed, whose values are all the seed. */
function writeRuns(folder: string, seeds: number[]): void {
  for (const seed of seeds) {
    const run = `dynamic-seed${seed}`;
    const config = resolveConfig({
      flags: { run, seed, data: "/home/somebody/cifar", weights: "/home/somebody/w" },
    });
    const network = new Map(
      listTensors(config).map(({ name, shape }): [string, StoredTensor] => {
        const size = shape.reduce((product, length) => product * length, 1);
        return [name, { shape, data: new Float32Array(size).fill(seed) }];
      }),
    );
    const slots = new Map(
      [...network].filter(([name]) => isTrainable(name, "trainable")).map(([name, tensor]) =>
        [`${name}.momentum`, tensor] as const
      ),
    );
    Deno.mkdirSync(join(folder, run));
    const checkpoint = { config, recorded: RECORDED, progress: startProgress(), network, slots };
    writeCheckpoint(join(folder, run, "best.safetensors"), checkpoint);
  }
}

Deno.test("the model is published without optimizer, paths and run name, with a card", async () => {
  using temporary = temporaryFolder();
  writeRuns(temporary.path, [0, 1, 2]);
  const seeds = [seedResult(0, [0.9]), seedResult(1, [0.7, 0.8, 0.78]), seedResult(2, [0.6])];
  const result = await experimentResult("dynamic", seeds);
  const folder = join(temporary.path, "published");
  const path = await publishModel({ result, runsFolder: temporary.path, folder });
  const { tensors, metadata } = await readSafetensors(path);
  const { config } = await openCheckpoint(path);
  assert.deepEqual([...tensors.keys()], listTensors(config).map(({ name }) => name).sort());
  assert.equal(tensors.get("score_predictor.2.bias")!.data[0], 1);
  assert.ok(!JSON.stringify(metadata).includes("somebody"));
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

Deno.test("a checkpoint of another run is not published", async () => {
  using temporary = temporaryFolder();
  writeRuns(temporary.path, [0]);
  Deno.renameSync(join(temporary.path, "dynamic-seed0"), join(temporary.path, "dynamic-seed3"));
  const result = await experimentResult("dynamic", [seedResult(3, [0.5])]);
  await assert.rejects(publishModel({ result, runsFolder: temporary.path, folder: temporary.path }), {
    name: "InputError",
  });
});

Deno.test("the published model carries its SHA-256", async () => {
  const { sha256, decode } = await openSafetensors(join(publishedModelFolder(), "dynamic.safetensors"));
  assert.match(sha256 ?? "", /^[0-9a-f]{64}$/);
  assert.ok(decode().size > 20);
});
