import type * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { scalar } from "../../../lib/tensorflow/runtime/tf.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import { nesterovStep } from "../../../lib/tensorflow/operations/nesterov.ts";
import { assertAllClose, assertSameOnBothBackends, randomTensor, readAll } from "../../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

/** Three steps of a parameter. That they are PyTorch's is shown in tests/training/optimizer_test.ts. */
function takeSteps(shape: number[], weightDecay: number): Record<string, tf.Tensor> {
  let state = {
    parameter: randomTensor<tf.Tensor>(shape, 1),
    momentumBuffer: randomTensor<tf.Tensor>(shape, 2),
  };
  for (let step = 0; step < 3; step++) {
    const gradient = randomTensor(shape, 3, step);
    state = nesterovStep(state, gradient, { learningRate: scalar(0.1), momentum: 0.9, weightDecay });
  }
  return { ...state };
}

for (const shape of [[3, 3, 5, 7], [33], []]) {
  for (const weightDecay of [0, 0.01]) {
    Deno.test(`steps of a parameter [${shape}] with weight decay ${weightDecay} agree on both backends`, async () => {
      await assertSameOnBothBackends(() => takeSteps(shape, weightDecay), 1e-6);
    });
  }
}

Deno.test("a step with zero gradient and momentum changes nothing", async () => {
  const [parameter, zero] = [randomTensor([4, 4], 1), randomTensor([4, 4], 1).sub(randomTensor([4, 4], 1))];
  const rates = { learningRate: scalar(0.1), momentum: 0.9, weightDecay: 0 };
  const { parameter: moved, momentumBuffer } = nesterovStep({ parameter, momentumBuffer: zero }, zero, rates);
  assertAllClose(
    await readAll({ moved, momentumBuffer }),
    await readAll({ moved: parameter, momentumBuffer: zero }),
    0,
  );
});
