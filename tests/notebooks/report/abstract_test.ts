import assert from "node:assert/strict";
import { writeAbstract } from "../../../notebooks/report/abstract.ts";
import { writeBackground } from "../../../notebooks/report/background.ts";
import { experimentResult, seedResult } from "../../experiments/samples.ts";

const results = async (accuracies: Record<string, number[]>) =>
  await Promise.all(
    Object.entries(accuracies).map(([name, finals]) =>
      experimentResult(name, finals.map((final, seed) => seedResult(seed, [0.5, final])), { epochs: 2 })
    ),
  );

/** As it is read, without Markdown's escapes. */
const abstract = async (accuracies: Record<string, number[]>) =>
  writeAbstract(await results(accuracies)).replace(/\\(?=[^"\\])/g, "").replaceAll("\u00a0", " ");

const DYNAMIC = [0.80, 0.81, 0.82];

Deno.test("the abstract's numbers are those of the results", async () => {
  const text = await abstract({
    "dynamic": DYNAMIC,
    "static-per-class": [0.81, 0.82, 0.83],
    "static-shared": [0.1, 0.1, 0.1],
    "frozen": [0.55, 0.57, 0.56],
    "frozen-3x3": [0.77, 0.78, 0.79],
  });
  assert.match(
    text,
    /After 2 epochs it labels 81\.00 ± 1\.00 % of the test images correctly \(mean ± standard deviation of 3 seeds/,
  );
  assert.match(
    text,
    /ten stored filters reaches 82\.00 ± 1\.00 %, 1\.00 points more \(95 % interval \+1\.00 to \+1\.00\)/,
  );
  assert.match(text, /it reaches 10\.00 ± 0\.00 %, because all ten scores are one number/);
  assert.match(text, /A frozen backbone leaves 56\.00 ± 1\.00 %, 25\.00 points less/);
  assert.match(text, /a trainable 3×3 convolution behind it makes that 78\.00 ± 1\.00 %/);
  assert.match(text, /#highlights\(\("81\.00 ± 1\.00 %", /);
  assert.match(text, /"\+1\.00 points"/);
  assert.match(text, /"−25\.00 points"/);
  assert.match(text, /Images: CIFAR-10\./);
});

Deno.test("the abstract claims what the interval supports, and no more", async () => {
  const stored = (finals: number[]) => abstract({ "dynamic": DYNAMIC, "static-per-class": finals });
  assert.match(
    await stored([0.82, 0.835, 0.84]),
    /: storing the filters is better than generating them here\./,
  );
  assert.match(
    await stored([0.78, 0.795, 0.80]),
    /: generating the filters is better than storing them here\./,
  );
  assert.match(
    await stored([0.79, 0.82, 0.82]),
    /: that generating filters is better or worse than storing them is not shown\./,
  );
  const one = await abstract({ "dynamic": [0.8], "static-per-class": [0.82] });
  assert.match(one, /labels 80\.00 % of the test images correctly \(one seed/);
  assert.match(one, /2\.00 points more \(one seed\): one seed shows no difference\./);
});

Deno.test("without results the abstract gives no number", async () => {
  const text = await abstract({});
  assert.doesNotMatch(text, /\d %|highlights/);
  assert.match(text, /has not been measured yet/);
});

Deno.test("the background's recipe is the results' own", async () => {
  const result = await experimentResult("dynamic", [seedResult(0, [0.5])], {
    epochs: 7,
    batchSize: 96,
    learningRate: 0.03,
  });
  const text = writeBackground([result], [4]);
  assert.match(text, /7 epochs in batches of 96, .*peak at 0\.03/);
  assert.match(text, /\(`#ref\(<notebook-4>\);`\{=typst\}\)/);
  for (const key of ["debrabandere2016", "he2016", "krizhevsky2009", "ioffe2015", "lavin2016", "smith2018"]) {
    assert.match(text, new RegExp(`#cite\\(<${key}>\\)`));
  }
});
