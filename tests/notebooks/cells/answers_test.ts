import assert from "node:assert/strict";
import type { MeanInterval } from "../../../lib/support/statistics.ts";
import {
  answerQuestions,
  concludeMaps,
  type Findings,
  formatChance,
} from "../../../notebooks/cells/answers.ts";
import { describeBlend, measureBlend } from "../../../notebooks/cells/blends.ts";
import { formatDifference, formatPoints, formatShare, signOf } from "../../../notebooks/cells/intervals.ts";
import {
  describeAreas,
  describePointing,
  judgeAreas,
  pickExample,
} from "../../../notebooks/cells/response_evidence.ts";
import { createSynthetic } from "../../../lib/data/synthetic.ts";
import { createNetwork } from "../../../lib/model/create_network.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import { resolveConfig } from "../../../lib/training/config.ts";
import { experimentResult, seedResult } from "../../experiments/samples.ts";

const interval = (mean: number, half: number): MeanInterval => ({
  n: 500,
  mean,
  deviation: 1,
  interval: [mean - half, mean + half],
});

/** Areas of an order that differ so from the own map's. */
const area = (name: string, deletion: MeanInterval, insertion: MeanInterval) => ({
  name,
  deletion: interval(0.4, 0.01),
  insertion: interval(0.6, 0.01),
  difference: { deletion, insertion },
});
const AREAS = [
  {
    name: "winner's evidence",
    deletion: interval(0.3, 0.01),
    insertion: interval(0.7, 0.01),
    difference: null,
  },
  area("at random", interval(0.1, 0.02), interval(-0.1, 0.02)),
  area("from the centre", interval(0.02, 0.01), interval(0.01, 0.02)),
  area("map × gradient", interval(-0.02, 0.01), interval(0.02, 0.01)),
  area("runner-up's evidence", interval(0.05, 0.01), interval(-0.05, 0.01)),
];

Deno.test("a map is better where the other's deletion area is larger and its insertion area smaller", () => {
  const verdicts = judgeAreas(AREAS).map(({ name, deletion, insertion }) => [name, deletion, insertion]);
  assert.deepEqual(verdicts, [
    ["at random", "better", "better"],
    ["from the centre", "better", "undecided"],
    ["map × gradient", "worse", "worse"],
    ["runner-up's evidence", "better", "better"],
  ]);
  const sentences = describeAreas(AREAS);
  assert.match(sentences[0], /\*\*better\*\* by both tests \(.*\+0\.100 \[\+0\.080, \+0\.120\] and −0\.100/);
  assert.match(sentences[1], /deletion: \*\*better\*\*, insertion: \*\*no difference shown\*\*/);
});

Deno.test("pointing is judged against chance by its interval", () => {
  const pointing = (mean: number) => ({
    mosaics: 1000,
    peak: interval(mean, 0.02),
    mean: interval(mean, 0.02),
  });
  assert.match(
    describePointing(pointing(0.58)),
    /58\.0.% \[56\.0, 60\.0\].*1,000 mosaics.*\*\*more often than chance\*\*/,
  );
  assert.match(describePointing(pointing(0.26)), /not shown to differ from chance/);
  assert.match(describePointing(pointing(0.2)), /less often/);
});

const FINDINGS: Findings = {
  results: [],
  areas: AREAS,
  pointing: { mosaics: 1000, peak: interval(0.58, 0.02), mean: interval(0.6, 0.02) },
  slopes: { mean: new Float32Array(64), rising: 0.22 },
  blend: {
    from: 3,
    to: 5,
    figure: { from: "cat", to: "dog", shares: [], examples: [], curves: [] },
    half: { from: interval(9, 0.5), to: interval(10, 0.5), rest: interval(2, 0.1) },
    separation: { half: 0.9, better: 0.7, larger: 0.92 },
    gain: { better: interval(0.2, 0.05), larger: interval(-0.02, 0.03) },
    straight: 0.99,
  },
  agreement: { correlation: 0.87, chance: 0.0005, pairs: 45 },
  window: 28,
};

Deno.test("every question has its answers, at least two advantages and two downsides, each with its notebook", async () => {
  const results = await Promise.all(
    Object.entries({
      dynamic: 0.8,
      "static-per-class": 0.81,
      "static-ten-way": 0.75,
      "static-shared": 0.1,
      frozen: 0.57,
    })
      .map(([name, accuracy]) =>
        experimentResult(name, [0, 1, 2].map((seed) => seedResult(seed, [accuracy + 0.001 * seed])))
      ),
  );
  const { usage, frozen, advantages, downsides } = answerQuestions({ ...FINDINGS, results });
  for (const list of [usage, frozen, advantages, downsides]) {
    assert.ok(list.length >= 2);
    for (const sentence of list) assert.match(sentence, /\((notebooks? \d|the page above)/, sentence);
  }
  assert.match(
    advantages[0],
    /`static-shared` has 10\.1.%, `dynamic` 80\.1.%: −70\.0 \[.*points \(3 pairs\)/,
  );
  assert.match(downsides[0], /\*\*Storing the filters is better.*`static-per-class` has 81\.1.%/);
  assert.match(downsides[3], /rises with the response in 22.% of the cells/);
  assert.doesNotMatch(JSON.stringify(downsides), /no results/);
});

Deno.test("a gain over stored filters would be said, and missing results are", async () => {
  const better = await Promise.all(
    Object.entries({ dynamic: 0.83, "static-per-class": 0.8 })
      .map(([name, accuracy]) =>
        experimentResult(name, [0, 1, 2].map((seed) => seedResult(seed, [accuracy])))
      ),
  );
  assert.match(
    answerQuestions({ ...FINDINGS, results: better }).downsides[0],
    /\*\*A small gain over storing/,
  );
  const { advantages, downsides, frozen } = answerQuestions(FINDINGS);
  for (const sentence of [advantages[0], advantages[1], downsides[0], downsides[2], frozen[0]]) {
    assert.match(sentence, /no results/);
  }
});

Deno.test("the conclusion follows the measurements both ways", () => {
  const [sign, deletion, pointing, filters, blend] = concludeMaps(FINDINGS);
  assert.match(sign, /rises with it in 22.% of the cells/);
  assert.match(
    deletion,
    /\*\*beats\*\* a random order by both tests, \*\*beats\*\* the runner-up's, and does not beat the order from the centre/,
  );
  assert.match(pointing, /\*\*specific\*\*/);
  assert.match(filters, /\*\*are\*\* alike/);
  assert.match(blend, /\*\*works\*\* for either/);
  const nothing = concludeMaps({
    ...FINDINGS,
    areas: AREAS.map((area) =>
      area.difference
        ? { ...area, difference: { deletion: interval(0, 1), insertion: interval(0, 1) } }
        : area
    ),
    pointing: { mosaics: 10, peak: interval(0.3, 0.1), mean: interval(0.3, 0.1) },
    agreement: { correlation: 0.2, chance: 0.4, pairs: 45 },
    blend: { ...FINDINGS.blend, gain: { better: interval(0, 0.1), larger: interval(0, 0.1) } },
  });
  assert.match(nothing[1], /does not beat a random order by both tests/);
  assert.match(nothing[2], /not shown to differ from chance/);
  assert.match(nothing[3], /not shown to be alike/);
  assert.match(nothing[4], /not shown to work better/);
});

Deno.test("intervals are written with their signs", () => {
  assert.equal(formatShare(interval(0.586, 0.02)), "58.6\u00a0% [56.6, 60.6]");
  assert.equal(formatDifference(interval(-0.02, 0.03)), "−0.020 [−0.050, +0.010]");
  assert.equal(formatPoints(interval(0.131, 0.01)), "+13.1 [+12.1, +14.1] points");
  assert.deepEqual([interval(2, 1), interval(-2, 1), interval(1, 2)].map(signOf), ["above", "below", null]);
  assert.equal(
    formatChance({ correlation: 1, chance: 0.0005, pairs: 3 }),
    "fewer than 1 in 1,000 random namings of the classes agree as well",
  );
  assert.match(formatChance({ correlation: 1, chance: 0.51, pairs: 3 }), /^51/);
});

Deno.test("an example is the image with its own scores and maps", () => {
  const dataset = {
    name: "made up",
    images: new Uint8Array(3 * 3072).fill(7, 3072, 2 * 3072),
    labels: Uint8Array.of(1, 2, 3),
  };
  const answers = {
    scores: Float32Array.from({ length: 30 }, (_, at) => Math.floor(at / 10)),
    maps: Float32Array.from({ length: 3 * 640 }, (_, at) => Math.floor(at / 640)),
  };
  const { image, scores, maps, trueClass } = pickExample(dataset, answers, 1);
  assert.deepEqual([image[0], image.length, scores[9], scores.length, trueClass], [7, 3072, 1, 10, 2]);
  assert.ok([...maps as Float32Array].every((value) => value === 1) && maps.length === 640);
});

Deno.test("a blend is measured on images of its two classes and of the rest", async () => {
  await useNativeTensorFlow({ device: "cpu" });
  const { test } = createSynthetic({ trainSize: 0, testSize: 40 });
  const config = resolveConfig();
  const network = createNetwork(config, { seed: 1 });
  const options = {
    from: 2,
    to: 7,
    perClass: 2,
    steps: 4,
    shown: [test.labels.indexOf(2), test.labels.indexOf(7)],
  };
  const blend = await measureBlend({ network, config }, test, options);
  assert.deepEqual([blend.half.from.n, blend.half.to.n, blend.half.rest.n], [2, 2, 16]);
  assert.deepEqual(blend.figure.shares, [0, 0.5, 1]);
  assert.deepEqual(blend.figure.examples.map(({ label }) => label), ["bird", "horse"]);
  assert.deepEqual(blend.figure.curves.map(({ value }) => value.length), [5, 5, 5]);
  assert.ok(Math.abs(blend.figure.curves[0].value[2] - blend.half.from.mean) < 1e-6);
  assert.ok(Math.abs(blend.gain.better.mean - (blend.separation.half - blend.separation.better)) < 1e-9);
  assert.equal(describeBlend(blend).length, 3);
});
