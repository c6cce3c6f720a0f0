import { createRandom, hash } from "../support/random.ts";
import { listTensors, type TensorDescription } from "./tensor_list.ts";
import type { NetworkSpec } from "./spec.ts";
import { nameVectors } from "./name_vectors.ts";
import { fromPyTorch, type StateDict } from "./state_dict.ts";

/** Options of {@linkcode createNetwork}. */
export interface CreateNetworkOptions {
  /** Random seed of the initialisation. @default 0 */
  seed?: number;
  /**
   * Tensors of the backbone by torchvision's names (`conv1.weight`, …), in PyTorch's layout.
   * @default random initialisation
   */
  pretrained?: ReadonlyMap<string, { shape: number[]; data: Float32Array }> | null;
  /** Names of the classes, for the variant that is conditioned on them. @default CIFAR-10's */
  classNames?: readonly string[];
}

/**
 * Creates the tensors of a new network.
 *
 * Each tensor is sampled by its own generator, keyed by seed and name: variants with the same seed share
 * the tensors they have in common, and nothing depends on the order of creation.
 */
export function createNetwork(spec: NetworkSpec, options: CreateNetworkOptions = {}): StateDict {
  const { seed = 0, pretrained = null, classNames } = options;
  const tensors: StateDict = {};
  for (const description of listTensors(spec)) {
    const { name, shape } = description;
    const stored = name.startsWith("backbone.") ? pretrained?.get(name.slice("backbone.".length)) : undefined;
    tensors[name] = fromPyTorch(stored ?? { shape, data: drawStart(description, seed, classNames) });
  }
  return tensors;
}

function drawStart(
  { name, shape, start }: TensorDescription,
  seed: number,
  classNames?: readonly string[],
): Float32Array {
  if (start.kind === "names") return nameVectors(classNames);
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  if (start.kind === "constant") return values.fill(start.value);
  const random = createRandom(seed, hash(...new TextEncoder().encode(name)));
  return values.map(() =>
    start.kind === "normal" ? start.deviation * random.normal() : start.bound * (2 * random.next() - 1)
  );
}
