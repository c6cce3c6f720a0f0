import assert from "node:assert/strict";
import { dirname, join } from "@std/path";
import { z } from "zod";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import {
  runStudy,
  type Study,
  type StudyContext,
  trainExperiment,
  trainRun,
} from "../../lib/experiments/study.ts";
import { readStudy, writeStudy } from "../../lib/experiments/study_results.ts";
import { Interrupted } from "../../lib/support/interrupt.ts";
import { number } from "../../lib/support/schema.ts";
import { writeText } from "../../lib/support/write_files.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { studyContext } from "./samples.ts";

const Row = z.strictObject({ seed: number(), loss: number() });

/** Counts its measurements, and stops in the last of `stopAt`. */
function createStudy(work: (seed: number) => Promise<number>) {
  const measured: number[] = [];
  const study: Study<{ name: string; seed: number }, z.infer<typeof Row>> = {
    name: "loss",
    about: "How large is the loss?",
    seeds: 3,
    units: (seeds) => seeds.map((seed) => ({ name: `seed${seed}`, seed })),
    row: Row,
    async measure({ seed }) {
      measured.push(seed);
      return [{ seed, loss: await work(seed) }];
    },
    format: (rows) => rows.map(({ seed, loss }) => `| ${seed} | ${loss} |`).join("\n"),
  };
  return { study, measured };
}

function createContext(folder: string): Promise<StudyContext> {
  const datasets = createSynthetic({ trainSize: 40, testSize: 20 });
  const comparisonFolder = join(folder, "compare");
  return studyContext(join(folder, "loss"), datasets, { comparisonFolder });
}

Deno.test("an interrupted study keeps its finished units and measures the others", async () => {
  using temporary = temporaryFolder();
  const context = await createContext(temporary.path);
  let stops = true;
  const { study, measured } = createStudy((seed) => {
    if (seed === 1 && stops) throw new Interrupted("");
    return Promise.resolve(seed / 2);
  });
  await assert.rejects(runStudy(study, context, { seeds: [0, 1, 2] }), Interrupted);
  stops = false;
  const seen: [string, boolean][] = [];
  const result = await runStudy(study, context, {
    seeds: [0, 1, 2],
    onUnit: ({ name }, _done, _all, isNew) => seen.push([name, isNew]),
  });
  assert.deepEqual(measured, [0, 1, 1, 2]);
  assert.deepEqual(seen, [["seed0", false], ["seed1", true], ["seed2", true]]);
  assert.deepEqual(result!.rows, [{ seed: 0, loss: 0 }, { seed: 1, loss: 0.5 }, { seed: 2, loss: 1 }]);
  assert.equal(result!.sessions.length, 1);
});

Deno.test("two at once share a study's units", async () => {
  using temporary = temporaryFolder();
  const context = await createContext(temporary.path);
  const first = Promise.withResolvers<number>();
  const slow = createStudy((seed) => seed === 0 ? first.promise : Promise.resolve(9));
  const slowResult = runStudy(slow.study, context, { seeds: [0, 1] });
  const fast = createStudy((seed) => Promise.resolve(seed));
  assert.equal(await runStudy(fast.study, context, { seeds: [0, 1] }), null);
  first.resolve(7);
  assert.deepEqual((await slowResult)!.rows, [{ seed: 0, loss: 7 }, { seed: 1, loss: 1 }]);
  assert.deepEqual([slow.measured, fast.measured], [[0], [1]]);
});

Deno.test("a study is not resumed with other images or options", async () => {
  using temporary = temporaryFolder();
  const context = await createContext(temporary.path);
  const { study } = createStudy((seed) => Promise.resolve(seed));
  await runStudy(study, context, { seeds: [0] });
  for (
    const other of [{ data: { ...context.data, fingerprint: "0".repeat(16) } }, { recipe: { epochs: 2 } }]
  ) {
    await assert.rejects(runStudy(study, { ...context, ...other }, { seeds: [0] }), {
      name: "InputError",
      message: /it was begun with other data, weights or training options/,
    });
  }
});

Deno.test("a value that is not a number is no result", async () => {
  using temporary = temporaryFolder();
  const { study } = createStudy(() => Promise.resolve(NaN));
  await assert.rejects(runStudy(study, await createContext(temporary.path), { seeds: [0] }), {
    name: "InputError",
    message: /rows\[0\]\.loss/,
  });
});

Deno.test("a published study is read back, and not when it was edited", async () => {
  using temporary = temporaryFolder();
  const { study } = createStudy((seed) => Promise.resolve(seed / 3));
  const result = await runStudy(study, await createContext(temporary.path), { seeds: [1, 2] });
  assert.equal(readStudy(study, temporary.path), null);
  writeStudy(study, result!, temporary.path);
  assert.deepEqual(readStudy(study, temporary.path), result);
  assert.match(Deno.readTextFileSync(join(temporary.path, "loss.md")), /\| 1 \| 0\.33.*\n- Data: synthetic/s);
  const path = join(temporary.path, "loss.json");
  writeText(path, Deno.readTextFileSync(path).replace("0.666", "0.766"));
  assert.throws(() => readStudy(study, temporary.path), { name: "InputError", message: /digest/ });
});

Deno.test("a study trains a network once, and uses the comparison's runs", async () => {
  using temporary = temporaryFolder();
  const context = await createContext(temporary.path);
  const first = await trainRun(context, { run: "mine", variant: "static-per-class" });
  const before = Deno.statSync(first.path).mtime;
  assert.equal(first.progress.epochs, 1);
  assert.deepEqual(
    (await trainRun(context, { run: "mine", variant: "static-per-class" })).config,
    first.config,
  );
  assert.deepEqual(Deno.statSync(first.path).mtime, before);
  const frozen = await trainExperiment(context, "frozen", 2);
  assert.equal(frozen.path, join(temporary.path, "compare", "frozen-seed2", "last.safetensors"));
});

Deno.test("a network that another process trains is waited for", async () => {
  using temporary = temporaryFolder();
  const context = await createContext(temporary.path);
  const flags = { run: "shared", variant: "static-per-class" } as const;
  const both = await Promise.all([trainRun(context, flags), trainRun(context, flags)]);
  assert.equal(both[0].path, both[1].path);
  assert.deepEqual(both.map(({ progress }) => progress.epochs), [1, 1]);
  assert.equal(Deno.readTextFileSync(join(dirname(both[0].path), "history.jsonl")).split("\n").length, 2);
});
