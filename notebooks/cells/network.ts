import { CLASS_NAMES, type Dataset } from "../../lib/data/dataset.ts";
import { type DiagramExample, networkDiagram } from "../../lib/figures/network_diagram.ts";
import { forward } from "../../lib/model/network.ts";
import type { NetworkSpec } from "../../lib/model/spec.ts";
import type { StateDict } from "../../lib/model/state_dict.ts";
import { type LayerSummary, summarise } from "../../lib/model/summary.ts";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { displayFigure } from "./figures.ts";
import { pictureAt } from "./pictures.ts";
import { makeBatch } from "./tensors.ts";
import { type Cell, displayTable } from "./text.ts";

/** Options of {@linkcode displayDiagram}. */
export interface DisplayDiagramOptions {
  /** What the figure shows, above it. */
  title?: string;
  /** A grey line under the title. */
  subtitle?: string;
  /** Real pictures for the diagram. @default made-up ones */
  example?: DiagramExample;
}

/** What JupyterLab has room for beside its panels in a window of 1280 pixels. */
const DIAGRAM_WIDTH = 820;

/** Shows a network's diagram, drawn from its own summary. */
export async function displayDiagram(spec: NetworkSpec, options: DisplayDiagramOptions = {}): Promise<void> {
  const layers = summarise(spec).layers.map((layer) => ({ ...layer, trainable: layer.trainable > 0 }));
  await displayFigure(networkDiagram(layers, { classNames: CLASS_NAMES, width: DIAGRAM_WIDTH, ...options }));
}

/** Shows layers with the shape of what each gives, and its parameters, with their sums. */
export async function displayLayers(layers: readonly LayerSummary[]): Promise<void> {
  const sum = (key: "parameters" | "trainable") => layers.reduce((total, layer) => total + layer[key], 0);
  await displayTable({
    header: ["layer", "kind", "gives", "parameters", "trainable"],
    rows: layers.map((row): Cell[] => [
      `\`${row.layer}\``,
      row.kind,
      `[${row.outputShape.join(", ")}]`,
      row.parameters,
      row.trainable,
    ]),
    footer: [["all", "", "", sum("parameters"), sum("trainable")]],
  });
}

/** Parameters of a network's parts, and each part's share in per cent: the backbone, the adapter, the filters' source, the predictor. */
export async function displayParts(spec: NetworkSpec): Promise<void> {
  const { layers, parameters } = summarise(spec);
  const sums = new Map<string, number>();
  for (const { layer, parameters } of layers) {
    const part = layer.split(".")[0];
    if (parameters > 0) sums.set(part, (sums.get(part) ?? 0) + parameters);
  }
  await displayTable({
    header: ["part", "parameters", "share"],
    rows: [...sums].map(([part, sum]): Cell[] => [`\`${part}\``, sum, share(sum, parameters)]),
    footer: [["all", parameters, share(parameters, parameters)]],
  });
}

function share(part: number, all: number): string {
  return `${(100 * part / all).toFixed(1)} %`;
}

/** What a network makes of an image, to put into its diagram. */
export async function makeExample(
  spec: NetworkSpec,
  network: StateDict,
  dataset: Dataset,
  index: number,
): Promise<DiagramExample> {
  const { images, labels } = makeBatch(dataset, [index]);
  const { scores, maps, filters } = forward(network, images, { ...spec, mode: "evaluate" });
  const [allScores, allMaps, allFilters] = await Promise.all([scores.data(), maps.data(), filters.data()]);
  tf.dispose([images, labels, scores, maps, filters]);
  return {
    image: pictureAt(dataset, index),
    scores: allScores,
    maps: allMaps,
    filters: allFilters,
    embeddings: await network["class_embeddings.weight"]?.data(),
  };
}
