import { formatNumber, formatPercent, type Matrix, toRows } from "../support/format.ts";
import { argMax, softmax } from "../support/statistics.ts";
import { colourDomain, type ColourMap } from "./colours.ts";
import { composeFigure, contentWidth, type Figure, text, translate } from "./figure.ts";
import { key, type KeyEntry } from "./key.ts";
import { colourBar, imageElement, squareMap } from "./raster.ts";
import { type FigureOptions, INK, MUTED, PREDICTED_COLOUR, TRUE_COLOUR } from "./style.ts";
import { type Tile, tileGrid, type TileLine, tileSize } from "./tile_grid.ts";

/** An image with the network's outputs. */
export interface ResponseExample {
  /** Bytes `[32,32,3]`. */
  image: ArrayLike<number>;
  /** One map per class, `[K,height,width]` or `[K][height·width]`; square. */
  maps: Matrix;
  /** Scores `[K]`, before the softmax. */
  scores: ArrayLike<number>;
  /** Undefined where it is not known. */
  trueClass?: number;
  /** Name of the image, such as `test image 3`. */
  label?: string;
}

/** Options of {@linkcode responseMaps} and {@linkcode responseMapsPage}. */
export interface ResponseMapsOptions extends FigureOptions {
  /** Names of the classes, in the order of the maps. */
  classNames: readonly string[];
  /** Colour map of the maps. @default "viridis" */
  colours?: ColourMap;
  /** Quantity of the maps. @default "Response" */
  measure?: string;
}

/**
 * Draws an image and its response maps in two rows beside it, on one colour scale. Below each are the class,
 * its score and its probability; the predicted class is framed in orange, the true one in blue.
 *
 * @throws {RangeError} If the numbers of maps, scores and names differ.
 */
export function responseMaps(example: ResponseExample, options: ResponseMapsOptions): Figure {
  const { classNames, colours = "viridis", measure = "Response" } = options;
  const { label = "Image", image, scores, trueClass } = example;
  const { tiles, domain, predicted, probabilities } = readExample(example, options);
  const gap = 14;
  const columns = Math.ceil(tiles.length / 2);
  const size = tileSize(contentWidth(options), columns + 1, gap);
  const lined = tiles.map((tile, index): Tile => {
    const fill = colourOf(index, predicted, trueClass);
    const value = `${formatNumber(scores[index], 2)} · ${formatPercent(probabilities[index])}`;
    return {
      ...tile,
      lines: [{ content: classNames[index], weight: "bold", fill }, { content: value, fill }],
    };
  });
  const verdict: TileLine[] = [
    { content: label, weight: "bold" },
    { content: `predicted: ${classNames[predicted]}`, fill: PREDICTED_COLOUR },
    ...trueClass === undefined ? [] : [{ content: `true: ${classNames[trueClass]}`, fill: TRUE_COLOUR }],
  ];
  const grid = tileGrid([
    [{ draw: (box) => imageElement(image, box), lines: verdict }, ...lined.slice(0, columns)],
    [null, ...lined.slice(columns)],
  ], { size, gap });
  const bar = colourBar(size, { colours, domain, label: measure });
  return composeFigure({
    markup: text("Score and probability of each class below its map", grid.left(1), 11, { fill: MUTED }) +
      translate(0, 18, grid.markup, translate(0, grid.top(1) + size - 38, bar)),
    height: 18 + grid.height,
    alt: describe(example, classNames),
  }, options);
}

/**
 * Draws several images with their maps, one row each, on one colour scale, with the same frames.
 *
 * @throws {RangeError} If there is no image, or the numbers of maps, scores and names differ.
 */
export function responseMapsPage(
  examples: readonly ResponseExample[],
  options: ResponseMapsOptions,
): Figure {
  if (examples.length === 0) throw new RangeError("A page of response maps needs at least one image.");
  const { classNames, colours = "viridis", measure = "Response" } = options;
  const domain = colourDomain(
    examples.flatMap(({ maps }) => toRows(maps, classNames.length).flat()),
    colours,
  );
  const width = contentWidth(options);
  const gap = 7;
  const size = tileSize(width, classNames.length + 1, gap);
  const rows = examples.map((example) => {
    const { tiles, predicted, probabilities } = readExample(example, options, domain);
    const { image, trueClass, label = trueClass === undefined ? "" : classNames[trueClass] } = example;
    const lined = tiles.map((tile, index): Tile => ({
      ...tile,
      lines: [{
        content: formatPercent(probabilities[index], 0),
        fill: colourOf(index, predicted, trueClass, MUTED),
        weight: index === predicted || index === trueClass ? "bold" : "regular",
      }],
    }));
    return [
      { draw: (box) => imageElement(image, box), lines: [{ content: label }] } satisfies Tile,
      ...lined,
    ];
  });
  const headings = ["", ...classNames].map((content) => ({ content, weight: "bold" as const }));
  const grid = tileGrid(rows, { size, gap, headings });
  const isKnown = examples.some(({ trueClass }) => trueClass !== undefined);
  const entries: KeyEntry[] = [
    { label: "predicted class", colour: PREDICTED_COLOUR, mark: "frame" },
    ...isKnown ? [{ label: "true class", colour: TRUE_COLOUR, mark: "frame" as const }] : [],
  ];
  const bar = colourBar(Math.min(220, width / 3), { colours, domain, label: measure });
  return composeFigure({
    markup: grid.markup + translate(grid.left(1), grid.height + 10, bar) +
      key(entries, width, grid.height + 30, "end"),
    height: grid.height + 50,
    alt: examples.map((example) => describe(example, classNames)).join(" "),
  }, options);
}

/** Reads an example's maps as framed tiles, its predicted class and its probabilities. */
function readExample(
  { maps, scores, trueClass }: ResponseExample,
  { classNames, colours = "viridis" }: ResponseMapsOptions,
  shared?: [number, number],
) {
  if (scores.length !== classNames.length) {
    throw new RangeError(`${classNames.length} classes cannot have ${scores.length} scores.`);
  }
  const rows = toRows(maps, classNames.length);
  const domain = shared ?? colourDomain(rows.flat(), colours);
  const predicted = argMax(scores);
  const tiles = rows.map((map, index): Tile => ({
    draw: (box) => squareMap(map, box, { domain, colours }),
    frames: [
      ...index === predicted ? [PREDICTED_COLOUR] : [],
      ...index === trueClass ? [TRUE_COLOUR] : [],
    ],
  }));
  return { tiles, domain, predicted, probabilities: softmax(scores) };
}

function colourOf(index: number, predicted: number, trueClass?: number, other = INK): string {
  return index === predicted ? PREDICTED_COLOUR : index === trueClass ? TRUE_COLOUR : other;
}

function describe({ scores, trueClass }: ResponseExample, classNames: readonly string[]): string {
  const predicted = argMax(scores);
  const subject = trueClass === undefined ? "an image" : `an image of class ${classNames[trueClass]}`;
  return `Response maps of ${classNames.length} classes for ${subject}; the predicted class is ${
    classNames[predicted]
  } with ${formatPercent(softmax(scores)[predicted])}.`;
}
