import { type Matrix, toRows } from "../support/arrays.ts";
import { extent, formatCount, formatPercent } from "../support/format.ts";
import { argMax, softmax } from "../support/statistics.ts";
import { colourDomain } from "./colours.ts";
import {
  arrow,
  BLUE,
  box,
  FROZEN,
  GREEN,
  label,
  ORANGE,
  PREDICTED_BAR,
  PROBABILITY_BAR,
  slab,
  stepBox,
  type Tint,
  WIRE,
} from "./diagram_shapes.ts";
import { type Box, composeFigure, element, type Figure, frame, line, text, translate } from "./figure.ts";
import { imageElement, mapElement, squareMap } from "./raster.ts";
import { type FigureOptions, FONT_SIZE, INK, MUTED, PADDING, PAPER, PREDICTED_COLOUR } from "./style.ts";

/** A layer of the network's summary. */
export interface NetworkLayer {
  /** Prefix of its tensors: `backbone.conv1`, `weights_generator.0`, `score_predictor.2` … */
  layer: string;
  /** Shape of its output; the batch dimension is null. */
  outputShape: readonly (number | string | null)[];
  /** Number of parameters. */
  parameters: number;
  /** Its parameters are trained. */
  trainable: boolean;
}

/** An image and the network's outputs for it. */
export interface DiagramExample {
  /** Bytes `[32,32,3]`. */
  image: ArrayLike<number>;
  /** Feature map v, `[8,8,64]`. */
  features: ArrayLike<number>;
  /** Response maps `[K,8,8]`, of one map for all classes `[1,8,8]`. */
  maps: Matrix;
  /** Scores `[K]`, before the softmax. */
  scores: ArrayLike<number>;
  /** Filters `[K,64]`. */
  filters: Matrix;
  /** Class embeddings `[K,128]`, where there are any. */
  embeddings?: Matrix;
}

/** Options of {@linkcode networkDiagram}. */
export interface NetworkDiagramOptions extends FigureOptions {
  /** Names of the ten classes. */
  classNames: readonly string[];
  /** A real image with the outputs of a real network. */
  example: DiagramExample;
}

/** Input of the functions that draw the parts. */
interface Diagram {
  example: DiagramExample;
  classNames: readonly string[];
  /** Layers whose names begin so. */
  part: (name: string) => NetworkLayer[];
  /** Number of filters and maps. */
  filterCount: number;
}

const PLAIN: Tint = { fill: PAPER, stroke: MUTED };

/** Layout in pixels: ten rows of classes in the upper half, the generator below. */
const WIDTH = 840;
const TOP = 38;
const PITCH = 22;
const ROWS = 10 * PITCH;
const MIDDLE = TOP + ROWS / 2;
const LOWER = TOP + ROWS + 72;
const RASTER = 88;

/**
 * Draws the network from its summary, with an image and the outputs for it: backbone, generated or stored
 * filters, convolution, response maps, score predictor and softmax. Frozen parts are grey and dashed.
 *
 * @param layers In the order of the network.
 * @returns A figure 880 pixels wide by default; `width` scales the drawing as a whole.
 * @throws {RangeError} If the summary has no backbone, no filters or no score predictor.
 */
export function networkDiagram(
  layers: readonly NetworkLayer[],
  { classNames, example, ...options }: NetworkDiagramOptions,
): Figure {
  const part = (name: string) => layers.filter(({ layer }) => layer === name || layer.startsWith(`${name}.`));
  const isGenerated = part("weights_generator").length > 0;
  const stored = part("filters");
  if (
    part("backbone").length === 0 || part("score_predictor").length === 0 ||
    (!isGenerated && stored.length === 0)
  ) {
    throw new RangeError(
      "A network's diagram needs the layers of its backbone, its filters and its score predictor.",
    );
  }
  const filterCount = isGenerated ? classNames.length : Number(stored[0].outputShape[0]);
  const diagram: Diagram = { example, classNames, part, filterCount };
  const width = options.width ?? WIDTH + 2 * PADDING;
  const scale = (width - 2 * PADDING) / WIDTH;
  const drawing = [
    drawBackbone(diagram),
    isGenerated ? drawGenerator(diagram) : "",
    drawFilters(diagram, isGenerated),
    drawMaps(diagram, isGenerated),
    drawPredictor(diagram),
    drawProbabilities(diagram),
    drawKey(layers),
  ];
  const predicted = argMax(example.scores);
  return composeFigure({
    markup: element("g", { transform: scale === 1 ? undefined : `scale(${scale.toFixed(4)})` }, ...drawing),
    height: scale * (LOWER + RASTER + 36),
    alt: `The network, drawn with an image predicted as ${classNames[predicted]}: ${
      layers.map(({ layer, parameters }) => `${layer} (${formatCount(parameters)})`).join(", ")
    }; ${countLine(layers)}.`,
  }, { ...options, width });
}

/** Draws the image, the backbone's stages and the feature map v. */
function drawBackbone({ part, example }: Diagram): string {
  const backbone = part("backbone");
  const adapter = part("adapter");
  const tint = tintOf(backbone, BLUE);
  const stages = [...Map.groupBy(backbone, ({ layer }) => stageOf(layer))].map(([name, members]) => ({
    name,
    shape: members.at(-1)!.outputShape,
    tint,
  }));
  if (adapter.length > 0) {
    stages.push({ name: "adapter", shape: adapter.at(-1)!.outputShape, tint: tintOf(adapter, ORANGE) });
  }
  const [left, right] = [104, 356];
  const center = (left + right) / 2;
  const step = (right - left - 12) / stages.length;
  const y = MIDDLE + 4;
  const slabs = stages.map(({ name, shape, tint }, index) => {
    const side = Number(shape[1]);
    const x = left + 6 + (index + 0.5) * step;
    const next = index + 1 < stages.length ? arrow([x + 18, y], [x + step - 14, y]) : "";
    const size = stages.length > 4 ? FONT_SIZE.small : undefined;
    return slab(x - 11, y, 22 + 4.5 * Math.min(side, 16), 12, tint) + next +
      label([name, `${side}×${side}×${shape[3]}`], x, MIDDLE + 66, { leading: 13, size });
  });
  const notes = [
    parameterLine(backbone),
    ...adapter.length > 0 ? [`adapter: ${parameterLine(adapter)}`] : [],
  ];
  const last = stages.at(-1)!;
  return [
    label(["image"], 38, MIDDLE - 48, { bold: 1 }),
    imageElement(example.image, { x: 0, y: MIDDLE - 38, width: 76, height: 76 }),
    label(["[B,32,32,3]"], 38, MIDDLE + 56),
    arrow([80, MIDDLE], [left - 3, MIDDLE]),
    box(left, TOP - 14, right - left, ROWS + 28, tint),
    label(["Backbone", "ResNet-18 up to layer1"], center, TOP + 10, { bold: 1 }),
    ...slabs,
    label(notes, center, TOP + ROWS + 2 - 15 * (notes.length - 1)),
    arrow([right + 3, MIDDLE], [right + 23, MIDDLE]),
    label(["feature", "map v"], 415, MIDDLE - 58, { bold: 2, leading: 14 }),
    drawChannels(
      example.features,
      [Number(last.shape[1]), Number(last.shape[3])],
      { x: 382, y: MIDDLE - 33, width: 66, height: 66 },
      last.tint,
    ),
    label([`[${["B", ...last.shape.slice(1)].join(",")}]`], 415, MIDDLE + 50),
    label([`16 of ${last.shape[3]} shown`], 415, MIDDLE + 64),
    arrow([452, MIDDLE], [475, MIDDLE]),
  ].join("");
}

/** Draws the sixteen channels of a feature map that vary most, in their order. */
function drawChannels(
  features: ArrayLike<number>,
  [side, count]: readonly [side: number, count: number],
  { x, y, width, height }: Box,
  { stroke }: Tint,
): string {
  const channels = Array.from(
    { length: count },
    (_, channel) => Array.from({ length: side * side }, (_, cell) => features[cell * count + channel]),
  );
  const spread = (values: number[]) => {
    const [low, high] = extent(values);
    return high - low;
  };
  const shown = new Set(channels.toSorted((one, other) => spread(other) - spread(one)).slice(0, 16));
  return channels.filter((channel) => shown.has(channel)).map((channel, index) => {
    const size = (width - 3) / 4;
    const [column, row] = [index % 4, Math.floor(index / 4)];
    const place = { x: x + column * (size + 1), y: y + row * (size + 1), width: size, height: size };
    return squareMap(channel, place, { domain: colourDomain(channel, "viridis"), colours: "viridis" });
  }).join("") + frame({ x, y, width, height }, stroke, 1, 2);
}

/** Names the stage of a backbone's layer. */
function stageOf(layer: string): string {
  const block = layer.match(/layer1\.(\d)/);
  return block ? `block ${Number(block[1]) + 1}` : /pool/.test(layer) ? "max pool" : "conv 7×7";
}

/** Draws class embeddings, weights generator and normalisation. */
function drawGenerator({ part, example, classNames }: Diagram): string {
  const embeddings = [...part("class_embeddings"), ...part("class_names"), ...part("name_projection")];
  const generator = part("weights_generator");
  const classes = classNames.length;
  const [length, hidden, width] = [embeddings.at(-1)!, generator[0], generator.at(-1)!].map((layer) =>
    Number(layer.outputShape.at(-1))
  );
  const tint = tintOf([...embeddings, ...generator], ORANGE);
  const middle = LOWER + RASTER / 2;
  // the first 32 dimensions: more cannot be told apart
  const rows = toRows(example.embeddings ?? [], classes).map((row) => row.slice(0, 32));
  return [
    label(["class embeddings"], 48, LOWER - 10, { bold: 1 }),
    drawVectors(rows, { x: 0, y: LOWER, width: 96, height: RASTER }, tint),
    label([`[${classes},${length}]`, parameterLine(embeddings)], 48, LOWER + RASTER + 17),
    arrow([99, middle], [131, middle]),
    box(134, LOWER - 26, 222, RASTER + 52, tint),
    label(["Weights generator"], 245, LOWER - 2, { bold: 1 }),
    stepBox(`FC ${length} → ${hidden}`, 144, LOWER + 22, 94, 26, tint),
    stepBox("ReLU", 144, LOWER + 52, 94, 20, tint),
    arrow([239, middle + 3], [251, middle + 3]),
    stepBox(`FC ${hidden} → ${width}`, 252, LOWER + 22, 94, 26, tint),
    stepBox("tanh", 252, LOWER + 52, 94, 20, tint),
    label([parameterLine(generator)], 245, LOWER + RASTER + 10),
    arrow([359, middle], [379, middle]),
    box(382, middle - 24, 62, 48, PLAIN),
    label(["normalise", "w / |w|"], 413, middle - 4, { leading: 16 }),
    arrow([447, middle], [463, middle]),
  ].join("");
}

/** Draws the filters and their way up to the convolution. */
function drawFilters({ part, example, filterCount }: Diagram, isGenerated: boolean): string {
  const stored = part("filters");
  const height = filterCount === 1 ? 14 : RASTER;
  const y = LOWER + (RASTER - height) / 2;
  const notes = [
    isGenerated ? "filters w" : "stored filters w",
    `[${filterCount},64], ${filterCount === 1 ? "one for all classes" : "one for each class"}`,
    "response = v · w / √64, at each of 8×8 cells",
    ...isGenerated ? [] : [parameterLine(stored)],
  ];
  const tint = isGenerated ? ORANGE : tintOf(stored, ORANGE);
  return drawVectors(toRows(example.filters, filterCount), { x: 466, y, width: 64, height }, tint) +
    label(notes, 546, LOWER + 8, { bold: 1, leading: 16, anchor: "start" }) +
    arrow([498, y - 4], [498, MIDDLE + 25]);
}

/** Draws the convolution and the response maps. */
function drawMaps({ example, filterCount }: Diagram, isGenerated: boolean): string {
  const maps = toRows(example.maps, filterCount);
  const domain = colourDomain(maps.flat(), "viridis");
  const isShared = filterCount === 1;
  const size = isShared ? 40 : PITCH - 2;
  const tiles = maps.map((map, index) => {
    const middle = isShared ? MIDDLE : TOP + (index + 0.5) * PITCH;
    const place = { x: 560 - size / 2, y: middle - size / 2, width: size, height: size };
    const isPredicted = !isShared && index === argMax(example.scores);
    return squareMap(map, place, { domain, colours: "viridis" }) +
      (isPredicted ? frame(place, PREDICTED_COLOUR, 2) : "") +
      line([560 + size / 2 + 3, middle], [603, middle], isPredicted ? PREDICTED_COLOUR : WIRE);
  });
  const name = [...isGenerated ? ["dynamic"] : [], "convolution"];
  return [
    element("circle", { cx: 498, cy: MIDDLE, r: 21, fill: PAPER, stroke: INK, "stroke-width": 1.5 }),
    element("path", {
      d: `M490,${MIDDLE - 8}l16,16m0,-16l-16,16`,
      stroke: INK,
      "stroke-width": 2,
      fill: "none",
    }),
    label([...name, "1×1, ÷ √64"], 498, MIDDLE - 30 - 15 * name.length, { bold: name.length }),
    arrow([522, MIDDLE], [isShared ? 537 : 546, MIDDLE]),
    ...tiles,
    isShared
      ? label(["response map", "[B,1,8,8]"], 560, MIDDLE + 38, { bold: 1 })
      : label(["response", "maps"], 560, TOP - 24, { bold: 2, leading: 14 }) +
        label([`[B,${filterCount},8,8]`], 560, TOP + ROWS + 16),
  ].join("");
}

/** Draws the score predictor, with a wire for each class. */
function drawPredictor({ part, filterCount, classNames }: Diagram): string {
  const predictor = part("score_predictor");
  const tint = tintOf(predictor, GREEN);
  const [hidden, outputs] = [predictor[0], predictor.at(-1)!].map(({ outputShape }) => outputShape.at(-1));
  const [x, width] = [606, 104];
  const center = x + width / 2;
  const name = ["Score", "predictor", ...filterCount === 1 ? [] : ["shared by", "all classes"]];
  const steps = ["flatten", `FC 64 → ${hidden}`, "ReLU", `FC ${hidden} → ${outputs}`];
  return [
    ...classNames.map((_, index) => {
      const y = TOP + (index + 0.5) * PITCH;
      return line([x + width, y], [726, y], WIRE);
    }),
    box(x, TOP - 14, width, ROWS + 28, tint),
    label(name, center, TOP + 10, { bold: 2, leading: 16 }),
    ...steps.map((step, index) => stepBox(step, x + 10, MIDDLE - 34 + index * 28, width - 20, 21, tint)),
    label([parameterLine(predictor)], center, TOP + ROWS + 2),
  ].join("");
}

/** Draws the probabilities of the classes. */
function drawProbabilities({ example, classNames }: Diagram): string {
  const probabilities = softmax(example.scores);
  const predicted = argMax(example.scores);
  const pitch = ROWS / classNames.length;
  const x = 728;
  const bars = classNames.map((name, index) => {
    const y = TOP + index * pitch;
    const isPredicted = index === predicted;
    const style = {
      size: FONT_SIZE.tick,
      weight: isPredicted ? "bold" : "regular",
      fill: isPredicted ? PREDICTED_COLOUR : INK,
    } as const;
    const bar = {
      x,
      y: y + 2,
      width: (WIDTH - x) * probabilities[index] + 1,
      height: pitch - 4,
      rx: 1.5,
      fill: isPredicted ? PREDICTED_BAR : PROBABILITY_BAR,
    };
    const percentage = formatPercent(probabilities[index]);
    return element("rect", bar) + text(name, x + 5, y + pitch / 2 + 4, style) +
      (isPredicted ? text(percentage, WIDTH, y + pitch / 2 + 4, { ...style, anchor: "end" }) : "");
  });
  return text("softmax", x, TOP - 10, { weight: "bold" }) + bars.join("") +
    label([`[B,${classNames.length}]`], x, TOP + ROWS + 16, { anchor: "start" });
}

/** Writes the number of parameters, and the meaning of a broken edge. */
function drawKey(layers: readonly NetworkLayer[]): string {
  const [all, trainable] = countParameters(layers);
  return text(countLine(layers), 546, LOWER + RASTER + 6, { weight: "bold" }) +
    (trainable < all
      ? translate(
        546,
        LOWER + RASTER + 16,
        box(0, 0, 22, 13, FROZEN),
        label(["frozen"], 30, 11, { anchor: "start" }),
      )
      : "");
}

/** Draws vectors as rows of a small heat map. */
function drawVectors(
  rows: readonly (readonly number[])[],
  place: Box,
  { stroke }: Tint,
): string {
  const values = rows.flat();
  const domain = colourDomain(values, "diverging");
  return mapElement(values, rows[0].length, rows.length, place, { domain, colours: "diverging" }) +
    frame(place, stroke, 1.25);
}

function tintOf(layers: readonly NetworkLayer[], tint: Tint): Tint {
  return layers.some((layer) => layer.parameters > 0 && layer.trainable) ? tint : FROZEN;
}

function parameterLine(layers: readonly NetworkLayer[]): string {
  const [all, trainable] = countParameters(layers);
  if (trainable === all) return `${formatCount(all)} parameters`;
  return trainable === 0
    ? `${formatCount(all)} parameters, frozen`
    : `${formatCount(trainable)} of ${formatCount(all)} trainable`;
}

function countLine(layers: readonly NetworkLayer[]): string {
  const [all, trainable] = countParameters(layers);
  return trainable === all
    ? `${formatCount(all)} parameters, all trainable`
    : `${formatCount(trainable)} of ${formatCount(all)} parameters trainable`;
}

function countParameters(layers: readonly NetworkLayer[]): [all: number, trainable: number] {
  const sum = (some: readonly NetworkLayer[]) =>
    some.reduce((total, { parameters }) => total + parameters, 0);
  return [sum(layers), sum(layers.filter(({ trainable }) => trainable))];
}
