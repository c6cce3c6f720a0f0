// deno task teach as a process
import assert from "node:assert/strict";
import { join } from "@std/path";
import { CLASS_NAMES } from "../../lib/data/dataset.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { exportNetwork } from "../../lib/export/export_network.ts";
import { classify } from "../../lib/prediction/classify.ts";
import { disposeAll } from "../../lib/model/state_dict.ts";
import type { NetworkSpec } from "../../lib/model/spec.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import { saveRandomCheckpoint } from "../testing/checkpoint.ts";
import { runCommand } from "../testing/command.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { encodePicture } from "../testing/pictures.ts";

const OPTIONS = ["--data", "synthetic", "--device", "cpu"];

/** Makes a run `mine` and a folder of pictures: reddish, each its own. */
async function prepare(path: string, pictures: number, spec: Partial<NetworkSpec> & { data?: string } = {}) {
  await Deno.mkdir(join(path, "mine"), { recursive: true });
  const model = join(path, "mine", "best.safetensors");
  const calibration = { temperature: 2, threshold: 0.3, images: 50 };
  await saveRandomCheckpoint(model, { data: "synthetic", calibration, ...spec });
  const folder = join(path, "pictures");
  await Deno.mkdir(folder, { recursive: true });
  for (let at = 0; at < pictures; at++) {
    const picture = await encodePicture(40, 32, (x, y) => [230, 40 + 3 * at, (x * y) % 60]);
    Deno.writeFileSync(join(folder, `${at}.png`), picture);
  }
  return { model, folder };
}

/** Asserts that a network was taught one row more and is else the same. */
async function assertTaught(model: string, path: string, changed: string, name: string): Promise<void> {
  const [old, taught] = [await openCheckpoint(model), await openCheckpoint(path)];
  assert.deepEqual(taught.classNames, [...CLASS_NAMES, name]);
  assert.equal(taught.progress.best?.calibration, undefined);
  const [before, after] = [old, taught].map((one) => one.readTensors().network);
  for (const [name, { data }] of before) {
    const now = after.get(name)!.data;
    assert.deepEqual(name === changed ? now.slice(0, data.length) : now, data, name);
    assert.equal(now.length - data.length, name === changed ? data.length / 10 : 0, name);
  }
  const { test } = createSynthetic({ trainSize: 0, testSize: 20 });
  const images = Array.from({ length: 20 }, (_, at) => test.images.subarray(at * 3072, (at + 1) * 3072));
  const score = async ({ config, loadNetwork }: typeof old) => {
    const network = loadNetwork();
    const predictions = await classify(network, images, config);
    disposeAll(network);
    return predictions.map(({ scores }) => scores.slice(0, 10));
  };
  assert.deepEqual(await score(taught), await score(old)); // bit for bit
  const [, file] = exportNetwork({ ...taught, network: after }, "pytorch", "mug.safetensors");
  assert.ok(new TextDecoder().decode(file.bytes).includes(`"truck","${name}"]`));
}

Deno.test("teach adds an embedding to a network dynamic and changes nothing else", async () => {
  using temporary = temporaryFolder();
  const { model, folder } = await prepare(temporary.path, 12);
  const args = ["mine", folder, "--name", "coffee mug", ...OPTIONS, "--json"];
  const { code, stdout, stderr } = await runCommand("teach", args, temporary.path);
  assert.equal(code, 0, stderr);
  const path = join(temporary.path, "random-coffee-mug", "best.safetensors");
  const { known, ...facts } = JSON.parse(stdout);
  assert.deepEqual(facts, {
    ...{ name: "coffee mug", run: "random-coffee-mug", checkpoint: path, data: "synthetic" },
    ...{ kind: "embedding", numbers: 128, pictures: 10, heldOut: { images: 2, recognised: 2 }, missing: [] },
  });
  assert.equal(known.images, 2000);
  assert.ok(known.taken < 100 && known.after <= known.before, JSON.stringify(known));
  const { config, recorded } = await openCheckpoint(path);
  assert.deepEqual([config.run, recorded.data], [
    "random-coffee-mug",
    "synthetic + coffee mug (10 pictures)",
  ]);
  await assertTaught(model, path, "class_embeddings.weight", "coffee mug");
});

Deno.test("teach adds a filter to a network static-per-class, says how it does, and replaces no other run", async () => {
  using temporary = temporaryFolder();
  const { model, folder } = await prepare(temporary.path, 6, { variant: "static-per-class" });
  const args = ["mine", folder, "--name", "mug", ...OPTIONS];
  const { code, stdout, stderr } = await runCommand("teach", [...args, "--run", "other"], temporary.path);
  assert.equal(code, 0, stderr);
  const text = stdout.replaceAll(/\s+/g, " ");
  assert.match(
    text,
    /^Learned mug as a filter of 64 numbers from 6 pictures, .* \(synthetic\)\. No picture was held out/,
  );
  assert.match(
    text,
    /known classes: \d+\.\d % \[\d+\.\d, \d+\.\d\] right, .* are taken for mug \(n = 2,000\)\. .* has 11 classes\. $/,
  );
  await assertTaught(model, join(temporary.path, "other", "best.safetensors"), "filters.weight", "mug");
  const taken = await runCommand("teach", [...args, "--run", "mine"], temporary.path);
  assert.equal(taken.code, 2);
  assert.match(
    taken.stderr,
    /^error: Cannot replace .*mine\/best\.safetensors: there is already a file .*--force\.$/m,
  );
});

const WRONG: [
  what: string,
  pictures: number,
  spec: Parameters<typeof prepare>[2],
  args: string[],
  why: RegExp,
][] = [
  [
    "too few pictures",
    4,
    {},
    [],
    /^error: Cannot teach random a class from 4 pictures: at least 5 are needed; add /,
  ],
  [
    "a name that is taken",
    6,
    {},
    ["--name", "truck"],
    /the class truck: it knows that class already; choose another/,
  ],
  [
    "a name that is none",
    6,
    {},
    ["--name", "<b>"],
    /^error: .*--name .*"?<b>.* a name of at most 40 letters/,
  ],
  [
    "a network of one filter",
    6,
    { variant: "static-shared" },
    [],
    /a network static-shared has no embedding or /,
  ],
  [
    "other images than it knows",
    6,
    { data: "CIFAR-10" },
    [],
    /\(--data\): it was trained on CIFAR-10, and .* are synthetic; /,
  ],
];

Deno.test("teach refuses in one line and writes nothing", async (test) => {
  for (const [what, pictures, spec, args, why] of WRONG) {
    await test.step(what, async () => {
      using temporary = temporaryFolder();
      const { folder } = await prepare(temporary.path, pictures, spec);
      const name = args.length > 0 ? args : ["--name", "mug"];
      const { code, stdout, stderr } = await runCommand(
        "teach",
        ["mine", folder, ...name, ...OPTIONS],
        temporary.path,
      );
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.match(stderr.trimEnd(), why);
      assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
      assert.deepEqual([...Deno.readDirSync(temporary.path)].map(({ name }) => name).sort(), [
        "mine",
        "pictures",
      ]);
    });
  }
});
