import { madeUpExample } from "./diagram_example.ts";
import {
  drawBackbone,
  drawFilters,
  drawGenerator,
  drawKey,
  drawMaps,
  drawPredictor,
  drawScores,
  LOWER,
  RASTER,
  WIDTH,
} from "./diagram_parts.ts";
import { composeFigure, type Figure } from "./figure.ts";
import { formatCount, type Matrix } from "../support/format.ts";
import { type FigureOptions, PADDING } from "./style.ts";

/** A line of the network's own summary. */
export interface NetworkLayer {
  /** Its name, as its tensors are called: `backbone.conv1`, `weights_generator.0`, `score_predictor.2` … */
  layer: string;
  /** Shape of what comes out; the batch's size is `null` (or anything: it is written B). */
  outputShape: readonly (number | string | null)[];
  /** Number of parameters. */
  parameters: number;
  /** Whether they learn. */
  trainable: boolean;
}

/** What a network made of an image, to put real pictures into its diagram. */
export interface DiagramExample {
  /** Bytes `[32,32,3]`. */
  image: ArrayLike<number>;
  /** Response maps `[K,8,8]`. */
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
  /** Names of the classes. */
  classNames: readonly string[];
  /** Real pictures for the diagram (default: made-up ones). */
  example?: DiagramExample;
}

/**
 * The network as a picture, drawn from its own summary: the image's way through the backbone, the classes' way from embedding
 * to filter, and the dynamic convolution where they meet; then the maps, the score predictor and the softmax. Parts that do
 * not learn are grey with a broken edge. Networks without a generator, or with an adapter, look accordingly.
 *
 * @param layers The network's summary, in the order of its layers.
 * @returns A figure, 880 pixels wide unless asked otherwise: the drawing is made smaller or larger as a whole.
 * @throws {RangeError} If the summary has no layer of the backbone, no filters or no score predictor.
 */
export function networkDiagram(layers: readonly NetworkLayer[], options: NetworkDiagramOptions): Figure {
  const part = (name: string) => layers.filter(({ layer }) => layer === name || layer.startsWith(`${name}.`));
  const backbone = part("backbone");
  const generator = [...part("class_embeddings"), ...part("weights_generator")];
  const stored = part("filters");
  const predictor = part("score_predictor");
  if (backbone.length === 0 || predictor.length === 0 || (generator.length === 0 && stored.length === 0)) {
    throw new RangeError(
      "A network's diagram needs the layers of its backbone, its filters and its score predictor.",
    );
  }
  const { classNames } = options;
  const filterCount = generator.length > 0 ? classNames.length : Number(stored[0].outputShape[0]);
  const example = options.example ?? madeUpExample(classNames.length, filterCount);
  const total = layers.reduce((sum, layer) => sum + layer.parameters, 0);
  const trainable = layers.reduce((sum, layer) => sum + (layer.trainable ? layer.parameters : 0), 0);
  const width = options.width ?? WIDTH + 2 * PADDING;
  const scale = (width - 2 * PADDING) / WIDTH;
  return composeFigure({
    markup: resize(
      scale,
      drawBackbone(backbone, part("adapter"), example) +
        (generator.length > 0
          ? drawGenerator(part("class_embeddings"), part("weights_generator"), example, classNames.length)
          : "") +
        drawFilters(stored, example, filterCount) + drawMaps(example, filterCount, generator.length > 0) +
        drawPredictor(predictor, filterCount, classNames.length) + drawScores(example, classNames) +
        drawKey(layers, total, trainable),
    ),
    height: scale * (LOWER + RASTER + 36),
    description: `The network: ${
      layers.map(({ layer, parameters }) => `${layer} (${formatCount(parameters)})`).join(", ")
    }; ` +
      `${formatCount(trainable)} of ${formatCount(total)} parameters are trainable.`,
  }, { ...options, width });
}

function resize(scale: number, markup: string): string {
  return scale === 1 ? markup : `<g transform="scale(${scale.toFixed(4)})">${markup}</g>`;
}
