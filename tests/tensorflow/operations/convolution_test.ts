import assert from "node:assert/strict";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { execute } from "../../../lib/tensorflow/runtime/binding.ts";
import { compile } from "../../../lib/tensorflow/compile/compile.ts";
import {
  type Convolution,
  convolve3x3Direct,
  convolve3x3Winograd,
  type Epilogue,
} from "../../../lib/tensorflow/operations/convolution.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import {
  assertAllClose,
  assertSameOnBothBackends,
  assertSameValues,
  randomTensor,
  readAll,
  type Size,
} from "../../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

const TOLERANCE = 4e-6; // of the largest value, as convolution.ts says: what both add

/**
 * A convolution's result for random tensors, and the gradients of all inputs for a random gradient of the
 * result.
 */
function withGradients(
  { B, H, W, C, K }: Size,
  convolve: Convolution,
  { bias, shortcut, relu }: { bias?: boolean; shortcut?: boolean; relu?: boolean } = {},
): Record<string, tf.Tensor> {
  return tf.tidy(() => {
    const inputs: Record<string, tf.Tensor> = {
      x: randomTensor([B, H, W, C], 1, H, W),
      kernel: randomTensor([3, 3, C, K], 2, H, W),
      ...(bias && { bias: randomTensor([K], 3) }),
      ...(shortcut && { shortcut: randomTensor([B, H, W, K], 4) }),
    };
    const [names, values] = [Object.keys(inputs), Object.values(inputs)];
    const compute = (...values: tf.Tensor[]) => {
      const { x, kernel, ...epilogue } = Object.fromEntries(names.map((name, at) => [name, values[at]]));
      return convolve(x as tf.Tensor4D, kernel as tf.Tensor4D, { ...epilogue, relu } as Epilogue);
    };
    const gradients = tf.grads(compute)(values, randomTensor([B, H, W, K], 5, H, W));
    const named = names.map((name, at) => [`d_${name}`, gradients[at]]);
    return { y: compute(...values), ...Object.fromEntries(named) };
  });
}

async function assertEqualsDirect(size: Size, epilogue = {}): Promise<void> {
  const expected = await readAll(withGradients(size, convolve3x3Direct, epilogue));
  assertAllClose(await readAll(withGradients(size, convolve3x3Winograd, epilogue)), expected, TOLERANCE);
}

for (let H = 1; H <= 13; H++) {
  const W = (5 * H) % 13 + 1; // 6, 11, 3, 8, 13, 5, 10, 2, 7, 12, 4, 9, 1
  Deno.test(`Winograd's convolution and its gradients equal the direct ones on ${H}×${W} pixels`, async () => {
    await assertEqualsDirect({ B: 2, H, W, C: 16, K: 32 });
  });
}

for (const [B, C, K] of [[1, 16, 16], [37, 64, 64], [19, 48, 80], [128, 16, 16]]) {
  Deno.test(`… for ${B} images, ${C} channels to ${K}`, async () => {
    await assertEqualsDirect({ B, H: 8, W: 8, C, K });
  });
}

const EPILOGUES = [
  { bias: true },
  { bias: true, relu: true },
  { bias: true, shortcut: true },
  { bias: true, shortcut: true, relu: true },
  { shortcut: true, relu: true },
  { relu: true },
];
for (const epilogue of EPILOGUES) {
  Deno.test(`… with ${Object.keys(epilogue).join(", ")}`, () =>
    assertEqualsDirect({ B: 2, H: 5, W: 6, C: 16, K: 16 }, epilogue));
}

Deno.test("other numbers of channels and other backends use direct convolution", async () => {
  const size = { B: 2, H: 3, W: 4, C: 3, K: 5 };
  const compute = (C: number) => () =>
    withGradients({ ...size, C }, convolve3x3Winograd, { bias: true, relu: true });
  assertSameValues(
    await readAll(compute(3)()),
    await readAll(withGradients(size, convolve3x3Direct, { bias: true, relu: true })),
  );
  await assertSameOnBothBackends(compute(3), TOLERANCE);
  await assertSameOnBothBackends(compute(16), TOLERANCE);
});

Deno.test("Winograd's convolution gives the same bits in every call, eager or compiled", async () => {
  const size = { B: 40, H: 8, W: 8, C: 32, K: 32 };
  const compute = (): Record<string, tf.Tensor> => withGradients(size, convolve3x3Winograd, EPILOGUES[3]);
  const expected = await readAll(compute());
  for (let call = 0; call < 5; call++) assertSameValues(await readAll(compute()), expected);
  const graph = compile(compute);
  assertSameValues(await readAll(graph()), expected);
  graph.dispose();
});

Deno.test("the gradient of Winograd's convolution leaks no tensor", async () => {
  const size = { B: 2, H: 4, W: 4, C: 16, K: 16 };
  await readAll(withGradients(size, convolve3x3Winograd, EPILOGUES[3]));
  const before = tf.memory().numTensors;
  tf.dispose(withGradients(size, convolve3x3Winograd, EPILOGUES[3]));
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("wrong shapes are refused, not read beyond their memory", () => {
  const [x, kernel, bias] = [[2, 4, 4, 16], [3, 3, 16, 32], [32]].map((shape) => randomTensor(shape));
  const none = tf.zeros([0]);
  const run = (operation: string, ...inputs: tf.Tensor[]) => () => execute(operation, [], inputs);
  assert.throws(run("Winograd3x3", x, tf.zeros([3, 3, 16, 20])), /multiples of 16/);
  assert.throws(run("Winograd3x3", x, tf.zeros([5, 5, 16, 16])), /must be \[3,3,C,K\]/);
  assert.throws(run("Winograd3x3", x, tf.zeros([3, 3, 32, 16])), /as many channels/);
  assert.throws(run("Winograd3x3", tf.zeros([4, 4, 16]), kernel), /\[B,H,W,channels\]/);
  assert.throws(run("Winograd3x3InputGradient", x, kernel), /as many channels/);
  assert.throws(run("Winograd3x3KernelGradient", x, tf.zeros([2, 4, 5, 16])), /\[B,H,W,C\] and \[B,H,W,K\]/);
  const finished = (bias: tf.Tensor, shortcut: tf.Tensor) => () =>
    execute("Winograd3x3Fused", [{ name: "relu", type: 3, value: true }], [x, kernel, bias, shortcut]);
  assert.throws(finished(tf.zeros([16]), none), /the bias must be \[K\]/);
  assert.throws(finished(bias, x), /the shortcut must be/);
  assert.deepEqual(finished(bias, none)().shape, [2, 4, 4, 32]);
});

Deno.test("an empty batch is accepted", async () => {
  const { y, d_kernel } = withGradients({ B: 0, H: 8, W: 8, C: 16, K: 16 }, convolve3x3Winograd);
  assert.deepEqual(y.shape, [0, 8, 8, 16]);
  assert.ok((await d_kernel.data()).every((value) => value === 0));
});
