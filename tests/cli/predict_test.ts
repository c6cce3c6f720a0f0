import assert from "node:assert/strict";
import { fromFileUrl, join } from "@std/path";
import { formatPrediction } from "../../cli/predict/result.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { CLASS_NAMES, IMAGE_BYTES } from "../../lib/data/dataset.ts";
import { saveRandomCheckpoint } from "../testing/checkpoint.ts";
import { taskArguments } from "../testing/command.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { type Colour, encodePicture } from "../testing/pictures.ts";
import { softmax } from "../../lib/support/statistics.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));

async function predict(args: string[], input?: Uint8Array) {
  const command = new Deno.Command(Deno.execPath(), {
    args: [...taskArguments("predict"), ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: input ? "piped" : "null",
    stdout: "piped",
    stderr: "piped",
  });
  const child = command.spawn();
  if (input) {
    const writer = child.stdin.getWriter();
    await writer.write(input);
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("predict reports unusable pictures, classifies the others, and exits with 2", async () => {
  using folder = temporaryFolder();
  const model = await saveRandomCheckpoint(join(folder.path, "model.safetensors"), { classes: 11 });
  const pictures = join(folder.path, "pictures");
  Deno.mkdirSync(pictures);
  const { test } = createSynthetic({ trainSize: 0 });
  const bytes = test.images.slice(3 * IMAGE_BYTES, 4 * IMAGE_BYTES);
  const png = await encodePicture(32, 32, (x, y) => {
    const start = 3 * (32 * y + x);
    return [...bytes.slice(start, start + 3)] as unknown as Colour;
  });
  Deno.writeFileSync(join(pictures, "a.png"), png);
  Deno.writeTextFileSync(join(pictures, "b.png"), "no picture");
  const maps = join(folder.path, "maps.svg");
  const none = join(folder.path, "none.jpg");

  const args = [none, pictures, "-", "--cifar", "3", "--data", "synthetic", "--maps", maps, "--model", model];
  const { code, stdout, stderr } = await predict([...args, "--device", "cpu", "--json"], png);
  assert.equal(code, 2, stderr);
  assert.deepEqual(stderr.trim().split("\n"), [
    `error: Cannot read ${none}: there is no such file or folder.`,
    `error: Cannot use ${join(pictures, "b.png")}: it is not a picture (PNG, JPEG or WebP).`,
    `The sign of the maps in ${model} was never chosen: a class may be dark where it is. ` +
    "One more epoch of training chooses it.",
    `Response maps written to ${maps}.`,
  ]);
  const result = JSON.parse(stdout);
  assert.deepEqual([result.model, result.variant, result.trainedOn, result.weights], [
    model,
    "dynamic",
    "nothing",
    "random",
  ]);
  assert.equal(result.calibration, null);
  const [missing, file, wrong, input, image] = result.images;
  assert.deepEqual(missing, { image: none, error: `Cannot read ${none}: there is no such file or folder.` });
  assert.equal(wrong.image, join(pictures, "b.png"));
  // the same pixels: as a file, through standard input, from the data set
  assert.deepEqual([file.image, input.image, image.image], [
    join(pictures, "a.png"),
    "standard input",
    "test image 3",
  ]);
  assert.equal(file.prepared, "PNG, 32×32 already");
  for (const other of [input, image]) {
    for (const [label, score] of other.scores.entries()) assert(Math.abs(score - file.scores[label]) < 1e-5);
  }
  assert.deepEqual(result.classes, [...CLASS_NAMES, "class 10"]);
  assert.equal(file.scores.length, 11);
  assert.equal(file.class, result.classes[file.scores.indexOf(Math.max(...file.scores))]);
  assert.deepEqual([file.unsure, file.views], [null, [
    { view: "stretch", class: file.class, probability: file.probability },
  ]]);
  assert.deepEqual(file.probabilities, softmax(file.scores));
  assert.equal(image.trueClass, result.classes[test.labels[3]]);
  assert.equal(Deno.readTextFileSync(maps).split("<image ").length - 1, 71); // 3 pictures with 11 maps and evidence each, 2 colour bars
});

Deno.test("predict names the model and what it was trained on, after the scores", async () => {
  using folder = temporaryFolder();
  const model = await saveRandomCheckpoint(join(folder.path, "m.safetensors"), { data: "synthetic" });
  const picture = join(folder.path, "wide.png");
  Deno.writeFileSync(picture, await encodePicture(64, 40, () => [200, 30, 30]));
  const { code, stdout, stderr } = await predict([
    picture,
    "--model",
    model,
    "--fit",
    "stretch",
    "--device",
    "cpu",
  ]);
  assert.equal(code, 0, stderr);
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines[0], `${picture}: PNG, 64×40 stretched to 32×32`);
  assert.match(lines[1], /^▸ [a-z]+ +−?\d+\.\d\d {2}[━─]{40} +\d+\.\d %$/);
  assert.deepEqual(lines.slice(-3), [
    `Model: dynamic (${model}, after epoch 0).`,
    "Trained on: synthetic. Weights: random. It knows synthetic images only: its predictions for photographs mean nothing.",
    "Probabilities: not calibrated: this checkpoint was not chosen on held-out images (train with --validation N).",
  ]);
});

Deno.test("predict calibrates, says what is unsure and where the views of a picture disagree", async () => {
  using folder = temporaryFolder();
  const calibration = { temperature: 2, threshold: 0.99, images: 5000 };
  const model = await saveRandomCheckpoint(join(folder.path, "m.safetensors"), { calibration });
  const picture = join(folder.path, "tall.png");
  Deno.writeFileSync(picture, await encodePicture(40, 400, (x, y) => [6 * x, y / 2, 255 * (y % 2)]));
  const args = [picture, "--model", model, "--device", "cpu", "--fit"];
  const result = JSON.parse((await predict([...args, "average", "--json"])).stdout);
  const [{ probabilities, unsure, views, probability }] = result.images;
  assert.deepEqual([result.calibration, result.fit], [calibration, "average"]);
  assert.equal(unsure, probability < calibration.threshold);
  assert.deepEqual(views.map(({ view }: { view: string }) => view), ["stretch", "crop", "pad"]);
  const [one] = JSON.parse((await predict([...args, "crop", "--json"])).stdout).images;
  const halved = softmax(one.scores.map((score: number) => score / 2));
  assert.ok(
    one.probabilities.every((value: number, label: number) => Math.abs(value - halved[label]) < 1e-6),
  );
  assert.ok(Math.abs(probabilities.reduce((sum: number, value: number) => sum + value) - 1) < 1e-6);
  const { stdout } = await predict([...args, "average"]);
  assert.equal(stdout.includes("Unsure: no probability reaches 99.0 %."), unsure);
  const classes = new Set(views.map(({ class: name }: { class: string }) => name));
  assert.equal(/The views disagree: stretched \w+ /.test(stdout), classes.size > 1);
  assert.match(stdout, /\nProbabilities: calibrated on 5,000 held-out images/);
});

Deno.test(
  "a standard input without end is not read to the end",
  { ignore: Deno.build.os === "windows" },
  async () => {
    const args = ["-c", 'exec "$0" "$@" < /dev/zero', Deno.execPath(), ...taskArguments("predict"), "-"];
    const { code, stderr } = await new Deno.Command("sh", { args, cwd: ROOT }).output();
    const message = "error: Cannot use standard input: it is larger than 100 MB; make it smaller first.\n";
    assert.deepEqual([new TextDecoder().decode(stderr), code], [message, 2]);
  },
);

Deno.test("predict refuses invalid arguments in one line", async () => {
  const cases: [string[], RegExp][] = [
    [
      [],
      /^error: Cannot start without a picture: write deno task predict IMAGE, or --cifar N for a test image\.\n$/,
    ],
    [
      ["x.png", "--maps", "maps.pdf"],
      /^error: Cannot draw maps\.pdf \(--maps\): the name must end in \.svg or \.png.*\n$/,
    ],
    [
      ["x.png", "--maps", "no/such/maps.svg"],
      /^error: Cannot write no\/such\/maps\.svg: there is no folder .*no\/such; create it first\.\n$/,
    ],
    [
      ["x.png", "--fit", "squeeze"],
      /^error: Cannot use --fit squeeze: it must be stretch, crop, pad or average\.\n$/,
    ],
    [["x.png", "--model", "no-such-run"], /^error: Cannot find a checkpoint of no-such-run: .*\n$/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await predict(args);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, message);
  }
});

Deno.test("scores are listed highest first with the predicted class marked, within the width", () => {
  const scores = Float32Array.from([0, 1, -2.5, 3, 0, 0, 0, 0, 0, 12]);
  const prediction = {
    scores,
    probabilities: softmax(scores),
    predictedClass: 9,
    maps: new Float32Array(640),
  };
  const lines = formatPrediction(prediction, { classNames: CLASS_NAMES, width: 60 }).split("\n");
  assert.deepEqual(lines.map((line) => line.slice(2, 12).trim()).slice(0, 4), [
    "truck",
    "cat",
    "automobile",
    "airplane",
  ]);
  assert.equal(lines[0], `▸ truck         12.00  ${"━".repeat(26)}${"─"}   100.0 %`);
  assert(lines.slice(1).every((line) => line.startsWith("  ")));
  assert.equal(lines.at(-1), `  bird          −2.50  ${"─".repeat(27)}     0.0 %`);
  assert(lines.every((line) => line.length <= 60));
  assert(formatPrediction(prediction, { classNames: CLASS_NAMES, color: true }).startsWith("\x1b[1m▸ truck"));
});
