import { colourBar, colourDomain } from "./colour_bar.ts";
import type { ColourMap } from "./colours.ts";
import { composeFigure, contentWidth, type Figure, type FigureBody } from "./figure.ts";
import { formatNumber, formatPercent, type Matrix, toRows } from "../support/format.ts";
import { type Box, imageElement, type Interpolation, mapElement } from "./raster.ts";
import { type FigureOptions, FONT_SIZE, INK, MUTED, PAPER, TRUE_COLOUR, WINNER_COLOUR } from "./style.ts";
import { element, escapeXml, text, translate } from "./svg.ts";
import { textWidth } from "./text_width.ts";
import { argMax, softmax } from "../support/statistics.ts";

/** An image, and what the network saw in it. */
export interface ResponseExample {
  /** Bytes `[32,32,3]`, red, green, blue. */
  image: ArrayLike<number>;
  /** One map a class, `[K,height,width]` in one go or `[K][height·width]`; square. */
  maps: Matrix;
  /** The classes' scores `[K]`, before the softmax. */
  scores: ArrayLike<number>;
  /** The true class, if it is known. */
  trueClass?: number;
  /** What the image is called (default: nothing), such as `test image 3`. */
  label?: string;
}

/** Options of {@linkcode responseMaps} and {@linkcode responseMapsPage}. */
export interface ResponseMapsOptions extends FigureOptions {
  /** Names of the classes, in the order of the maps. */
  classNames: readonly string[];
  /** Every cell a square (`"nearest"`, default), or bilinear in between (`"smooth"`). */
  interpolation?: Interpolation;
  /** Draws each map over the image in grey. */
  overlay?: boolean;
  /** The maps' colours (default `"viridis"`). */
  colours?: ColourMap;
  /** The values at the ends of the colours (default: the maps' least and greatest value). */
  domain?: [number, number];
  /** What the maps hold (default `Response`). */
  measure?: string;
}

const GAP = 14;

/**
 * An image and its response maps, each at the image's size, in two rows beside it: where each class's filter finds what it
 * looks for. One colour scale serves all maps, so they can be compared. Under each stand the class, its score and its
 * share by softmax; the winner's frame is orange, the true class's blue.
 *
 * @throws {RangeError} If the numbers of maps, scores and names differ.
 */
export function responseMaps(example: ResponseExample, options: ResponseMapsOptions): Figure {
  const { classNames, colours = "viridis", measure = "Response" } = options;
  const maps = readMaps(example, classNames);
  const domain = options.domain ?? colourDomain(maps.flat(), colours);
  const shares = softmax(example.scores);
  const winner = argMax(example.scores);
  const columns = Math.ceil(maps.length / 2);
  const width = contentWidth(options);
  const size = Math.floor((width - columns * GAP - 16) / (columns + 1));
  const step = size + 60;
  const tiles = maps.map((map, index) => {
    const box = {
      x: (1 + index % columns) * (size + GAP) + 16,
      y: 38 + Math.floor(index / columns) * step,
      width: size,
      height: size,
    };
    const marks = { winner: index === winner, truth: index === example.trueClass };
    const value = `${formatNumber(example.scores[index], 2)}  ·  ${formatPercent(shares[index])}`;
    return mapTile(map, box, example.image, domain, options) + frames(box, marks) + tabs(box, marks) +
      tileCaption(classNames[index], value, box, marks);
  }).join("");
  const box = { x: 0, y: 38, width: size, height: size };
  const { trueClass } = example;
  const verdict: string[] = [];
  // one text in two colours: the second part follows the first whatever font the viewer has
  const line = (content: string, value: string, colour: string, y: number) =>
    element(
      "text",
      { x: 0, y, "font-size": FONT_SIZE.tick, fill: MUTED },
      `${content} `,
      element("tspan", { fill: colour, "font-weight": "bold" }, escapeXml(value)),
    );
  if (trueClass !== undefined) {
    verdict.push(line("true:", classNames[trueClass], TRUE_COLOUR, 38 + size + 18));
  }
  verdict.push(line("network:", classNames[winner], WINNER_COLOUR, 38 + size + 18 + 15 * verdict.length));
  const heading = (content: string, x: number) => text(content, x, 11, { weight: "bold" });
  return composeFigure({
    markup: heading(example.label ?? "Image", 0) + imageElement(example.image, box) + verdict.join("") +
      heading(`Response maps, score and share of each class`, size + GAP + 16) + tiles +
      translate(0, 38 + step + size - 38, colourBar(size, { colours, domain, label: measure })),
    height: 38 + step + size + 34,
    description: describe(example, classNames, winner, shares),
  }, options);
}

/**
 * Several images, one a row, each with its maps in the order of the classes: a page to compare. One colour scale serves the
 * whole page. The winner's frame is orange, the true class's blue.
 *
 * @throws {RangeError} If there is no image, or the numbers of maps, scores and names differ.
 */
export function responseMapsPage(examples: readonly ResponseExample[], options: ResponseMapsOptions): Figure {
  if (examples.length === 0) throw new RangeError("A page of response maps needs at least one image.");
  const { classNames, colours = "viridis", measure = "Response" } = options;
  const all = examples.map((example) => readMaps(example, classNames));
  const domain = options.domain ?? colourDomain(all.flat(2), colours);
  const width = contentWidth(options);
  const gap = 7;
  const size = Math.floor((width - (classNames.length + 1) * gap) / (classNames.length + 1));
  const left = (index: number) => (index + 1) * (size + gap) + gap;
  const step = size + 31;
  const top = 24;
  const headings = classNames.map((name, index) =>
    text(name, left(index) + size / 2, 12, {
      size: Math.min(FONT_SIZE.tick, FONT_SIZE.tick * size / textWidth(name, FONT_SIZE.tick, "bold")),
      weight: "bold",
      anchor: "middle",
    })
  ).join("");
  const rows = examples.map((example, row) => {
    const shares = softmax(example.scores);
    const winner = argMax(example.scores);
    const tiles = all[row].map((map, index) => {
      const box = { x: left(index), y: 0, width: size, height: size };
      const marks = { winner: index === winner, truth: index === example.trueClass };
      const colour = marks.winner ? WINNER_COLOUR : marks.truth ? TRUE_COLOUR : MUTED;
      return mapTile(map, box, example.image, domain, options) + frames(box, marks) +
        text(formatPercent(shares[index], 0), box.x + size / 2, size + 16, {
          size: FONT_SIZE.small,
          fill: colour,
          anchor: "middle",
          weight: marks.winner || marks.truth ? "bold" : "regular",
        });
    }).join("");
    const label = example.label ??
      (example.trueClass === undefined ? "" : classNames[example.trueClass]);
    return translate(
      0,
      top + row * step,
      imageElement(example.image, { x: 0, y: 0, width: size, height: size }) +
        text(label, size / 2, size + 16, { size: FONT_SIZE.small, fill: INK, anchor: "middle" }) + tiles,
    );
  }).join("");
  const bottom = top + examples.length * step + 8;
  const keyed = examples.some((example) => example.trueClass !== undefined);
  return composeFigure({
    markup: headings + rows +
      translate(left(0), bottom, colourBar(220, { colours, domain, label: measure })) +
      translate(width, bottom + 20, frameKey(keyed)),
    height: bottom + 42,
    description: examples.map((example) =>
      describe(example, classNames, argMax(example.scores), softmax(example.scores))
    ).join(" "),
  }, options);
}

function readMaps(example: ResponseExample, classNames: readonly string[]): number[][] {
  if (example.scores.length !== classNames.length) {
    throw new RangeError(`${classNames.length} classes cannot have ${example.scores.length} scores.`);
  }
  return toRows(example.maps, classNames.length);
}

function mapTile(
  map: readonly number[],
  box: Box,
  image: ArrayLike<number>,
  domain: readonly [number, number],
  { overlay, colours = "viridis", interpolation }: ResponseMapsOptions,
): string {
  const side = Math.sqrt(map.length);
  if (!Number.isInteger(side)) {
    throw new RangeError(`${map.length} values do not make a square response map.`);
  }
  return (overlay ? imageElement(image, box, { grey: true }) : "") +
    mapElement(map, side, side, box, { domain, colours, interpolation, opacity: overlay ? 0.62 : 1 });
}

interface Marks {
  winner: boolean;
  truth: boolean;
}

/** Frames outside the map, so that they hide none of it; the true class's lies outside the winner's. */
function frames({ x, y, width, height }: Box, { winner, truth }: Marks): string {
  const frame = (distance: number, colour: string) =>
    element("rect", {
      x: x - distance,
      y: y - distance,
      width: width + 2 * distance,
      height: height + 2 * distance,
      rx: 1,
      fill: "none",
      stroke: colour,
      "stroke-width": 2.25,
    });
  return (winner ? frame(1.9, WINNER_COLOUR) : "") + (truth ? frame(winner ? 4.1 : 1.9, TRUE_COLOUR) : "");
}

/** Small tabs on the frame's upper edge that say what its colours mean. */
function tabs({ x, y }: Box, { winner, truth }: Marks): string {
  let left = x - (winner && truth ? 5.2 : 3);
  return [winner ? ["network", WINNER_COLOUR] : [], truth ? ["true", TRUE_COLOUR] : []].map(
    ([label, colour]) => {
      if (label === undefined) return "";
      const width = textWidth(label, FONT_SIZE.small, "bold") * 1.1 + 8; // room for a wider font than Arial
      const top = y - (winner && truth ? 5 : 3) - 13;
      const tab = element("rect", { x: left, y: top, width, height: 13.5, rx: 1, fill: colour }) +
        text(label, left + width / 2, top + 10, {
          size: FONT_SIZE.small,
          weight: "bold",
          fill: PAPER,
          anchor: "middle",
        });
      left += width;
      return tab;
    },
  ).join("");
}

function tileCaption(name: string, value: string, box: Box, { winner, truth }: Marks): string {
  const colour = winner ? WINNER_COLOUR : truth ? TRUE_COLOUR : INK;
  const y = box.y + box.height + 18;
  return text(name, box.x, y, { weight: "bold", fill: colour }) +
    text(value, box.x, y + 14, { size: FONT_SIZE.small, fill: winner || truth ? colour : MUTED });
}

function frameKey(withTruth: boolean): string {
  const entries = [["network's choice", WINNER_COLOUR], ...(withTruth ? [["true class", TRUE_COLOUR]] : [])];
  let x = 0;
  return entries.reverse().map(([label, colour]) => {
    x -= textWidth(label, FONT_SIZE.tick);
    const markup = text(label, x, 4, { size: FONT_SIZE.tick, fill: MUTED }) +
      element("rect", {
        x: x - 17,
        y: -5,
        width: 10,
        height: 10,
        fill: "none",
        stroke: colour,
        "stroke-width": 2.5,
      });
    x -= 34;
    return markup;
  }).join("");
}

function describe(
  example: ResponseExample,
  classNames: readonly string[],
  winner: number,
  shares: readonly number[],
): FigureBody["description"] {
  const truth = example.trueClass === undefined
    ? "an image"
    : `an image of class ${classNames[example.trueClass]}`;
  return `Response maps of ${classNames.length} classes for ${truth}; the network's choice is ${
    classNames[winner]
  } ` +
    `with ${formatPercent(shares[winner])}.`;
}
