import assert from "node:assert/strict";
import { writeAbstract, writeBackground } from "../../../notebooks/report/front_matter.ts";
import { experimentResult, seedResult } from "../../experiments/samples.ts";

const results = async (accuracies: Record<string, number[]>) =>
  await Promise.all(
    Object.entries(accuracies).map(([name, finals]) =>
      experimentResult(name, finals.map((final, seed) => seedResult(seed, [0.5, final])), { epochs: 2 })
    ),
  );

/** Removes Markdown's escapes. */
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
    /After 2 epochs its test accuracy is 81\.00 ± 1\.00 % \(mean ± standard deviation over 3 seeds, last epoch/,
  );
  assert.match(
    text,
    /ten stored filters instead the same network reaches 82\.00 ± 1\.00 % \(n = 3\), 1\.00 points more \(95 % interval −1\.27 to \+3\.27\)/,
  );
  assert.match(text, /it reaches 10\.00 ± 0\.00 % \(n = 3\), because all ten scores are equal/);
  assert.match(text, /With a frozen backbone it reaches 56\.00 ± 1\.00 % \(n = 3\), 25\.00 points less/);
  assert.match(text, /a trainable 3×3 adapter behind it raises that to 78\.00 ± 1\.00 %/);
  assert.match(text, /#highlights\(\("81\.00 ± 1\.00 %", /);
  assert.match(text, /"\+1\.00 points"/);
  assert.match(text, /"−25\.00 points"/);
  assert.match(text, /Data: CIFAR-10\./);
});

Deno.test("the abstract claims only what the tests support", async () => {
  const stored = (finals: number[]) => abstract({ "dynamic": DYNAMIC, "static-per-class": finals });
  assert.match(
    await stored([0.85, 0.86, 0.87]),
    /: storing the filters is better than generating them here\./,
  );
  assert.match(
    await stored([0.75, 0.76, 0.77]),
    /: generating the filters is better than storing them here\./,
  );
  assert.match(
    await stored([0.79, 0.82, 0.82]),
    /: whether generating the filters differs from storing them remains undecided\./,
  );
  const one = await abstract({ "dynamic": [0.8], "static-per-class": [0.82] });
  assert.match(one, /test accuracy is 80\.00 % \(one seed/);
  assert.match(one, /2\.00 points more \(one seed\): one seed shows nothing\./);
});

Deno.test("without results the abstract gives no number", async () => {
  const text = await abstract({});
  assert.doesNotMatch(text, /\d %|highlights/);
  assert.match(text, /has not been measured yet/);
});

Deno.test("the background states the recipe and cites papers of the references", async () => {
  const result = await experimentResult("dynamic", [seedResult(0, [0.5])], {
    epochs: 7,
    batchSize: 96,
    learningRate: 0.03,
  });
  const text = writeBackground([result]);
  assert.match(text, /7 epochs, batch size 96, .*peak 0\.03/);
  const papers = Deno.readTextFileSync(new URL("../../../notebooks/report/references.yml", import.meta.url));
  const links = [...text.matchAll(/\]\((https:[^)]*)\)/g)].map(([, url]) => url);
  assert.equal(links.length, 11);
  for (const url of links) assert.ok(papers.includes(`  url: "${url}"\n`), url);
});
