/**
 * Preparation of a picture as `deno task predict` does it (lib/prediction/prepare_picture.ts): stretched to a
 * square, pixels averaged over the area they cover, the mean colour behind transparent parts.
 *
 * @module
 */
import { IMAGE_SIZE } from "../lib/data/dataset.ts";
import { MEAN_COLOUR } from "../lib/data/normalise.ts";
import { InputError } from "../lib/support/errors.ts";

/** Largest picture that is decoded, in pixels. */
const MAXIMUM_PIXELS = 100_000_000;
/** Longest side that is read pixel by pixel; browsers refuse larger canvases. */
const LONGEST_SIDE = 4096;

/**
 * Decodes a picture in any format that the browser knows.
 *
 * @throws {InputError} If it is none, damaged or too large.
 */
export async function decodePicture(file: Blob, label: string): Promise<ImageBitmap> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, { premultiplyAlpha: "none" });
  } catch (cause) {
    throw new InputError({
      what: `use ${label}`,
      why: "this browser does not know it as a picture",
      next: [{ advice: "choose a PNG, JPEG or WebP file" }],
    }, { cause });
  }
  const { width, height } = bitmap;
  if (width * height > MAXIMUM_PIXELS) {
    bitmap.close();
    throw new InputError({
      what: `use ${label}`,
      why: `${width}×${height} pixels are too many`,
      next: [{ advice: "make it smaller first" }],
    });
  }
  const scale = LONGEST_SIDE / Math.max(width, height);
  if (scale >= 1) return bitmap;
  const size = { resizeWidth: Math.ceil(width * scale), resizeHeight: Math.ceil(height * scale) };
  const smaller = await createImageBitmap(bitmap, { ...size, resizeQuality: "high" });
  bitmap.close();
  return smaller;
}

/**
 * Reads the pixels of what a canvas can draw, on the mean colour, and resizes them.
 *
 * @param size Width and height in pixels; of a video's frame fewer than it has will do.
 * @returns Bytes `[32,32,3]`.
 */
export function preparePixels(
  source: CanvasImageSource,
  { width, height }: { width: number; height: number },
): Uint8Array {
  const context = reusedContext(width, height);
  context.clearRect(0, 0, width, height);
  context.drawImage(source, 0, 0, width, height);
  const image = context.getImageData(0, 0, width, height);
  layOnMeanColour(image.data);
  return resize(image);
}

/** Makes RGBA pixels opaque, in place; rounds as libvips does, which a canvas would not. */
function layOnMeanColour(data: Uint8ClampedArray): void {
  for (let at = 0; at < data.length; at += 4) {
    const alpha = data[at + 3];
    if (alpha === 255) continue;
    MEAN_COLOUR.forEach((behind, channel) => {
      data[at + channel] = Math.floor((data[at + channel] * alpha + behind * (255 - alpha)) / 255);
    });
  }
}

const contexts = new Map<string, OffscreenCanvasRenderingContext2D>();

/** A canvas per size, the last few: a camera needs one 30 times a second. */
function reusedContext(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const key = `${width}×${height}`;
  let context = contexts.get(key);
  if (context === undefined) {
    if (contexts.size > 3) contexts.clear();
    context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
    contexts.set(key, context);
  }
  return context;
}

/**
 * Resizes RGBA pixels to 32×32 as libvips does with its linear kernel: whole pixels are averaged first until
 * less than four remain for each new one, then a triangle as wide as two new pixels weighs them. The
 * rounding to bytes after each step is its, too.
 *
 * @returns Bytes `[32,32,3]`.
 */
export function resize(
  { data, width, height }: { data: ArrayLike<number>; width: number; height: number },
): Uint8Array {
  const across = { length: height, count: width, step: 4 * width, stride: 4, channels: 4 };
  const rows = resizeAxis(data, across, Math.floor); // [32 rows, width, 4]
  const along = { length: width, count: IMAGE_SIZE, step: 4, stride: 4 * width, channels: 3 };
  const columns = resizeAxis(rows, along, Math.round); // [32 columns, 32 rows, 3]
  const pixels = new Uint8Array(IMAGE_SIZE * IMAGE_SIZE * 3);
  for (let at = 0; at < pixels.length; at++) {
    const [row, column, channel] = [Math.floor(at / 96), Math.floor(at / 3) % 32, at % 3];
    pixels[at] = columns[(column * IMAGE_SIZE + row) * 3 + channel];
  }
  return pixels;
}

/** An axis to be resized, and the lines across it. */
interface Axis {
  /** Pixels along the axis. */
  length: number;
  /** Lines across it. */
  count: number;
  /** Values from one pixel to the next along the axis. */
  step: number;
  /** Values from one line to the next. */
  stride: number;
  /** Values to copy of each pixel. */
  channels: number;
}

/**
 * Resizes one axis.
 *
 * @param average Rounds a mean of whole pixels: libvips's is a little low.
 * @returns Bytes `[32,count,channels]`.
 */
function resizeAxis(
  data: ArrayLike<number>,
  { length, count, step, stride, channels }: Axis,
  average: (mean: number) => number,
): Uint8Array {
  const factor = length / IMAGE_SIZE;
  const whole = Math.max(1, Math.floor(factor / 2));
  const reduced = Math.ceil(length / whole);
  const rest = factor / whole;
  const weights = Array.from({ length: IMAGE_SIZE }, (_, place) => triangle(place, rest, reduced));
  const result = new Uint8Array(IMAGE_SIZE * count * channels);
  const line = new Float64Array(reduced);
  for (let index = 0; index < count; index++) {
    for (let channel = 0; channel < channels; channel++) {
      const start = index * stride + channel;
      for (let at = 0; at < reduced; at++) {
        let sum = 0;
        for (let pixel = at * whole; pixel < (at + 1) * whole; pixel++) {
          sum += data[start + Math.min(length - 1, pixel) * step];
        }
        line[at] = average(sum / whole);
      }
      weights.forEach(({ first, shares }, place) => {
        let sum = 0;
        shares.forEach((share, offset) => sum += share * line[first + offset]);
        result[(place * count + index) * channels + channel] = Math.round(sum);
      });
    }
  }
  return result;
}

/** Weights of the pixels about a new one; outside the picture its edge is repeated. */
function triangle(place: number, factor: number, length: number): { first: number; shares: number[] } {
  // libvips enlarges from the new pixels' upper left corners and shrinks about their middles
  const [middle, reach] = factor < 1 ? [place * factor - 0.5, 1] : [(place + 0.5) * factor - 0.5, factor];
  const [low, high] = [Math.ceil(middle - reach), Math.floor(middle + reach)];
  const first = Math.max(0, low);
  const shares = new Array<number>(Math.min(length - 1, high) - first + 1).fill(0);
  let total = 0;
  for (let pixel = low; pixel <= high; pixel++) {
    const weight = Math.max(0, 1 - Math.abs(pixel - middle) / reach);
    shares[Math.max(0, Math.min(length - 1, pixel) - first)] += weight;
    total += weight;
  }
  return { first, shares: shares.map((share) => share / total) };
}
