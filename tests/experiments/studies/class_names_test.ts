import assert from "node:assert/strict";
import { join } from "@std/path";
import { CLASS_NAMES, relabel } from "../../../lib/data/dataset.ts";
import { createSynthetic } from "../../../lib/data/synthetic.ts";
import {
  CLASS_NAMES_STUDY,
  measureAdded,
  type NameRow,
  summariseNames,
} from "../../../lib/experiments/studies/class_names.ts";
import { nameVectors } from "../../../lib/model/name_vectors.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { openCheckpoint } from "../../../lib/training/checkpoint.ts";
import { evaluate } from "../../../lib/training/evaluate.ts";
import { temporaryFolder } from "../../testing/folder.ts";
import { studyContext } from "../samples.ts";

await useNativeTensorFlow({ device: "cpu" });

Deno.test("an added class is measured beside the known ones, which win ties", () => {
  const scores = Float32Array.of(
    ...[5, 0, 1], // class 0, right
    ...[0, 2, 2], // the new class, a tie
    ...[0, 1, 3], // the new class, right
    ...[0, 1, 4], // class 1, taken for the new one
  );
  // the columns: class 0, class 1, the new one
  const measured = measureAdded({ scores, labels: [0, 2, 2, 1] }, [0, 1], 2);
  assert.deepEqual(measured, { newAccuracy: 1 / 2, allAccuracy: 2 / 4, auroc: 2 / 4 });
  // and the same with the columns in another order
  const swapped = Float32Array.from(scores, (_, at) => scores[3 * Math.floor(at / 3) + [2, 0, 1][at % 3]]);
  assert.deepEqual(measureAdded({ scores: swapped, labels: [0, 2, 2, 1] }, [1, 2], 0), measured);
});

Deno.test("a class is left out of training and scored by vectors alone", async () => {
  using temporary = temporaryFolder();
  const datasets = createSynthetic({ trainSize: 100, testSize: 60 });
  const context = await studyContext(temporary.path, datasets);
  const unit = CLASS_NAMES_STUDY.units([3])[1];
  const rows = await CLASS_NAMES_STUDY.measure(unit, context);
  for (const row of rows) CLASS_NAMES_STUDY.row.parse(row);
  assert.deepEqual(rows.map(({ vector }) => vector), ["name", "words", "random", "nearest", "trained"]);
  assert.ok(rows.every((row) => row.class === "automobile" && row.seed === 3));
  const nine = await openCheckpoint(join(temporary.path, unit.name, "last.safetensors"));
  assert.deepEqual(nine.classNames, CLASS_NAMES.filter((name) => name !== "automobile"));
  const [own, , , nearest, trained] = rows;
  const network = nine.loadNetwork();
  network["class_names.weight"] = tf.concat([
    network["class_names.weight"],
    tf.tensor2d(nameVectors(["automobile"]), [1, 384]),
  ]);
  const images = relabel(datasets.test, [...nine.classNames, "automobile"]);
  const { scores } = await evaluate(network, images, nine.config);
  const expected = measureAdded({ scores, labels: images.labels }, [0, 1, 2, 3, 4, 5, 6, 7, 8], 9);
  assert.deepEqual(own, { seed: 3, class: "automobile", vector: "name", ...expected });
  // the nearest name's score is a known class's: it takes no image from one, and gets none
  const known = datasets.test.labels.filter((label) => label !== 1).length;
  assert.equal(nearest.newAccuracy, 0);
  assert.ok(Math.abs(nearest.allAccuracy - nine.progress.history[0].testAccuracy * known / 60) < 1e-9);
  const ten = await openCheckpoint(join(temporary.path, "dynamic-names-seed3", "last.safetensors"));
  assert.ok(Math.abs(trained.allAccuracy - ten.progress.history[0].testAccuracy) < 1e-9);
});

Deno.test("the gain of a class's own name is the mean over classes, each the mean over seeds", () => {
  const row = (seed: number, name: string, vector: string, auroc: number) =>
    ({ seed, class: name, vector, newAccuracy: 0, allAccuracy: 0, auroc }) as NameRow;
  const rows = [
    ...[row(0, "cat", "name", 0.5), row(1, "cat", "name", 0.7), row(0, "dog", "name", 0.8)],
    ...[row(0, "cat", "words", 0.5), row(1, "cat", "words", 0.5), row(0, "dog", "words", 0.5)],
  ];
  const { classes, values, gain } = summariseNames(rows, "auroc");
  assert.deepEqual(classes, ["cat", "dog"]);
  assert.deepEqual(values("name").map((value) => value.toFixed(2)), ["0.60", "0.80"]);
  const { mean, n } = gain("words");
  assert.deepEqual([mean.toFixed(2), n], ["0.20", 2]);
});
