/** Source of the network's filters. */
export type Variant = "dynamic" | "dynamic-names" | "static-per-class" | "static-ten-way" | "static-shared";

/** Backbone parameters that are trained: all, none, or batch normalisation's alone. */
export type BackboneMode = "trainable" | "frozen" | "bn-only";

/** Trainable convolution after the backbone. */
export type AdapterKind = "none" | "1x1" | "3x3";

/** Sizes of a new network's layers. A network that exists has them in its tensors' shapes. */
export interface NetworkSizes {
  /** Length of a class embedding. @default 128 */
  embeddingSize?: number;
  /** Hidden units of the weights generator. @default 256 */
  generatorUnits?: number;
  /** Hidden units of the score predictor. @default 64 */
  predictorUnits?: number;
}

/** Architecture of a network. */
export interface NetworkSpec extends NetworkSizes {
  /** Source of the filters. */
  variant: Variant;
  /** Backbone parameters that are trained. */
  backbone: BackboneMode;
  /** Convolution after the backbone. */
  adapter: AdapterKind;
  /**
   * Number of classes K of a new network. A network that exists has it in its tensors' shapes, except
   * `static-shared`. @default {DEFAULT_CLASSES}
   */
  classes?: number;
}

/** Implementation of a network; results are equal up to rounding. */
export interface Execution {
  /** Loop over the classes, as in the lab's text. */
  classLoop: boolean;
  /** Winograd's algorithm for the convolutions, and the stem as one operation. */
  winograd: boolean;
}

/** Filters of a smaller norm are divided by this: `torch.nn.functional.normalize`'s eps. */
export const SMALLEST_NORM = 1e-12;

/** Number of classes of a network where none is given: CIFAR-10's. */
export const DEFAULT_CLASSES = 10;

/** Length of the fixed vector of a class's name. */
export const NAME_VECTOR_LENGTH = 384;

/** Channels of the feature map v, and so the length of a filter. */
export const CHANNELS = 64;

/** Height and width of the feature map of a 32×32 image. */
export const MAP_SIZE = 8;

/** Completes sizes by the lab's. */
export function sizesOf(
  { embeddingSize, generatorUnits, predictorUnits }: NetworkSizes,
): Required<NetworkSizes> {
  return {
    embeddingSize: embeddingSize ?? 128,
    generatorUnits: generatorUnits ?? 256,
    predictorUnits: predictorUnits ?? 64,
  };
}

/** Tells whether the filters are generated from embeddings, not stored. */
export function isGenerated(variant: Variant): boolean {
  return variant === "dynamic" || variant === "dynamic-names";
}

/** Counts the filters that are applied to the feature map. */
export function filterCount(variant: Variant, classes: number = DEFAULT_CLASSES): number {
  return isGenerated(variant) || variant === "static-per-class" ? classes : 1;
}
