import assert from "node:assert/strict";
import { join } from "@std/path";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { execute, executeMany, floatAttribute } from "../../../lib/tensorflow/runtime/binding.ts";
import { canUseKernels } from "../../../lib/tensorflow/runtime/kernels.ts";
import { findInstallation } from "../../../lib/tensorflow/runtime/installation.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import {
  assertAllClose,
  assertSameValues,
  isSame,
  onPlainBackend,
  randomTensor,
  type Values,
} from "../../testing/tensors.ts";
import { PROJECT } from "../../testing/sources.ts";
import { computeWithKernels } from "./kernel_results.ts";

await useNativeTensorFlow({ device: "cpu" });

/** What {@linkcode computeWithKernels} gives in a process of its own. */
async function computeElsewhere(env: Record<string, string>): Promise<{ values: Values; stderr: string }> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", join(PROJECT, "tests", "tensorflow", "kernels", "kernel_results.ts")],
    env: { ...env, NO_COLOR: "1" },
    cwd: PROJECT,
  }).output();
  const text = new TextDecoder().decode(stdout);
  const values = text === "" ? {} : JSON.parse(text) as Record<string, number[]>;
  return {
    values: Object.fromEntries(Object.entries(values).map(([name, list]) => [name, Float32Array.from(list)])),
    stderr: new TextDecoder().decode(stderr),
  };
}

/** The best kind of processor that the operations have instructions for here: 0 is the baseline. */
function findProcessor(): number {
  const { kernels } = findInstallation("cpu");
  const { symbols } = Deno.dlopen(kernels, { findProcessor: { parameters: [], result: "i32" } });
  return symbols.findProcessor();
}

for (const KERNELS_PROCESSOR of ["baseline", "avx2", "avx512"]) {
  for (const TF_NUM_INTRAOP_THREADS of ["1", "3", "64"]) {
    Deno.test(`the operations for ${KERNELS_PROCESSOR} on ${TF_NUM_INTRAOP_THREADS} threads agree to rounding`, async () => {
      const { values, stderr } = await computeElsewhere({ KERNELS_PROCESSOR, TF_NUM_INTRAOP_THREADS });
      assert.equal(stderr, "");
      assertAllClose(values, await computeWithKernels(), 4e-6);
    });
  }
}

Deno.test("the operations give the same bits in every process", async () => {
  const { threads } = await useNativeTensorFlow();
  const { values } = await computeElsewhere({ TF_NUM_INTRAOP_THREADS: String(threads) });
  assertSameValues(values, await computeWithKernels());
});

Deno.test({
  name: "the processor's own answer agrees with the kernel's flags",
  ignore: Deno.build.os !== "linux",
}, () => {
  const flags = new Set(/^flags\s*:(.*)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1].split(" "));
  const avx2 = "avx2 fma bmi1 bmi2", avx512 = `${avx2} avx512f avx512dq avx512cd avx512bw avx512vl`;
  const kinds = ["", avx2, avx512].map((needed) => needed.split(" ").filter((flag) => flag !== ""));
  const expected = kinds.findLastIndex((needed) => needed.every((flag) => flags.has(flag)));
  assert.equal(findProcessor(), expected);
});

Deno.test("each kind of processor is given its own instructions", async () => {
  const [baseline, avx2] = await Promise.all(
    ["baseline", "avx2"].map((KERNELS_PROCESSOR) => computeElsewhere({ KERNELS_PROCESSOR })),
  );
  const differ = Object.keys(baseline.values).some((name) =>
    !isSame(baseline.values[name], avx2.values[name])
  );
  assert.equal(
    differ,
    findProcessor() > 0,
    "AVX2 rounds once where the baseline multiplies, rounds, adds and rounds",
  );
});

Deno.test("the operations are divided among the threads asked for, which changes the last bits", async () => {
  const [one, three] = await Promise.all(
    ["1", "3"].map((TF_NUM_INTRAOP_THREADS) => computeElsewhere({ TF_NUM_INTRAOP_THREADS })),
  );
  assert.ok(Object.keys(one.values).some((name) => !isSame(one.values[name], three.values[name])));
});

Deno.test("an unknown kind of processor is refused", async () => {
  const { stderr } = await computeElsewhere({ KERNELS_PROCESSOR: "z80" });
  assert.match(
    stderr,
    /Cannot use KERNELS_PROCESSOR=z80: no such kind of processor is known\. Choose one of baseline, avx2, avx512\./,
  );
});

Deno.test("the operations need multiples of 16 channels and the native backend", async () => {
  assert.equal(canUseKernels(16, 64), true);
  assert.equal(canUseKernels(16, 24), false);
  await onPlainBackend(() => {
    assert.equal(canUseKernels(16), false);
    return {};
  });
});

Deno.test("the operations refuse wrong shapes", () => {
  const [x, vector, other] = [[2, 3, 3, 16], [16], [8]].map((shape) => randomTensor(shape));
  const normalise = (...inputs: tf.Tensor[]) => () => {
    const attributes = [
      { name: "relu", type: 3, value: false },
      floatAttribute("epsilon", 1e-5),
      floatAttribute("momentum", 0.1),
    ];
    return executeMany("NormaliseBatch", attributes, inputs, 5);
  };
  const four = [vector, vector, vector, vector], none = tf.zeros([0]);
  assert.throws(normalise(tf.zeros([2, 3, 3, 8]), ...four, none), /C a multiple of 16/);
  assert.throws(normalise(tf.zeros([0, 3, 3, 16]), ...four, none), /not empty/);
  assert.throws(normalise(x, vector, vector, other, vector, none), /a vector must be \[C\]/);
  assert.throws(normalise(x, ...four, tf.zeros([2, 3, 3, 32])), /x's shape/);
  assert.equal(normalise(x, ...four, none)().length, 5);
  const attributes = [floatAttribute("momentum", 0.9), floatAttribute("weight_decay", 0)];
  const step = (...inputs: tf.Tensor[]) => () => executeMany("NesterovStep", attributes, inputs, 2);
  assert.throws(step(vector, other, vector, tf.scalar(1)), /one shape/);
  assert.throws(step(vector, vector, vector, other), /a scalar/);
  assert.throws(() => execute("Winograd3x3", [], [x, tf.cast(tf.zeros([3, 3, 16, 16]), "int32")]), /float/);
});
