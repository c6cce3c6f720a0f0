/** Synthetic data for the figures: the same in every run, and shaped like the real ones. */
import { CLASS_NAMES, IMAGE_BYTES } from "../../lib/data/dataset.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import {
  benchBars,
  cellMaps,
  confusionMatrix,
  contactSheet,
  type DiagramExample,
  driftBars,
  fewImages,
  type Figure,
  filtersHeatMap,
  networkDiagram,
  type NetworkLayer,
  perClassAccuracy,
  pointingMaps,
  rangeTest,
  reliabilityDiagram,
  responseMaps,
  similarity,
  type StepLosses,
  stepLosses,
  trainingCurves,
  type TrainingRun,
  type Variant,
  variantComparison,
} from "../../lib/figures/mod.ts";
import { createRandom } from "../../lib/support/random.ts";
import { meanInterval, wilsonInterval } from "../../lib/support/statistics.ts";

/** A run whose accuracy rises to `final`. */
export function sampleRun(name: string, final: number, seed: number, epochs = 12): TrainingRun {
  const random = createRandom(seed);
  const history = Array.from({ length: epochs }, (_, index) => {
    const done = (index + 1) / epochs;
    const accuracy = final * (1 - 0.62 * Math.exp(-4.5 * done)) - 0.02 * (1 - done) * random.next();
    return {
      epoch: index + 1,
      learningRate: 0.05 * Math.max(0.001, Math.min(done / 0.3, (1 - done) / 0.7)),
      trainAccuracy: accuracy + 0.09 * done - 0.03,
      testAccuracy: accuracy,
      trainLoss: 2.4 - 2.3 * accuracy - 0.09 * done,
      testLoss: 2.42 - 2.3 * accuracy,
    };
  });
  return { name, history };
}

/** Bins of predictions that are less often right than their probability says. */
function sampleBins(gap: number) {
  return Array.from({ length: 15 }, (_, bin) => {
    const probability = (bin + 0.5) / 15;
    return {
      n: bin < 2 ? 0 : 20 * bin ** 2,
      probability,
      accuracy: probability - gap * Math.sin(3 * probability),
    };
  });
}

/** Losses that fall; in a range test the rate rises, and they rise at its end. */
function sampleLosses(steps: number, seed: number, rises = false): StepLosses {
  const random = createRandom(seed, 5);
  const at = Array.from({ length: steps }, (_, step) => step / (steps - 1));
  return {
    losses: at.map((x) => 0.8 + 1.5 * Math.exp(-3 * x) + (rises ? 3 * x ** 9 : 0) + 0.12 * random.normal()),
    learningRates: at.map((x) => rises ? 1e-4 * 1e4 ** x : 0.05 * Math.min(x / 0.3, (1 - x) / 0.7)),
  };
}

const { train: SYNTHETIC } = createSynthetic({ trainSize: 20, testSize: 0 });

/** One of twenty synthetic images, `[32,32,3]`. */
export function sampleImage(index: number): Uint8Array {
  return SYNTHETIC.images.subarray(index * IMAGE_BYTES, (index + 1) * IMAGE_BYTES);
}

/** Ten smooth maps `[10,8,8]`. */
export function sampleMaps(seed: number): Float32Array {
  return Float32Array.from({ length: 640 }, (_, at) => {
    const [k, row, column] = [Math.floor(at / 64), Math.floor(at / 8) % 8, at % 8];
    return 0.3 * Math.sin(seed + 2.1 * k + 0.5 * row) * Math.cos(3 * seed + 1.3 * k - 0.6 * column);
  });
}

/** Ten scores, the greatest that of `predicted`. */
export function sampleScores(seed: number, predicted: number): number[] {
  const random = createRandom(seed, 3);
  return CLASS_NAMES.map((_, k) => (k === predicted ? 4.5 : 0) + 1.3 * random.normal());
}

/** Experiments over five seeds, the first one the reference. */
function sampleVariants(): Variant[] {
  const random = createRandom(7);
  const means = { dynamic: 0.803, "static-per-class": 0.81, "static-ten-way": 0.749, "static-shared": 0.1 };
  const runs = Object.entries(means).map(([name, mean]) => ({
    name,
    note: "162,442 parameters",
    accuracies: Array.from({ length: 5 }, () => mean === 0.1 ? 0.1 : mean + 0.003 * random.normal()),
  }));
  return runs.map((run) => {
    const values = run.accuracies.map((accuracy, seed) => accuracy - runs[0].accuracies[seed]);
    const difference = run === runs[0]
      ? null
      : { ...meanInterval(values), values, isShown: run.name !== "static-per-class" };
    return { ...run, mean: meanInterval(run.accuracies), difference };
  });
}

/** Similarities `[10,10]`; the less alike, the greater `spread`. */
function sampleSimilarities(spread: number): number[][] {
  return CLASS_NAMES.map((_, one) => CLASS_NAMES.map((_, other) => Math.cos(spread * (one - other))));
}

/** Vectors `[10,length]`. */
function sampleVectors(length: number): number[][] {
  const random = createRandom(5, length);
  return CLASS_NAMES.map(() => Array.from({ length }, () => random.normal() / Math.sqrt(length)));
}

/** Counts `[10][10]` of a network that mixes up cats and dogs. */
export function sampleConfusion(): number[][] {
  const random = createRandom(11);
  return CLASS_NAMES.map((_, truth) => {
    const row = CLASS_NAMES.map((_, k) => k === truth ? 0 : random.integer(28));
    if (truth === 3) row[5] = 142;
    if (truth === 5) row[3] = 118;
    row[truth] = 1000 - row.reduce((sum, count) => sum + count, 0);
    return row;
  });
}

/** The summary of the `dynamic` network. */
export function sampleLayers(frozen = false): NetworkLayer[] {
  const convolution = (layer: string, side: number, parameters: number): NetworkLayer => {
    return { layer, outputShape: [null, side, side, 64], parameters, trainable: !frozen };
  };
  const dense = (layer: string, outputShape: (number | null)[], parameters: number): NetworkLayer => {
    return { layer, outputShape, parameters, trainable: true };
  };
  return [
    convolution("backbone.conv1", 16, 9408),
    convolution("backbone.bn1", 16, 128),
    convolution("backbone.maxpool", 8, 0),
    convolution("backbone.layer1.0", 8, 73984),
    convolution("backbone.layer1.1", 8, 73984),
    dense("class_embeddings", [10, 128], 1280),
    dense("weights_generator.0", [10, 256], 33024),
    dense("weights_generator.2", [10, 64], 16448),
    dense("score_predictor.0", [null, 10, 64], 4160),
    dense("score_predictor.2", [null, 10, 1], 65),
  ];
}

/** An image with outputs for it, for a network of 10 filters or 1. */
export function sampleExample(filters: 1 | 10 = 10): DiagramExample {
  return {
    image: sampleImage(1),
    features: Float32Array.from({ length: 4096 }, (_, at) => Math.max(0, Math.sin(at % 64 + at / 300))),
    maps: sampleMaps(1).subarray(0, 64 * filters),
    scores: sampleScores(1, 6),
    filters: sampleVectors(64).slice(0, filters),
    embeddings: sampleVectors(128),
  };
}

/** An image with its maps. */
export function sampleResponses(seed: number, predicted: number, trueClass?: number) {
  return {
    image: sampleImage(seed),
    maps: sampleMaps(seed),
    evidence: sampleMaps(seed + 7),
    scores: sampleScores(seed, predicted),
    trueClass,
  };
}

const title = (content: string) => ({ title: content, subtitle: "CIFAR-10 (synthetic numbers)" });
const classNames = CLASS_NAMES;

/** Every figure, by the name of its snapshot. */
export const FIGURES: Readonly<Record<string, () => Figure>> = {
  training_curves: () =>
    trainingCurves([sampleRun("dynamic", 0.805, 1)], title("Training the dynamic network")),
  training_curves_several: () =>
    trainingCurves([
      sampleRun("dynamic", 0.803, 1),
      sampleRun("static-per-class", 0.81, 2),
      sampleRun("static-ten-way", 0.75, 3),
      sampleRun("static-shared", 0.1, 4),
    ], title("Four networks, one recipe")),
  training_curves_first_epoch: () =>
    trainingCurves([sampleRun("dynamic", 0.4, 1, 1)], { epochs: 12, title: "After the first epoch" }),
  variant_comparison: () =>
    variantComparison(sampleVariants(), {
      reference: "dynamic",
      domain: [70, 84],
      ...title("Generating a filter is no better than storing it"),
    }),
  variant_comparison_plain: () => variantComparison(sampleVariants().slice(0, 3)),
  response_maps: () =>
    responseMaps([{ ...sampleResponses(1, 6, 6), label: "Test image 4" }], {
      classNames,
      ...title("Where each class's filter responds"),
    }),
  response_maps_wrong: () =>
    responseMaps([{ ...sampleResponses(2, 3, 5), evidence: undefined }], { classNames, width: 600 }),
  response_maps_page: () =>
    responseMaps(
      [1, 2, 3, 4].map((seed) => sampleResponses(seed, 2 * seed, seed === 3 ? 1 : 2 * seed)),
      { classNames, ...title("Four test images and the response maps of all classes") },
    ),
  filters_heat_map: () =>
    filtersHeatMap(sampleVectors(64), { names: classNames, ...title("The ten filters") }),
  similarity: () =>
    similarity([
      { title: "Filters", values: sampleSimilarities(0.3) },
      { title: "Class embeddings", values: sampleSimilarities(1.6) },
    ], { names: classNames, ...title("Filters resemble one another more than their embeddings do") }),
  confusion_matrix: () =>
    confusionMatrix(sampleConfusion(), { names: classNames, ...title("Predicted class by true class") }),
  per_class_accuracy: () =>
    perClassAccuracy(
      sampleConfusion().map((row, label) => ({
        name: classNames[label],
        accuracy: row[label] / 1000,
        interval: wilsonInterval(row[label], 1000),
      })),
      { overall: 0.85, ...title("Accuracy by class") },
    ),
  drift_bars: () =>
    driftBars(
      [["Angle of the kernels to where they began (°)", 22, 0], ["Shift of the stored means", 0.4, 2]].map((
        [title, first, decimals],
      ) => ({
        title: title as string,
        layers: ["conv1", "layer1.0.conv1", "layer1.0.conv2", "layer1.1.conv1", "layer1.1.conv2"]
          .map((name, index) => ({ name, value: Number(first) * (1 + index / 2) })),
        decimals: Number(decimals),
      })),
      title("What training changes in the backbone"),
    ),
  pointing_maps: () =>
    pointingMaps(
      [4, 6].map((seed) => ({
        image: sampleImage(seed),
        names: ["cat", "ship", "automobile", "frog"],
        maps: sampleMaps(seed).subarray(64, 5 * 64),
      })),
      title("Do the maps point at their class?"),
    ),
  cell_maps: () =>
    cellMaps([
      { title: "Response, right class", values: sampleMaps(1).subarray(0, 64), measure: "Mean response" },
      { title: "Response, other classes", values: sampleMaps(1).subarray(64, 128), measure: "Mean response" },
      {
        title: "Slope of the score",
        values: sampleMaps(2).subarray(0, 64),
        measure: "Mean slope",
      },
    ], title("How the predictor reads a map")),
  reliability_diagram: () =>
    reliabilityDiagram([
      { name: "before", bins: sampleBins(0.06), error: 0.047 },
      { name: "after temperature scaling", bins: sampleBins(0), error: 0.013 },
    ], title("Accuracy of predictions by their probability")),
  mistakes: () =>
    contactSheet(
      Array.from({ length: 10 }, (_, index) => ({
        image: sampleImage(index),
        label: `automobile ${99 - index}\u00a0%`,
        detail: "true: automobile",
      })),
      { ...title("The surest mistakes"), columns: 5 },
    ),
  step_losses: () => stepLosses(sampleLosses(189, 0), title("The loss of every step")),
  range_test: () =>
    rangeTest([0, 1, 2].map((seed) => sampleLosses(100, seed, true)), title("A learning-rate range test")),
  few_images: () => {
    const counts = [1, 5, 10, 50, 500, 5000];
    const line = (name: string, top: number, speed: number) => ({
      name,
      points: counts.map((images) => ({ images, accuracy: top * (1 - Math.exp(-speed * images ** 0.4)) })),
    });
    const level = (name: string, accuracy: number) => ({ name, points: [{ images: 5000, accuracy }] });
    const lines = (scale: number, add: number) =>
      [
        ...[line("embedding", 0.52, 0.5), line("free filter", 0.61, 0.4), line("imprinted", 0.04, 0.6)],
        ...[
          line("imprinted difference", 0.3, 2),
          line("nearest class", 0.32, 1),
          line("head retrained", 0.63, 0.3),
        ],
        ...[level("all ten trained", 0.8), level("nine trained", 0)],
      ].map(({ name, points }) => ({
        name,
        points: points.map(({ images, accuracy }) => ({ images, accuracy: scale * accuracy + add })),
      }));
    return fewImages(
      [{ title: "New class (%)", lines: lines(1, 0) }, {
        title: "All ten classes (%)",
        lines: lines(0.1, 0.7),
      }],
      title("A class learned from few images"),
    );
  },
  contact_sheet: () =>
    contactSheet(
      Array.from(
        { length: 20 },
        (_, index) => ({ image: sampleImage(index), label: classNames[index % 10] }),
      ),
      title("Twenty images"),
    ),
  bench_bars: () =>
    benchBars([
      {
        name: "Training step, batch 128",
        unit: "ms",
        measurements: [
          { system: "PyTorch, compiled", median: 774, low: 761, high: 802 },
          { system: "ours, compiled", median: 612, low: 604, high: 640 },
          { system: "ours, op by op", median: 1310, low: 1270, high: 1402 },
        ],
      },
      {
        name: "Prediction of one image",
        unit: "ms",
        measurements: [
          { system: "PyTorch, compiled", median: 4.12, low: 4.0, high: 4.4 },
          { system: "ours, compiled", median: 3.05, low: 2.9, high: 3.2 },
          { system: "ours, op by op", median: 9.91, low: 9.6, high: 10.6 },
        ],
      },
    ], {
      baseline: "PyTorch, compiled",
      note: "Bars: medians of 5 runs; whiskers: least and greatest. Shorter is better.",
      ...title("How long it takes"),
    }),
  network_diagram: () =>
    networkDiagram(sampleLayers(), {
      classNames,
      example: sampleExample(),
      title: "Dynamic convolutional filters",
    }),
  network_diagram_frozen: () =>
    networkDiagram([
      ...sampleLayers(true),
      { layer: "adapter.0", outputShape: [null, 8, 8, 64], parameters: 36864, trainable: true },
    ], { classNames, example: sampleExample() }),
  network_diagram_static: () =>
    networkDiagram([
      ...sampleLayers().filter(({ layer }) => layer.startsWith("backbone")),
      { layer: "filters", outputShape: [1, 64], parameters: 64, trainable: true },
      { layer: "score_predictor.0", outputShape: [null, 64], parameters: 4160, trainable: true },
      { layer: "score_predictor.2", outputShape: [null, 10], parameters: 650, trainable: true },
    ], { classNames, example: sampleExample(1) }),
};
