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

Deno.test("a NaN in any tensor shows in the compiled scores, and in any parameter in the compiled loss", () => {
  const spec = networkSpec(), settings = { ...spec, labelSmoothing: 0, clipNorm: null };
  const score = compile((tensors: StateDict, { images }: TensorBatch) =>
    forward(tensors, images, { ...spec, mode: "evaluate" }).scores
  );
  const train = compile((tensors: StateDict, batch: TensorBatch) =>
    computeGradients(settings, splitState(tensors, spec), batch).loss
  );
  const tensors = initialState(spec), batch = oracleBatch();
  const shows = (tensor: tf.Tensor) => tensor.dataSync().some((value) => !Number.isFinite(value));
  assert.ok(!shows(score(tensors, batch)) && !shows(train(tensors, batch)));
  for (const [name, tensor] of Object.entries(tensors)) {
    const values = tensor.dataSync().slice();
    values[values.length >> 1] = NaN;
    const broken = { ...tensors, [name]: tf.tensor(values, tensor.shape) };
    assert.ok(shows(score(broken, batch)), `scores with a NaN in ${name}`);
    assert.equal(shows(train(broken, batch)), !isStatistic(name), `loss with a NaN in ${name}`);
  }
  score.dispose();
  train.dispose();
});
