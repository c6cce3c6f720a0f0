import assert from "node:assert/strict";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { createLossMeter } from "../../lib/training/train_epoch.ts";

await useNativeTensorFlow({ device: "cpu" });

const STEPS: [loss: number, correct: number, images: number][] = [[2.3, 1, 8], [0.1, 7, 8], [1e-7, 8, 8], [
  3.7,
  0,
  5,
]];
const emptySums = () => ({ loss: 0, correct: 0, images: 0, seconds: 0 });

/** The sums after `STEPS`, when they are read after these. */
async function readAfter(...reads: number[]) {
  const [meter, sums] = [createLossMeter(), emptySums()];
  for (const [at, [loss, correct, images]] of STEPS.entries()) {
    meter.add(tf.scalar(loss), tf.scalar(correct, "int32"), images);
    if (reads.includes(at)) await meter.read(sums);
  }
  await meter.read(sums);
  return sums;
}

Deno.test("losses are summed over images, correct predictions are counted", async () => {
  const { loss, correct, images, seconds } = await readAfter();
  assert.deepEqual([correct, images, seconds], [16, 29, 0]);
  const expected = STEPS.reduce((sum, [loss, , images]) => sum + Math.fround(loss) * images, 0);
  assert.equal(loss, expected);
});

Deno.test("the sums do not depend on when results are read, bit for bit", async () => {
  const once = await readAfter();
  for (const reads of [[0], [1, 2], [0, 1, 2, 3]]) assert.deepEqual(await readAfter(...reads), once);
});

Deno.test("the losses of the steps are read in their order, those that are not finite too", async () => {
  const meter = createLossMeter();
  const add = (...losses: number[]) => {
    for (const loss of losses) meter.add(tf.scalar(loss), tf.scalar(0, "int32"), 4);
  };
  add(1, NaN, Infinity);
  assert.deepEqual(await meter.read(emptySums()), [1, NaN, Infinity]);
  add(2);
  assert.deepEqual(await meter.read(emptySums()), [2]);
});

Deno.test("results are disposed once read", async () => {
  const before = tf.memory().numTensors;
  const [meter, sums] = [createLossMeter(), emptySums()];
  meter.add(tf.scalar(1), tf.scalar(2, "int32"), 3);
  await meter.read(sums);
  await meter.read(sums);
  assert.equal(sums.images, 3);
  assert.equal(tf.memory().numTensors, before);
});
