// the page's network on TensorFlow.js's plain backend, beside the native one
import assert from "node:assert/strict";
import { join } from "@std/path";
import { Engine } from "../../explore/engine.ts";
import {
  computeKnownFeatures,
  formatKnownFeatures,
  parseKnownFeatures,
} from "../../explore/known_features.ts";
import { roundWeights, shuffleBytes, unshuffleBytes } from "../../explore/packing.ts";
import { measureEvidence } from "../../lib/analysis/evidence.ts";
import { IMAGE_BYTES } from "../../lib/data/dataset.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { filterCount } from "../../lib/model/spec.ts";
import { InputError } from "../../lib/support/errors.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import { formatCheckpoint, parseCheckpoint } from "../../lib/training/checkpoint_format.ts";
import { CASES, createCase } from "../export/cases.ts";
import { saveRandomCheckpoint } from "../testing/checkpoint.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { assertClose } from "../testing/oracle.ts";

await useNativeTensorFlow({ device: "cpu" });

/** Runs work on TensorFlow.js's plain backend. */
async function onPlain<T>(work: () => Promise<T>): Promise<T> {
  tf.env().set("PROD", true); // no advice to install the native backend
  await tf.setBackend("cpu");
  try {
    return await work();
  } finally {
    await tf.setBackend("tensorflow");
  }
}

for (const spec of CASES) {
  Deno.test(`the page computes what ${spec.variant} computes natively, adapter ${spec.adapter}`, async () => {
    const { checkpoint, pictures, scores, maps } = await createCase(spec, 1);
    const bytes = formatCheckpoint({ ...checkpoint, slots: null });
    const count = filterCount(spec.variant, spec.classes);
    const tensors = checkpoint.loadNetwork();
    const evidence = count === 1
      ? null
      : await measureEvidence(tensors, checkpoint.config, Float32Array.from(maps));
    tf.dispose(Object.values(tensors));
    await onPlain(async () => {
      const before = tf.memory().numTensors;
      const engine = await Engine.open(bytes, "a file");
      const look = await engine.look(Uint8Array.from(pictures));
      assertClose(look.scores, scores, 1e-5, "scores");
      assertClose(look.maps, maps, 1e-5, "maps");
      if (evidence === null) assert.equal(look.evidence, null);
      else assertClose(look.evidence!, evidence, 1e-4, "evidence");
      assert.equal(look.shares.length, spec.classes);
      const label = Math.min(1, count - 1);
      const filter = engine.filters.slice(64 * label, 64 * (label + 1));
      const applied = await engine.apply(look.features, filter);
      assertClose(applied.map, maps.slice(64 * label, 64 * (label + 1)), 1e-5, "one map");
      if (count > 1) assertClose([applied.score], [look.scores[label]], 1e-5, "one score");
      if (engine.embeddings !== null) {
        const size = engine.embeddings.length / spec.classes;
        const generated = await engine.generate(engine.embeddings.slice(size, 2 * size));
        assertClose(generated, filter, 1e-6, "a generated filter");
      }
      assert.deepEqual(parseCheckpoint(engine.save(), "saved").readTensors().network, checkpoint.network);
      engine.close();
      assert.equal(tf.memory().numTensors, before);
    });
  });
}

Deno.test("teaching is refused where there is nothing to learn from, or nothing to tell it from", async () => {
  const { checkpoint } = await createCase(CASES[0], 1);
  const bytes = formatCheckpoint({ ...checkpoint, slots: null });
  const pictures = Array.from({ length: 5 }, () => new Uint8Array(IMAGE_BYTES));
  const known = {
    features: new Float32Array(),
    labels: new Uint8Array(),
    classNames: [],
    data: "synthetic",
    fingerprint: "another network's",
  };
  await onPlain(async () => {
    const engine = await Engine.open(bytes, "a file", known);
    const teach = (pictures: Uint8Array[]) => engine.teach("mug", pictures, () => {});
    await assert.rejects(teach(pictures.slice(1)), { message: /from 4 pictures: at least 5 are needed\.$/ });
    await assert.rejects(teach(pictures), {
      message: /class mug: the page has nothing of the classes it knows/,
    });
    assert.throws(() => engine.forget("cat"), RangeError);
    engine.close();
  });
});

for (const variant of ["dynamic", "static-per-class"] as const) {
  Deno.test(`classes are taught to a network ${variant} one after the other, and forgotten`, async () => {
    using folder = temporaryFolder();
    const path = await saveRandomCheckpoint(join(folder.path, "c.safetensors"), { variant });
    const { train } = createSynthetic({ trainSize: 100, testSize: 0 });
    const known = await computeKnownFeatures(await openCheckpoint(path), train);
    const engine = await Engine.open(Deno.readFileSync(path), "a file", known);
    const pictures = Array.from({ length: 10 }, (_, at) => new Uint8Array(IMAGE_BYTES).fill(20 * at));
    const scores = async () => [...(await engine.look(pictures[3])).scores];
    const ten = await scores();
    const { network } = engine;
    const learning = engine.teach("mug", pictures, () => {});
    assert.throws(() => engine.close(), (error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, /^Cannot close the network: it is learning the class mug\.$/);
      return true;
    });
    await learning;
    const eleven = await scores();
    assert.equal(eleven.length, 11);
    await engine.teach("cup", pictures.slice(0, 5), () => {});
    const twelve = await scores();
    assert.deepEqual(twelve.slice(0, 11), eleven);
    assert.deepEqual(eleven.slice(0, 10), ten);
    assert.deepEqual(engine.network.classNames.slice(10), ["mug", "cup"]);
    assert.match(
      parseCheckpoint(engine.save(), "").recorded.data,
      / \+ mug \(8 pictures\) \+ cup \(5 pictures\)$/,
    );
    engine.forget("mug");
    assert.deepEqual(await scores(), twelve.toSpliced(10, 1));
    engine.forget("cup");
    assert.deepEqual(await scores(), ten);
    assert.deepEqual(engine.network, network);
    engine.close();
  });
}

Deno.test("known feature maps are stored in two bits per value", () => {
  const features = Float32Array.from({ length: 2 * 8 * 8 * 64 }, (_, at) => (at * 7919 % 100) / 33.3);
  const known = {
    features,
    labels: Uint8Array.of(1, 0),
    classNames: ["cat", "dog"],
    data: "synthetic",
    fingerprint: "f",
  };
  const bytes = formatKnownFeatures(known);
  const { features: stored, ...rest } = parseKnownFeatures(bytes, "known");
  const { features: _, ...facts } = known;
  assert.deepEqual(rest, facts);
  assert.ok(bytes.length < features.length / 4 + 1000);
  const furthest = stored.reduce((most, value, at) => Math.max(most, Math.abs(value - features[at])), 0);
  assert.ok(furthest < 0.51, `${furthest}`); // half a step of a third of the range
});

Deno.test("words' bytes are split and joined, and weights are rounded once only", () => {
  const bytes = Uint8Array.from({ length: 16 }, (_, at) => at);
  assert.deepEqual(shuffleBytes(bytes).slice(0, 5), Uint8Array.of(0, 4, 8, 12, 1));
  assert.deepEqual(unshuffleBytes(shuffleBytes(bytes)), bytes);
  const weights = Float32Array.of(0.1, -3, 1e-5, 0);
  const rounded = roundWeights(weights);
  weights.forEach((weight, at) => assert.ok(Math.abs(rounded[at] - weight) <= Math.abs(weight) * 2 ** -15));
  assert.notEqual(rounded[0], weights[0]);
  assert.deepEqual(roundWeights(rounded), rounded);
});

Deno.test("a file that is no checkpoint is refused in the command line's words", async () => {
  await assert.rejects(Engine.open(Uint8Array.of(1, 2, 3), "cat.png"), (error) => {
    assert(error instanceof InputError);
    assert.equal(error.message, "Cannot read cat.png: 3 bytes are too few for a safetensors file.");
    return true;
  });
});

Deno.test("numbers that are not of the network's classes are not added to it", async () => {
  const { checkpoint } = await createCase(CASES[0], 1);
  await onPlain(async () => {
    const engine = await Engine.open(formatCheckpoint({ ...checkpoint, slots: null }), "a file");
    const own = engine.embeddings!.slice(0, 128);
    for (const vector of [own.slice(1), own.with(3, NaN)]) {
      assert.throws(() => engine.add("mug", vector), InputError);
    }
    assert.deepEqual(engine.taught, []);
    engine.add("mug", own);
    assert.deepEqual(engine.taught, ["mug"]);
    assert.deepEqual(engine.filters.slice(-64), engine.filters.slice(0, 64));
    engine.close();
  });
});
