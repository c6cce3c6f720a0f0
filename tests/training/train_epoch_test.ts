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
    if (reads.includes(at)) assert.equal(await meter.read(sums), null);
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

Deno.test("the first loss that is not finite is reported by its distance in steps", async () => {
  for (
    const [losses, ago] of [[[1, NaN, Infinity, 2], 2], [[1, 2, -Infinity], 0], [[NaN], 0], [
      [1],
      null,
    ]] as const
  ) {
    const meter = createLossMeter();
    for (const loss of losses) meter.add(tf.scalar(loss), tf.scalar(0, "int32"), 4);
    assert.equal(await meter.read(emptySums()), ago);
  }
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
