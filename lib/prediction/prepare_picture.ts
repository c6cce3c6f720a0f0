import type { Sharp } from "sharp";
import { IMAGE_SIZE } from "../data/dataset.ts";
import { MEAN_COLOUR } from "../data/normalise.ts";
import { InputError } from "../support/errors.ts";
import { completePng } from "./png_chunks.ts";

/** Maximum file size in bytes. */
export const MAXIMUM_BYTES = 100_000_000;
/** Largest picture that is decoded, in pixels: a few kilobytes can claim to be gigabytes. */
export const MAXIMUM_PIXELS = 100_000_000;

/** Supported formats. */
export type PictureFormat = "PNG" | "JPEG" | "WebP";

/** Methods to make a picture square: stretch it, crop its middle, or pad it with bars. */
export const VIEWS = ["stretch", "crop", "pad"] as const;

/** One of {@linkcode VIEWS}. */
export type View = typeof VIEWS[number];

/** Options of {@linkcode preparePicture}. */
export interface PreparePictureOptions {
  /** Ways in which it is made square. @default {VIEWS} */
  views?: readonly View[];
  /** Colour of bars and of transparent parts, 0–255. @default {MEAN_COLOUR} */
  background?: readonly [red: number, green: number, blue: number];
  /** Name of the picture in errors. @default "the picture" */
  label?: string;
}

/** A picture as the network takes it. */
export interface PreparedPicture {
  /** Its views; of a square picture only one, since all are alike. */
  views: PictureView[];
  /** Format of its file. */
  format: PictureFormat;
  /** Width before it was resized, upright, in pixels. */
  width: number;
  /** Height before it was resized, upright, in pixels. */
  height: number;
  /** True if the picture has transparent parts; they are composited on the background. */
  isTransparent: boolean;
}

/** A picture made square and resized. */
export interface PictureView {
  /** Way in which it was made square. */
  view: View;
  /** Bytes `[32,32,3]`, red, green, blue. */
  pixels: Uint8Array;
}

/**
 * Decodes a PNG, JPEG or WebP picture (of an animation the first frame) and resizes it to 32×32 pixels.
 *
 * It is rotated by its EXIF orientation. Where it shrinks, pixels are averaged over the area they cover.
 *
 * @param bytes Content of the file.
 * @throws {InputError} If the picture has another format or is too large, damaged or truncated.
 */
export async function preparePicture(
  bytes: Uint8Array,
  { views: wanted = VIEWS, background = MEAN_COLOUR, label = "the picture" }: PreparePictureOptions = {},
): Promise<PreparedPicture> {
  const format = detectFormat(bytes, label);
  if (bytes.length > MAXIMUM_BYTES) throw tooManyBytes(label);
  const { default: sharp } = await import("sharp"); // 30 ms: only where it is used
  const whole = format === "PNG" ? completePng(bytes) : bytes;
  if (whole === null) throw damaged(label);
  const open = (): Sharp => sharp(whole, { failOn: "warning", limitInputPixels: false });
  try {
    const { autoOrient: { width, height }, height: rows, hasAlpha } = await open().metadata();
    if (width * height > MAXIMUM_PIXELS) throw tooManyPixels(label, width, height);
    const isTransparent = hasAlpha && !(await open().stats()).isOpaque;
    const lastRow = { left: 0, top: rows - 1, width: 1, height: 1 };
    if (!hasAlpha) await open().extract(lastRow).raw().toBuffer(); // as stats() does: a crop may not reach it
    const [r, g, b] = background;
    const resize = async (view: View): Promise<PictureView> => {
      const { data } = await open()
        .autoOrient()
        .extract({ left: 0, top: 0, width, height }) // all of it: else libjpeg shrinks it while decoding
        .flatten({ background: { r, g, b } })
        .resize(IMAGE_SIZE, IMAGE_SIZE, {
          fit: ({ crop: "cover", pad: "contain", stretch: "fill" } as const)[view],
          background: { r, g, b },
          kernel: "linear",
        })
        .toColourspace("srgb")
        .raw({ depth: "uchar" })
        .toBuffer({ resolveWithObject: true });
      return { view, pixels: new Uint8Array(data) };
    };
    const views: PictureView[] = [];
    const chosen = width === height ? wanted.slice(0, 1) : wanted;
    for (const view of chosen) views.push(await resize(view)); // in turn: a large picture takes much memory
    return { views, format, width, height, isTransparent };
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw damaged(label, error);
  }
}

function damaged(label: string, cause?: unknown): InputError {
  return new InputError(`Cannot use ${label}: it is damaged or truncated.`, { cause });
}

const FORMATS: readonly [signature: RegExp, format: PictureFormat][] = [
  [/^\x89PNG\r\n/, "PNG"],
  [/^\xff\xd8\xff/, "JPEG"],
  [/^RIFF....WEBP/s, "WebP"],
];

/** Signatures of other formats that people take for pictures to be read here. */
const OTHER_FORMATS: readonly [signature: RegExp, what: string][] = [
  [/^GIF8/, "a GIF picture"],
  [/^BM/, "a BMP picture"],
  [/^(II\*\0|MM\0\*)/, "a TIFF picture"],
  [/^....ftyp(avif|avis)/s, "an AVIF picture"],
  [/^....ftyp(hei|mif|msf)/s, "a HEIC picture"],
  [/^%PDF/, "a PDF document"],
  [/^\s*(<\?xml[^]*)?<svg/, "an SVG drawing"],
];

/** Detects the format by its signature, before a decoder sees the file. */
function detectFormat(bytes: Uint8Array, label: string): PictureFormat {
  const begin = String.fromCharCode(...bytes.subarray(0, 256));
  const match = <T>(table: readonly (readonly [RegExp, T])[]) => table.find(([one]) => one.test(begin))?.[1];
  const format = match(FORMATS);
  if (format !== undefined) return format;
  const other = match(OTHER_FORMATS);
  throw new InputError(
    bytes.length === 0
      ? `Cannot use ${label}: it is empty.`
      : other === undefined
      ? `Cannot use ${label}: it is not a picture (PNG, JPEG or WebP).`
      : `Cannot use ${label}: it is ${other}; convert it to PNG, JPEG or WebP.`,
  );
}

/** Creates the error for a file that is too large. */
export function tooManyBytes(label: string): InputError {
  return new InputError(
    `Cannot use ${label}: it is larger than ${MAXIMUM_BYTES / 1e6} MB; make it smaller first.`,
  );
}

function tooManyPixels(label: string, width: number, height: number): InputError {
  return new InputError(
    `Cannot use ${label}: ${width}×${height} pixels are too many (at most ${
      MAXIMUM_PIXELS / 1e6
    } million); make it smaller first.`,
  );
}
