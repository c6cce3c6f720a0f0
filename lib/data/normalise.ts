/** Mean of ImageNet's training images for red, green, blue, 0–1, as torchvision's weights expect it. */
export const IMAGE_MEAN = [0.485, 0.456, 0.406] as const;

/** Standard deviation of the same images. */
export const IMAGE_DEVIATION = [0.229, 0.224, 0.225] as const;

/** Mean colour of CIFAR-10's training images, which speaks for no class: red, green, blue, 0–255. */
export const MEAN_COLOUR = [125, 123, 114] as const;

/**
 * Creates a table of each byte's normalised value, `(byte / 255 − mean) / deviation`, for one channel.
 *
 * @param channel 0 red, 1 green, 2 blue.
 * @returns `[256]`
 */
export function createLookup(channel: number): Float32Array {
  return Float32Array.from(
    { length: 256 },
    (_, byte) => (byte / 255 - IMAGE_MEAN[channel]) / IMAGE_DEVIATION[channel],
  );
}

/**
 * Normalises images as the network expects them.
 *
 * @param images Bytes `[N,32,32,3]`.
 * @returns Values `[N,32,32,3]`.
 *
 * @example
 * ```ts
 * import { normaliseImages } from "./normalise.ts";
 * console.log(normaliseImages(Uint8Array.of(124, 116, 104))); // about 0, 0, 0
 * ```
 */
export function normaliseImages(images: Uint8Array): Float32Array<ArrayBuffer> {
  const lookups = [0, 1, 2].map(createLookup);
  const values = new Float32Array(images.length);
  for (let at = 0; at < images.length; at++) values[at] = lookups[at % 3][images[at]];
  return values;
}
