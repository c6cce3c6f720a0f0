import assert from "node:assert/strict";
import type { Figure } from "../../lib/figures/figure.ts";
import { drawMapsFigure, MAXIMUM_PICTURES_ON_PAGE } from "../../lib/prediction/maps_figure.ts";

function predicted(label: string, mapValues: number, trueClass?: number) {
  return {
    pixels: new Uint8Array(32 * 32 * 3),
    label,
    trueClass,
    prediction: {
      scores: Float32Array.from({ length: 10 }, (_, label) => label),
      probabilities: new Array<number>(10).fill(0.1),
      predictedClass: 9,
      maps: Float32Array.from({ length: mapValues }, (_, at) => at),
    },
  };
}

/** Pictures and maps in a figure; the colour bar is an image as well. */
const countImages = ({ svg }: Figure) => svg.split("<image ").length - 2;

Deno.test("one picture is drawn large with its ten maps, several on a page", () => {
  const one = drawMapsFigure([predicted("cat.png", 640)], { subtitle: "Trained on: x." });
  assert.equal(countImages(one), 11);
  assert(one.svg.includes("cat.png") && one.svg.includes("Trained on: x."));
  const page = drawMapsFigure([predicted("one", 640), predicted("two", 640, 3)]);
  assert.equal(countImages(page), 22);
  const evidence = new Float32Array(640);
  assert.equal(countImages(drawMapsFigure([{ ...predicted("one", 640), evidence }])), 22); // two colour bars
  assert(page.svg.includes(">one<") && page.svg.includes(">two<") && page.svg.includes("true class"));
});

Deno.test("a page has at most 40 pictures", () => {
  const many = Array.from({ length: MAXIMUM_PICTURES_ON_PAGE + 3 }, (_, index) => predicted(`${index}`, 640));
  assert.equal(countImages(drawMapsFigure(many)), 11 * MAXIMUM_PICTURES_ON_PAGE);
});

Deno.test("the figure notes a single map for all classes", () => {
  assert(drawMapsFigure([predicted("x", 64)]).svg.includes("one map for all classes"));
  assert(!drawMapsFigure([predicted("x", 640)]).svg.includes("one map for all classes"));
});

Deno.test("long names are shortened in the middle", () => {
  const names = ["IMG_20240131_134559.jpg", "IMG_20240131_134601.jpg"];
  const page = drawMapsFigure(names.map((name) => predicted(name, 640)));
  assert(
    />IMG_?…4?559</.test(page.svg) && /…4?601</.test(page.svg),
    `${page.svg.match(/>IMG[^<]*</g)}`,
  );
  assert.equal(drawMapsFigure([predicted(names[0], 640)]).svg.match(/>IMG[^<]*</)?.[0], ">IMG_202…_134559<");
});
