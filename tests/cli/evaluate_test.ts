// deno task evaluate as a process
import assert from "node:assert/strict";
import { join } from "@std/path";
import { measureCalibration } from "../../lib/analysis/calibration.ts";
import { CLASS_NAMES, countClasses } from "../../lib/data/dataset.ts";
import { takeSubset } from "../../lib/data/splits.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { readSafetensors, writeSafetensors } from "../../lib/support/safetensors.ts";
import { measure } from "../../lib/training/evaluate.ts";
import { saveRandomCheckpoint } from "../testing/checkpoint.ts";
import { runCommand } from "../testing/command.ts";
import { temporaryFolder } from "../testing/folder.ts";

const ON_SYNTHETIC = ["--data", "synthetic", "--device", "cpu"];

Deno.test("evaluate prints its metrics as JSON and writes the scores behind them", async () => {
  using folder = temporaryFolder();
  const model = await saveRandomCheckpoint(join(folder.path, "model.safetensors"), {
    variant: "static-ten-way",
  });
  const scoresPath = join(folder.path, "scores.safetensors");
  const args = [
    model,
    ...ON_SYNTHETIC,
    "--test-subset",
    "130",
    "--batch-size",
    "50",
    "--scores",
    scoresPath,
    "--json",
  ];
  const { code, stdout, stderr } = await runCommand("evaluate", args, folder.path); // batches of 50, 50 and 30
  assert.equal(code, 0, stderr);
  const { loss, accuracy, perClass, confusion, calibration, ...facts } = JSON.parse(stdout);
  assert.deepEqual(facts, {
    ...{
      checkpoint: model,
      data: "synthetic",
      images: 130,
      mirror: false,
      trainedOn: "nothing",
      weights: "random",
      device: "cpu",
      classes: CLASS_NAMES,
    },
  });
  const { tensors, metadata } = await readSafetensors(scoresPath);
  const [scores, labels] = ["scores", "labels"].map((name) => tensors.get(name)!);
  assert.deepEqual([scores.shape, labels.shape], [[130, 10], [130]]);
  assert.deepEqual(metadata, { data: "synthetic", weights: "random", trainedOn: "nothing" });
  const images = takeSubset(createSynthetic().test, 130); // in the order of the test set
  assert.deepEqual([...labels.data as Int32Array], [...images.labels]);
  const metrics = { scores: scores.data as Float32Array, labels: labels.data as Int32Array };
  assert.deepEqual({ loss, accuracy, perClass, confusion }, measure(metrics));
  assert.deepEqual(calibration, measureCalibration(metrics, null));
  assert.ok(accuracy >= 0 && accuracy <= 1 && new Set(metrics.scores).size > 1000);
  const rows = confusion.map((row: number[]) => row.reduce((sum, count) => sum + count, 0));
  assert.deepEqual(rows, countClasses(images.labels));
});

Deno.test("evaluate shows accuracy, per-class accuracy and the confusion matrix", async () => {
  using folder = temporaryFolder();
  await Deno.mkdir(join(folder.path, "mine"));
  await saveRandomCheckpoint(join(folder.path, "mine", "best.safetensors"), { variant: "static-shared" });
  const { code, stdout, stderr } = await runCommand("evaluate", [
    "mine",
    ...ON_SYNTHETIC,
    "--test-subset",
    "40",
  ], folder.path);
  assert.equal(code, 0, stderr);
  const lines = stdout.split("\n");
  assert.match(lines[0], /^static-shared \(.*mine\/best\.safetensors, after epoch 0\)$/);
  assert.equal(lines[1], "Test accuracy 10.00 %, loss 2.3026, on 40 images."); // all scores are equal, so the first class is predicted
  assert.match(stdout, /^airplane +100\.0 % +4 +0 /m);
  assert.match(stdout, /^truck +0\.0 % +4 +0 /m);
  assert.match(stdout, /\nData: synthetic\. Trained on: nothing\. Weights: random\.\n$/);
});

Deno.test("evaluate shows the calibration error before and after, and what is unsure", async () => {
  using folder = temporaryFolder();
  const calibration = { temperature: 2, threshold: 0.3, images: 50 };
  const model = await saveRandomCheckpoint(join(folder.path, "model.safetensors"), { calibration });
  const run = (...args: string[]) =>
    runCommand("evaluate", [model, ...ON_SYNTHETIC, "--test-subset", "40", ...args], folder.path);
  const { calibrated } = JSON.parse((await run("--json")).stdout).calibration;
  const { error, sureness, ...fitted } = calibrated;
  assert.deepEqual(fitted, calibration);
  assert.equal(error.n, 40);
  const { stdout } = await run();
  const text = stdout.replaceAll(/\s+/g, " ");
  const percents = "\\d+\\.\\d % \\[\\d+\\.\\d, \\d+\\.\\d\\]";
  assert.match(
    text,
    new RegExp(`: ${percents} before and ${percents} after the division of the scores by 2\\.000,`),
  );
  assert.ok(text.includes(`: ${sureness.correctUnsure} of ${sureness.correct} correct predictions, `), text);
});

Deno.test("evaluate compares all scores of a network that knows more classes than the images are of", async () => {
  using folder = temporaryFolder();
  const model = await saveRandomCheckpoint(join(folder.path, "model.safetensors"), { classes: 11 });
  const args = [model, ...ON_SYNTHETIC, "--test-subset", "40"];
  const { code, stdout, stderr } = await runCommand("evaluate", args, folder.path);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^class 10 +–( +0){11}$/m);
  assert.equal(stdout.match(/^(airplane|truck) +\d+\.\d %( +\d+){11}$/gm)?.length, 2);
  assert.match(
    stdout.replaceAll("\n", " "),
    / has 11 classes, .* are of 10 of them: none is of class 10, which /,
  );
});

const WRONG: [what: string, args: (folder: string) => string[], message: RegExp][] = [
  ["a run that is not there", () => ["dynamic"], /^error: Cannot find a checkpoint of dynamic: /],
  [
    "a file that is no checkpoint",
    (folder) => [join(folder, "notes.txt")],
    /^error: Cannot read .*notes\.txt: it is .*not a safetensors file/,
  ],
  [
    "a safetensors file of another kind",
    (folder) => [join(folder, "other.safetensors")],
    /^error: Cannot use .*other\.safetensors as a checkpoint: it was not written by this program/,
  ],
  [
    "scores into a folder that is not there",
    (folder) => [join(folder, "model.safetensors"), "--scores", join(folder, "none", "scores")],
    /^error: Cannot write .*none\/scores: there is no folder .*none; create it first\.$/,
  ],
  [
    "images of classes that the network does not know",
    (folder) => [join(folder, "three.safetensors")],
    /^error: Cannot test a network on synthetic: .* does not know cat, deer, .*truck \(it knows airplane, auto.*, bird\); /,
  ],
  ["nothing at all", () => [], /^error: .*RUN\|FILE/],
];

Deno.test("evaluate refuses in one line", async (test) => {
  using folder = temporaryFolder();
  Deno.writeTextFileSync(join(folder.path, "notes.txt"), "This is a text.");
  writeSafetensors(join(folder.path, "other.safetensors"), [["a", { shape: [1], data: Float32Array.of(1) }]]);
  await saveRandomCheckpoint(join(folder.path, "model.safetensors"));
  await saveRandomCheckpoint(join(folder.path, "three.safetensors"), { classes: 3 });
  for (const [what, args, message] of WRONG) {
    await test.step(what, async () => {
      const { code, stdout, stderr } = await runCommand("evaluate", [
        ...args(folder.path),
        "--data",
        "synthetic",
      ], folder.path);
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.match(stderr.trimEnd(), message);
      assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
    });
  }
});
