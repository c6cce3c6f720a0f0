// today's code trains like the code that the committed results are of
import assert from "node:assert/strict";
import { fromFileUrl } from "@std/path";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { EXPERIMENTS } from "../../lib/experiments/experiments.ts";
import { writeText } from "../../lib/support/write_files.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { resolveConfig } from "../../lib/training/config.ts";
import { train } from "../../lib/training/train.ts";
import { temporaryFolder } from "../testing/folder.ts";

const FILE = fromFileUrl(new URL("../testdata/golden_losses.json", import.meta.url));

/**
 * The file is from two threads with AVX-512. Elsewhere equal pixels of a synthetic image may round to another
 * maximum, which changes a loss by up to 3e-4; a recipe that is not the lab's changes one by more than 1e-5.
 */
const [TOLERANCE, ELSEWHERE] = [1e-5, 1e-3];

Deno.test("two epochs on 100 synthetic images give the golden losses, in every experiment", async () => {
  using runs = temporaryFolder();
  const datasets = createSynthetic({ trainSize: 100, testSize: 50 });
  const losses: Record<string, number[]> = {};
  for (const { name, network } of EXPERIMENTS) {
    const flags = { ...network, run: name, epochs: 2, batchSize: 16, weights: "random", data: "synthetic" };
    const { history } = await train(resolveConfig({ flags }), { datasets, runsFolder: runs.path });
    losses[name] = history.flatMap(({ trainLoss, testLoss }) => [trainLoss, testLoss]);
  }
  if (Deno.env.has("UPDATE_GOLDEN")) writeText(FILE, JSON.stringify(losses, null, 2) + "\n");
  const golden: typeof losses = JSON.parse(Deno.readTextFileSync(FILE));
  assert.deepEqual(Object.keys(losses), Object.keys(golden));
  const { processor, threads } = await useNativeTensorFlow();
  const tolerance = processor === "avx512" && threads === 2 ? TOLERANCE : ELSEWHERE;
  for (const [name, expected] of Object.entries(golden)) {
    assert.equal(losses[name].length, expected.length);
    for (const [at, loss] of losses[name].entries()) {
      assert.ok(Math.abs(loss - expected[at]) <= tolerance * expected[at], `${name}: ${losses[name]}`);
    }
  }
});
