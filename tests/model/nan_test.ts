import assert from "node:assert/strict";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { compile } from "../../lib/tensorflow/compile/compile.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { forward } from "../../lib/model/network.ts";
import { isStatistic, type StateDict } from "../../lib/model/state_dict.ts";
import { splitState } from "../../lib/training/start_training.ts";
import { computeGradients, type TensorBatch } from "../../lib/training/train_step.ts";
import { networkSpec } from "../testing/networks.ts";
import { initialState, oracleBatch } from "../testing/oracle.ts";

await useNativeTensorFlow({ device: "cpu" });

for (const eager of [false, true]) {
  Deno.test(`a NaN shows in the scores and the loss ${eager ? "eagerly" : "of compiled graphs"}`, () => {
    const spec = networkSpec(), settings = { ...spec, labelSmoothing: 0, clipNorm: null };
    const score = compile(
      (tensors: StateDict, { images }: TensorBatch) =>
        forward(tensors, images, { ...spec, mode: "evaluate" }).scores,
      { eager },
    );
    const train = compile(
      (tensors: StateDict, batch: TensorBatch) =>
        computeGradients(settings, splitState(tensors, spec), batch).loss,
      { eager },
    );
    const tensors = initialState(spec), batch = oracleBatch();
    const shows = (tensor: tf.Tensor) => tensor.dataSync().some((value) => !Number.isFinite(value));
    assert.ok(!shows(score(tensors, batch)) && !shows(train(tensors, batch)));
    for (const [name, tensor] of Object.entries(tensors)) {
      const broken = { ...tensors, [name]: withNaN(tensor) };
      assert.ok(shows(score(broken, batch)), `scores with a NaN in ${name}`);
      assert.equal(shows(train(broken, batch)), !isStatistic(name), `loss with a NaN in ${name}`);
    }
    const images = withNaN(batch.images);
    assert.ok(shows(score(tensors, { ...batch, images })), "scores with a NaN in an image");
    assert.ok(shows(train(tensors, { ...batch, images })), "loss with a NaN in an image");
    score.dispose();
    train.dispose();
  });
}

Deno.test("a NaN in any pixel of an image shows in all its scores", () => {
  const PIXELS = 32 * 32, spec = networkSpec();
  const images = new Float32Array(PIXELS * PIXELS * 3); // an image for each pixel
  for (let pixel = 0; pixel < PIXELS; pixel++) images[(pixel * PIXELS + pixel) * 3 + 1] = NaN;
  const { scores } = forward(initialState(spec), tf.tensor4d(images, [PIXELS, 32, 32, 3]), {
    ...spec,
    mode: "evaluate",
  });
  assert.equal(scores.dataSync().filter((score) => !Number.isNaN(score)).length, 0);
});

/** Copies a tensor with a NaN in the middle. */
function withNaN<T extends tf.Tensor>(tensor: T): T {
  const values = tensor.dataSync().slice();
  values[values.length >> 1] = NaN;
  return tf.tensor(values, tensor.shape) as T;
}
