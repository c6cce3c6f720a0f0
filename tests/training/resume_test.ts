import assert from "node:assert/strict";
import { join } from "@std/path";
import { exists } from "../../lib/support/files.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { calibrationOf } from "../../lib/training/progress.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import { InputError } from "../../lib/support/errors.ts";
import { readSafetensors, writeSafetensors } from "../../lib/support/safetensors.ts";
import type { Environment } from "../../lib/training/progress.ts";
import { openRunFolder } from "../../lib/training/run_folder.ts";
import { train } from "../../lib/training/train.ts";
import type { TrainConfig } from "../../lib/training/config.ts";
import { temporaryFolder } from "../testing/folder.ts";
import {
  assertSameRun,
  atStep,
  EPOCH_RECORD,
  jumpingClock,
  readHistory,
  type Stop,
  timeless,
  TINY_DATASETS,
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
  "Adam, validation, no augmentation and layers of other sizes": {
    ...{ embeddingSize: 24, generatorUnits: 12, predictorUnits: 7 },
    optimizer: "adam",
    learningRate: 0.002,
    validation: 10,
    augment: false,
  },
  "SGD as one graph": { compile: true },
  "clipped gradients, whose norm is a sum over all tensors": { clipNorm: 1 },
  "everything that a recipe may change": {
    ...{ optimizer: "muon", kernelRate: 2, schedule: "triangular" },
    ...{ labelSmoothing: 0.2, shift: 2, compile: true },
  },
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

/** Changes what a run's last checkpoint says of the machine and the data that it was trained with. */
async function changeRecord(run: string, change: (recorded: Environment) => object): Promise<void> {
  const path = join(run, "last.safetensors");
  const { tensors, metadata } = await readSafetensors(path);
  const recorded = JSON.stringify(change(JSON.parse(metadata.recorded)));
  writeSafetensors(path, tensors, { ...metadata, recorded });
}

/** Resumes a finished run; returns what it says. */
async function resumeMessages(runs: string): Promise<string[]> {
  const messages: string[] = [];
  await trainTiny(runs, { epochs: 1 }, {
    resume: "tiny",
    observer: { onMessage: (text) => messages.push(text) },
  });
  return messages;
}

Deno.test("each difference of the machine that changes the last bits is told on resuming", async () => {
  using folder = temporaryFolder();
  const { folder: run, recorded } = await trainTiny(folder.path, { epochs: 1 });
  assert.match(recorded.processor!, /^(baseline|avx2|avx512), \S/);
  const resuming = "Resuming run tiny after epoch 1.";
  assert.deepEqual(await resumeMessages(folder.path), [resuming]);
  await changeRecord(
    run,
    (recorded) => ({ ...recorded, threads: 99, tensorflow: "2.0.0", processor: "avx, A" }),
  );
  assert.deepEqual(await resumeMessages(folder.path), [
    `threads is ${recorded.threads}, and was 99 before: results differ by rounding.`,
    `tensorflow is ${recorded.tensorflow}, and was 2.0.0 before: results differ by rounding.`,
    `processor is ${recorded.processor}, and was avx, A before: results differ by rounding.`,
    resuming,
  ]);
  await changeRecord(run, () => ({ ...recorded, processor: undefined, fingerprint: "0123abcd" }));
  assert.deepEqual(await resumeMessages(folder.path), [
    "An older version began this run: of its images only the name synthetic can be compared.",
    resuming,
  ]);
});

/** Contents of a folder's files, to see that nothing changed. */
function readFolder(folder: string): Record<string, Uint8Array> {
  return Object.fromEntries(
    [...Deno.readDirSync(folder)].map(({ name }) => [name, Deno.readFileSync(join(folder, name))]),
  );
}

/** A run of three epochs of which the second is the best; `best.safetensors` alone can tell what it was. */
async function trainWithBestInside(runs: string): Promise<string> {
  const { folder, best } = await trainTiny(runs, { epochs: 3, seed: 2, learningRate: 0.1 });
  assert.equal(best.epoch, 2, "choose another seed");
  return folder;
}

Deno.test("a file other than the last checkpoint is continued in a new run only", async () => {
  using folder = temporaryFolder();
  const run = await trainWithBestInside(folder.path);
  const before = readFolder(run);
  const flags = { seed: 2, learningRate: 0.1, epochs: 3 };
  const best = join(run, "best.safetensors");
  await assert.rejects(trainTiny(folder.path, flags, { resume: best }), (error) => {
    assert.ok(error instanceof InputError);
    assert.match(
      error.message,
      /a run is resumed from its last\.safetensors, and later epochs would be lost/,
    );
    assert.deepEqual(error.next, [{ set: { resume: run } }, { set: { resume: best, run: "NAME" } }]);
    return true;
  });
  for (const [resume, name] of [[best, "from-best"], ["tiny", "from-last"]]) {
    const forked = await trainTiny(folder.path, { ...flags, run: name }, { resume, fork: true });
    assert.deepEqual([forked.folder, forked.config.run], [join(folder.path, name), name]);
    await assertSameRun(forked.folder, run);
  }
  const again = trainTiny(folder.path, { ...flags, run: "from-last" }, { resume: best, fork: true });
  await assert.rejects(again, /Cannot start run from-last: it is already in/);
  assert.deepEqual(readFolder(run), before);
});

Deno.test("a run that another process finished meanwhile is not trained from the older state", async () => {
  using folder = temporaryFolder();
  await trainUntil(afterEpoch(1), folder.path);
  const opened = await openCheckpoint(join(folder.path, "tiny", "last.safetensors"));
  const { folder: run, history } = await trainTiny(folder.path, {}, { resume: "tiny" });
  const before = readFolder(run);
  const options = { runsFolder: folder.path, datasets: TINY_DATASETS, resume: opened };
  assert.deepEqual((await train(opened.config, options)).history, history);
  assert.deepEqual(readFolder(run), before);
});

Deno.test("fewer epochs than a run has done are refused, and change nothing", async () => {
  using folder = temporaryFolder();
  const { folder: run } = await trainTiny(folder.path, { epochs: 2 });
  const before = readFolder(run);
  await assert.rejects(trainTiny(folder.path, { epochs: 1 }, { resume: "tiny" }), {
    message: "Cannot end run tiny at epoch 1: it is after epoch 2 already.",
  });
  assert.deepEqual(readFolder(run), before);
});

Deno.test("a lost best checkpoint is noticed at the start", async (test) => {
  using folder = temporaryFolder();
  const flags = { seed: 2, learningRate: 0.1, epochs: 3 };
  const run = await trainWithBestInside(folder.path);
  const best = join(run, "best.safetensors");
  Deno.copyFileSync(join(run, "last.safetensors"), join(folder.path, "last"));
  const other = await trainTiny(join(folder.path, "other"), { epochs: 3, seed: 4 });
  const messages: string[] = [];
  const options = { resume: "tiny", observer: { onMessage: (text: string) => messages.push(text) } };
  const losses: Record<string, () => void> = {
    "cut": () => Deno.truncateSync(best, 1000),
    "another run's": () => Deno.copyFileSync(join(other.folder, "best.safetensors"), best),
    "removed": () => Deno.removeSync(best),
  };
  for (const [how, lose] of Object.entries(losses)) {
    await test.step(how, async () => {
      Deno.copyFileSync(join(folder.path, "last"), join(run, "last.safetensors"));
      lose();
      messages.length = 0;
      const result = await trainTiny(folder.path, flags, options);
      assert.deepEqual(result.best, { epoch: 3, accuracy: result.history[2].testAccuracy });
      assert.equal((await openCheckpoint(best)).progress.epochs, 3);
      assert.equal(
        messages[1],
        "The best epoch's checkpoint (epoch 2) is missing, damaged or another run's: the last epoch's takes its place.",
      );
    });
  }
  await test.step("within an epoch, the next epoch's takes its place", async () => {
    Deno.removeSync(run, { recursive: true });
    using _clock = jumpingClock();
    await trainUntil(atStep(2 * TINY_STEPS + 2), folder.path, flags);
    Deno.removeSync(best);
    messages.length = 0;
    const result = await trainTiny(folder.path, flags, options);
    assert.match(messages.join("\n"), /the next epoch's takes its place/);
    assert.equal(result.best.epoch, 3);
    assert.equal((await openCheckpoint(best)).progress.epochs, 3);
  });
  await test.step("the last epoch's own is written again without a word", async () => {
    Deno.removeSync(best);
    messages.length = 0;
    await trainTiny(folder.path, flags, options);
    assert.deepEqual(messages, ["Resuming run tiny after epoch 3."]);
    assert.equal((await openCheckpoint(best)).progress.epochs, 3);
  });
});

Deno.test("the last epoch's checkpoint that is written again keeps its calibration", async () => {
  using folder = temporaryFolder();
  const flags = { epochs: 1, validation: 20 };
  const { folder: run } = await trainTiny(folder.path, flags);
  const best = join(run, "best.safetensors");
  const { progress } = await openCheckpoint(best);
  assert.ok(calibrationOf(progress));
  Deno.removeSync(best);
  await trainTiny(folder.path, flags, { resume: "tiny" });
  assert.deepEqual(calibrationOf((await openCheckpoint(best)).progress), calibrationOf(progress));
});

Deno.test("a training whose folder was deleted and begun anew stops at its next save", async () => {
  using folder = temporaryFolder();
  using _clock = jumpingClock(20_000); // so that every step is saved
  const run = join(folder.path, "tiny");
  const stack = new DisposableStack();
  const onStep = () => {
    Deno.renameSync(run, join(folder.path, "deleted")); // as another process would
    stack.use(openRunFolder(run, true)).writeHistory([EPOCH_RECORD]);
  };
  const training = trainTiny(folder.path, {}, { observer: { onStep } });
  await assert.rejects(training, /Cannot save run tiny: its folder .*tiny, or the lock in it, was deleted/);
  assert.deepEqual(Object.keys(readFolder(run)).sort(), [".lock", "history.jsonl"]);
  assert.deepEqual(readHistory(run), [EPOCH_RECORD]);
  stack.dispose();
});
