import { CHANNELS, CLASSES, MAP_SIZE } from "../model/spec.ts";
import { INPUT, MAPS, NORMALISATION, SCORES, SIZE } from "./contract.ts";
import type { FoldedConvolution, FoldedLinear, FoldedNetwork } from "./fold_network.ts";
import { OnnxGraph } from "./onnx_graph.ts";

const PIXELS = MAP_SIZE * MAP_SIZE;

/**
 * Writes a network as an ONNX model (opset 13): `images` `[N,3,32,32]`, 0–255, in; `scores` `[N,10]` and `maps` `[N,K,8,8]` out. The
 * normalisation is inside, N is free.
 *
 * @param metadata What the file says of itself.
 * @returns The bytes of the file.
 */
export function toOnnx(
  network: FoldedNetwork,
  metadata: Record<string, string> = {},
): Uint8Array<ArrayBuffer> {
  const graph = new OnnxGraph();
  const shapes = shapeConstants(graph);
  let x = normalise(graph);
  x = convolveAndRelu(graph, x, network.stem, "stem", 2); // [N,64,16,16]
  x = graph.node("MaxPool", [x], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [2, 2] }); // [N,64,8,8]
  network.blocks.forEach(([first, second], index) => {
    const y = convolveAndRelu(graph, x, first, `layer1.${index}.conv1`);
    x = graph.node("Relu", [graph.node("Add", [x, convolve(graph, y, second, `layer1.${index}.conv2`)])]);
  });
  if (network.adapter) x = convolveAndRelu(graph, x, network.adapter, "adapter");
  const K = network.filterCount;
  const filters = graph.constant("filters", [K, CHANNELS, 1, 1], network.filters);
  const maps = graph.node("Conv", [x, filters], { kernel_shape: [1, 1] }, MAPS); // [N,K,8,8]
  const rows = graph.node("Reshape", [maps, shapes("rows", [0, K, PIXELS])]); // [N,K,64]
  const hidden = graph.node("Relu", [connect(graph, rows, network.hidden, "score_predictor.0")]);
  const scores = connect(graph, hidden, network.output, "score_predictor.2"); // [N,K,1] or [N,1,10]
  if (K * network.output.out === CLASSES) {
    graph.node("Reshape", [scores, shapes("scores_shape", [0, CLASSES])], {}, SCORES);
  } else { // one score for all classes
    const one = graph.node("Reshape", [scores, shapes("one_score", [0, 1])]);
    graph.node("Expand", [one, shapes("all_scores", [1, CLASSES])], {}, SCORES);
  }
  return graph.finish(
    [{ name: INPUT, shape: ["N", 3, SIZE, SIZE], description: "red, green and blue, 0-255" }],
    [
      { name: SCORES, shape: ["N", CLASSES], description: "scores of the ten classes, before the softmax" },
      { name: MAPS, shape: ["N", K, MAP_SIZE, MAP_SIZE], description: "response maps" },
    ],
    { name: metadata.variant ?? "network", metadata },
  );
}

/** A dimension of 0 in a shape is the input's own. */
function shapeConstants(graph: OnnxGraph) {
  return (name: string, shape: number[]): string =>
    graph.constant(name, [shape.length], BigInt64Array.from(shape, BigInt));
}

function normalise(graph: OnnxGraph): string {
  const scale = graph.constant("scale", [1, 3, 1, 1], NORMALISATION.scale);
  const shift = graph.constant("shift", [1, 3, 1, 1], NORMALISATION.shift);
  return graph.node("Add", [graph.node("Mul", [INPUT, scale]), shift]);
}

function convolve(
  graph: OnnxGraph,
  x: string,
  { weight, bias, out, in: from, size }: FoldedConvolution,
  name: string,
  stride = 1,
): string {
  const inputs = [
    x,
    graph.constant(`${name}.weight`, [out, from, size, size], weight),
    graph.constant(`${name}.bias`, [out], bias),
  ];
  const padding = (size - 1) / 2;
  return graph.node("Conv", inputs, {
    kernel_shape: [size, size],
    pads: [padding, padding, padding, padding],
    strides: [stride, stride],
  });
}

function convolveAndRelu(...parameters: Parameters<typeof convolve>): string {
  return parameters[0].node("Relu", [convolve(...parameters)]);
}

function connect(
  graph: OnnxGraph,
  x: string,
  { weight, bias, in: from, out }: FoldedLinear,
  name: string,
): string {
  const product = graph.node("MatMul", [x, graph.constant(`${name}.weight`, [from, out], weight)]);
  return graph.node("Add", [product, graph.constant(`${name}.bias`, [out], bias)]);
}
