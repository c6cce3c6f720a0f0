import assert from "node:assert/strict";
import { join } from "@std/path";
import { type ExperimentResult, readResults, writeResults } from "../../lib/experiments/results.ts";
import { hashValue } from "../../lib/experiments/provenance.ts";
import { formatComparison, formatStaleness } from "../../lib/experiments/markdown.ts";
import { findStaleness } from "../../lib/experiments/staleness.ts";
import { EXPERIMENTS } from "../../lib/experiments/experiments.ts";
import { InputError } from "../../lib/support/errors.ts";
import { createRandom } from "../../lib/support/random.ts";
import { mutateBytes } from "../torture/mutate.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { experimentResult, seedResult } from "./samples.ts";

Deno.test("results are read back unchanged, in the order of the experiments", async () => {
  using temporary = temporaryFolder();
  const frozen = await experimentResult("frozen", [seedResult(0, [0.4, 0.5])], { epochs: 2 });
  const seeds = [seedResult(0, [0.7, 0.8]), seedResult(1, [0.6, 0.75])];
  const dynamic = await experimentResult("dynamic", seeds, { epochs: 2 });
  writeResults([frozen, dynamic], temporary.path);
  assert.deepEqual(readResults(temporary.path), [dynamic, frozen]);
  const text = Deno.readTextFileSync(join(temporary.path, "dynamic.json"));
  assert.equal(text.split("\n").filter((line) => line.includes('"testAccuracy"')).length, 4);
});

Deno.test("writing some results keeps those of other experiments", async () => {
  using temporary = temporaryFolder();
  writeResults([await experimentResult("dynamic", [seedResult(0, [0.7])], { epochs: 1 })], temporary.path);
  writeResults([await experimentResult("bn-only", [seedResult(0, [0.6])], { epochs: 1 })], temporary.path);
  assert.deepEqual(readResults(temporary.path).map(({ experiment }) => experiment), ["dynamic", "bn-only"]);
});

Deno.test("without published results the list is empty", () => {
  using temporary = temporaryFolder();
  assert.deepEqual(readResults(join(temporary.path, "nowhere")), []);
});

/** A result file of two seeds and two epochs, changed. */
async function writeChanged(folder: string, change: (result: ExperimentResult) => void): Promise<void> {
  const seeds = [seedResult(0, [0.7, 0.8]), seedResult(1, [0.75, 0.6])];
  const result = await experimentResult("dynamic", seeds, { epochs: 2 });
  change(result);
  Deno.writeTextFileSync(join(folder, "dynamic.json"), JSON.stringify(result));
}

Deno.test("a result file that is damaged, contradicts itself or holds no plain text is refused by name", async () => {
  using temporary = temporaryFolder();
  const path = join(temporary.path, "dynamic.json");
  const refused = (why: string) => {
    const message = `Cannot read ${path}: ${why}.`;
    assert.throws(() => readResults(temporary.path), { name: "InputError", message });
  };
  Deno.writeTextFileSync(path, '{"format":"other/1","seeds":[1]}');
  refused('format must be "dynamic-filters-result/2"');
  const cases: [why: string, change: (result: ExperimentResult) => void][] = [
    [
      "seeds[0].history[1].testAccuracy must be a number of at least 0 and of at most 1",
      ({ seeds }) => seeds[0].history[1].testAccuracy = 80.3,
    ],
    [
      "seeds[0].history[1].testLoss must be a number of at least 0",
      // @ts-expect-error: a damaged file
      ({ seeds }) => delete seeds[0].history[1].testLoss,
    ],
    ["seeds[1].history must have the epochs 1, 2, 3 …", ({ seeds }) => seeds[1].history[0].epoch = 2],
    [
      "seeds[1].best must be the epoch of the highest test accuracy in the history",
      ({ seeds }) => seeds[1].best.accuracy = 0.9,
    ],
    [
      "seeds[1].best must be the epoch of the highest test accuracy in the history",
      ({ seeds }) => seeds[1].best = { epoch: 2, accuracy: 0.6 },
    ],
    ["seeds must all have as many epochs as the recipe", ({ seeds }) => seeds[1].history.pop()],
    ["seeds must be sorted, each once", ({ seeds }) => seeds[1].seed = 0],
    ["trainableParameters must be at most parameters", (result) => result.parameters = 1],
    ["it holds the results of frozen", (result) => result.experiment = "frozen"],
    ["recipe.schedule must be a word", ({ recipe }) => Object.assign(recipe, { schedule: "`#panic()`" })],
    [
      "seeds[0].sessions[0].date must be a date and time in ISO 8601, UTC",
      ({ seeds }) => seeds[0].sessions[0].date = "yesterday",
    ],
    ["extra is not known", (result) => Object.assign(result, { extra: 1 })],
  ];
  for (const [why, change] of cases) {
    await writeChanged(temporary.path, change);
    refused(why);
  }
  for (const text of ["\u001b]0;x\u0007", "a\u202eb", "a\nb", "\ud800", "x".repeat(501)]) {
    await writeChanged(temporary.path, ({ data }) => data.name = text);
    refused("data.name must be one line of plain text, of at most 500 characters");
  }
});

Deno.test("no mutation of a result file is believed", async () => {
  using temporary = temporaryFolder();
  const seeds = [seedResult(0, [0.7, 0.8]), seedResult(1, [0.75, 0.6])];
  const result = await experimentResult("dynamic", seeds, { epochs: 2 });
  writeResults([result], temporary.path);
  const path = join(temporary.path, "dynamic.json");
  const bytes = Deno.readFileSync(path);
  let refused = 0;
  for (let seed = 0; seed < 500; seed++) {
    Deno.writeFileSync(path, mutateBytes(bytes, createRandom(seed, 12)).bytes);
    try {
      assert.deepEqual(readResults(temporary.path), [result], `mutation ${seed} is believed`);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      refused++;
    }
  }
  assert.ok(refused > 400, String(refused));
});

Deno.test("settings of an older version are read and named", async () => {
  using temporary = temporaryFolder();
  await writeChanged(temporary.path, ({ recipe }) => Object.assign(recipe, { old: null, older: false }));
  const results = readResults(temporary.path);
  assert.doesNotMatch(formatComparison(results), /old/);
  assert.ok((await findStaleness(results)).some(({ kind }) => kind === "edited"));
  results[0].recipeHash = await hashValue(results[0].recipe);
  const stale = (await findStaleness(results)).map(formatStaleness).join();
  assert.match(stale, /obtained with epochs 2 .*, old none \(default: nothing\), older false/);
});

Deno.test("names from a file are literal text in Markdown", async () => {
  const result = await experimentResult("dynamic", [seedResult(0, [0.5])]);
  result.data.name =
    "<script>alert(1)</script> | `#panic(1)`{=typst} $x$ [a](b) **c** _d_ resnet18_layer1.bin";
  result.change = "a | b";
  const markdown = formatComparison([result]);
  assert.match(
    markdown,
    /\\<script\\>alert\(1\)\\<\/script\\> \\\| \\`#panic\(1\)\\`\\\{=typst\\\} \\\$x\\\$ /,
  );
  assert.match(markdown, /\\\[a\\\]\(b\) \\\*\\\*c\\\*\\\* \\_d\\_ resnet18_layer1\.bin/);
  assert.match(markdown, /\| a \\\| b /);
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
  results[4].data = { name: "CIFAR-10 (a copy)", fingerprint: "f" };
  results[5].weights = "random";
  assert.deepEqual(await findStaleness(results), [
    { kind: "mixture", experiments: ["static-shared"], reference: "dynamic", differences: ["data"] },
    { kind: "mixture", experiments: ["frozen"], reference: "dynamic", differences: ["weights"] },
  ]);
});

Deno.test("missing experiments, unknown ones and edited recipes are found", async () => {
  const results = (await all()).slice(0, -1);
  results[2].recipe = { ...results[2].recipe, learningRate: 1 };
  results[3].experiment = "gone";
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
  const stale = await findStaleness(results);
  assert.deepEqual(stale, []);
  const sessions = results.flatMap(({ seeds }) => seeds.flatMap((seed) => seed.sessions));
  for (const { commit } of sessions) assert.match(commit!, /^[0-9a-f]{40}$/);
});
