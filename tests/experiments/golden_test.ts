// today's code trains like the code that the committed results are of
import assert from "node:assert/strict";
import { fromFileUrl } from "@std/path";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { EXPERIMENTS } from "../../lib/experiments/experiments.ts";
import { writeText } from "../../lib/support/write_files.ts";
import { resolveConfig } from "../../lib/training/config.ts";
import { train } from "../../lib/training/train.ts";
import { temporaryFolder } from "../testing/folder.ts";

const FILE = fromFileUrl(new URL("../testdata/golden_losses.json", import.meta.url));

/**
 * Rounding on another processor or with another number of threads stays far below; another recipe does not.
 */
const TOLERANCE = 1e-5;

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
  for (const [name, expected] of Object.entries(golden)) {
    assert.equal(losses[name].length, expected.length);
    for (const [at, loss] of losses[name].entries()) {
      assert.ok(Math.abs(loss - expected[at]) <= TOLERANCE * expected[at], `${name}: ${losses[name]}`);
    }
  }
});
