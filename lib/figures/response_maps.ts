import { type Matrix, toRows } from "../support/arrays.ts";
import { formatNumber, formatPercent } from "../support/format.ts";
import { argMax, softmax } from "../support/statistics.ts";
import { colourDomain } from "./colours.ts";
import { composeFigure, contentWidth, type Figure, translate } from "./figure.ts";
import { key, type KeyEntry } from "./key.ts";
import { layOver } from "./overlay.ts";
import { colourBar, imageElement } from "./raster.ts";
import { type FigureOptions, INK, MUTED, PREDICTED_COLOUR, TRUE_COLOUR } from "./style.ts";
import { type Tile, tileGrid, tileSize } from "./tile_grid.ts";

/** An image with the network's outputs. */
export interface ResponseExample {
  /** Bytes `[32,32,3]`. */
  image: ArrayLike<number>;
  /** One response map per class, `[K,height,width]` or `[K][height·width]`; square. */
  maps?: Matrix;
  /** Evidence for each class, in the same shape: drawn below the maps, or without them. */
  evidence?: Matrix;
  /** Scores `[K]`, before the softmax. */
  scores: ArrayLike<number>;
  /** Probabilities `[K]`, such as calibrated ones. @default the scores' softmax */
  probabilities?: readonly number[];
  /** Undefined where it is not known. */
  trueClass?: number;
  /** Name of the image, such as `test image 3`. */
  label?: string;
}

/** Options of {@linkcode responseMaps}. */
export interface ResponseMapsOptions extends FigureOptions {
  /** Names of the classes, in the order of the maps. */
  classNames: readonly string[];
}

/** Maps that can be laid over an image, from the top down. */
const LAYERS = [
  { name: "maps", colours: "viridis", label: "Response of the class's filter" },
  { name: "evidence", colours: "diverging", label: "Evidence (points of score): orange for, blue against" },
] as const;

/**
 * Draws images and their classes' maps, laid over the image, on one colour scale: one image with its classes
 * in two rows, several with a row each. The predicted class is framed in orange, the true one in blue; below
 * each class is its probability, of a single image also the score.
 *
 * @throws {RangeError} If there is no image or no map, or the numbers of maps, scores and names differ.
 */
export function responseMaps(examples: readonly ResponseExample[], options: ResponseMapsOptions): Figure {
  const { classNames } = options;
  const layers = LAYERS.filter(({ name }) => examples.some((example) => example[name])).map((layer) => {
    const maps = examples.map((example) => toRows(example[layer.name] ?? [], classNames.length));
    return { ...layer, maps, domain: colourDomain(maps.flat(2), layer.colours) };
  });
  if (layers.length === 0) {
    throw new RangeError("A figure of response maps needs at least one image with maps.");
  }
  const isAlone = examples.length === 1;
  const columns = isAlone ? Math.ceil(classNames.length / 2) : classNames.length;
  const width = contentWidth(options);
  const gap = isAlone ? 12 : 7;
  const size = tileSize(width, columns + 1, gap);
  const height = layers.length * (size + 2) - 2;
  const predictions = examples.map(({ scores, probabilities }): Predicted => {
    if (scores.length !== classNames.length) {
      throw new RangeError(`${classNames.length} classes cannot have ${scores.length} scores.`);
    }
    probabilities ??= softmax(scores);
    return { probabilities, predicted: argMax(probabilities) };
  });
  const rows = examples.flatMap((example, row) => {
    const { image, scores, trueClass } = example;
    const { probabilities, predicted } = predictions[row];
    const tiles = classNames.map((name, index): Tile => {
      const frames = [
        ...index === predicted ? [PREDICTED_COLOUR] : [],
        ...index === trueClass ? [TRUE_COLOUR] : [],
      ];
      const share = formatPercent(probabilities[index], isAlone ? 1 : 0);
      const style = { fill: frames[0] ?? INK, weight: "bold" } as const;
      return {
        draw: (box) =>
          layers.map((layer, at) =>
            imageElement(layOver(image, layer.maps[row][index], layer), {
              ...box,
              y: box.y + at * (size + 2),
              height: size,
            })
          ).join(""),
        frames,
        lines: isAlone
          ? [{ content: name, ...style }, {
            content: `${formatNumber(scores[index], 2)} · ${share}`,
            fill: style.fill,
          }]
          : [frames.length > 0 ? { content: share, ...style } : { content: share, fill: MUTED }],
      };
    });
    const picture: Tile = {
      draw: (box) => imageElement(image, box),
      height: size,
      lines: nameImage(example, predicted, options, isAlone),
    };
    return isAlone
      ? [[picture, ...tiles.slice(0, columns)], [null, ...tiles.slice(columns)]]
      : [[picture, ...tiles]];
  });
  const headings = isAlone
    ? []
    : ["", ...classNames].map((content) => ({ content, weight: "bold" as const }));
  const grid = tileGrid(rows, { size, height, gap, headings });
  const entries: KeyEntry[] = isAlone ? [] : [
    { label: "predicted class", colour: PREDICTED_COLOUR, mark: "frame" },
    ...examples.some(({ trueClass }) => trueClass !== undefined)
      ? [{ label: "true class", colour: TRUE_COLOUR, mark: "frame" as const }]
      : [],
  ];
  const bars = layers.map((layer, at) =>
    translate(at * (width / 2), grid.height + 12, colourBar(width / 2 - 30, layer))
  );
  return composeFigure({
    markup: grid.markup + bars.join("") + key(entries, 0, grid.height + 70),
    height: grid.height + (isAlone ? 52 : 76),
    alt: examples.map((example, index) => describe(example, predictions[index], classNames)).join(" "),
  }, options);
}

/** Probabilities of an example's classes, and the class with the highest. */
interface Predicted {
  probabilities: readonly number[];
  predicted: number;
}

function nameImage(
  { label, trueClass }: ResponseExample,
  predicted: number,
  { classNames }: ResponseMapsOptions,
  isAlone: boolean,
): Tile["lines"] {
  if (!isAlone) return [{ content: label ?? (trueClass === undefined ? "" : classNames[trueClass]) }];
  return [
    { content: label ?? "Image", weight: "bold" },
    { content: `predicted: ${classNames[predicted]}`, fill: PREDICTED_COLOUR },
    ...trueClass === undefined ? [] : [{ content: `true: ${classNames[trueClass]}`, fill: TRUE_COLOUR }],
  ];
}

function describe(
  { trueClass }: ResponseExample,
  { probabilities, predicted }: Predicted,
  classNames: readonly string[],
): string {
  const subject = trueClass === undefined ? "an image" : `an image of class ${classNames[trueClass]}`;
  return `Response maps of ${classNames.length} classes for ${subject}; the predicted class is ${
    classNames[predicted]
  } with ${formatPercent(probabilities[predicted])}.`;
}
