import assert from "node:assert/strict";
import { join } from "@std/path";
import { exists } from "../../lib/support/files.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import type { TrainConfig } from "../../lib/training/config.ts";
import { temporaryFolder } from "../testing/folder.ts";
import {
  assertSameRun,
  atStep,
  jumpingClock,
  readHistory,
  type Stop,
  timeless,
  TINY_STEPS,
  trainTiny,
  trainUntil,
} from "../testing/training.ts";

await useNativeTensorFlow({ device: "cpu" });

const inTheTestOfEpoch = (epoch: number): Stop => (abort) => ({
  onTest: (test) => test.epoch === epoch && abort(),
});
const afterEpoch = (epoch: number): Stop => (abort) => ({
  onEpoch: (record) => record.epoch === epoch && abort(),
});

const CONFIGURATIONS: Record<string, Partial<TrainConfig>> = {
  "SGD": {},
  "Adam, validation and no augmentation": {
    optimizer: "adam",
    learningRate: 0.002,
    validation: 10,
    augment: false,
  },
  "SGD as one graph": { compile: true },
  "clipped gradients, whose norm is a sum over all tensors": { clipNorm: 1 },
  "features of a frozen backbone": { backbone: "frozen", adapter: "1x1", augment: false, momentum: 0 },
};

const CUTS: Record<string, Stop[]> = {
  "in an epoch": [atStep(2)],
  "at the last step of an epoch": [atStep(TINY_STEPS)],
  "in a test": [inTheTestOfEpoch(1)],
  "after an epoch": [afterEpoch(1)],
  "three times, twice in one epoch": [atStep(1), atStep(3), atStep(TINY_STEPS + 2)],
};

for (const [name, flags] of Object.entries(CONFIGURATIONS)) {
  Deno.test(`an interrupted and resumed training equals the uninterrupted one bit for bit: ${name}`, async (test) => {
    using folder = temporaryFolder();
    const whole = join(folder.path, "whole");
    const { folder: expected, test: expectedTest } = await trainTiny(whole, flags);
    const steps = flags.validation ? 4 : TINY_STEPS; // of 27 or 37 images
    const cuts = name === "SGD" ? CUTS : { "twice": [atStep(3), atStep(steps + 1)] };
    for (const [where, stops] of Object.entries(cuts)) {
      await test.step(`cut ${where}`, async () => {
        using _clock = jumpingClock();
        const cut = join(folder.path, where);
        for (const [at, stop] of stops.entries()) {
          await trainUntil(stop, cut, flags, { resume: at === 0 ? null : "tiny" });
        }
        const { folder: actual, test: actualTest } = await trainTiny(cut, flags, { resume: "tiny" });
        await assertSameRun(actual, expected);
        assert.deepEqual(actualTest, expectedTest);
      });
    }
  });
}

Deno.test("another seed gives another training", async () => {
  using folder = temporaryFolder();
  const runs = await Promise.all(
    [0, 1].map((seed) => trainTiny(join(folder.path, `${seed}`), { seed, epochs: 1 })),
  );
  assert.notDeepEqual(...runs.map(({ history }) => timeless(history)) as [unknown, unknown]);
  await assert.rejects(assertSameRun(runs[0].folder, runs[1].folder));
});

Deno.test("a stopped training reports its position and how to resume", async () => {
  using folder = temporaryFolder();
  using _clock = jumpingClock();
  const { message, next } = await trainUntil(atStep(2), folder.path);
  assert.equal(message, "Stopped in epoch 1, after step 2; everything is saved.");
  assert.deepEqual(next, [{ task: "train", set: { resume: "tiny" } }]);
  const { progress } = await openCheckpoint(join(folder.path, "tiny", "last.safetensors"));
  assert.deepEqual([progress.epochs, progress.steps, progress.totalSteps], [0, 2, 2]);
  assert.equal(
    (await trainUntil(afterEpoch(1), folder.path, {}, { resume: "tiny" })).message,
    "Stopped after epoch 1; everything is saved.",
  );
  const messages: string[] = [];
  await trainTiny(folder.path, {}, {
    resume: "tiny",
    observer: { onMessage: (text) => messages.push(text) },
  });
  assert.deepEqual(messages, ["Resuming run tiny after epoch 1."]);
});

Deno.test("a training stopped at its last step is complete", async () => {
  using folder = temporaryFolder();
  using _clock = jumpingClock();
  const controller = new AbortController();
  const observer = atStep(TINY_STEPS)(() => controller.abort());
  const { history } = await trainTiny(folder.path, { epochs: 1 }, { observer, signal: controller.signal });
  assert.equal(history.length, 1);
});

Deno.test("a finished run resumed with more epochs keeps its history", async () => {
  using folder = temporaryFolder();
  const short = await trainTiny(folder.path, { epochs: 1, schedule: "constant" });
  const long = await trainTiny(folder.path, { epochs: 2, schedule: "constant" }, { resume: "tiny" });
  assert.deepEqual(long.history[0], short.history[0]);
  assert.equal(long.config.epochs, 2);
  // without a schedule that depends on the number of epochs it is the training that had 2 of them from the
  // start
  const { folder: expected } = await trainTiny(join(folder.path, "whole"), {
    epochs: 2,
    schedule: "constant",
  });
  await assertSameRun(long.folder, expected);
});

Deno.test("resuming with more epochs stretches the schedule, with a message", async () => {
  using folder = temporaryFolder();
  await trainTiny(folder.path, { epochs: 1 });
  const messages: string[] = [];
  const { history } = await trainTiny(folder.path, { epochs: 2 }, {
    resume: "tiny",
    observer: { onMessage: (text) => messages.push(text) },
  });
  assert.equal(history[0].learningRate, history[1].learningRate); // each ends at peak / 250,000
  assert.match(messages.join("\n"), /The one-cycle schedule now spans 2 epochs instead of 1/);
});

Deno.test("a completed run, resumed, returns its result again", async () => {
  using folder = temporaryFolder();
  const first = await trainTiny(folder.path, { epochs: 1, validation: 10 });
  const again = await trainTiny(folder.path, { epochs: 1, validation: 10 }, { resume: "tiny" });
  assert.deepEqual(again, first);
});

Deno.test("a history left short, long or incomplete by a crash is repaired", async () => {
  using folder = temporaryFolder();
  const { folder: run } = await trainTiny(folder.path, {});
  const path = join(run, "history.jsonl");
  const whole = Deno.readTextFileSync(path);
  const lines = whole.split(/(?<=\n)/);
  for (const broken of ["", lines[0], whole.slice(0, -20), whole + lines[1]]) {
    Deno.writeTextFileSync(path, broken);
    await trainTiny(folder.path, {}, { resume: "tiny" });
    assert.equal(Deno.readTextFileSync(path), whole);
  }
  Deno.removeSync(path);
  await trainTiny(folder.path, {}, { resume: "tiny" });
  assert.equal(readHistory(run).length, 2);
});

Deno.test("a crash between an epoch's two checkpoints loses nothing", async () => {
  using folder = temporaryFolder();
  const { folder: expected } = await trainTiny(join(folder.path, "whole"));
  const run = join(folder.path, "tiny");
  for (const name of ["best", "last"]) {
    const path = join(run, `${name}.safetensors`);
    const onTest = () => { // nothing can be written there
      if (exists(path)) Deno.renameSync(path, `${path}.bak`);
      Deno.mkdirSync(path);
    };
    const resume = name === "best" ? null : "tiny";
    await assert.rejects(trainTiny(folder.path, {}, { resume, observer: { onTest } }), /it is a folder/);
    Deno.removeSync(path);
    if (exists(`${path}.bak`)) Deno.renameSync(`${path}.bak`, path);
  }
  await assertSameRun((await trainTiny(folder.path, {}, { resume: "tiny" })).folder, expected);
});

Deno.test("a renamed run is resumed in its folder", async () => {
  using folder = temporaryFolder();
  const { folder: run } = await trainTiny(folder.path, { epochs: 1 });
  const renamed = join(folder.path, "renamed");
  Deno.renameSync(run, renamed);
  const { folder: actual, history } = await trainTiny(folder.path, { epochs: 2 }, { resume: "renamed" });
  assert.equal(actual, renamed);
  assert.equal(readHistory(renamed).length, 2);
  assert.equal(history.length, 2);
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["renamed"]);
});
