/** Where the network's filters come from. */
export type Variant = "dynamic" | "static-per-class" | "static-ten-way" | "static-shared";

/** What of the backbone learns: everything, nothing, or batch normalisation alone. */
export type BackboneMode = "trainable" | "frozen" | "bn-only";

/** The trainable convolution behind the backbone. */
export type AdapterKind = "none" | "1x1" | "3x3";

/** Which network it is. */
export interface NetworkSpec {
  /** Where its filters come from. */
  variant: Variant;
  /** What of its backbone learns. */
  backbone: BackboneMode;
  /** The convolution behind the backbone. */
  adapter: AdapterKind;
}

/** How it is computed: results are equal to rounding. */
export interface Execution {
  /** Go through the classes one by one, as the lab's text does. */
  classLoop: boolean;
  /** Winograd's algorithm for the 3×3 convolutions. */
  winograd: boolean;
}

/** Number of classes. */
export const CLASSES = 10;

/** Length of a class embedding. */
export const EMBEDDING_LENGTH = 128;

/** Hidden units of the weights generator. */
export const GENERATOR_UNITS = 256;

/** Channels of the feature map v, and so the length of a filter. */
export const CHANNELS = 64;

/** Height and width of the feature map of a 32×32 image. */
export const MAP_SIZE = 8;

/** How many different filters look at the feature map. */
export function filterCount(variant: Variant): number {
  return variant === "dynamic" || variant === "static-per-class" ? CLASSES : 1;
}
