import { createCanvas, type Image, loadImage } from "@napi-rs/canvas";
import { InputError } from "../support/errors.ts";
import { type PictureFormat, type PictureHeader, readPictureHeader } from "./picture_header.ts";

/** Longest file that is read. */
export const MAXIMUM_BYTES = 100_000_000;
/** Largest picture that is decoded: it takes 4 bytes a pixel, twice. */
export const MAXIMUM_PIXELS = 100_000_000;
/** Longest side that the decoder takes. */
const MAXIMUM_SIDE = 32_767;
/** Rows that are fetched from the decoder at a time. */
const STRIP_ROWS = 256;

/** A decoded picture. */
export interface Picture {
  format: PictureFormat;
  width: number;
  height: number;
  /** How it is still to be turned, 1–8 as EXIF numbers it. */
  orientation: number;
  /** Gives the rows from `top` up to `bottom` one after the other: red, green, blue and opacity, `[width,4]`. */
  readRows(top: number, bottom: number, use: (row: Uint8ClampedArray, y: number) => void): void;
}

/**
 * Decodes a PNG, JPEG or WebP picture (of an animation the first).
 *
 * JPEG and WebP come turned as their EXIF says; for PNG, {@linkcode Picture.orientation} tells it.
 *
 * @param label How errors name the picture.
 * @throws {InputError} If it is no such picture, too large, damaged or cut short.
 */
export async function decodePicture(bytes: Uint8Array, label: string): Promise<Picture> {
  if (bytes.length > MAXIMUM_BYTES) throw tooManyBytes(label);
  const header = readPictureHeader(bytes, label);
  checkSize(header, label);
  let image: Image;
  try {
    image = await loadImage(bytes);
  } catch (cause) {
    throw damaged(label, cause);
  }
  const { width, height } = image;
  if (width * height !== header.width * header.height) throw damaged(label);
  return {
    format: header.format,
    width,
    height,
    orientation: header.orientation,
    readRows(top, bottom, use) {
      const canvas = createCanvas(width, Math.min(STRIP_ROWS, bottom - top));
      const context = canvas.getContext("2d");
      for (let strip = top; strip < bottom; strip += STRIP_ROWS) {
        const rows = Math.min(STRIP_ROWS, bottom - strip);
        context.clearRect(0, 0, width, rows);
        context.drawImage(image, 0, -strip);
        const { data } = context.getImageData(0, 0, width, rows);
        for (let y = 0; y < rows; y++) {
          const row = data.subarray(4 * y * width, 4 * (y + 1) * width);
          if (header.opaque) checkOpaque(row, label);
          use(row, strip + y);
        }
      }
    },
  };
}

function checkSize({ width, height }: PictureHeader, label: string): void {
  if (width === 0 || height === 0) throw damaged(label);
  if (width * height <= MAXIMUM_PIXELS && Math.max(width, height) <= MAXIMUM_SIDE) return;
  throw new InputError(
    `Cannot use ${label}: ${width}×${height} pixels are too many (at most ${
      MAXIMUM_PIXELS / 1e6
    } million, and ${MAXIMUM_SIDE} a side); make it smaller first.`,
  );
}

/** The decoder leaves transparent what a damaged file no longer says. */
function checkOpaque(row: Uint8ClampedArray, label: string): void {
  for (let at = 3; at < row.length; at += 4) if (row[at] !== 255) throw damaged(label);
}

/** The error for a file that is too long to be read. */
export function tooManyBytes(label: string): InputError {
  return new InputError(
    `Cannot use ${label}: it is larger than ${MAXIMUM_BYTES / 1e6} MB; make it smaller first.`,
  );
}

function damaged(label: string, cause?: unknown): InputError {
  return new InputError(`Cannot use ${label}: it is damaged or cut short.`, { cause });
}
