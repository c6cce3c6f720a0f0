import assert from "node:assert/strict";
import { join } from "@std/path";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { measurePictures } from "../../lib/experiments/studies/pictures.ts";
import {
  formatPictures,
  PICTURES_ROW,
  type PicturesRow,
  summariseSureness,
  summariseWays,
} from "../../lib/experiments/studies/pictures_summary.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import { saveRandomCheckpoint } from "../testing/checkpoint.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { encodePicture } from "../testing/pictures.ts";

Deno.test("pictures of the classes are counted by preparation, and all by sureness", async () => {
  using folder = temporaryFolder();
  const pictures = join(folder.path, "pictures");
  const places = [
    "paper-stamps/cat/1.png",
    "paper-stamps/cat/2.png",
    "paper-stamps/dog/1.png",
    "textures/none/1.png",
  ];
  for (const [index, place] of places.entries()) {
    Deno.mkdirSync(join(pictures, place, ".."), { recursive: true });
    const opacity = (x: number) => x < 20 ? 0 : 255;
    const size = [40 + 30 * (index % 2), 50] as const; // the second and the last are wide
    const png = await encodePicture(...size, (x, y) => [3 * x, 5 * y, 90 * index, opacity(x)]);
    Deno.writeFileSync(join(pictures, place), png);
  }
  const calibration = { temperature: 2, threshold: 0.2, images: 50 };
  const model = await saveRandomCheckpoint(join(folder.path, "model.safetensors"), { calibration });
  const checkpoint = await openCheckpoint(model);
  const { test } = createSynthetic({ trainSize: 0, testSize: 30 });
  const rows = await measurePictures({ seed: 4, pictures, checkpoint, test });
  for (const row of rows) PICTURES_ROW.parse(row);
  const ways = rows.filter((row) => row.kind === "preparation");
  assert.equal(ways.length, 8);
  for (const { fit, background, n, right, gained, lost, agree, rightAgree } of ways) {
    assert.equal(n, 3);
    const before = ways.find((row) => row.fit === "crop" && row.background === "white")!;
    assert.equal(right, before.right + gained - lost);
    if (fit === "crop" && background === "white") assert.deepEqual([gained, lost], [0, 0]);
    assert.ok(rightAgree <= Math.min(right, agree));
  }
  const sureness = rows.filter((row) => row.kind === "sureness");
  assert.deepEqual(
    sureness.map(({ group, hasClass, correct, wrong }) => [group, hasClass, correct + wrong]),
    [
      ["test images", 1, 30],
      ["paper stamps", 1, 3],
      ["textures", 0, 1],
      ["noise", 0, 30],
      ["shuffled pixels", 0, 30],
      ["single colours", 0, 30],
    ],
  );
  assert.ok(sureness.every(({ hasClass, correct }) => hasClass === 1 || correct === 0));
  const stretched = ways.find((row) => row.fit === "stretch" && row.background === "mean")!;
  assert.equal(sureness[1].correct, stretched.right);
});

const preparation = (
  seed: number,
  fit: "crop" | "stretch",
  right: number,
  agree: number,
  rightAgree: number,
) => ({
  ...{ kind: "preparation", seed, group: "stamps", fit, background: "mean", n: 10 },
  ...{ right, agree, rightAgree, gained: right, lost: 0 },
} as const);

Deno.test("pictures are summarised over the networks", () => {
  const sureness = { kind: "sureness", group: "test images", hasClass: 1 };
  const rows = [
    preparation(0, "stretch", 6, 5, 4),
    preparation(1, "stretch", 8, 5, 5),
    {
      ...sureness,
      group: "noise",
      hasClass: 0,
      seed: 0,
      correct: 0,
      correctUnsure: 0,
      wrong: 10,
      wrongSure: 7,
    },
    { ...sureness, seed: 0, correct: 70, correctUnsure: 10, wrong: 30, wrongSure: 20 },
    { ...sureness, seed: 1, correct: 80, correctUnsure: 0, wrong: 20, wrongSure: 10 },
  ] as PicturesRow[];
  const [way] = summariseWays(rows);
  assert.deepEqual([way.way, way.first], ["stretch on mean", [6, 10]]);
  const means = [way.right, way.difference, way.agreeing, way.disagreeing].map(({ mean }) => mean.toFixed(3));
  assert.deepEqual(means, ["0.700", "0.700", "0.900", "0.500"]);
  const [images, noise] = summariseSureness(rows);
  const shares = [images.right, images.rightUnsure, images.wrongSure, noise.wrongSure];
  assert.deepEqual(shares.map(({ mean }) => mean.toFixed(3)), ["0.750", "0.071", "0.583", "0.700"]);
  assert.deepEqual([images.group, images.n, images.first, noise.n], ["test images", 100, [20, 30], 10]);
  const text = formatPictures(rows).replaceAll(/ +/g, " ");
  for (
    const words of [
      "| stretch on mean | 70.0 ± 14.1 | 60.0 [31.3, 83.2] | 70.0 [",
      "90.0 ± 14.1 % are right where",
      "| noise | 10 | – | – | 70.0 |",
    ]
  ) assert.ok(text.includes(words), text);
});
