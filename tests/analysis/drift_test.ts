import assert from "node:assert/strict";
import {
  compareMoments,
  findDead,
  lengthsOf,
  measureBackboneDrift,
  measureKernelDrift,
} from "../../lib/analysis/drift.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { networkSpec } from "../testing/networks.ts";

await useNativeTensorFlow({ device: "cpu" });

const kernels = (...rows: number[][]) => ({ shape: [rows.length, rows[0].length], data: rows.flat() });
const near = (actual: number, expected: number, tolerance = 1e-6) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual}, expected ${expected}`);

Deno.test("the change is relative to the initial norm, the angle independent of it", () => {
  const start = kernels([3, 0], [0, 4]);
  const longer = measureKernelDrift(start, kernels([9, 0], [0, 2]));
  near(longer.change, Math.hypot(6, 2) / 5);
  near(longer.angle, 0, 1e-5);
  near(measureKernelDrift(start, kernels([0, 3], [0, 4])).angle, 45);
  near(measureKernelDrift(start, kernels([-3, 0], [0, -4])).angle, 180);
});

Deno.test("dead kernels are counted and excluded from the angle", () => {
  const start = kernels([3, 0], [1e-9, 0], [0, 4], [1, 0], [1, 1]);
  const drift = measureKernelDrift(start, kernels([3, 0], [0, 1e-9], [1e-9, 0], [2, 0], [1, 1]));
  assert.deepEqual(drift.dead, [1, 2]);
  near(drift.angle, 0, 1e-5);
  assert.deepEqual([...findDead(lengthsOf(start))], [1]);
  assert.throws(() => measureKernelDrift(start, kernels([1, 2])), RangeError);
});

Deno.test("means are compared in expected deviations, variances as a factor", () => {
  const expected = new Map([["bn", { mean: Float32Array.of(1, 0, 7), variance: Float32Array.of(4, 1, 0) }]]);
  const found = new Map([["bn", {
    mean: Float32Array.of(4, -1, 9),
    variance: Float32Array.of(16, 0.25, 1),
  }]]);
  const { shift, ratio, factor } = compareMoments(expected, found).get("bn")!; // the third never varied
  near(shift, (3 / 2 + 1) / 2);
  near(ratio, 1);
  near(factor, 4, 1e-5);
});

Deno.test("a rescaled kernel with matching statistics has no drift, a rotated one has", async () => {
  const start = createNetwork(networkSpec(), { seed: 1 });
  const end = { ...start };
  const grow = (layer: string, norm: string, factor: number) => {
    end[`${layer}.weight`] = tf.mul(start[`${layer}.weight`], factor);
    end[`${norm}.running_mean`] = tf.mul(start[`${norm}.running_mean`], factor);
    end[`${norm}.running_var`] = tf.mul(start[`${norm}.running_var`], factor ** 2);
  };
  grow("backbone.conv1", "backbone.bn1", 3);
  end["backbone.layer1.1.bn2.running_var"] = tf.mul(start["backbone.layer1.1.bn2.running_var"], 4);
  const layers = await measureBackboneDrift(start, end);
  assert.deepEqual(layers.map(({ layer }) => layer), [
    "backbone.conv1",
    "backbone.layer1.0.conv1",
    "backbone.layer1.0.conv2",
    "backbone.layer1.1.conv1",
    "backbone.layer1.1.conv2",
  ]);
  const [grown, still] = [layers[0], layers[1]];
  near(grown.change, 2, 1e-5);
  for (const { angle, moments } of [grown, still]) {
    near(angle, 0, 0.1);
    near(moments.shift, 0, 1e-4);
    near(moments.factor, 1, 1e-4);
  }
  near(layers[4].moments.ratio, 4, 1e-3);
});
