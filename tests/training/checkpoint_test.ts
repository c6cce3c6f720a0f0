import assert from "node:assert/strict";
import { join } from "@std/path";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { InputError } from "../../lib/support/errors.ts";
import {
  formatSafetensors,
  readSafetensors,
  type Safetensors,
  type StoredTensor,
} from "../../lib/support/safetensors.ts";
import { CLASS_NAMES } from "../../lib/data/dataset.ts";
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
  Deno.test(`a checkpoint loads bit for bit: ${JSON.stringify(flags)}`, async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "last.safetensors");
    const before = tf.memory().numTensors;
    const checkpoint = makeCheckpoint(flags);
    await saveCheckpoint(path, checkpoint);
    const opened = await openCheckpoint(path);
    const stored = opened.readTensors();
    for (const part of ["network", "slots"] as const) {
      assert.deepEqual([...stored[part]!.keys()], Object.keys(checkpoint[part]!)); // in the same order, too
      assertSameValues(await readAll(makeTensors(stored[part]!)), await readAll(checkpoint[part]!));
    }
    disposeAll(opened.loadNetwork());
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
    assert.deepEqual(Object.keys(metadata).sort(), [
      "classNames",
      "config",
      "format",
      "progress",
      "recorded",
    ]);
    assert.deepEqual(JSON.parse(metadata.config), checkpoint.config);
    const kernel = await (checkpoint.network["backbone.conv1.weight"] as tf.Tensor4D).array(); // [7,7,3,64]
    assert.equal(
      tensors.get("backbone.conv1.weight")!.data[((5 * 3 + 2) * 7 + 1) * 7 + 4],
      kernel[1][4][2][5],
    );
  }
});

Deno.test("a checkpoint without optimizer has the network only", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "published.safetensors");
  await saveCheckpoint(path, { ...makeCheckpoint(), slots: null });
  assert.equal(((await openCheckpoint(path)).readTensors()).slots, null);
  assert.ok([...(await readSafetensors(path)).tensors.keys()].every((name) => !name.startsWith("optimizer")));
});

for (const value of [NaN, Infinity]) {
  Deno.test(`a training with ${value} in it is not saved, and the old file is kept`, async () => {
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

type Key = "config" | "recorded" | "progress";

const zeros = (...shape: number[]): StoredTensor => ({
  shape,
  data: new Float32Array(shape.reduce((product, length) => product * length, 1)),
});

/** Tensors that are put into a file, or taken out of it. */
const WRONG_TENSORS: [name: string, tensor: StoredTensor | null, why: RegExp][] = [
  ["score_predictor.0.bias", null, /the network dynamic lacks score_predictor\.0\.bias\.$/],
  ["fc.weight", zeros(10), /fc\.weight does not belong to the network dynamic\.$/],
  ["class_embeddings.weight", zeros(10, 64), /class_embeddings\.weight is \[10,64\] and not \[10,128\]\.$/],
  ["weights_generator.0.weight", zeros(128, 256), /\.weight is \[128,256\] and not \[256,128\]\.$/],
  ["backbone.bn1.bias", { shape: [64], data: new Int32Array(64) }, /bn1\.bias is of type I32 and not F32\.$/],
  [
    "backbone.bn1.bias",
    { shape: [64], data: new Float32Array(64).fill(NaN, 7, 8) },
    /bn1\.bias holds NaN or infinity\.$/,
  ],
  [
    "backbone.bn1.running_var",
    { shape: [64], data: new Float32Array(64).fill(-1e-9, 7, 8) },
    /bn1\.running_var holds a negative variance\.$/,
  ],
  ["optimizer.backbone.bn1.bias.momentum", null, /the optimizer sgd lacks backbone\.bn1\.bias\.momentum\.$/],
];

const WRONG_METADATA: [key: Key, changes: object, why: RegExp][] = [
  ["config", { variant: "static-per-class" }, /the network static-per-class lacks filters\.weight\.$/],
  ["config", { adapter: "1x1" }, /the network dynamic lacks adapter\.0\.weight\.$/],
  ["config", { optimizer: "adam", momentum: 0 }, /the optimizer adam lacks backbone\.conv1\.weight\.m\.$/],
  ["config", { backbone: "frozen" }, /optimizer sgd/],
  ["config", { epochs: 0 }, /its options are not those of this program \(.*epochs 0 .*it must be [^.]*\)\.$/],
  ["config", { colour: "red" }, /its options are not those of this program \(Cannot use colour/],
  [
    "config",
    { run: "../elsewhere" },
    /Cannot use run "\.\.\/elsewhere" of the resumed run: it must be a name/,
  ],
  ["config", { run: "/elsewhere" }, /Cannot use run "\/elsewhere" of the resumed run: it must be a name/],
  [
    "progress",
    { best: { epoch: 9, accuracy: 0.3 } },
    /names a best epoch that its history does not have\)\.$/,
  ],
  ["progress", { steps: undefined }, /its progress cannot be read \(steps is missing\)\.$/],
  ["progress", { totalSteps: 0.5 }, /its progress cannot be read \(totalSteps must be a whole number\)\.$/],
  ["progress", { sums: null }, /its progress cannot be read \(sums must be an object\)\.$/],
  ["progress", { history: {} }, /its progress cannot be read \(history must be an array\)\.$/],
  [
    "progress",
    { history: [EPOCH_RECORD, EPOCH_RECORD] },
    /its progress cannot be read \(it has another number of epochs .*\)\.$/,
  ],
  [
    "progress",
    { history: [{ ...EPOCH_RECORD, testLoss: "2" }] },
    /history\[0\]\.testLoss must be a number\)\.$/,
  ],
  ["progress", { best: { epoch: 1 } }, /best\.accuracy is missing\)\.$/],
  ["progress", { sums: {} }, /sums\.loss is missing\)\.$/],
  ["recorded", { tensorflow: {} }, /its recorded cannot be read \(tensorflow /],
  [
    "progress",
    { deep: JSON.parse("[".repeat(5000) + "]".repeat(5000)) },
    /its progress cannot be read \(deep /,
  ],
  ["config", { run: "a\nb" }, /its options are not those of this program/],
  ["recorded", { data: undefined }, /its recorded cannot be read \(data is missing\)\.$/],
];

/** Saves a checkpoint, damages its file, and asserts that it is refused in one sentence. */
async function assertRefused(damage: (file: Safetensors) => void, why: RegExp): Promise<void> {
  using folder = temporaryFolder();
  const path = join(folder.path, "last.safetensors");
  const checkpoint = makeCheckpoint();
  await saveCheckpoint(path, checkpoint);
  disposeAll(checkpoint.network, checkpoint.slots!);
  const file = await readSafetensors(path);
  damage(file);
  Deno.writeFileSync(path, formatSafetensors(file.tensors, file.metadata));
  const before = tf.memory().numTensors;
  const load = async () => (await openCheckpoint(path)).loadNetwork();
  await assert.rejects(load, (error) => {
    assert.ok(error instanceof InputError, String(error));
    assert.ok(error.message.startsWith(`Cannot use ${path} as a checkpoint: `), error.message);
    assert.match(error.message, why);
    assert.match(error.message, /[^.]\.$/);
    return true;
  });
  assert.equal(tf.memory().numTensors, before);
}

for (const [name, tensor, why] of WRONG_TENSORS) {
  Deno.test(`a checkpoint with ${tensor ? "a wrong" : "no"} ${name} is refused`, () =>
    assertRefused(({ tensors }) => tensor ? tensors.set(name, tensor) : tensors.delete(name), why));
}

for (const [key, changes, why] of WRONG_METADATA) {
  const change = ({ metadata }: Safetensors) =>
    metadata[key] = JSON.stringify({ ...JSON.parse(metadata[key]), ...changes });
  Deno.test(`a checkpoint of ${key} ${Deno.inspect(changes)} is refused`, () => assertRefused(change, why));
}

const NOT_NAMES = [
  ["a"],
  ["a", "a"],
  ["a", "<b>"],
  ["a", ""],
  "ab",
  Array.from({ length: 257 }, (_, k) => `${k}`),
];
Deno.test("a checkpoint whose classes have no usable names, or do not fit its tensors, is refused", async () => {
  for (const names of NOT_NAMES) {
    const why = /its classNames cannot be read \(.*\)\.$/;
    await assertRefused(({ metadata }) => metadata.classNames = JSON.stringify(names), why);
  }
  await assertRefused(
    ({ metadata }) => metadata.classNames = JSON.stringify([...CLASS_NAMES, "zebra"]),
    /class_embeddings\.weight is \[10,128\] and not \[11,128\]\.$/,
  );
});

Deno.test("an older checkpoint without names of classes is of CIFAR-10's ten", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "last.safetensors");
  await saveCheckpoint(path, makeCheckpoint());
  const { tensors, metadata: { classNames: _, ...metadata } } = await readSafetensors(path);
  Deno.writeFileSync(path, formatSafetensors(tensors, metadata));
  assert.deepEqual((await openCheckpoint(path)).classNames, CLASS_NAMES);
});

for (const key of ["config", "recorded", "progress"] as const) {
  Deno.test(`a checkpoint without a readable ${key} is refused`, async () => {
    const why = new RegExp(`its ${key} cannot be read \\(it .*\\)\\.$`);
    await assertRefused(({ metadata }) => delete metadata[key], why);
    for (const text of ["", "{", "null", "[]"]) {
      await assertRefused(({ metadata }) => metadata[key] = text, why);
    }
  });
}

Deno.test("another program's safetensors file and an empty one are refused", async () => {
  const why = /it was not written by this program \(no format dynamic-filters\/1 in its metadata\)\.$/;
  await assertRefused((file) => file.metadata = {}, why);
  await assertRefused(({ metadata }) => metadata.format = "pt", why);
  await assertRefused(
    ({ metadata }) => metadata.author = "me",
    /its metadata holds author, which is not known\.$/,
  );
  await assertRefused(
    ({ tensors }) => tensors.clear(),
    /the network dynamic lacks backbone\.conv1\.weight\.$/,
  );
});

Deno.test("a network that PyTorch saved again loads: other types, a wrapper's prefix, counters", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "last.safetensors");
  await saveCheckpoint(path, { ...makeCheckpoint(), slots: null });
  const { tensors, metadata } = await readSafetensors(path);
  const again = [...tensors].map(([name, tensor]): [string, StoredTensor] => [`module.${name}`, tensor]);
  again.push(["module.backbone.bn1.num_batches_tracked", { shape: [], data: BigInt64Array.of(391n) }]);
  again.push(["module.other", { shape: [2], data: Uint8Array.of(1, 2), rawType: "F8_E4M3" }]);
  Deno.writeFileSync(path, formatSafetensors(again, metadata));
  const { network, slots } = (await openCheckpoint(path)).readTensors();
  assert.equal(slots, null);
  assert.deepEqual(new Map([...network].sort()), new Map([...tensors].sort()));
});

Deno.test("names in a checkpoint are read without what a terminal would obey", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "last.safetensors");
  const checkpoint = makeCheckpoint();
  const names = { data: "C\u202eFAR\r-10", weights: "\x1b]0;x\x07" };
  const history = [{ ...EPOCH_RECORD, ...names }];
  await saveCheckpoint(path, {
    ...checkpoint,
    recorded: { ...checkpoint.recorded, ...names },
    progress: { ...checkpoint.progress, history },
  });
  const plain = { data: "C\ufffdFAR\ufffd-10", weights: "\ufffd]0;x\ufffd" };
  const { recorded, progress } = await openCheckpoint(path);
  assert.deepEqual(recorded, { ...checkpoint.recorded, ...plain });
  assert.deepEqual(progress.history, [{ ...EPOCH_RECORD, ...plain }]);
});

Deno.test("an open checkpoint keeps its metadata and tensors when the file is replaced", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "last.safetensors");
  const checkpoint = makeCheckpoint();
  await saveCheckpoint(path, checkpoint);
  const opened = await openCheckpoint(path);
  const expected = opened.readTensors();
  const { progress, network } = checkpoint;
  const zeros = Object.fromEntries(
    Object.entries(network).map(([name, tensor]) => [name, tf.zerosLike(tensor)]),
  );
  await saveCheckpoint(path, { ...checkpoint, network: zeros, progress: { ...progress, steps: 4 } });
  assert.equal(opened.progress.steps, progress.steps);
  assert.deepEqual(opened.readTensors(), expected);
  assert.equal((await openCheckpoint(path)).progress.steps, 4);
});

Deno.test("a truncated, empty or missing checkpoint is refused with a reason", async () => {
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
