import { createNetwork } from "../model/create_network.ts";
import type { NetworkSpec } from "../model/spec.ts";
import type { StateDict } from "../model/state_dict.ts";

/** Parts of a network, from the scores down to the image; a tensor belongs to the first that matches. */
const PARTS = [
  { name: "predictor", pattern: /^score_predictor\./ },
  { name: "filters", pattern: /^(?!backbone\.)/ }, // stored ones, or embeddings and generator
  { name: "layer1.1", pattern: /^backbone\.layer1\.1\./ },
  { name: "layer1.0", pattern: /^backbone\.layer1\.0\./ },
  { name: "stem", pattern: /^backbone\./ },
] as const;

/**
 * Randomises a network's parts one after the other, from the top, by the initialisation of a network without
 * pretrained weights: cascading randomisation (Adebayo et al. 2018, arXiv:1810.03292).
 *
 * @returns One network per part; they share tensors with the given one and with each other. The last is all
 * random and shares none with the given one.
 */
export function randomiseLayers(tensors: StateDict, spec: NetworkSpec, seed: number) {
  const random = createNetwork(spec, { seed });
  let current = tensors;
  const names = new Set(Object.keys(tensors));
  return PARTS.map(({ name: part, pattern }) => {
    const chosen = [...names].filter((name) => pattern.test(name));
    chosen.forEach((name) => names.delete(name));
    current = { ...current, ...Object.fromEntries(chosen.map((name) => [name, random[name]])) };
    return { part, tensors: current };
  });
}
