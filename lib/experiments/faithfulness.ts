import { z } from "zod";
import { gradCam } from "../analysis/attributions.ts";
import { predictClasses } from "../analysis/choose_examples.ts";
import { areasOf, markAtRandom, markCells, orderByValue, traceCurves } from "../analysis/deletion.ts";
import { averageMaps, measureEvidence } from "../analysis/evidence.ts";
import { explainImages, type Method, METHODS } from "../analysis/explain.ts";
import { imputePixels } from "../analysis/imputation.ts";
import { createMosaics, measurePointing } from "../analysis/pointing.ts";
import { randomiseLayers } from "../analysis/randomise_layers.ts";
import { createScorer, MAP_CELLS, mapOf, type Scorer } from "../analysis/scorer.ts";
import {
  countClasses,
  type Dataset,
  type Datasets,
  IMAGE_BYTES,
  IMAGE_SIZE,
  selectImages,
} from "../data/dataset.ts";
import { normaliseImages } from "../data/normalise.ts";
import { takeSubset } from "../data/splits.ts";
import type { NetworkSpec } from "../model/spec.ts";
import { disposeAll, type StateDict } from "../model/state_dict.ts";
import { joinArrays, splitRows } from "../support/arrays.ts";
import { throwIfInterrupted, yieldToEventLoop } from "../support/interrupt.ts";
import { number } from "../support/schema.ts";
import { mean, pearsonCorrelation, rank } from "../support/statistics.ts";

/** Fractions of the pixels that ROAD removes. */
export const ROAD_FRACTIONS = [0.25, 0.5, 0.75];

/** A network's measurements of one order of the cells, or of single pixels at random, which only ROAD has. */
export const ORDER_MEASUREMENT = z.strictObject({
  method: z.enum([...METHODS, "random pixels"]),
  /** Mean areas under the curves, 0–1. */
  deletion: number().nullable(),
  insertion: number().nullable(),
  /** Fraction of mosaics' classes whose map points at their quarter. */
  pointing: number().nullable(),
  /** Accuracy without the {@linkcode ROAD_FRACTIONS} that come first. */
  road: z.array(number()),
});

/** Of {@linkcode ORDER_MEASUREMENT}. */
export type OrderMeasurement = z.infer<typeof ORDER_MEASUREMENT>;

/** Means over images of Spearman's correlation of the maps before and after, and of its absolute value. */
const AGREEMENT = z.tuple([number(), number()]);

/** Changes: a part is randomised together with all above it; or none is, but the map is another image's. */
export const CHANGES = ["predictor", "filters", "layer1.1", "layer1.0", "stem", "another image"] as const;

/** Agreement of a network's maps with those after a change. */
export const LAYER_MEASUREMENT = z.strictObject({
  change: z.enum(CHANGES),
  map: AGREEMENT,
  evidence: AGREEMENT,
  gradCam: AGREEMENT,
});

/** Of {@linkcode LAYER_MEASUREMENT}. */
export type LayerMeasurement = z.infer<typeof LAYER_MEASUREMENT>;

export interface MeasureOptions {
  tensors: StateDict;
  spec: NetworkSpec;
  datasets: Datasets;
  /** Which test images: those of different seeds have none in common, as far as there are enough. */
  seed: number;
  /** Test images, and mosaics. @default 500 */
  images?: number;
  /** Aborted to stop. */
  signal?: AbortSignal;
}

/**
 * Measures deletion, insertion, pointing and ROAD for every order.
 *
 * @throws {Interrupted} If it was stopped.
 */
export async function measureOrders(options: MeasureOptions): Promise<OrderMeasurement[]> {
  const { tensors, spec, datasets, seed, images: count = 500, signal } = options;
  const { ask, dispose } = createScorer(tensors, spec);
  const scorer: Scorer = {
    async ask(images) {
      await yieldToEventLoop();
      throwIfInterrupted(signal);
      return await ask(images);
    },
    dispose,
  };
  const score = async (images: Float32Array) => (await scorer.ask(images)).scores;
  try {
    const fixed = await averageEvidence(options);
    const explain = (images: Float32Array, classes: number[][]) =>
      explainImages({ tensors, spec, scorer, images, classes, fixed, seed });

    const mosaics = createMosaics(datasets.test, { count, seed });
    const pointers = await explain(normaliseImages(mosaics.images), mosaics.classes);

    const sample = chooseImages(datasets.test, count, seed);
    const images = normaliseImages(sample.images);
    const classes = predictClasses(await score(images), sample.labels.length);
    const maps = await explain(images, classes.map((label) => [label]));
    const orderOf = (method: Method) => maps[method].map((map, image) => orderByValue(map, seed, image));
    const orders = Object.fromEntries(METHODS.map((method) => [method, orderOf(method)]));
    const traces = await traceCurves({ images, classes, orders, score });
    const road = (markOf: (image: number, fraction: number) => Uint8Array) =>
      Promise.all(ROAD_FRACTIONS.map(async (fraction) => {
        const imputed = imputePixels(images, classes.map((_, image) => markOf(image, fraction)), { seed });
        const predicted = predictClasses(await score(imputed), classes.length);
        return mean(predicted.map((label, image) => label === sample.labels[image] ? 1 : 0));
      }));
    const rows: OrderMeasurement[] = [];
    for (const [index, method] of METHODS.entries()) {
      rows.push({
        method,
        deletion: mean(areasOf(traces[index], "deletion")),
        insertion: mean(areasOf(traces[index], "insertion")),
        pointing: measurePointing(pointers[method]).mean,
        road: await road((image, fraction) =>
          markCells(orders[method][image].slice(0, fraction * MAP_CELLS))
        ),
      });
    }
    const pixels = await road((image, fraction) => markAtRandom(fraction * IMAGE_SIZE ** 2, seed, image));
    return [...rows, {
      method: "random pixels",
      deletion: null,
      insertion: null,
      pointing: null,
      road: pixels,
    }];
  } finally {
    scorer.dispose();
  }
}

/** Correlates the predicted classes' maps before and after randomising the layers from the top. */
export async function measureLayers(options: MeasureOptions): Promise<LayerMeasurement[]> {
  const { tensors, spec, datasets, seed, images: count = 500 } = options;
  const images = normaliseImages(chooseImages(datasets.test, count, seed).images);
  const ask = async (tensors: StateDict, predicted?: readonly number[]) => {
    const scorer = createScorer(tensors, spec);
    try {
      const { scores, maps } = await scorer.ask(images);
      const classes = predicted ?? predictClasses(scores, images.length / IMAGE_BYTES);
      const pick = (maps: Float32Array) => classes.map((label, image) => mapOf(maps, image, label));
      const own = pick(maps);
      const evidence = pick(await measureEvidence(tensors, spec, maps));
      return {
        classes,
        map: own,
        evidence,
        gradCam: splitRows(await gradCam(tensors, spec, joinArrays(own)), own.length),
      };
    } finally {
      scorer.dispose();
    }
  };
  const before = await ask(tensors);
  const agree = (kind: "map" | "evidence" | "gradCam", after: Float32Array[]): [number, number] => {
    const all = before[kind].map((map, image) => pearsonCorrelation(rank(map), rank(after[image])));
    return [mean(all), mean(all.map(Math.abs))];
  };
  const compare = (change: LayerMeasurement["change"], after: typeof before): LayerMeasurement => ({
    change,
    map: agree("map", after.map),
    evidence: agree("evidence", after.evidence),
    gradCam: agree("gradCam", after.gradCam),
  });
  const rows: LayerMeasurement[] = [];
  const randomised = randomiseLayers(tensors, spec, seed);
  for (const { part, tensors } of randomised) rows.push(compare(part, await ask(tensors, before.classes)));
  disposeAll(randomised.at(-1)!.tensors);
  const next = (maps: Float32Array[]) => [...maps.slice(1), maps[0]]; // images are not sorted by class
  const { map, evidence, gradCam: cam } = before;
  return [
    ...rows,
    compare("another image", { ...before, map: next(map), evidence: next(evidence), gradCam: next(cam) }),
  ];
}

const TRAINING_IMAGES = 1000;

/** Averages the evidence for the predicted class over training images: the fixed order. */
export async function averageEvidence(
  { tensors, spec, datasets }: Omit<MeasureOptions, "seed">,
): Promise<Float32Array> {
  const { images } = takeSubset(datasets.train, TRAINING_IMAGES);
  const scorer = createScorer(tensors, spec);
  const { scores, maps } = await scorer.ask(normaliseImages(images));
  scorer.dispose();
  const evidence = await measureEvidence(tensors, spec, maps);
  const predicted = predictClasses(scores, images.length / IMAGE_BYTES);
  return averageMaps(joinArrays(predicted.map((label, image) => mapOf(evidence, image, label))));
}

/** Chooses as many images of each class, in the set's order, leaving out those of smaller seeds. */
function chooseImages(dataset: Dataset, count: number, seed: number): Dataset {
  const sizes = countClasses(dataset.labels).filter((size) => size > 0);
  const perClass = Math.max(1, Math.min(Math.floor(count / sizes.length), ...sizes));
  const part = seed % Math.floor(Math.min(...sizes) / perClass);
  const seen = new Map<number, number>();
  const chosen = [...dataset.labels].flatMap((label, index) => {
    const before = seen.get(label) ?? 0;
    seen.set(label, before + 1);
    return Math.floor(before / perClass) === part ? [index] : [];
  });
  return selectImages(dataset, chosen);
}
