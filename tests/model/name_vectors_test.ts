import assert from "node:assert/strict";
import { cosineSimilarity } from "../../lib/analysis/class_vectors.ts";
import { CLASS_NAMES } from "../../lib/data/dataset.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { nameVectors, OTHER_WORDS } from "../../lib/model/name_vectors.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { networkSpec } from "../testing/networks.ts";
import { toRows } from "../../lib/support/arrays.ts";

await useNativeTensorFlow({ device: "cpu" });

Deno.test("names of similar things have similar vectors, all of one length", () => {
  const vectors = toRows(nameVectors(CLASS_NAMES), 10);
  for (const vector of vectors) assert.ok(Math.abs(Math.hypot(...vector) - Math.sqrt(384)) < 0.01);
  const nearest = cosineSimilarity(vectors).map((row, label) => {
    const others = row.map((cosine, other) => other === label ? -1 : cosine);
    return CLASS_NAMES[others.indexOf(Math.max(...others))];
  });
  const expected = ["ship", "truck", "dog", "dog", "horse", "cat", "bird", "deer", "airplane", "automobile"];
  assert.deepEqual(nearest, expected);
});

Deno.test("a network holds the vectors of its own classes' names, in their order", async () => {
  const classNames = [...CLASS_NAMES].reverse();
  const network = createNetwork(networkSpec({ variant: "dynamic-names" }), { classNames });
  const held = await network["class_names.weight"].data();
  assert.deepEqual([...held.subarray(0, 384)], [...nameVectors(["truck"])]);
  assert.deepEqual([...held.subarray(9 * 384)], [...nameVectors(["airplane"])]);
});

Deno.test("the control's words name no class; a word without a vector is refused", () => {
  assert.deepEqual([OTHER_WORDS.length, OTHER_WORDS.filter((word) => CLASS_NAMES.includes(word as never))], [
    20,
    [],
  ]);
  assert.throws(() => nameVectors(["cat", "toString"]), /name toString: there is no vector of that name/);
});
