import assert from "node:assert/strict";
import { join } from "@std/path";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { InputError } from "../../lib/support/errors.ts";
import { formatSafetensors, readSafetensors, type StoredTensor } from "../../lib/support/safetensors.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { disposeAll } from "../../lib/model/state_dict.ts";
import { listTensors } from "../../lib/model/tensor_list.ts";
import {
  type CheckpointMetadata,
  makeTensors,
  NotFiniteError,
  openCheckpoint,
  saveCheckpoint,
} from "../../lib/training/checkpoint.ts";
import { describeProgress } from "../../lib/training/progress.ts";
import { resolveConfig, type TrainConfig } from "../../lib/training/config.ts";
import { createOptimizer, createSlots } from "../../lib/training/optimizer.ts";
import { splitState } from "../../lib/training/start_training.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { EPOCH_RECORD } from "../testing/training.ts";
import { assertSameValues, readAll } from "../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

/** A checkpoint in which no tensor of the optimizer is zero, in the middle of the second epoch. */
function makeCheckpoint(flags: Partial<TrainConfig> = {}): Parameters<typeof saveCheckpoint>[1] {
  const config = resolveConfig({ flags });
  const network = createNetwork(config, { seed: 3 });
  const slots = createSlots(createOptimizer(config), splitState(network, config).trainable);
  for (const [index, name] of Object.keys(slots).entries()) slots[name] = tf.add(slots[name], index + 0.1);
  return {
    config,
    recorded: { data: "synthetic", weights: "random", device: "cpu", threads: 2, tensorflow: "2.21.0" },
    progress: {
      epochs: 1,
      steps: 3,
      totalSteps: 8,
      sums: { loss: 0.1 + 0.2, correct: 7, images: 24, seconds: 1.5 },
      best: { epoch: 1, accuracy: 1 / 3 },
      history: [{ ...EPOCH_RECORD }],
    },
    network,
    slots,
  };
}

for (
  const flags of [{}, { optimizer: "adam", adapter: "3x3", backbone: "bn-only" }, {
    momentum: 0,
    variant: "static-shared",
  }] as const
) {
  Deno.test(`a saved checkpoint loads bit for bit: ${JSON.stringify(flags)}`, async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "last.safetensors");
    const before = tf.memory().numTensors;
    const checkpoint = makeCheckpoint(flags);
    await saveCheckpoint(path, checkpoint);
    const opened = await openCheckpoint(path);
    const stored = await opened.readTensors();
    for (const part of ["network", "slots"] as const) {
      assert.deepEqual([...stored[part]!.keys()], Object.keys(checkpoint[part]!)); // in the same order, too
      assertSameValues(await readAll(makeTensors(stored[part]!)), await readAll(checkpoint[part]!));
    }
    disposeAll(await opened.loadNetwork());
    const metadata = ({ config, recorded, progress }: CheckpointMetadata) => ({ config, recorded, progress });
    assert.deepEqual(metadata(opened), metadata(checkpoint));
    assert.ok(tf.memory().numTensors <= before + Object.keys(checkpoint.slots!).length); // those that makeCheckpoint added to
  });
}

Deno.test("tensors have PyTorch's names and layouts, the optimizer's are named after them", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "last.safetensors");
  for (const [optimizer, slots] of [["sgd", ["momentum"]], ["adam", ["m", "v"]]] as const) {
    const checkpoint = makeCheckpoint({ optimizer, backbone: "bn-only" });
    await saveCheckpoint(path, checkpoint);
    const { tensors, metadata } = await readSafetensors(path);
    const network = listTensors(checkpoint.config);
    const shapes = new Map(network.map(({ name, shape }) => [name, shape]));
    for (const name of Object.keys(splitState(checkpoint.network, checkpoint.config).trainable)) {
      for (const slot of slots) shapes.set(`optimizer.${name}.${slot}`, shapes.get(name)!);
    }
    assert.deepEqual(
      new Map([...tensors].map(([name, { shape }]) => [name, shape])),
      new Map([...shapes].sort()),
    );
    assert.ok(
      !tensors.has(`optimizer.backbone.conv1.weight.${slots[0]}`) &&
        tensors.has(`optimizer.backbone.bn1.weight.${slots[0]}`),
    );
    assert.deepEqual(Object.keys(metadata).sort(), ["config", "format", "progress", "recorded"]);
    assert.deepEqual(JSON.parse(metadata.config), checkpoint.config);
    const kernel = await (checkpoint.network["backbone.conv1.weight"] as tf.Tensor4D).array(); // [7,7,3,64]
    assert.equal(
      tensors.get("backbone.conv1.weight")!.data[((5 * 3 + 2) * 7 + 1) * 7 + 4],
      kernel[1][4][2][5],
    );
  }
});

Deno.test("a checkpoint without optimizer holds the network alone", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "published.safetensors");
  await saveCheckpoint(path, { ...makeCheckpoint(), slots: null });
  assert.equal((await (await openCheckpoint(path)).readTensors()).slots, null);
  assert.ok([...(await readSafetensors(path)).tensors.keys()].every((name) => !name.startsWith("optimizer")));
});

for (const value of [NaN, Infinity]) {
  Deno.test(`a training with ${value} in it is not saved: the old file stays`, async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "last.safetensors");
    Deno.writeTextFileSync(path, "old");
    for (const part of ["network", "slots"] as const) {
      const checkpoint = makeCheckpoint();
      const name = Object.keys(checkpoint[part]!)[4];
      checkpoint[part]![name] = tf.fill(checkpoint[part]![name].shape, value);
      const stored = part === "network" ? name : `optimizer.${name}`;
      await assert.rejects(saveCheckpoint(path, checkpoint), new NotFiniteError(stored));
      assert.equal(Deno.readTextFileSync(path), "old");
    }
  });
}

/** A stored checkpoint, to be damaged. */
interface File {
  tensors: Map<string, StoredTensor>;
  metadata: Record<string, string>;
}

const change = (file: File, key: "config" | "progress" | "recorded", changes: object) =>
  file.metadata[key] = JSON.stringify({ ...JSON.parse(file.metadata[key]), ...changes });
const some = (shape: number[]): StoredTensor => ({
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

const load = async (path: string) => await (await openCheckpoint(path)).loadNetwork();

const DAMAGES: [what: string, damage: (file: File) => void, why: RegExp][] = [
  ["of nothing", (file) => file.tensors.clear(), /the network dynamic lacks backbone\.conv1\.weight\.$/],
  [
    "of another program",
    (file) => file.metadata = {},
    /it was not written by this program \(no format dynamic-filters\/1 in its metadata\)\.$/,
  ],
  ["of another format", (file) => file.metadata.format = "pt", /it was not written by this program/],
  [
    "without a tensor",
    ({ tensors }) => tensors.delete("score_predictor.0.bias"),
    /the network dynamic lacks score_predictor\.0\.bias\.$/,
  ],
  [
    "with one too many",
    ({ tensors }) => tensors.set("fc.weight", some([10])),
    /fc\.weight does not belong to the network dynamic\.$/,
  ],
  [
    "with a tensor of another shape",
    ({ tensors }) => tensors.set("class_embeddings.weight", some([10, 64])),
    /class_embeddings\.weight is \[10,64\] and not \[10,128\]\.$/,
  ],
  [
    "with a turned tensor",
    ({ tensors }) => tensors.set("weights_generator.0.weight", some([128, 256])),
    /weights_generator\.0\.weight is \[128,256\] and not \[256,128\]\.$/,
  ],
  [
    "with whole numbers",
    ({ tensors }) => tensors.set("backbone.bn1.bias", { shape: [64], data: new Int32Array(64) }),
    /backbone\.bn1\.bias is not float32\.$/,
  ],
  [
    "of another variant",
    (file) => change(file, "config", { variant: "static-per-class" }),
    /the network static-per-class lacks filters\.weight\.$/,
  ],
  [
    "of another adapter",
    (file) => change(file, "config", { adapter: "1x1" }),
    /the network dynamic lacks adapter\.0\.weight\.$/,
  ],
  [
    "with half an optimizer",
    ({ tensors }) => tensors.delete("optimizer.backbone.bn1.bias.momentum"),
    /the optimizer sgd lacks backbone\.bn1\.bias\.momentum\.$/,
  ],
  [
    "of another optimizer",
    (file) => change(file, "config", { optimizer: "adam", momentum: 0 }),
    /the optimizer adam lacks backbone\.conv1\.weight\.m\.$/,
  ],
  [
    "of a backbone that was frozen",
    (file) => change(file, "config", { backbone: "frozen" }),
    /optimizer sgd/,
  ],
  ["with no configuration", ({ metadata }) => delete metadata.config, /its config cannot be read\.$/],
  ["whose configuration is no JSON", ({ metadata }) => metadata.config = "{", /its config cannot be read\.$/],
  ["whose configuration is null", ({ metadata }) => metadata.config = "null", /its config cannot be read\.$/],
  ["whose configuration is a list", ({ metadata }) => metadata.config = "[]", /its config cannot be read\.$/],
  [
    "with an option that cannot be",
    (file) => change(file, "config", { epochs: 0 }),
    /its options are not those of this program \(.*epochs 0 .*it must be [^.]*\)\.$/,
  ],
  [
    "with an unknown option",
    (file) => change(file, "config", { colour: "red" }),
    /its options are not those of this program \(Cannot use colour/,
  ],
  ["whose position is no JSON", ({ metadata }) => metadata.progress = "", /its progress cannot be read\.$/],
  ["whose position is null", ({ metadata }) => metadata.progress = "null", /its progress cannot be read\.$/],
  [
    "whose position lacks a number",
    (file) => change(file, "progress", { steps: undefined }),
    /its progress cannot be read\.$/,
  ],
  [
    "whose position is half a step",
    (file) => change(file, "progress", { totalSteps: 0.5 }),
    /its progress cannot be read\.$/,
  ],
  ["without sums", (file) => change(file, "progress", { sums: null }), /its progress cannot be read\.$/],
  ["without history", (file) => change(file, "progress", { history: {} }), /its progress cannot be read\.$/],
  [
    "that does not say on what it was trained",
    ({ metadata }) => metadata.recorded = "null",
    /its recorded cannot be read\.$/,
  ],
];

for (const [what, damage, why] of DAMAGES) {
  Deno.test(`a checkpoint ${what} is refused in one sentence that names the file`, async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "last.safetensors");
    const checkpoint = makeCheckpoint();
    await saveCheckpoint(path, checkpoint);
    disposeAll(checkpoint.network, checkpoint.slots!);
    const file = await readSafetensors(path);
    damage(file);
    Deno.writeFileSync(path, formatSafetensors(file.tensors, file.metadata));
    const before = tf.memory().numTensors;
    await assert.rejects(load(path), (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.ok(error.message.startsWith(`Cannot use ${path} as a checkpoint: `), error.message);
      assert.match(error.message, why);
      assert.match(error.message, /[^.]\.$/);
      return true;
    });
    assert.equal(tf.memory().numTensors, before);
  });
}

Deno.test("a checkpoint that was replaced after it was opened is refused, so that metadata and tensors belong together", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "last.safetensors");
  const checkpoint = makeCheckpoint();
  await saveCheckpoint(path, checkpoint);
  const opened = await openCheckpoint(path);
  await saveCheckpoint(path, checkpoint); // the same content
  await opened.readTensors();
  await saveCheckpoint(path, { ...checkpoint, progress: { ...checkpoint.progress, steps: 4 } });
  await assert.rejects(
    opened.readTensors(),
    /^InputError: Cannot use .* it was replaced while it was being read; try again\.$/,
  );
});

Deno.test("a checkpoint that is cut, empty or missing is refused in words", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "last.safetensors");
  await saveCheckpoint(path, makeCheckpoint());
  const whole = Deno.readFileSync(path);
  for (const length of [0, 5, 8, 1000, whole.length >> 1, whole.length - 1]) {
    Deno.writeFileSync(path, whole.subarray(0, length));
    await assert.rejects(openCheckpoint(path), (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, /^Cannot read .*last\.safetensors: .*\.$/);
      return true;
    });
  }
  await assert.rejects(
    openCheckpoint(join(folder.path, "none")),
    /^InputError: Cannot read .*none: there is no such file\.$/,
  );
});

Deno.test("a position is described in words", () => {
  const { progress } = makeCheckpoint();
  assert.equal(describeProgress(progress), "in epoch 2, after step 3");
  assert.equal(describeProgress({ ...progress, steps: 0 }), "after epoch 1");
});
