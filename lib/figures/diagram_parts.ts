/** The parts of the network's diagram, each at its place. */
import { colourDomain } from "./colour_bar.ts";
import { noise } from "./diagram_example.ts";
import { arrow, box, FROZEN, lines, slab, stepBox, type Tint } from "./diagram_shapes.ts";
import type { DiagramExample, NetworkLayer } from "./network_diagram.ts";
import { formatCount, formatPercent, toRows } from "../support/format.ts";
import { imageElement, mapElement } from "./raster.ts";
import { FONT_SIZE, INK, MUTED, WINNER_COLOUR } from "./style.ts";
import { element, text, translate } from "./svg.ts";
import { argMax, softmax } from "../support/statistics.ts";

const BLUE: Tint = { fill: "#eaf3fa", stroke: "#0072b2" };
const ORANGE: Tint = { fill: "#fdf1e7", stroke: "#d55e00" };
const GREEN: Tint = { fill: "#e8f6f1", stroke: "#009e73" };
const PLAIN: Tint = { fill: "#ffffff", stroke: MUTED };

/** Where things stand: rows of the ten classes right, and the way of the classes below. */
export const WIDTH = 840;
const TOP = 38;
const PITCH = 22;
const ROWS = 10 * PITCH;
const MIDDLE = TOP + ROWS / 2;
export const LOWER = TOP + ROWS + 72;
export const RASTER = 88;

/** The image, the backbone's stages and the feature map v. */
export function drawBackbone(
  backbone: readonly NetworkLayer[],
  adapter: readonly NetworkLayer[],
  example: DiagramExample,
): string {
  const tint = tintOf(backbone, BLUE);
  // the stem, the pool and each block of layer1, by the part of the name that tells them apart
  const stages = [...Map.groupBy(backbone, ({ layer }) => stageOf(layer)).entries()].map((
    [label, members],
  ) => ({
    label,
    shape: members.at(-1)!.outputShape,
    tint,
  }));
  if (adapter.length > 0) {
    stages.push({ label: "adapter", shape: adapter.at(-1)!.outputShape, tint: tintOf(adapter, ORANGE) });
  }
  const [left, right] = [104, 356];
  const center = (left + right) / 2;
  const step = (right - left - 12) / stages.length;
  const y = MIDDLE + 4;
  const slabs = stages.map(({ label, shape, tint }, index) => {
    const side = Number(shape[1]);
    const x = left + 6 + (index + 0.5) * step;
    const next = index + 1 < stages.length ? arrow([x + 18, y], [x + step - 14, y]) : "";
    return slab(x - 11, y, 22 + 4.5 * Math.min(side, 16), 12, tint) + next +
      lines(
        [label, `${side}×${side}×${shape[3]}`],
        x,
        MIDDLE + 66,
        13,
        stages.length > 4 ? FONT_SIZE.small : undefined,
      );
  }).join("");
  const last = stages.at(-1)!;
  const notes = adapter.length > 0
    ? [parameterLine(backbone), `adapter: ${parameterLine(adapter)}`]
    : [parameterLine(backbone)];
  return lines(["*image"], 38, MIDDLE - 48) +
    imageElement(example.image, { x: 0, y: MIDDLE - 38, width: 76, height: 76 }) +
    lines(["[B,32,32,3]"], 38, MIDDLE + 56) + arrow([80, MIDDLE], [left - 3, MIDDLE]) +
    box(left, TOP - 14, right - left, ROWS + 28, tint) +
    lines(["*Backbone", "ResNet-18 up to layer1"], center, TOP + 10, 16) + slabs +
    lines(notes, center, TOP + ROWS + 2 - 15 * (notes.length - 1), 15) +
    arrow([right + 3, MIDDLE], [right + 26, MIDDLE]) +
    lines(["*feature", "*map v"], 416, MIDDLE - 62) + slab(384, MIDDLE, 66, 50, last.tint) +
    lines([`[${["B", ...last.shape.slice(1)].join(",")}]`], 412, MIDDLE + 56) +
    arrow([449, MIDDLE], [474, MIDDLE]);
}

/** Below: class embeddings, the weights generator and the normalisation. */
export function drawGenerator(
  embeddings: readonly NetworkLayer[],
  generator: readonly NetworkLayer[],
  example: DiagramExample,
  classes: number,
): string {
  const rows = toRows(example.embeddings ?? noise(classes * 32, 3), classes);
  const length = Number(embeddings[0]?.outputShape.at(-1) ?? rows[0].length);
  const hidden = Number(generator[0]?.outputShape.at(-1));
  const width = Number(generator.at(-1)?.outputShape.at(-1));
  const tint = tintOf([...embeddings, ...generator], ORANGE);
  const middle = LOWER + RASTER / 2;
  const inner = (y: number, height: number, x: number, content: string) =>
    stepBox(content, x, y, 94, height, tint);
  return lines(["*class embeddings"], 48, LOWER - 10) +
    rowsElement(rows.map((row) => row.slice(0, 32)), 0, LOWER, 96, RASTER) +
    outline(0, 96, LOWER, RASTER, tint) +
    lines([`[${classes},${length}]`, parameterLine(embeddings)], 48, LOWER + RASTER + 17, 15) +
    arrow([99, middle], [131, middle]) + box(134, LOWER - 26, 222, RASTER + 52, tint) +
    lines(["*Weights generator"], 245, LOWER - 2) +
    inner(LOWER + 22, 26, 144, `FC ${length} → ${hidden}`) + inner(LOWER + 52, 20, 144, "ReLU") +
    arrow([239, middle + 3], [251, middle + 3]) +
    inner(LOWER + 22, 26, 252, `FC ${hidden} → ${width}`) + inner(LOWER + 52, 20, 252, "tanh") +
    lines([parameterLine(generator)], 245, LOWER + RASTER + 10) +
    arrow([359, middle], [379, middle]) + box(382, middle - 24, 62, 48, PLAIN) +
    lines(["normalise", "w / |w|"], 413, middle - 4, 16) + arrow([447, middle], [463, middle]);
}

/** The filters, and their way up to the convolution. */
export function drawFilters(stored: readonly NetworkLayer[], example: DiagramExample, count: number): string {
  const rows = toRows(example.filters, count);
  const tint = stored.length > 0 ? tintOf(stored, ORANGE) : ORANGE;
  const height = count === 1 ? 14 : RASTER;
  const y = LOWER + (RASTER - height) / 2;
  const note = (content: string, line: number) =>
    text(content, 546, LOWER + 24 + 16 * line, { size: FONT_SIZE.tick, fill: MUTED });
  return text(stored.length > 0 ? "stored filters w" : "filters w", 546, LOWER + 8, { weight: "bold" }) +
    rowsElement(rows, 466, y, 64, height) + outline(466, 64, y, height, tint) +
    note(`[${count},64], ${count === 1 ? "one for all classes" : "one for each class"}`, 0) +
    note("response = v · w / √64, at each of 8×8 places", 1) +
    (stored.length > 0 ? note(parameterLine(stored), 2) : "") +
    arrow([498, y - 4], [498, MIDDLE + 25]);
}

/** The convolution, called dynamic where its filters are generated, and the response maps. */
export function drawMaps(example: DiagramExample, count: number, isDynamic: boolean): string {
  const maps = toRows(example.maps, count);
  const side = Math.sqrt(maps[0].length);
  const domain = colourDomain(maps.flat(), "viridis");
  const winner = argMax(example.scores);
  const tiles = maps.map((map, index) => {
    const size = count === 1 ? 40 : PITCH - 2;
    const middle = count === 1 ? MIDDLE : TOP + (index + 0.5) * PITCH;
    const place = { x: 560 - size / 2, y: middle - size / 2, width: size, height: size };
    const colour = count > 1 && index === winner ? WINNER_COLOUR : "#c3ccd6";
    return mapElement(map, side, side, place, { domain, colours: "viridis" }) +
      (count > 1 && index === winner
        ? outline(place.x, size, place.y, size, { fill: "", stroke: WINNER_COLOUR }, 2)
        : "") +
      wire(560 + size / 2 + 3, middle, 603, colour);
  }).join("");
  return element("circle", {
    cx: 498,
    cy: MIDDLE,
    r: 21,
    fill: "#ffffff",
    stroke: INK,
    "stroke-width": 1.5,
  }) +
    element("path", {
      d: `M490,${MIDDLE - 8}l16,16m0,-16l-16,16`,
      stroke: INK,
      "stroke-width": 2,
      fill: "none",
    }) +
    lines(
      [...(isDynamic ? ["*dynamic"] : []), "*convolution", "1×1, ÷ √64"],
      498,
      MIDDLE - (isDynamic ? 60 : 45),
      15,
    ) +
    arrow([522, MIDDLE], [count === 1 ? 537 : 546, MIDDLE]) +
    tiles +
    (count === 1
      ? lines(["*response map", "[B,1,8,8]"], 560, MIDDLE + 38)
      : lines(["*response", "*maps"], 560, TOP - 24) + lines([`[B,${count},8,8]`], 560, TOP + ROWS + 16));
}

/** The score predictor, with a wire for each class. */
export function drawPredictor(predictor: readonly NetworkLayer[], count: number, classes: number): string {
  const tint = tintOf(predictor, GREEN);
  const [first, last] = [predictor[0], predictor.at(-1)!].map(({ outputShape }) => outputShape.at(-1));
  const [x, width] = [606, 104];
  const wires = Array.from(
    { length: classes },
    (_, index) => wire(x + width, TOP + (index + 0.5) * PITCH, 726, "#c3ccd6"),
  );
  const steps = ["flatten", `FC 64 → ${first}`, "ReLU", `FC ${first} → ${last}`];
  return wires.join("") + box(x, TOP - 14, width, ROWS + 28, tint) +
    lines(
      ["*Score", "*predictor", ...(count === 1 ? [] : ["shared by", "all classes"])],
      x + width / 2,
      TOP + 10,
      16,
    ) +
    steps.map((step, index) => stepBox(step, x + 10, MIDDLE - 34 + index * 28, width - 20, 21, tint)).join(
      "",
    ) +
    lines([parameterLine(predictor)], x + width / 2, TOP + ROWS + 2);
}

/** The classes' shares by softmax. */
export function drawScores(example: DiagramExample, classNames: readonly string[]): string {
  const shares = softmax(example.scores);
  const winner = argMax(example.scores);
  const pitch = ROWS / classNames.length;
  const x = 728;
  const bars = classNames.map((name, index) => {
    const y = TOP + index * pitch;
    const chosen = index === winner;
    const fill = chosen ? "#f8cfae" : "#d3e9e1";
    return element("rect", {
      x,
      y: y + 2,
      width: (WIDTH - x) * shares[index] + 1,
      height: pitch - 4,
      rx: 1.5,
      fill,
    }) +
      text(name, x + 5, y + pitch / 2 + 4, {
        size: FONT_SIZE.tick,
        weight: chosen ? "bold" : "regular",
        fill: chosen ? WINNER_COLOUR : INK,
      }) + (chosen
        ? text(formatPercent(shares[index], 0), WIDTH, y + pitch / 2 + 4, {
          size: FONT_SIZE.tick,
          weight: "bold",
          fill: WINNER_COLOUR,
          anchor: "end",
        })
        : "");
  }).join("");
  return text("softmax", x, TOP - 10, { weight: "bold" }) + bars +
    text(`[B,${classNames.length}]`, x, TOP + ROWS + 16, { size: FONT_SIZE.tick, fill: MUTED });
}

/** How many parameters there are, and what a broken edge means. */
export function drawKey(layers: readonly NetworkLayer[], total: number, trainable: number): string {
  const frozen = layers.some((layer) => layer.parameters > 0 && !layer.trainable);
  const content = trainable === total
    ? `${formatCount(total)} parameters, all trainable`
    : `${formatCount(trainable)} of ${formatCount(total)} parameters trainable`;
  return text(content, 546, LOWER + RASTER + 6, { weight: "bold" }) +
    (frozen
      ? translate(
        546,
        LOWER + RASTER + 16,
        box(0, 0, 22, 13, FROZEN),
        text("frozen: does not learn", 30, 11, { size: FONT_SIZE.tick, fill: MUTED }),
      )
      : "");
}

/** A thin line along a class's row. */
function wire(x1: number, y: number, x2: number, stroke: string): string {
  return element("line", { x1, y1: y, x2, y2: y, stroke, "stroke-width": 1.25 });
}

function outline(x: number, width: number, y: number, height: number, tint: Tint, thickness = 1.25): string {
  return element("rect", {
    x,
    y,
    width,
    height,
    fill: "none",
    stroke: tint.stroke,
    "stroke-width": thickness,
  });
}

/** Rows of numbers as a small picture, from blue over white to orange. */
function rowsElement(
  rows: readonly (readonly number[])[],
  x: number,
  y: number,
  width: number,
  height: number,
): string {
  const domain = colourDomain(rows.flat(), "diverging");
  return mapElement(rows.flat(), rows[0].length, rows.length, { x, y, width, height }, {
    domain,
    colours: "diverging",
  });
}

function tintOf(layers: readonly NetworkLayer[], tint: Tint): Tint {
  return layers.some((layer) => layer.parameters > 0 && layer.trainable) ? tint : FROZEN;
}

function parameterLine(layers: readonly NetworkLayer[]): string {
  const [all, learning] = [sum(layers), sum(layers.filter((layer) => layer.trainable))];
  if (learning === all) return `${formatCount(all)} parameters`;
  return learning === 0
    ? `${formatCount(all)} parameters, frozen`
    : `${formatCount(learning)} of ${formatCount(all)} trainable`;
}

function sum(layers: readonly NetworkLayer[]): number {
  return layers.reduce((total, layer) => total + layer.parameters, 0);
}

function stageOf(layer: string): string {
  const block = layer.match(/layer1\.(\d)/);
  return block ? `block ${Number(block[1]) + 1}` : /pool/.test(layer) ? "max pool" : "conv 7×7";
}
