import assert from "node:assert/strict";
import { join } from "@std/path";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { PUBLISHED_OPTIONS, publishedModelFolder, publishModel } from "../../lib/experiments/publish.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { isTrainable, toPyTorch } from "../../lib/model/state_dict.ts";
import { listTensors } from "../../lib/model/tensor_list.ts";
import { openSafetensors, readSafetensors, type StoredTensor } from "../../lib/support/safetensors.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { openCheckpoint, writeCheckpoint } from "../../lib/training/checkpoint.ts";
import { resolveConfig, type TrainConfig } from "../../lib/training/config.ts";
import { type Progress, startProgress } from "../../lib/training/progress.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { EPOCH_RECORD } from "../testing/training.ts";

await useNativeTensorFlow({ device: "cpu" });

const RECORDED = {
  data: "CIFAR-10",
  fingerprint: "0123456789abcdef",
  weights: "ResNet-18",
  device: "cpu",
  threads: 2,
  tensorflow: "2",
} as const;
const TEST = { ...createSynthetic({ trainSize: 0, testSize: 60 }).test, name: "CIFAR-10" };
const CALIBRATION = { temperature: 1.25, threshold: 0.5, images: 5000 };

/** Writes a run of 12 epochs with the best in between; `changes` make it another one than is published. */
async function writeRun(
  run: string,
  { flags = {}, recorded = {}, progress = {}, epochs = 12 }: {
    flags?: Partial<TrainConfig>;
    recorded?: { data?: string };
    progress?: Partial<Progress>;
    epochs?: number;
  } = {},
): Promise<void> {
  const paths = { data: "/home/somebody/cifar", weights: "/home/somebody/w" };
  const config = resolveConfig({ flags: { ...PUBLISHED_OPTIONS, run: "mine", ...paths, ...flags } });
  const network = new Map<string, StoredTensor>();
  for (const [name, tensor] of Object.entries(createNetwork(config))) {
    network.set(name, await toPyTorch(tensor));
  }
  const slots = new Map(
    [...network].filter(([name]) => isTrainable(name, "trainable"))
      .map(([name, tensor]) => [`${name}.momentum`, tensor] as const),
  );
  const at = (count: number): Progress => ({
    ...startProgress(),
    ...{ epochs: count, totalSteps: 5 * count, isSignChosen: true },
    best: { epoch: 2, accuracy: 1 / 3, calibration: CALIBRATION },
    history: Array.from({ length: count }, (_, index) => ({ ...EPOCH_RECORD, epoch: index + 1 })),
    ...progress,
  });
  Deno.mkdirSync(run);
  const rest = { config, recorded: { ...RECORDED, ...recorded }, network, slots };
  writeCheckpoint(join(run, "best.safetensors"), { ...rest, progress: at(2) });
  writeCheckpoint(join(run, "last.safetensors"), { ...rest, progress: at(epochs) });
}

Deno.test("the model is published without optimizer, paths and run name, with a card of measured numbers", async () => {
  using temporary = temporaryFolder();
  const run = join(temporary.path, "mine");
  await writeRun(run);
  const folder = join(temporary.path, "published");
  const path = await publishModel({ run, test: TEST, folder });
  const { tensors, metadata } = await readSafetensors(path);
  const { config, progress } = await openCheckpoint(path);
  assert.deepEqual([...tensors.keys()], listTensors(config).map(({ name }) => name).sort());
  assert.ok(!JSON.stringify(metadata).includes("somebody"));
  assert.deepEqual([config.seed, config.run, config.data, config.weights], [0, "dynamic", null, null]);
  assert.deepEqual(progress.best?.calibration, CALIBRATION);
  const card = Deno.readTextFileSync(join(folder, "README.md"));
  for (
    const words of [
      /\| Test accuracy \| \d+\.\d\d % \[\d+\.\d\d, \d+\.\d\d\] on 60 images, loss \d\.\d{4}, after epoch 2 of 12 \|/,
      /seed 0, fixed beforehand; the epoch by its accuracy of 33\.33 % on 5,000 training images/,
      /the temperature 1\.250, fitted/,
      /below a probability of 50\.0 %/,
      /CIFAR-10 \(fingerprint 0123456789abcdef\)/,
      /12 epochs, batches of 128, sgd/,
      /load_state_dict/,
      /212,481 parameters/,
    ]
  ) assert.match(card, words);
});

const REFUSED: [what: string, changes: Parameters<typeof writeRun>[1], why: RegExp][] = [
  ["another seed", { flags: { seed: 3 } }, /this one has seed 3 instead of seed 0\./],
  ["an epoch chosen on the test set", { flags: { validation: 0 } }, /has validation 0 instead of/],
  ["an unfinished run", { epochs: 7 }, /it is not finished/],
  ["other images", { recorded: { data: "CIFAR-10 (copy)" } }, /was trained on CIFAR-10 \(copy\)/],
  ["a run without calibration", { progress: { best: { epoch: 2, accuracy: 1 / 3 } } }, /older version/],
  ["maps of an unknown sign", { progress: { isSignChosen: false } }, /older version/],
];

Deno.test("no other run is published", async (context) => {
  for (const [what, changes, why] of REFUSED) {
    await context.step(what, async () => {
      using temporary = temporaryFolder();
      const run = join(temporary.path, "mine");
      await writeRun(run, changes);
      await assert.rejects(publishModel({ run, test: TEST, folder: temporary.path }), {
        name: "InputError",
        message: why,
      });
      assert.deepEqual([...Deno.readDirSync(temporary.path)].map(({ name }) => name), ["mine"]);
    });
  }
});

Deno.test("the published model carries its SHA-256", async () => {
  const { sha256, decode } = await openSafetensors(join(publishedModelFolder(), "dynamic.safetensors"));
  assert.match(sha256 ?? "", /^[0-9a-f]{64}$/);
  assert.ok(decode().size > 20);
});
