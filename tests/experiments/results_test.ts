import assert from "node:assert/strict";
import { join } from "@std/path";
import { readResults, writeResults } from "../../lib/experiments/results.ts";
import { formatStaleness } from "../../lib/experiments/markdown.ts";
import { findStaleness } from "../../lib/experiments/staleness.ts";
import { EXPERIMENTS } from "../../lib/experiments/experiments.ts";
import { InputError } from "../../lib/support/errors.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { experimentResult, seedResult } from "./samples.ts";

Deno.test("results are read back unchanged, in the order of the experiments", async () => {
  using temporary = temporaryFolder();
  const frozen = await experimentResult("frozen", [seedResult(0, [0.4, 0.5])]);
  const dynamic = await experimentResult("dynamic", [seedResult(0, [0.7, 0.8]), seedResult(1, [0.6, 0.75])]);
  writeResults([frozen, dynamic], temporary.path);
  assert.deepEqual(readResults(temporary.path), [dynamic, frozen]);
  const text = Deno.readTextFileSync(join(temporary.path, "dynamic.json"));
  assert.equal(text.split("\n").filter((line) => line.includes('"testAccuracy"')).length, 4);
});

Deno.test("writing some results keeps those of other experiments", async () => {
  using temporary = temporaryFolder();
  writeResults([await experimentResult("dynamic", [seedResult(0, [0.7])])], temporary.path);
  writeResults([await experimentResult("bn-only", [seedResult(0, [0.6])])], temporary.path);
  assert.deepEqual(readResults(temporary.path).map(({ experiment }) => experiment), ["dynamic", "bn-only"]);
});

Deno.test("without published results the list is empty", () => {
  using temporary = temporaryFolder();
  assert.deepEqual(readResults(join(temporary.path, "nowhere")), []);
});

Deno.test("a damaged result file is refused by name", () => {
  using temporary = temporaryFolder();
  for (const text of ["{", "null", '{"format":"other/1","seeds":[1]}']) {
    Deno.writeTextFileSync(join(temporary.path, "dynamic.json"), text);
    assert.throws(
      () => readResults(temporary.path),
      (error) => error instanceof InputError && error.message.includes("dynamic.json"),
    );
  }
});

const all = () => Promise.all(EXPERIMENTS.map(({ name }) => experimentResult(name, [seedResult(0, [0.5])])));

Deno.test("results of the current recipe are not stale", async () => {
  assert.deepEqual(await findStaleness(await all()), []);
});

Deno.test("results of another recipe are found with the settings that differ", async () => {
  const results = await all();
  results[0] = await experimentResult("dynamic", [seedResult(0, [0.5])], { epochs: 3, augment: false });
  const [recipe, mixture] = await findStaleness(results);
  assert.deepEqual(recipe, {
    kind: "recipe",
    experiments: ["dynamic"],
    differences: [
      { setting: "epochs", recorded: 3, today: 12 },
      { setting: "augment", recorded: false, today: true },
    ],
  });
  const others = EXPERIMENTS.slice(1).map(({ name }) => name);
  assert.deepEqual(mixture, {
    kind: "mixture",
    experiments: others,
    reference: "dynamic",
    differences: ["recipe"],
  });
  assert.equal(
    formatStaleness(recipe),
    "The results of dynamic were obtained with epochs 3 (default: epochs 12), augment false (default: augment true).",
  );
  assert.match(
    formatStaleness(mixture),
    /and bn-only cannot be compared with those of dynamic: other recipe\.$/,
  );
});

Deno.test("results on other data or weights than the first experiment's are found", async () => {
  const results = await all();
  results[3].data = { name: "CIFAR-10 (a copy)", fingerprint: "f" };
  results[4].weights = "random";
  assert.deepEqual(await findStaleness(results), [
    { kind: "mixture", experiments: ["static-shared"], reference: "dynamic", differences: ["data"] },
    { kind: "mixture", experiments: ["frozen"], reference: "dynamic", differences: ["weights"] },
  ]);
});

Deno.test("missing experiments, unknown ones and edited recipes are found", async () => {
  const results = (await all()).slice(0, -1);
  results[1].recipe = { ...results[1].recipe, learningRate: 1 };
  results[2].experiment = "gone";
  const found = await findStaleness(results);
  assert.deepEqual(found.map(({ kind, experiments }) => [kind, ...experiments]).slice(0, 3), [
    ["missing", "static-ten-way", "bn-only"],
    ["edited", "static-per-class"],
    ["mixture", "static-per-class"],
  ]);
  assert.deepEqual(found.at(-1), { kind: "unknown", experiments: ["gone"] });
  assert.equal(formatStaleness(found[0]), "There are no results of static-ten-way and bn-only.");
});

Deno.test("the committed results have the current recipe and their commit", async () => {
  const results = readResults();
  assert.deepEqual(await findStaleness(results), []);
  const sessions = results.flatMap(({ seeds }) => seeds.flatMap((seed) => seed.sessions));
  for (const { commit } of sessions) assert.match(commit!, /^[0-9a-f]{40}$/);
});
