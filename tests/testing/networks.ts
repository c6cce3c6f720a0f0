import type { AdapterKind, BackboneMode, NetworkSpec, Variant } from "../../lib/model/spec.ts";
import type { StateDict } from "../../lib/model/state_dict.ts";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";

export const VARIANTS: Variant[] = [
  "dynamic",
  "dynamic-names",
  "static-per-class",
  "static-ten-way",
  "static-shared",
];
export const BACKBONES: BackboneMode[] = ["trainable", "frozen", "bn-only"];
export const ADAPTERS: AdapterKind[] = ["none", "1x1", "3x3"];

/** The lab's network, or one that differs from it. */
export function networkSpec(changes: Partial<NetworkSpec> = {}): NetworkSpec {
  return { variant: "dynamic", backbone: "trainable", adapter: "none", ...changes };
}

/** Makes the last layers' finite weights so large that the scores are not finite. */
export function overflow(network: StateDict): StateDict {
  const names = ["score_predictor.0.weight", "score_predictor.0.bias", "score_predictor.2.weight"];
  for (const name of names) network[name] = tf.fill(network[name].shape, 1e30);
  return network;
}
