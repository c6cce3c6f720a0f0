import assert from "node:assert/strict";
import { liftTitle } from "../../../notebooks/report/figure_file.ts";
import { drawFigure } from "./sample.ts";

Deno.test("a figure's title and subtitle go from the picture to the caption, and it gets smaller by them", () => {
  const plain = liftTitle(drawFigure());
  const lifted = liftTitle(drawFigure("Cats & dogs, compared in a title of two lines", "Data: CIFAR-10."));
  assert.equal(lifted.title, "Cats & dogs, compared in a title of two lines");
  assert.equal(lifted.subtitle, "Data: CIFAR-10.");
  assert.equal(lifted.description, "A black square.");
  assert.doesNotMatch(lifted.svg, /<text/);
  assert.match(lifted.svg, /<rect width="100" height="100"\/>/);
  assert.deepEqual([lifted.width, lifted.height], [plain.width, plain.height]);
  assert.ok(lifted.height < 150, `${lifted.height}`);
  const [, x, y] = /viewBox="(\d+) (\d+) /.exec(lifted.svg)!.map(Number);
  const [, left, top] = /translate\((\d+),(\d+)\)/.exec(lifted.svg)!.map(Number);
  assert.ok(x < left && y < top && top - y <= 8);
});

Deno.test("a figure without a title keeps its content and has none", () => {
  const { title, subtitle, svg } = liftTitle(drawFigure());
  assert.deepEqual([title, subtitle], ["", ""]);
  assert.match(svg, /<rect width="100" height="100"\/>/);
});

Deno.test("another program's SVG stays as it is", () => {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="20"><title>A</title><circle r="3"/></svg>';
  const lifted = liftTitle(svg);
  assert.deepEqual([lifted.svg, lifted.width, lifted.height, lifted.title], [svg, 10, 20, "A"]);
});
