import assert from "node:assert/strict";
import { join } from "@std/path";
import { type ExperimentResult, readResults, writeResults } from "../../lib/experiments/results.ts";
import { findStaleness, type StalenessOptions, wordStaleness } from "../../lib/experiments/staleness.ts";
import { EXPERIMENTS } from "../../lib/experiments/experiments.ts";
import { InputError } from "../../lib/support/errors.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { codeVersion, experimentResult, seedResult } from "./samples.ts";

Deno.test("results are read as they were written, in the order of the experiments", async () => {
  using temporary = temporaryFolder();
  const frozen = await experimentResult("frozen", [seedResult(0, [0.4, 0.5])]);
  const dynamic = await experimentResult("dynamic", [seedResult(0, [0.7, 0.8]), seedResult(1, [0.6, 0.75])]);
  writeResults([frozen, dynamic], temporary.path);
  assert.deepEqual(readResults(temporary.path), [dynamic, frozen]);
  const text = Deno.readTextFileSync(join(temporary.path, "dynamic.json"));
  assert.equal(text.split("\n").filter((line) => line.includes('"testAccuracy"')).length, 4);
});

Deno.test("writing some results leaves those of other experiments", async () => {
  using temporary = temporaryFolder();
  writeResults([await experimentResult("dynamic", [seedResult(0, [0.7])])], temporary.path);
  writeResults([await experimentResult("bn-only", [seedResult(0, [0.6])])], temporary.path);
  assert.deepEqual(readResults(temporary.path).map(({ experiment }) => experiment), ["dynamic", "bn-only"]);
});

Deno.test("where nothing was published there are no results", () => {
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

async function describeStaleness(results: ExperimentResult[], options: StalenessOptions): Promise<string[]> {
  return (await findStaleness(results, options)).map(wordStaleness);
}

const all = () => Promise.all(EXPERIMENTS.map(({ name }) => experimentResult(name, [seedResult(0, [0.5])])));

Deno.test("results of today's code and recipe are not stale", async () => {
  assert.deepEqual(await describeStaleness(await all(), { code: codeVersion(), probes: [] }), []);
});

Deno.test("results of older code are named with the part that changed, one sitting of many included", async () => {
  const results = await all();
  results[2].seeds.push(seedResult(1, [0.5], { ...codeVersion(), model: "b" }));
  const sentences = await describeStaleness(results, { code: codeVersion(), probes: [] });
  assert.deepEqual(sentences, [
    "The results of static-ten-way are older than today's code: lib/model has changed.",
  ]);
  const both = await findStaleness(results, { code: { ...codeVersion(), random: "b" }, probes: [] });
  assert.deepEqual(both.map(({ experiments, details }) => [experiments.length, details]), [
    [EXPERIMENTS.length - 1, ["lib/random"]],
    [1, ["lib/model", "lib/random"]],
  ]);
});

Deno.test("results of older code that trains alike are not stale", async () => {
  const probe = (code = codeVersion(), loss = 1.5) => ({ code, losses: { dynamic: [loss] } });
  const code = { ...codeVersion(), training: "b" };
  assert.deepEqual(await describeStaleness(await all(), { code, probes: [probe(), probe(code)] }), []);
  const otherwise = await describeStaleness(await all(), { code, probes: [probe(), probe(code, 1.4)] });
  const names = new Intl.ListFormat("en-GB").format(EXPERIMENTS.map(({ name }) => name));
  assert.deepEqual(otherwise, [
    `The results of ${names} are older than today's code: lib/training has changed.`,
  ]);
});

Deno.test("results of another recipe are named with what is different", async () => {
  const results = await all();
  results[0] = await experimentResult("dynamic", [seedResult(0, [0.5])], { epochs: 3, augment: false });
  const [sentence, ...mixture] = await describeStaleness(results, { code: codeVersion(), probes: [] });
  assert.match(
    sentence,
    /dynamic were made with epochs 3 where it is epochs 12 by default, augment false where/,
  );
  assert.equal(mixture.length, 1);
  assert.match(
    mixture[0],
    /static-per-class, .* and bn-only cannot be compared with those of dynamic: other recipe/,
  );
});

Deno.test("results on other data or weights than their neighbours are named", async () => {
  const results = await all();
  results[3].data = { name: "CIFAR-10 (a copy)", fingerprint: "f" };
  results[4].weights = "random";
  const sentences = await describeStaleness(results, { code: codeVersion(), probes: [] });
  assert.equal(sentences.length, 2);
  assert.match(sentences[0], /static-shared .*other data \(CIFAR-10 \(a copy\)\)/);
  assert.match(sentences[1], /frozen .*other weights \(random\)/);
});

Deno.test("missing experiments, edited recipes and results without their code's version are named", async () => {
  const results = (await all()).slice(0, -1);
  results[1].recipe = { ...results[1].recipe, learningRate: 1 };
  results[0].seeds[0].sittings = [];
  const sentences = (await describeStaleness(results, { code: codeVersion(), probes: [] })).join("\n");
  assert.match(sentences, /There are no results of bn-only\./);
  assert.match(sentences, /static-per-class were edited by hand/);
  assert.match(sentences, /dynamic do not say which code/);
});
