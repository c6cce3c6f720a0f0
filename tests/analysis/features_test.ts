import assert from "node:assert/strict";
import { describeChannels } from "../../lib/analysis/features.ts";
import { featureSimilarity } from "../../lib/analysis/features.ts";
import { createRandom } from "../../lib/support/random.ts";

const random = createRandom(6);
const normals = (count: number) => Float64Array.from({ length: count }, random.normal);

Deno.test("CKA is invariant to rotation, scale and translation", () => {
  const x = normals(40 * 2);
  const y = Float64Array.from({ length: 80 }, (_, at) => {
    const [a, b] = [x[at - at % 2], x[at - at % 2 + 1]];
    return at % 2 === 0 ? 3 * (0.6 * a - 0.8 * b) + 5 : 3 * (0.8 * a + 0.6 * b) - 1;
  });
  assert.ok(Math.abs(featureSimilarity(x, y, 40) - 1) < 1e-12);
});

Deno.test("CKA is low for unrelated features and in between for half-related ones", () => {
  const [x, noise] = [normals(2000 * 3), normals(2000 * 3)];
  assert.ok(featureSimilarity(x, noise, 2000) < 0.01);
  const half = featureSimilarity(x, x.map((value, at) => value + noise[at]), 2000);
  assert.ok(half > 0.3 && half < 0.9);
});

Deno.test("features may differ in length", () => {
  const x = normals(50 * 2);
  const doubled = Float64Array.from({ length: 200 }, (_, at) => x[Math.floor(at / 4) * 2 + at % 2]);
  assert.ok(Math.abs(featureSimilarity(x, doubled, 50) - 1) < 1e-12);
});

Deno.test("channels that are never active or never vary are dead", () => {
  const values = new Float32Array(1000 * 4);
  for (let place = 0; place < 1000; place++) {
    values[place * 4] = Math.max(0, random.normal()); // alive, half of the time
    values[place * 4 + 1] = 2; // the same everywhere
    values[place * 4 + 2] = 0; // never active
    values[place * 4 + 3] = random.next() + 1; // always active
  }
  const { dead, active, channels } = describeChannels(values, 4);
  assert.deepEqual([dead, channels], [2, 4]);
  assert.ok(Math.abs(active - 2.5 / 4) < 0.02);
});

Deno.test("the effective dimension is the number of independent channels", () => {
  const values = new Float32Array(4000 * 4);
  for (let place = 0; place < 4000; place++) {
    const [a, b] = [random.next(), random.next()];
    values.set([a, 5 * a, b, 0], place * 4); // two independent channels, one scaled copy and one dead channel
  }
  const { dimensions } = describeChannels(values, 4);
  assert.ok(Math.abs(dimensions - 9 / 5) < 0.05); // eigenvalues 2, 1, 0
});
