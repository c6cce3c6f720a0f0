/** A layer that looks through a window: a convolution or a pooling. */
export interface WindowLayer {
  /** Height and width of its window. */
  kernel: number;
  /** @default 1 */
  stride?: number;
  /** Rows and columns of padding at each end. @default 0 */
  padding?: number;
}

/** Which pixels of the image a cell of a feature map can see. */
export interface ReceptiveField {
  /** Height and width of the window in pixels. */
  size: number;
  /** Pixels from one cell's window to the next one's. */
  jump: number;
  /** The middle of the first cell's window, in pixels from the image's edge; pixel 0 has its middle at 0.5. */
  start: number;
}

/** The windows of ResNet-18 up to `layer1`, in the order of the data's way (`torchvision.models.resnet18`). */
export const BACKBONE_WINDOWS: readonly WindowLayer[] = [
  { kernel: 7, stride: 2, padding: 3 },
  { kernel: 3, stride: 2, padding: 1 }, // max-pooling
  ...Array.from({ length: 4 }, () => ({ kernel: 3, padding: 1 })), // two basic blocks
];

/**
 * The receptive field behind a chain of layers: each layer widens it by `kernel − 1` steps of what lies below, and its stride makes the
 * steps of all that follow longer.
 *
 * Source: Araujo, Norris & Sim, Computing Receptive Fields of Convolutional Neural Networks (Distill, 2019).
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { BACKBONE_WINDOWS, receptiveField } from "./receptive_field.ts";
 * assert.deepEqual(receptiveField(BACKBONE_WINDOWS), { size: 43, jump: 4, start: 0.5 });
 * ```
 */
export function receptiveField(layers: readonly WindowLayer[]): ReceptiveField {
  let [size, jump, start] = [1, 1, 0.5];
  for (const { kernel, stride = 1, padding = 0 } of layers) {
    size += (kernel - 1) * jump;
    start += ((kernel - 1) / 2 - padding) * jump;
    jump *= stride;
  }
  return { size, jump, start };
}

/**
 * How many pixels of an image a cell can see at most, along one side: its window, cut off at the image's edges.
 *
 * @param cell Its row or column, the first being 0.
 */
export function visiblePixels(
  { size, jump, start }: ReceptiveField,
  cell: number,
  imageSize: number,
): number {
  const middle = start + cell * jump;
  return Math.max(0, Math.min(imageSize, middle + size / 2) - Math.max(0, middle - size / 2));
}
