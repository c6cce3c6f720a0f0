import assert from "node:assert/strict";
import { Resvg } from "@resvg/resvg-js";
import { parseHTML } from "linkedom";
import { CLASS_NAMES as classNames } from "../../lib/data/dataset.ts";
import { adaptToDark } from "../../lib/figures/dark.ts";
import * as figures from "../../lib/figures/mod.ts";
import { layOver } from "../../lib/figures/overlay.ts";
import { meanInterval } from "../../lib/support/statistics.ts";
import {
  FIGURES,
  sampleExample,
  sampleImage,
  sampleLayers,
  sampleMaps,
  sampleResponses,
  sampleRun,
} from "./samples.ts";

const count = ({ svg }: figures.Figure, part: string) => svg.split(part).length - 1;
const texts = ({ svg }: figures.Figure) =>
  [...svg.matchAll(/<text[^>]*>(.*?)<\/text>/g)].map((match) => match[1]);

function includes(figure: figures.Figure, ...labels: string[]): void {
  const found = texts(figure);
  for (const label of labels) assert.ok(found.includes(label), `${label} in ${found.join("|")}`);
}

Deno.test("a figure carries its title, caption and alternative text, and draws the former two", () => {
  const options = { names: ["<b>", '&"'], title: "a < b & c", subtitle: "Data: made by hand." };
  const figure = figures.confusionMatrix([[1, 0], [0, 1]], options);
  assert.equal(figure.title, "a < b & c");
  assert.equal(figure.caption, "Data: made by hand.");
  assert.equal(figure.alt, 'Confusion matrix of 2 classes; correct: <b> 100.0 %, &" 100.0 %.');
  includes(figure, "a &lt; b &amp; c", "Data: made by hand.", "&lt;b&gt;", "&amp;&quot;");
  assert.deepEqual(
    figure.svg.match(/ width="(\d+)" height="(\d+)"/)!.slice(1, 3).map(Number),
    [figure.width, figure.height],
  );
});

Deno.test("hostile names are literal text in every figure", () => {
  const hostile = '</text><script>alert(1)</script> " onload="x" ]]> &amp; #panic() \u202e\u001b]0;x\u0007';
  const title = { title: hostile, subtitle: hostile };
  const names = classNames.map(() => hostile);
  const run = { ...sampleRun("", 0.8, 1), name: hostile };
  const measurement = { system: hostile, median: 2, low: 1, high: 3 };
  const all = [
    figures.trainingCurves([run, { ...run, name: `${hostile}2` }], title),
    figures.variantComparison([
      { name: hostile, note: hostile, accuracies: [0.5], mean: meanInterval([0.5]), difference: null },
    ], title),
    figures.confusionMatrix([[1, 0], [0, 1]], { names: names.slice(0, 2), ...title }),
    figures.responseMaps([{ ...sampleResponses(1, 6, 6), label: hostile }], { classNames: names, ...title }),
    figures.contactSheet([{ image: sampleImage(1), label: hostile }], title),
    figures.networkDiagram(sampleLayers(), { classNames: names, example: sampleExample(), ...title }),
    figures.benchBars([{ name: hostile, unit: hostile, measurements: [measurement] }], {
      ...{ baseline: hostile, note: hostile },
      ...title,
    }),
  ];
  for (const { svg } of all) {
    const { document } = parseHTML(svg) as unknown as {
      document: { querySelectorAll(what: string): unknown[] };
    };
    assert.equal(document.querySelectorAll("script, [onload]").length, 0);
    assert.match(svg, /&lt;\/text&gt;&lt;script&gt;alert\(1\)&lt;\/script&gt; &quot; onload/);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(svg, /[\u0000-\u0008\u000b-\u001f\u202e]/);
    new Resvg(svg, { font: { loadSystemFonts: false, fontFiles: figures.figureFonts() } }); // a strict parser
  }
  assert.deepEqual(figures.missingCharacters("a ü 你\n好 α"), ["你", "好"]);
});

Deno.test("response maps show the image, maps and evidence of its size laid over it, and their colour bars", () => {
  const figure = figures.responseMaps([sampleResponses(1, 6, 6)], { classNames });
  const sizes = [...figure.svg.matchAll(/<image x="[^"]*" y="[^"]*" width="([^"]*)" height="([^"]*)"/g)]
    .map(([, width, height]) => `${width} ${height}`);
  assert.equal(sizes.length, 1 + 10 + 10 + 2);
  assert.equal(sizes.filter((size) => size === sizes[0]).length, 21);
  includes(figure, "Response of the class&#39;s filter", ...classNames);
  for (const without of ["maps", "evidence"]) {
    const other = figures.responseMaps([{ ...sampleResponses(1, 6, 6), [without]: undefined }], {
      classNames,
    });
    assert.equal(count(other, "<image "), 12);
  }
});

Deno.test("response maps mark the predicted and the true class", () => {
  includes(
    figures.responseMaps([sampleResponses(1, 6, 6)], { classNames }),
    "predicted: frog",
    "true: frog",
  );
  const wrong = figures.responseMaps([sampleResponses(1, 3, 5)], { classNames });
  includes(wrong, "predicted: cat", "true: dog");
  const colourOf = (label: string) => wrong.svg.match(new RegExp(`fill="([^"]*)"[^>]*>${label}</text>`))![1];
  assert.equal(colourOf("cat"), colourOf("predicted: cat"));
  assert.equal(colourOf("dog"), colourOf("true: dog"));
  assert.equal(count(wrong, 'fill="none" stroke="#d55e00"'), 1);
  assert.equal(count(wrong, 'fill="none" stroke="#0072b2"'), 1);
  assert.equal(count(figures.responseMaps([sampleResponses(1, 3)], { classNames }), "true:"), 0);
});

Deno.test("response maps say each class's score and its probability", () => {
  const scores = [0, 0, 0, 0, 0, 0, Math.log(9), 0, 0, -1000];
  // eight zeros and ln 9: 9 of 17
  includes(
    figures.responseMaps([{ ...sampleResponses(1, 6), scores }], { classNames }),
    "2.20 · 52.9\u00a0%",
    "−1000.00 · 0.0\u00a0%",
  );
});

Deno.test("equal responses have equal colours in all maps", () => {
  const maps = new Float32Array(640).map((_, index) => Math.floor(index / 64) % 2);
  const { svg } = figures.responseMaps([{ ...sampleResponses(1, 6), maps, evidence: undefined }], {
    classNames,
  });
  const pictures = [...svg.matchAll(/href="(data:[^"]+)"/g)].map((match) => match[1]).slice(1, 11);
  assert.equal(new Set(pictures.filter((_, index) => index % 2 === 0)).size, 1);
  assert.equal(new Set(pictures.filter((_, index) => index % 2 === 1)).size, 1);
  assert.notEqual(pictures[0], pictures[1]);
});

Deno.test("maps that are the same everywhere can be drawn", () => {
  const zeros = new Float32Array(640);
  const flat = { image: sampleImage(1), maps: zeros, evidence: zeros, scores: new Float32Array(10) };
  includes(figures.responseMaps([flat], { classNames }), "0.00 · 10.0\u00a0%");
});

Deno.test("a map is laid over a picture bilinearly, and a value of zero leaves the picture grey", () => {
  const pixels = new Uint8Array(8 * 8 * 3).fill(200);
  const at = (
    bytes: Uint8Array,
    x: number,
    y = 0,
  ) => [...bytes.subarray(3 * (8 * y + x), 3 * (8 * y + x) + 3)];
  const laid = layOver(pixels, [-1, 1, -1, 1], { domain: [-1, 1], colours: "diverging" });
  assert.deepEqual(at(laid, 0), at(laid, 1, 7)); // beyond the centres of the cells, and down a column
  const [left, right] = [at(laid, 1), at(laid, 6)];
  assert.ok(left[2] > left[0] && right[0] > right[2], "blue and orange");
  const reds = Array.from({ length: 8 }, (_, x) => at(laid, x)[0]);
  assert.ok(reds[3] > reds[2] && reds[2] > reds[1], `${reds}`);
  const zero = layOver(pixels, [0], { domain: [-1, 1], colours: "diverging" });
  assert.ok(new Set(zero.map((value) => Math.round(value / 8))).size === 1, `${at(zero, 0)}`);
  assert.deepEqual(layOver(pixels, [0, 0, 0, 0], { domain: [-1, 1], colours: "diverging" }), zero);
  assert.throws(() => layOver(pixels, [1, 2, 3], { domain: [0, 1], colours: "viridis" }), RangeError);
});

Deno.test("figures for dark pages have a dark counterpart of each of their colours, and draw the same in light", () => {
  for (const name of ["response_maps", "network_diagram", "network_diagram_frozen"]) {
    const { svg } = FIGURES[name]();
    const dark = adaptToDark(svg);
    const colours = new Set(
      [...svg.matchAll(/(?:fill|stroke)="(#[0-9a-f]{6})"/g)].map(([, colour]) => colour),
    );
    const missing = [...colours].filter((colour) => !dark.includes(`[fill="${colour}"]{fill:#`));
    assert.deepEqual(missing, [], name);
    assert.deepEqual(figures.svgToPng(dark), figures.svgToPng(svg), name);
  }
});

Deno.test("a page of response maps has a row for each image, and one colour bar for maps and for evidence", () => {
  const examples = [sampleResponses(1, 6, 6), sampleResponses(1, 2, 1), sampleResponses(1, 0, 0)];
  const figure = figures.responseMaps(examples, { classNames });
  assert.equal(count(figure, "<image"), 3 * 21 + 2);
  assert.equal(count(figure, ">Response of"), 1);
});

Deno.test("a map points right if its greatest value lies in its class's quarter", () => {
  const names = ["cat", "dog", "ship", "frog"];
  const example = (...peaks: number[]) => ({
    image: sampleImage(1),
    names,
    maps: Float32Array.from({ length: 4 * 64 }, (_, at) => at % 64 === peaks[Math.floor(at / 64)] ? 1 : 0),
  });
  const right = figures.pointingMaps([example(27, 28, 35, 36)]); // the four middle cells
  assert.match(right.alt, /4 of 4 maps have/);
  const wrong = figures.pointingMaps([example(28, 27, 36, 35), example(0, 0, 0, 0)]);
  assert.match(wrong.alt, /1 of 8 maps have/);
});

Deno.test("maps of cells and contact sheets show every map and image", () => {
  const map = { title: "A map", values: new Float32Array(64), measure: "Nothing" };
  const maps = figures.cellMaps([map, { ...map, title: "Another", values: [1, 2, 3, 4] }]);
  assert.equal(count(maps, "<image "), 4);
  assert.match(maps.alt, /A map, Another: maps of the network/);
  const sheet = figures.contactSheet([{ image: sampleImage(1), label: "cat" }, { image: sampleImage(2) }]);
  assert.equal(count(sheet, "<image"), 2);
  assert.equal(sheet.alt, "2 images: cat.");
});

Deno.test("the key of a single run states its last values", () => {
  const run = sampleRun("dynamic", 0.8, 1);
  const { testAccuracy, trainLoss } = run.history.at(-1)!;
  includes(
    figures.trainingCurves([run]),
    `${(100 * testAccuracy).toFixed(1)}\u00a0%`,
    trainLoss.toFixed(2),
    "Accuracy (%)",
    "Loss (cross-entropy, nats)",
    "Learning rate",
    "Epoch",
  );
});

Deno.test("several runs have a row each in the key, and seeds of one name one line, their mean", () => {
  const runs = [sampleRun("a", 0.8, 1), sampleRun("a", 0.82, 2), sampleRun("b", 0.6, 3)];
  const figure = figures.trainingCurves(runs);
  const found = texts(figure);
  assert.equal(found.filter((label) => label === "a").length, 2); // accuracy and loss
  const [one, other] = runs.map(({ history }) => history.at(-1)!.testAccuracy);
  includes(figure, `${(50 * (one + other)).toFixed(1)}\u00a0%`, "test (thick)", "training (thin)");
  // lines of a name share a dash, which another name does not have
  const lines = figure.svg.match(/<g [^>]*aria-label="line"/g)!;
  assert.equal(lines.length, 8); // two names, two sets, two panels
  assert.equal(lines.filter((line) => line.includes("stroke-dasharray")).length, 4);
});

Deno.test("every text of a figure can be read on paper, where a pixel is 0.57 pt", () => {
  for (const [name, draw] of Object.entries(FIGURES)) {
    const { svg, width } = draw();
    assert.ok(0.57 * (width - 24) <= 488, `${name} is wider than the text of a page`);
    const sizes = [...svg.matchAll(/font-size="([\d.]+)"/g)].map(([, size]) => 0.57 * Number(size));
    assert.ok(Math.min(...sizes) >= 6.5, `${name} has text of ${Math.min(...sizes)} pt`);
  }
});

Deno.test("a run that has just begun or whose loss is no number can be drawn", () => {
  const { history } = sampleRun("a", 0.5, 1, 2);
  const begun = figures.trainingCurves([{ name: "a", history: history.slice(0, 1) }], { epochs: 12 });
  assert.ok(begun.svg.includes("<circle"));
  const diverged = { ...history[1], trainLoss: NaN, testLoss: Infinity };
  figures.trainingCurves([{ name: "a", history: [history[0], diverged] }]);
  const lost = history.map((record) => ({ ...record, trainLoss: NaN, testLoss: NaN }));
  figures.trainingCurves([{ name: "a", history: lost }]);
});

Deno.test("variants are sorted by mean and show every seed and the difference from the reference", () => {
  const variant = (name: string, accuracies: number[], values?: number[]) => ({
    name,
    accuracies,
    mean: meanInterval(accuracies),
    difference: values ? { ...meanInterval(values), values, isShown: true } : null,
  });
  const figure = figures.variantComparison([
    variant("low", [0.7, 0.72, 0.71]),
    variant("high", [0.8, 0.82, 0.81], [0.1, 0.1, 0.1]),
  ], { reference: "low" });
  const found = texts(figure);
  assert.ok(found.indexOf("high") < found.indexOf("low"));
  assert.equal(count(figure, 'r="2.5"'), 9); // six results and three differences
  includes(figure, "81.0 ± 1.0 (n = 3)", "+10.0 [+10.0, +10.0]", "reference");
  const outside = figures.variantComparison([variant("a", [0.8]), variant("b", [0.1])], { domain: [70, 90] });
  includes(outside, "10.0 (n = 1)", "80.0 (n = 1)");
  assert.equal(count(outside, 'r="2.5"'), 1);
});

Deno.test("similarities are written short", () => {
  const figure = figures.similarity([{ title: "Filters", values: [[1, -0.6], [-0.004, -1]] }], {
    names: ["a", "b"],
  });
  includes(figure, "1", "−.60", "0", "−1", "Filters");
});

Deno.test("a confusion matrix shows percentages of the true class and the number of correct predictions", () => {
  const figure = figures.confusionMatrix([[150, 50], [1, 99]], { names: ["cat", "dog"] });
  includes(figure, "75", "25", "1.0", "99", "249 of 300 correct: 83.0\u00a0%");
  // flat counts are the same, and a class without images is not divided by zero
  assert.deepEqual(figures.confusionMatrix([150, 50, 1, 99], { names: ["cat", "dog"] }), figure);
  figures.confusionMatrix([[0, 0], [1, 1]], { names: ["cat", "dog"] });
});

Deno.test("accuracy by class is sorted, and bars write their numbers", () => {
  const classes = [{ name: "cat", accuracy: 0.5 }, { name: "dog", accuracy: 0.9 }];
  const figure = figures.perClassAccuracy(classes, { overall: 0.7 });
  assert.ok(texts(figure).indexOf("dog") < texts(figure).indexOf("cat"));
  includes(figure, "90.0", "50.0", "all classes 70.0");
  includes(
    figures.driftBars([
      { title: "Weights (%)", layers: [{ name: "conv1", value: 12.34 }] },
      { title: "Statistics", layers: [{ name: "bn1", value: -0.5 }], decimals: 2 },
    ]),
    "conv1",
    "12.3",
    "bn1",
    "−0.50",
  );
});

Deno.test("benchmark bars give the ratio to the baseline of the same task", () => {
  const step = [{ system: "a", median: 200 }, { system: "b", median: 150, low: 140, high: 160 }];
  const load = [{ system: "a", median: 2 }, { system: "b", median: 3 }];
  const tasks = [{ name: "step", unit: "ms", measurements: step }, {
    name: "load",
    unit: "s",
    measurements: load,
  }];
  includes(figures.benchBars(tasks, { baseline: "a" }), "200 ms", "150 ms", "0.75 ×", "2.00 s", "1.50 ×");
});

Deno.test("the network's diagram states the shapes, the parameters and the prediction", () => {
  includes(
    figures.networkDiagram(sampleLayers(), { classNames, example: sampleExample() }),
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
    "94.2\u00a0%",
  );
});

Deno.test("the diagram draws frozen parts, an adapter and stored filters as such", () => {
  assert.equal(count(FIGURES.network_diagram(), "stroke-dasharray"), 0);
  const frozen = FIGURES.network_diagram_frozen();
  assert.ok(count(frozen, "stroke-dasharray") > 0);
  includes(frozen, "157,504 parameters, frozen", "91,841 of 249,345 parameters trainable", "adapter");
  const shared = FIGURES.network_diagram_static();
  includes(shared, "stored filters w", "[B,1,8,8]");
  assert.ok(!texts(shared).includes("Weights generator"));
});

Deno.test("the diagram draws embeddings that are projected from fixed vectors of names", () => {
  const layers = sampleLayers().flatMap((layer) =>
    layer.layer !== "class_embeddings" ? [layer] : [
      { layer: "class_names", outputShape: [10, 384], parameters: 3840, trainable: false },
      { layer: "name_projection", outputShape: [10, 128], parameters: 49280, trainable: true },
    ]
  );
  const diagram = figures.networkDiagram(layers, { classNames, example: sampleExample() });
  includes(diagram, "[10,128]", "49,280 of 53,120 trainable");
});

Deno.test("data that do not fit each other are refused", () => {
  const response = sampleResponses(1, 6);
  const pointing = {
    image: sampleImage(1),
    names: ["cat", "dog", "ship", "frog"],
    maps: sampleMaps(1).subarray(256),
  };
  const names = ["a", "b"];
  const wrong: Record<string, () => unknown> = {
    "a map is too short": () =>
      figures.responseMaps([{ ...response, maps: new Float32Array(639) }], { classNames }),
    "scores are missing": () => figures.responseMaps([{ ...response, scores: [1, 2] }], { classNames }),
    "a page is empty": () => figures.responseMaps([], { classNames }),
    "there is no mosaic": () => figures.pointingMaps([]),
    "a mosaic has one class": () => figures.pointingMaps([{ ...pointing, names: ["cat"] }]),
    "a mosaic has no maps": () => figures.pointingMaps([{ ...pointing, maps: new Float32Array(3) }]),
    "there is no cell map": () => figures.cellMaps([]),
    "a cell map is no square": () => figures.cellMaps([{ title: "", values: [1, 2, 3], measure: "" }]),
    "there is no image": () => figures.contactSheet([]),
    "an image is no square": () => figures.contactSheet([{ image: new Uint8Array(10) }]),
    "there is no epoch": () => figures.trainingCurves([{ name: "a", history: [] }]),
    "there is no reliability curve": () => figures.reliabilityDiagram([]),
    "a reliability curve has no prediction": () =>
      figures.reliabilityDiagram([{
        name: "a",
        bins: [{ n: 0, probability: NaN, accuracy: NaN }],
        error: 0,
      }]),
    "there is no variant": () => figures.variantComparison([]),
    "a similarity is missing": () => figures.similarity([{ title: "", values: [1, 2, 3] }], { names }),
    "a matrix is no square": () => figures.confusionMatrix([[1, 2, 3], [4, 5, 6]], { names }),
    "there is no class": () => figures.perClassAccuracy([]),
    "there is no layer": () => figures.driftBars([{ title: "", layers: [] }]),
    "there is no task": () => figures.benchBars([], { baseline: "a" }),
    "filters are missing": () => figures.filtersHeatMap([1, 2, 3], { names }),
    "layers are missing": () =>
      figures.networkDiagram(sampleLayers().slice(0, 3), { classNames, example: sampleExample() }),
  };
  for (const [name, draw] of Object.entries(wrong)) assert.throws(draw, RangeError, name);
});
