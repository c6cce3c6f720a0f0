import { IMAGE_BYTES, IMAGE_SIZE } from "../data/dataset.ts";
import { type Area, averageArea } from "./average.ts";
import { decodePicture } from "./decode_picture.ts";
import { turnUpright } from "./exif.ts";
import type { PictureFormat } from "./picture_header.ts";

/** How a picture that is not square becomes one: its middle, black bars beside it, or squeezed. */
export type Fit = "crop" | "pad" | "stretch";

/** Options of {@linkcode preparePicture}. */
export interface PreparePictureOptions {
  /** What to do where it is not square. @default "crop" */
  fit?: Fit;
  /** How errors name the picture. @default "the picture" */
  label?: string;
}

/** A picture as the network takes it, and what was done to it. */
export interface PreparedPicture {
  /** Bytes `[32,32,3]`, red, green, blue. */
  pixels: Uint8Array;
  /** What kind of file it is. */
  format: PictureFormat;
  /** Width in pixels as it is looked at, so turned as its EXIF says. */
  width: number;
  /** Its height likewise. */
  height: number;
  /** How it was brought to 32×32, in words. */
  how: string;
}

/**
 * Brings a PNG, JPEG or WebP picture of any size to 32×32 pixels, as CIFAR-10's are.
 *
 * It is turned as its EXIF says, transparent parts are laid on white, and areas are averaged. Bars are black, since those at the edge of
 * the training images are.
 *
 * @param bytes The picture's file.
 * @throws {InputError} If it is no such picture, too large, damaged or cut short.
 */
export async function preparePicture(
  bytes: Uint8Array,
  options: PreparePictureOptions = {},
): Promise<PreparedPicture> {
  const { fit = "crop", label = "the picture" } = options;
  const picture = await decodePicture(bytes, label);
  const { format, orientation } = picture;
  const { area, width, height } = fitToSquare(picture, fit);
  const { pixels, transparent } = averageArea(picture, area, width, height);
  const isTurned = orientation >= 5;
  const size = isTurned
    ? { width: picture.height, height: picture.width }
    : { width: picture.width, height: picture.height };
  const fitted = isTurned ? { width: height, height: width } : { width, height };
  const how = describe(size, fitted, fit) + (transparent ? ", transparent parts on white" : "");
  return {
    format,
    ...size,
    pixels: turnUpright(onBlack(pixels, width, height), IMAGE_SIZE, orientation),
    how,
  };
}

interface Size {
  width: number;
  height: number;
}

/** Which area of a picture goes into how many pixels, at most 32×32. */
export function fitToSquare(picture: Size, fit: Fit): Size & { area: Area } {
  const [side, long] = [Math.min(picture.width, picture.height), Math.max(picture.width, picture.height)];
  const whole = { x: 0, y: 0, width: picture.width, height: picture.height };
  switch (fit) {
    case "crop":
      return {
        area: { x: (picture.width - side) / 2, y: (picture.height - side) / 2, width: side, height: side },
        width: IMAGE_SIZE,
        height: IMAGE_SIZE,
      };
    case "pad": {
      const scale = (length: number) => Math.max(1, Math.round(IMAGE_SIZE * length / long));
      return { area: whole, width: scale(picture.width), height: scale(picture.height) };
    }
    case "stretch":
      return { area: whole, width: IMAGE_SIZE, height: IMAGE_SIZE };
  }
}

function onBlack(pixels: Uint8Array, width: number, height: number): Uint8Array {
  const square = new Uint8Array(IMAGE_BYTES);
  const [left, top] = [(IMAGE_SIZE - width) >> 1, (IMAGE_SIZE - height) >> 1];
  for (let y = 0; y < height; y++) {
    square.set(pixels.subarray(3 * width * y, 3 * width * (y + 1)), 3 * ((top + y) * IMAGE_SIZE + left));
  }
  return square;
}

function describe(picture: Size, fitted: Size, fit: Fit): string {
  const { width, height } = picture;
  const side = Math.min(width, height);
  const wanted = `${IMAGE_SIZE}×${IMAGE_SIZE}`;
  if (width === IMAGE_SIZE && height === IMAGE_SIZE) return `${wanted} already`;
  if (width === height || fit === "stretch") {
    const verb = width === height ? side > IMAGE_SIZE ? "averaged" : "enlarged" : "stretched";
    return `the whole of ${width}×${height} ${verb} to ${wanted}`;
  }
  if (fit === "crop") {
    const verb = side > IMAGE_SIZE ? " averaged to" : side < IMAGE_SIZE ? " enlarged to" : ":";
    return `the middle ${side}×${side} of ${width}×${height}${verb} ${wanted}`;
  }
  const bars = fitted.width < fitted.height ? "left and right" : "above and below";
  const isFull = fitted.width === fitted.height; // nearly square: no bar is left
  return `the whole of ${width}×${height} as ${fitted.width}×${fitted.height} of ${wanted}` +
    (isFull ? "" : `, black ${bars}`);
}
