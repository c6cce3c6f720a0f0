import assert from "node:assert/strict";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { crossEntropy } from "../../../lib/tensorflow/operations/cross_entropy.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import { assertClose, readOracle, values } from "../../testing/oracle.ts";
import { onPlainBackend, readAll, type Values } from "../../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

const SMOOTHINGS = { none: 0, tenth: 0.1, third: 0.3 };
const oracle = readOracle("cross_entropy");

const compute = (smoothing: number) => (): Record<string, tf.Tensor> => {
  const scores = tf.tensor2d(values(oracle, "scores"), [6, 10]);
  const labels = tf.tensor1d(oracle.tensors.get("labels")!.data as Int32Array, "int32");
  const { value, grad } = tf.valueAndGrad((scores) => crossEntropy(scores as tf.Tensor2D, labels, smoothing))(
    scores,
  );
  return { loss: value, gradient: grad };
};

for (const [name, smoothing] of Object.entries(SMOOTHINGS)) {
  const assertOracle = ({ loss, gradient }: Values) => {
    assertClose(loss, values(oracle, `${name}.loss`), 1e-6, "loss");
    assertClose(gradient, values(oracle, `${name}.gradient`), 1e-6, "gradient");
  };
  Deno.test(`cross-entropy with label smoothing ${smoothing} is PyTorch's, with its gradient`, async () => {
    assertOracle(await readAll(compute(smoothing)()));
  });
  Deno.test(`… and with label smoothing ${smoothing} it is the same without the native operation`, async () => {
    assertOracle(await onPlainBackend(compute(smoothing)));
  });
}

Deno.test("cross-entropy of large scores is finite and correct", async () => {
  const huge = () => {
    const scores = tf.tensor2d([[1e4, 0, -1e4], [-1e4, 1e4, 0]]);
    return { loss: crossEntropy(scores, tf.tensor1d([0, 2], "int32")) };
  };
  assert.equal((await readAll(huge())).loss[0], 5000); // (0 + 10⁴) / 2
  assert.equal((await onPlainBackend(huge)).loss[0], 5000);
});
