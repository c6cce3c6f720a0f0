/**
 * Writes what `check_maps.py` computes again: maps of the first test images, and our measurements of them.
 *
 *     deno run -A tests/oracles/write_maps.ts CHECKPOINT maps.safetensors
 */
import { gradCam } from "../../lib/analysis/attributions.ts";
import { predictClasses } from "../../lib/analysis/choose_examples.ts";
import { markCells, orderByValue, traceCurves } from "../../lib/analysis/deletion.ts";
import { averageMaps, measureEvidence } from "../../lib/analysis/evidence.ts";
import { explainImages } from "../../lib/analysis/explain.ts";
import { imputePixels } from "../../lib/analysis/imputation.ts";
import { createMosaics, measurePointing } from "../../lib/analysis/pointing.ts";
import { randomiseLayers } from "../../lib/analysis/randomise_layers.ts";
import { createScorer, mapOf } from "../../lib/analysis/scorer.ts";
import { loadDatasets } from "../../lib/data/load_datasets.ts";
import { normaliseImages } from "../../lib/data/normalise.ts";
import { takeSubset } from "../../lib/data/splits.ts";
import { joinArrays } from "../../lib/support/arrays.ts";
import { type StoredTensor, writeSafetensors } from "../../lib/support/safetensors.ts";
import { pearsonCorrelation, rank } from "../../lib/support/statistics.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";

const [checkpoint, output] = Deno.args;
const IMAGES = 50, CELLS_REMOVED = 32;
const CHECKED = [
  "evidence",
  "map, bright first",
  "occlusion",
  "Grad-CAM",
  "integrated gradients",
  "random",
] as const;

await useNativeTensorFlow({ device: "cpu" });
const { test } = await loadDatasets({ data: null, log: console.error });
const { config: spec, loadNetwork } = await openCheckpoint(checkpoint);
const tensors = loadNetwork();
const scorer = createScorer(tensors, spec);
const score = async (images: Float32Array) => (await scorer.ask(images)).scores;

const tensorsToWrite = new Map<string, StoredTensor>();
const write = (name: string, shape: number[], values: ArrayLike<number>) =>
  tensorsToWrite.set(name, { shape, data: Float32Array.from(values) });

const sample = takeSubset(test, IMAGES);
const images = normaliseImages(sample.images);
const { scores, maps } = await scorer.ask(images);
const classes = predictClasses(scores, IMAGES);
const fixed = averageMaps(maps);
const explain = (images: Float32Array, classes: number[][]) =>
  explainImages({ tensors, spec, scorer, images, classes, fixed, seed: 0 });
const explained = await explain(images, classes.map((label) => [label]));
write("images", [IMAGES, 32, 32, 3], sample.images);
write("labels", [IMAGES], sample.labels);
write("classes", [IMAGES], classes);

const mosaics = createMosaics(test, { count: IMAGES, seed: 0 });
const pointers = await explain(normaliseImages(mosaics.images), mosaics.classes);
write("mosaics", [IMAGES, 32, 32, 3], mosaics.images);
write("mosaic classes", [IMAGES, 4], mosaics.classes.flat());

const orders = Object.fromEntries(CHECKED.map((method) => [
  method,
  explained[method].map((map, image) => orderByValue(map, 0, image)),
]));
const traces = await traceCurves({ images, classes, orders, score });
for (const { name, deletion, insertion } of traces) {
  write(`map/${name}`, [IMAGES, 64], joinArrays(explained[name as keyof typeof explained]));
  write(`order/${name}`, [IMAGES, 64], orders[name].flat());
  write(`deletion/${name}`, [IMAGES, 17], deletion.flat());
  write(`insertion/${name}`, [IMAGES, 17], insertion.flat());
  const removed = orders[name].map((order) => markCells(order.slice(0, CELLS_REMOVED)));
  const predicted = predictClasses(await score(imputePixels(images, removed, { noise: 0, seed: 0 })), IMAGES);
  write(`road/${name}`, [IMAGES], predicted.map((label, image) => label === sample.labels[image] ? 1 : 0));
  const pointing = pointers[name as keyof typeof pointers];
  write(`pointer/${name}`, [4 * IMAGES, 64], joinArrays(pointing));
  write(`pointing/${name}`, [1], [measurePointing(pointing).mean]);
}

for (const { part, tensors: randomised } of randomiseLayers(tensors, spec, 0)) {
  const other = createScorer(randomised, spec);
  const { maps } = await other.ask(images);
  const pick = (all: Float32Array) => classes.map((label, image) => mapOf(all, image, label));
  const after = {
    evidence: pick(await measureEvidence(randomised, spec, maps)),
    "Grad-CAM": [await gradCam(randomised, spec, joinArrays(pick(maps)))]
      .flatMap((all) => classes.map((_, image) => all.subarray(64 * image, 64 * image + 64))),
  };
  for (const [name, own] of Object.entries(after)) {
    write(`randomised/${part}/${name}`, [IMAGES, 64], joinArrays(own));
    const before = explained[name as keyof typeof after];
    write(
      `spearman/${part}/${name}`,
      [IMAGES],
      own.map((map, image) => pearsonCorrelation(rank(before[image]), rank(map))),
    );
  }
}
writeSafetensors(output, tensorsToWrite);
