import assert from "node:assert/strict";
import { join } from "@std/path";
import { selectExperiments } from "../../lib/experiments/experiments.ts";
import { describeRun, hasManifest, readManifest, writeManifest } from "../../lib/experiments/manifest.ts";
import { planRuns } from "../../lib/experiments/plan.ts";
import type { TrainConfig } from "../../lib/training/config.ts";
import { temporaryFolder } from "../testing/folder.ts";

const FACTS = {
  commit: "0123456789abcdef",
  data: { name: "CIFAR-10", fingerprint: "ab" },
  weights: "some",
  threads: 2,
};

async function plan(seeds: number[], flags: Partial<TrainConfig> = {}, facts: Partial<typeof FACTS> = {}) {
  const { experiments } = selectExperiments(["dynamic", "frozen-3x3"]);
  const runs = planRuns({ experiments, seeds, flags });
  return await Promise.all(runs.map((run) => describeRun(run, { ...FACTS, ...facts })));
}

Deno.test("a manifest has one line per run and is read back as it was", async () => {
  using temporary = temporaryFolder();
  const folder = join(temporary.path, "new");
  assert.equal(hasManifest(folder), false);
  const runs = await plan([0, 7]);
  await writeManifest(folder, runs);
  assert.equal(Deno.readTextFileSync(join(folder, "manifest.jsonl")).trim().split("\n").length, 4);
  assert.deepEqual(await readManifest(folder), runs);
});

Deno.test("the hash of a run depends on recipe, data, weights, threads and code, not on paths", async () => {
  const [{ id }] = await plan([0]);
  const others = [
    await plan([1]),
    await plan([0], { epochs: 3 }),
    await plan([0], { data: "/elsewhere" }),
    ...await Promise.all(
      [{ commit: "f0123456" }, { weights: "others" }, { threads: 3 }].map((one) => plan([0], {}, one)),
    ),
  ].map(([run]) => run.id);
  assert.equal(others[2], id);
  assert.equal(new Set([id, ...others]).size, 6);
});

Deno.test("planning again keeps the places of the runs, and refuses other ones of the same name", async () => {
  using temporary = temporaryFolder();
  await writeManifest(temporary.path, await plan([3]));
  const all = await writeManifest(temporary.path, await plan([0, 3]));
  assert.deepEqual(all.map(({ config }) => config.run), [
    "dynamic-seed3",
    "frozen-3x3-seed3",
    "dynamic-seed0",
    "frozen-3x3-seed0",
  ]);
  assert.deepEqual(await readManifest(temporary.path), all);
  await assert.rejects(
    async () => writeManifest(temporary.path, await plan([3], { epochs: 3 })),
    /Cannot plan dynamic-seed3 in .*: it is planned there with another recipe\.$/,
  );
  await assert.rejects(
    async () => writeManifest(temporary.path, await plan([3], {}, { weights: "others" })),
    /planned there with weights some\.$/,
  );
});

Deno.test("a manifest that was edited is refused", async () => {
  using temporary = temporaryFolder();
  await writeManifest(temporary.path, await plan([0]));
  const path = join(temporary.path, "manifest.jsonl");
  const text = Deno.readTextFileSync(path);
  for (
    const [from, to, words] of [
      ['"batchSize":128', '"batchSize":64', /Cannot read run 0 of .*: it was changed after it was written/],
      ['"frozen-3x3","seed"', '"frozen-9x9","seed"', /run 1 of .*: there is no experiment frozen-9x9/],
      ['"threads":2', '"threads":0', /threads must be a whole number of at least 1/],
    ] as const
  ) {
    Deno.writeTextFileSync(path, text.replace(from, to));
    await assert.rejects(readManifest(temporary.path), words);
  }
});
