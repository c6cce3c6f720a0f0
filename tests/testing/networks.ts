import type { AdapterKind, BackboneMode, NetworkSpec, Variant } from "../../lib/model/spec.ts";

export const VARIANTS: Variant[] = ["dynamic", "static-per-class", "static-ten-way", "static-shared"];
export const BACKBONES: BackboneMode[] = ["trainable", "frozen", "bn-only"];
export const ADAPTERS: AdapterKind[] = ["none", "1x1", "3x3"];

/** The lab's network, or one that differs from it. */
export function networkSpec(changes: Partial<NetworkSpec> = {}): NetworkSpec {
  return { variant: "dynamic", backbone: "trainable", adapter: "none", ...changes };
}
