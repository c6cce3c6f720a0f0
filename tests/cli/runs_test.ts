// deno task runs: list, order, curves, width
import assert from "node:assert/strict";
import { dirname, join } from "@std/path";
import { formatRuns } from "../../cli/runs.ts";
import { writeCheckpoint } from "../../lib/training/checkpoint.ts";
import { resolveConfig, type TrainConfig } from "../../lib/training/config.ts";
import { startProgress } from "../../lib/training/progress.ts";
import { runCommand } from "../testing/command.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { EPOCH_RECORD } from "../testing/training.ts";

const DATA = "CIFAR-10 (JPEG-repacked copy)";
const WEIGHTS = "torchvision ResNet-18 IMAGENET1K_V1";

interface Sample {
  accuracies?: number[];
  data?: string;
  flags?: Partial<TrainConfig>;
  /** Hour of its last change. */
  hour?: number;
}

function saveRun(
  runs: string,
  run: string,
  { accuracies = [], data = DATA, flags = {}, hour = 0 }: Sample,
): void {
  const path = join(runs, run, "last.safetensors");
  Deno.mkdirSync(dirname(path), { recursive: true });
  const accuracy = Math.max(...accuracies);
  writeCheckpoint(path, {
    config: resolveConfig({ flags }),
    recorded: { data, weights: WEIGHTS, device: "cpu", threads: 1, tensorflow: "2" },
    progress: {
      ...startProgress(),
      epochs: accuracies.length,
      best: accuracies.length === 0 ? null : { epoch: accuracies.indexOf(accuracy) + 1, accuracy },
      history: accuracies.map((testAccuracy, index) => ({ ...EPOCH_RECORD, epoch: index + 1, testAccuracy })),
    },
    network: new Map([["x", { shape: [1], data: new Float32Array(1) }]]),
    slots: null,
  });
  const date = new Date(Date.UTC(2026, 0, 1, hour));
  Deno.utimeSync(path, date, date);
}

function saveSamples(runs: string): void {
  saveRun(runs, "dynamic", { accuracies: [0.7, 0.8029, 0.8], hour: 1 });
  saveRun(runs, "frozen", { accuracies: [0.5], flags: { backbone: "frozen", epochs: 5 }, hour: 3 });
  saveRun(runs, "begun", { hour: 2 });
  saveRun(runs, "compare/dynamic-seed0", { accuracies: [0.9], flags: { validation: 100 } });
  Deno.mkdirSync(join(runs, "damaged"));
  Deno.writeTextFileSync(join(runs, "damaged", "last.safetensors"), "not a checkpoint");
  Deno.mkdirSync(join(runs, "interrupted"));
  Deno.writeTextFileSync(join(runs, "interrupted", "config.json"), "{}");
  Deno.mkdirSync(join(runs, "published"));
}

Deno.test("runs are listed with network, epochs, accuracy, data and date; broken ones by a word", async () => {
  using folder = temporaryFolder();
  saveSamples(folder.path);
  const { code, stdout, stderr } = await runCommand("runs", ["--sort", "accuracy"], folder.path);
  assert.equal(code, 0, stderr);
  const lines = stdout.split("\n");
  assert.match(lines[0], /^run +network +epochs +best test accuracy +when$/);
  assert.match(lines[2], /^dynamic +dynamic +3\/12 +80\.29 % +20(25-12-31|26-01-01) \d\d:\d\d$/);
  assert.match(lines[3], /^frozen +dynamic-frozen +1\/5 +50\.00 % +20/);
  assert.match(lines[4], /^begun +dynamic +0\/12 +20/);
  assert.match(lines[5], /^damaged +damaged +20/);
  assert.match(lines[6], /^interrupted +no checkpoint +20/);
  assert.match(stdout, /\ndata +CIFAR-10 \(JPEG-repacked copy\)\nweights +torchvision.*\ndevice +cpu\n/);
  assert.match(stderr, /^1 more in subfolders of .*: --nested lists them\.\n$/);
});

Deno.test("a folder that may not be read is listed, too", { ignore: Deno.uid() === 0 }, async () => {
  using folder = temporaryFolder();
  saveRun(folder.path, "dynamic", { accuracies: [0.7] });
  Deno.mkdirSync(join(folder.path, "private"), { mode: 0 });
  const { code, stdout, stderr } = await runCommand("runs", [], folder.path);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^dynamic .*70\.00 %/m);
  assert.match(stdout, /^private +unreadable /m);
  assert.match(stdout, /^private: You are not allowed to read it\.$/m);
});

Deno.test("names from files reach no terminal as control sequences", async () => {
  using folder = temporaryFolder();
  const run = "photos\x1b]0;title\x07\x9b2J\u202e";
  saveRun(folder.path, run, { accuracies: [0.5] });
  const { stdout } = await runCommand("runs", [], folder.path);
  assert(stdout.includes("photos\\u001b]0;title\\u0007\\u009b2J\\u202e"), stdout);
  assert.equal(JSON.parse((await runCommand("runs", ["--json"], folder.path)).stdout).runs[0].run, run);
  const refused = await runCommand("runs", ["\x1b]0;title\x07"], folder.path);
  assert.match(refused.stderr, /^error: Cannot list run \\u001b\]0;title\\u0007: /);
});

Deno.test("runs can be sorted and selected, those in folders too, and are one JSON object for programs", async () => {
  using folder = temporaryFolder();
  saveSamples(folder.path);
  const list = async (...args: string[]) => {
    const { stdout } = await runCommand("runs", [...args, "--json"], folder.path);
    return JSON.parse(stdout).runs as { run: string }[];
  };
  const names = async (...args: string[]) => (await list(...args)).map(({ run }) => run);
  assert.deepEqual((await names()).filter((run) => !/damaged|interrupted/.test(run)), [
    "frozen",
    "begun",
    "dynamic",
  ]);
  assert.deepEqual(await names("--sort", "name", "--nested"), [
    ...["begun", "compare/dynamic-seed0", "damaged", "dynamic", "frozen", "interrupted"],
  ]);
  assert.deepEqual(await list("compare/"), [{
    ...{ run: "compare/dynamic-seed0", date: "2026-01-01T00:00:00.000Z", network: "dynamic", device: "cpu" },
    ...{ data: DATA, weights: WEIGHTS, classes: 10, epochs: 1, configuredEpochs: 12 },
    ...{ best: { epoch: 1, accuracy: 0.9 }, chosenOn: "validation" },
  }]);
  const [damaged] = await list("damaged") as unknown as Record<string, string>[];
  assert.equal(damaged.state, "damaged");
  assert.match(damaged.problem, /^Cannot read .*last\.safetensors: /);
  const { code, stderr } = await runCommand("runs", ["dynamik"], folder.path);
  assert.equal(code, 2);
  assert.match(stderr, /^error: Cannot list run dynamik: .*; perhaps you mean dynamic\.\n$/);
});

Deno.test("the curves of several runs are drawn into one SVG, which names data and weights", async () => {
  using folder = temporaryFolder();
  saveSamples(folder.path);
  const path = join(folder.path, "curves.svg");
  const { code, stderr } = await runCommand("runs", ["--svg", path], folder.path);
  assert.equal(code, 0, stderr);
  const svg = Deno.readTextFileSync(path);
  for (const word of ["dynamic", "frozen", DATA, WEIGHTS]) assert(svg.includes(word), word);
  const refused = await runCommand("runs", ["begun", "--svg", path], folder.path);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /^error: Cannot draw .*\(--svg\): no run has finished an epoch\.\n$/);
});

Deno.test("without runs it says how to make one", async () => {
  using folder = temporaryFolder();
  const { code, stdout } = await runCommand("runs", [], join(folder.path, "none"));
  assert.deepEqual([code, stdout], [0, "There are no runs yet: `deno task train` makes one.\n"]);
});

Deno.test("the table of runs fits 80 and 60 columns and keeps every run's accuracy", () => {
  const sample = (run: string, data: string) => ({
    ...{ run, data, weights: WEIGHTS, device: "cpu", date: "2026-01-01T00:00:00.000Z" },
    config: resolveConfig({ flags: { backbone: "frozen", adapter: "3x3" } }),
    classes: 10,
    best: { epoch: 12, accuracy: 0.7774 },
    history: Array(12).fill(EPOCH_RECORD),
  });
  const runs = [
    sample("compare/frozen-3x3-seed0", DATA),
    sample("compare/static-per-class-seed10", "synthetic"),
  ];
  for (const width of [80, 60]) {
    const lines = formatRuns(runs, width).split("\n");
    assert(lines.every((line) => line.length <= width), lines.join("\n"));
    assert.equal(lines.filter((line) => line.includes("12/12") && line.includes("77.74 %")).length, 2);
    assert(lines.some((line) => line.includes("dynamic-frozen-adapter-3x3, CIFAR-10 (JPEG-repacked copy)")));
  }
});
