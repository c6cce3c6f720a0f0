// the lab's recipe gives the bits it gave before there were others
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { createImageSource } from "../../lib/training/batch_source.ts";
import { resolveConfig } from "../../lib/training/config.ts";
import { startProgress } from "../../lib/training/progress.ts";
import { beginTraining, joinState } from "../../lib/training/start_training.ts";
import { createStepper } from "../../lib/training/stepper.ts";
import { trainEpoch } from "../../lib/training/train_epoch.ts";

await useNativeTensorFlow({ device: "cpu" });

/** Of an epoch of three images on the plain backend, whose arithmetic is the same on every machine. */
const EXPECTED = {
  losses: [2.318424701690674, 2.276129722595215],
  hash: "40940e8914af9e87b1eed547940003180ea00869c71b564bbab31bb73b449f58",
};

Deno.test("an epoch by the lab's recipe gives the same losses and parameters as ever, bit for bit", async () => {
  tf.env().set("PROD", true); // no advice to install the native backend
  await tf.setBackend("cpu");
  const { train } = createSynthetic({ trainSize: 3, testSize: 0 });
  const config = resolveConfig({ flags: { batchSize: 2, epochs: 1, data: "synthetic", weights: "random" } });
  const environment = { data: "synthetic", device: "cpu", threads: 1, tensorflow: "none" } as const;
  const { optimizer, state } = beginTraining(config, environment, {
    tensors: null,
    name: "random",
    source: "random",
  });
  const stepper = createStepper({ settings: config, optimizer, state, compile: false });
  const losses: number[] = [];
  const progress = startProgress();
  const source = createImageSource(train);
  const observer = { onStep: (step: { losses: readonly number[] }) => void losses.push(...step.losses) };
  const onPause = () => Promise.resolve(true);
  await trainEpoch({ config, source, optimizer, stepper, progress, observer, onPause });
  const hash = createHash("sha256");
  for (const tensor of Object.values({ ...joinState(state), ...state.slots })) {
    hash.update(new Uint8Array((await tensor.data()).buffer));
  }
  assert.deepEqual({ losses, hash: hash.digest("hex") }, EXPECTED);
});
