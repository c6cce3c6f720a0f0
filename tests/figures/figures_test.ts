import assert from "node:assert/strict";
import { CLASS_NAMES as classNames } from "../../lib/data/dataset.ts";
import {
  areaUnder,
  benchBars,
  confusionMatrix,
  contactSheet,
  cosineSimilarity,
  deletionInsertion,
  driftBars,
  type Figure,
  filtersHeatMap,
  networkDiagram,
  perClassAccuracy,
  responseMaps,
  responseMapsPage,
  similarity,
  trainingCurves,
  variantComparison,
} from "../../lib/figures/mod.ts";
import { FIGURES, sampleImage, sampleLayers, sampleMaps, sampleRun, sampleScores } from "./samples.ts";

const count = ({ svg }: Figure, part: string | RegExp) => svg.split(part).length - 1;
const texts = ({ svg }: Figure) =>
  [...svg.matchAll(/<text[^>]*>(.*?)<\/text>/g)].map((match) => match[1].replace(/<[^>]+>/g, ""));
const example = (winner: number, trueClass?: number) => ({
  image: sampleImage(1),
  maps: sampleMaps(1),
  scores: sampleScores(1, winner),
  trueClass,
});

Deno.test("response maps show the image, ten maps of its size and one colour bar", () => {
  const figure = responseMaps(example(6, 6), { classNames });
  const sizes = [...figure.svg.matchAll(/<image x="[^"]*" y="[^"]*" width="([^"]*)" height="([^"]*)"/g)].map((
    m,
  ) => `${m[1]} ${m[2]}`);
  assert.equal(sizes.length, 12);
  assert.equal(sizes.filter((size) => size === sizes[0]).length, 11);
  for (const name of classNames) assert.ok(texts(figure).includes(name), name);
  assert.equal(count(figure, ">Response<"), 1);
});

Deno.test("response maps mark the network's choice and the true class", () => {
  const right = texts(responseMaps(example(6, 6), { classNames }));
  assert.ok(right.includes("network") && right.includes("true"));
  assert.ok(right.includes("network: frog") && right.includes("true: frog"));
  const wrong = responseMaps(example(3, 5), { classNames });
  assert.ok(texts(wrong).includes("network: cat") && texts(wrong).includes("true: dog"));
  // its tab stands over the column the class is in: cat is the fourth map, dog the sixth and so the first of row two
  const tabAt = (label: string) =>
    Number(wrong.svg.match(new RegExp(`<text x="([^"]*)"[^>]*>${label}</text>`))![1]);
  assert.ok(tabAt("network") - tabAt("true") > 300);
  const unknown = texts(responseMaps(example(3), { classNames }));
  assert.ok(!unknown.includes("true") && unknown.includes("network"));
});

Deno.test("response maps say each class's score and its share by softmax", () => {
  const scores = [0, 0, 0, 0, 0, 0, Math.log(9), 0, 0, -1000];
  const found = texts(responseMaps({ ...example(6), scores }, { classNames }));
  // eight zeros and ln 9: 9 of 17
  assert.ok(found.includes("2.20  ·  52.9\u00a0%"), found.join("|"));
  assert.ok(found.includes("−1000.00  ·  0.0\u00a0%"));
});

Deno.test("overlaid maps lie on the image, and smooth ones differ from nearest ones", () => {
  const plain = responseMaps(example(6), { classNames });
  const overlay = responseMaps(example(6), { classNames, overlay: true });
  const smooth = responseMaps(example(6), { classNames, interpolation: "smooth" });
  assert.equal(count(plain, "<image"), 12);
  assert.equal(count(overlay, "<image"), 22);
  assert.equal(count(overlay, 'opacity="0.62"'), 10);
  assert.equal(count(smooth, "<image"), 12);
  assert.notEqual(smooth.svg, plain.svg);
});

Deno.test("equal responses have equal colours in all maps, as one scale serves them", () => {
  const maps = new Float32Array(640).map((_, index) => Math.floor(index / 64) % 2);
  const figure = responseMaps({ ...example(6), maps }, { classNames });
  const pictures = [...figure.svg.matchAll(/href="(data:[^"]+)"/g)].map((match) => match[1]).slice(1, 11);
  assert.equal(new Set(pictures.filter((_, index) => index % 2 === 0)).size, 1);
  assert.equal(new Set(pictures.filter((_, index) => index % 2 === 1)).size, 1);
  assert.notEqual(pictures[0], pictures[1]);
});

Deno.test("a page of response maps has a row for each image and one colour bar", () => {
  const figure = responseMapsPage([example(6, 6), example(2, 1), example(0, 0)], { classNames });
  assert.equal(count(figure, "<image"), 3 * 11 + 1);
  assert.equal(count(figure, ">Response<"), 1);
});

Deno.test("maps that are the same everywhere can be drawn", () => {
  const flat = { image: sampleImage(1), maps: new Float32Array(640), scores: new Float32Array(10) };
  for (const colours of ["viridis", "diverging"] as const) {
    assert.ok(texts(responseMaps(flat, { classNames, colours })).includes("0.00  ·  10.0\u00a0%"));
  }
});

Deno.test("response maps refuse maps and scores that do not fit the classes", () => {
  assert.throws(
    () => responseMaps({ ...example(6), maps: new Float32Array(639) }, { classNames }),
    RangeError,
  );
  assert.throws(() => responseMaps({ ...example(6), scores: [1, 2] }, { classNames }), RangeError);
  assert.throws(() => responseMapsPage([], { classNames }), RangeError);
});

Deno.test("a single run's lines are labelled with their last values", () => {
  const run = sampleRun("dynamic", 0.8, 1);
  const last = run.history.at(-1)!;
  const found = texts(trainingCurves([run]));
  assert.ok(found.includes(`test ${(100 * last.testAccuracy).toFixed(1)}\u00a0%`), found.join("|"));
  assert.ok(found.includes(`training ${last.trainLoss.toFixed(2)}`));
  for (const label of ["Accuracy (%)", "Loss (cross-entropy, nats)", "Learning rate", "Epoch"]) {
    assert.ok(found.includes(label));
  }
});

Deno.test("several runs are labelled by name, and seeds of one name once", () => {
  const found = texts(
    trainingCurves([sampleRun("a", 0.8, 1), sampleRun("a", 0.82, 2), sampleRun("b", 0.6, 3)]),
  );
  assert.equal(found.filter((label) => label.startsWith("a ")).length, 2); // accuracy and loss
  assert.equal(found.filter((label) => label.startsWith("b ")).length, 2);
  assert.ok(found.includes("the same for all runs"));
});

Deno.test("a run that has just begun or whose loss is no number can be drawn", () => {
  const { history } = sampleRun("a", 0.5, 1, 2);
  assert.ok(
    trainingCurves([{ name: "a", history: history.slice(0, 1) }], { epochs: 12 }).svg.includes("<circle"),
  );
  trainingCurves([{
    name: "a",
    history: [history[0], { ...history[1], trainLoss: NaN, testLoss: Infinity }],
  }]);
  assert.throws(() => trainingCurves([{ name: "a", history: [] }]), RangeError);
});

Deno.test("variants are sorted by mean, every seed is a point, and differences are paired by seed", () => {
  const runs = (...values: number[]) => values.map((value, seed) => ({ seed, value }));
  const figure = variantComparison([
    { name: "low", runs: runs(70, 72, 71) },
    { name: "high", runs: runs(80, 82, 81) },
  ], { reference: "low" });
  const found = texts(figure);
  assert.ok(found.indexOf("high") < found.indexOf("low"));
  assert.equal(count(figure, "<circle"), 9); // six results and three differences
  // the pairs all differ by 10, though the results scatter: the interval is nil
  assert.ok(found.includes("+10.0 ± 0.0"), found.join("|"));
  // t(2) · 1 / √3 = 2.48
  assert.ok(found.includes("81.0 ± 2.5 (n = 3)"));
});

Deno.test("a result outside the axis is written at its edge, and one seed has no interval", () => {
  const one = (value: number) => [{ seed: 0, value }];
  const figure = variantComparison([{ name: "a", runs: one(80) }, { name: "b", runs: one(10) }], {
    domain: [70, 90],
  });
  assert.ok(texts(figure).includes("10.0 (n = 1)") && texts(figure).includes("80.0 (n = 1)"));
  assert.equal(count(figure, "<circle"), 1);
  assert.throws(() => variantComparison([]), RangeError);
});

Deno.test("the cosine of parallel, opposite and perpendicular vectors is 1, −1 and 0", () => {
  assert.deepEqual(cosineSimilarity([[1, 0], [3, 0], [-2, 0], [0, 5], [0, 0]]), [
    [1, 1, -1, 0, 0],
    [1, 1, -1, 0, 0],
    [-1, -1, 1, 0, 0],
    [0, 0, 0, 1, 0],
    [0, 0, 0, 0, 0],
  ]);
  const found = texts(similarity([{ title: "Filters", vectors: [1, 0, 0.6, -0.8] }], { names: ["a", "b"] }));
  assert.deepEqual(found.filter((label) => label === ".60").length, 2);
  assert.throws(
    () => similarity([{ title: "Filters", vectors: [1, 2, 3] }], { names: ["a", "b"] }),
    RangeError,
  );
});

Deno.test("a confusion matrix shows shares of the true class, and how many are right", () => {
  const found = texts(confusionMatrix([[150, 50], [1, 99]], { names: ["cat", "dog"] }));
  for (const label of ["75", "25", "1.0", "99", "249 of 300 correct: 83.0\u00a0%"]) {
    assert.ok(found.includes(label), label);
  }
  // flat counts are the same, and a class without images is not divided by zero
  assert.deepEqual(texts(confusionMatrix([150, 50, 1, 99], { names: ["cat", "dog"] })), found);
  confusionMatrix([[0, 0], [1, 1]], { names: ["cat", "dog"] });
  assert.throws(() => confusionMatrix([[1, 2, 3], [4, 5, 6]], { names: ["cat", "dog"] }), RangeError);
});

Deno.test("accuracy by class is sorted by the first network", () => {
  const found = texts(
    perClassAccuracy([{ name: "n", accuracy: [0.5, 0.9] }], { names: ["cat", "dog"], examples: 100 }),
  );
  assert.ok(found.indexOf("dog") < found.indexOf("cat"));
  assert.ok(found.includes("90.0") && found.includes("50.0") && found.includes("mean 70.0"));
  assert.throws(
    () => perClassAccuracy([{ name: "n", accuracy: [1] }], { names: ["cat", "dog"] }),
    RangeError,
  );
});

Deno.test("the area under a curve is found by trapezoids", () => {
  assert.equal(areaUnder({ name: "a", fraction: [0, 0.5, 1], value: [1, 0.5, 0] }), 0.5);
  assert.equal(areaUnder({ name: "a", fraction: [0, 0.25, 1], value: [1, 0, 0] }), 0.125);
  const curve = { name: "own", fraction: [0, 1], value: [0.9, 0.1] };
  assert.ok(texts(deletionInsertion({ deletion: [curve] })).includes("0.500"));
  assert.throws(() => deletionInsertion({ deletion: [{ ...curve, value: [1] }] }), RangeError);
});

Deno.test("drift bars write every value at its layer", () => {
  const found = texts(driftBars([
    { title: "Weights (%)", layers: [{ name: "conv1", values: [12.34] }] },
    { title: "Statistics (%)", series: ["mean", "variance"], layers: [{ name: "bn1", values: [5, 67.89] }] },
  ]));
  for (const label of ["conv1", "12.3", "bn1", "5.0", "67.9", "mean", "variance"]) {
    assert.ok(found.includes(label), label);
  }
});

Deno.test("benchmark bars give the ratio to the baseline of the same task", () => {
  const found = texts(benchBars([
    {
      name: "step",
      unit: "ms",
      measurements: [{ system: "a", median: 200 }, { system: "b", median: 150, low: 140, high: 160 }],
    },
    { name: "load", unit: "s", measurements: [{ system: "a", median: 2 }, { system: "b", median: 3 }] },
  ], { baseline: "a" }));
  for (const label of ["200 ms", "150 ms", "0.75 ×", "2.00 s", "1.50 ×"]) {
    assert.ok(found.includes(label), label);
  }
});

Deno.test("a contact sheet shows every image, and frames the wrong ones", () => {
  const figure = contactSheet([
    { image: sampleImage(1), label: "cat" },
    { image: sampleImage(2), label: "dog", note: "taken for cat", mark: "wrong" },
  ]);
  assert.equal(count(figure, "<image"), 2);
  assert.equal(count(figure, 'stroke="#d55e00"'), 1);
  assert.throws(() => contactSheet([{ image: new Uint8Array(10) }]), RangeError);
});

Deno.test("filters in the order of their peaks are the same filters", () => {
  const filters = Float32Array.from({ length: 6 }, (_, index) => [0, 1, 0.5, 2, 0, 0.1][index]);
  const fills = ({ svg }: Figure) =>
    [...svg.matchAll(/fill="(rgb[^"]*|#[0-9a-f]{6})"/g)].map((match) => match[1]).sort();
  const names = ["a", "b"];
  const plain = filtersHeatMap(filters, { names });
  const sorted = filtersHeatMap(filters, { names, order: "peak" });
  assert.notEqual(plain.svg, sorted.svg);
  assert.deepEqual(
    fills(sorted).filter((fill) => fill !== "#5b6775"),
    fills(plain).filter((fill) => fill !== "#5b6775"),
  );
  assert.throws(() => filtersHeatMap(filters, { names: ["a", "b", "c", "d"] }), RangeError);
});

Deno.test("the network's diagram says the shapes and parameters of its summary", () => {
  const found = texts(networkDiagram(sampleLayers(), { classNames }));
  for (
    const label of [
      "157,504 parameters",
      "49,472 parameters",
      "1,280 parameters",
      "4,225 parameters",
      "212,481 parameters, all trainable",
      "FC 128 → 256",
      "FC 64 → 1",
      "[B,8,8,64]",
      "[B,10,8,8]",
      "16×16×64",
    ]
  ) assert.ok(found.includes(label), label);
});

Deno.test("what does not learn is drawn as frozen", () => {
  assert.ok(!FIGURES.network_diagram().svg.includes("stroke-dasharray"));
  const frozen = networkDiagram(sampleLayers(true), { classNames });
  assert.ok(frozen.svg.includes("stroke-dasharray"));
  assert.ok(texts(frozen).includes("157,504 parameters, frozen"));
  assert.ok(texts(frozen).includes("54,977 of 212,481 parameters trainable"));
});

Deno.test("a network without a generator is drawn without one", () => {
  const found = texts(FIGURES.network_diagram_static());
  assert.ok(
    !found.includes("Weights generator") && found.includes("stored filters w") && found.includes("[B,1,8,8]"),
  );
  assert.throws(() => networkDiagram(sampleLayers().slice(0, 3), { classNames }), RangeError);
});

Deno.test("a figure carries title, caption, alternative text and size as values", () => {
  const figure = confusionMatrix([[1, 0], [0, 1]], {
    names: ["a", "b"],
    title: "A & B",
    subtitle: "Data: C.",
  });
  const { title, caption, alt, svg, width, height, top } = figure;
  assert.deepEqual([title, caption], ["A & B", "Data: C."]);
  assert.ok(svg.includes(`<desc>${alt}</desc>`), alt);
  assert.ok(svg.includes(` width="${width}" height="${height}" `) && svg.includes(`translate(20,${top})`));
  const plain = confusionMatrix([[1, 0], [0, 1]], { names: ["a", "b"] });
  assert.deepEqual([plain.title, plain.caption, plain.top], ["", "", 20]);
});

Deno.test("names from outside are escaped", () => {
  const figure = confusionMatrix([[1, 0], [0, 1]], { names: ["<b>", '&"'], title: "a < b & c" });
  assert.ok(
    figure.svg.includes("&lt;b&gt;") && figure.svg.includes("&amp;&quot;") &&
      figure.svg.includes("a &lt; b &amp; c"),
  );
  assert.ok(!figure.svg.includes("<b>"));
});
