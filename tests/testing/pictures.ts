import { crc32 } from "node:zlib";
import sharp from "sharp";

/** Red, green, blue and opacity, 0–255. */
export type Colour = readonly [number, number, number, number?];

/** A picture's colour at each pixel. */
export type Paint = (x: number, y: number) => Colour;

/** Options of {@linkcode encodePicture}. */
export interface EncodeOptions {
  format?: "png" | "jpeg" | "webp";
  /** EXIF orientation to store, 1–8. */
  orientation?: number;
  progressive?: boolean;
}

/** Encodes a picture; JPEG at its best quality, WebP without loss. */
export async function encodePicture(
  width: number,
  height: number,
  paint: Paint,
  { format = "png", orientation, progressive }: EncodeOptions = {},
): Promise<Uint8Array> {
  const pixels = Array.from({ length: width * height }, (_, at) => paint(at % width, Math.floor(at / width)));
  const channels = pixels.some(([, , , opacity = 255]) => opacity < 255) ? 4 : 3;
  const bytes = Uint8Array.from(
    pixels.flatMap(([red, green, blue, opacity = 255]) => [red, green, blue, opacity].slice(0, channels)),
  );
  const picture = sharp(bytes, { raw: { width, height, channels } });
  if (orientation !== undefined) picture.withMetadata({ orientation });
  const options = {
    png: {},
    jpeg: { quality: 100, chromaSubsampling: "4:4:4", progressive },
    webp: { lossless: true },
  };
  return new Uint8Array(await picture.toFormat(format, options[format]).toBuffer());
}

/** The four corners of an upright picture of any size: red, green, blue, white. */
export function paintCorners(width: number, height: number): Paint {
  return (x, y) => {
    const [isRight, isLower] = [x >= width / 2, y >= height / 2];
    return isLower ? (isRight ? [255, 255, 255] : [0, 0, 255]) : isRight ? [0, 255, 0] : [255, 0, 0];
  };
}

/** Rotates and mirrors an upright picture as a camera stores it that records this EXIF orientation (1–8). */
export function storeRotated(paint: Paint, width: number, height: number, orientation: number): Paint {
  const [right, bottom] = [width - 1, height - 1]; // of the upright picture
  return (x, y) =>
    paint(
      ...([
        [x, y], // stored row 0 and column 0 are the upright picture's top, left
        [right - x, y], // top, right
        [right - x, bottom - y], // bottom, right
        [x, bottom - y], // bottom, left
        [y, x], // left, top
        [right - y, x], // right, top
        [right - y, bottom - x], // right, bottom
        [y, bottom - x], // left, bottom
      ][orientation - 1] as [number, number]),
    );
}

/** A chunk of a PNG file, without length and checksum. */
export interface PngChunk {
  type: string;
  data: Uint8Array;
}

const PNG_SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** Splits a PNG file into its chunks. */
export function splitPng(png: Uint8Array): PngChunk[] {
  const view = new DataView(png.buffer, png.byteOffset);
  const chunks: PngChunk[] = [];
  for (let at = PNG_SIGNATURE.length; at < png.length;) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...png.subarray(at + 4, at + 8));
    chunks.push({ type, data: png.slice(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

/** Joins chunks to a PNG file. */
export function joinPng(chunks: readonly PngChunk[]): Uint8Array {
  return new Uint8Array([
    ...PNG_SIGNATURE,
    ...chunks.flatMap(({ type, data }) => {
      const body = [...new TextEncoder().encode(type), ...data];
      const around = new DataView(new ArrayBuffer(8));
      around.setUint32(0, data.length);
      around.setUint32(4, crc32(Uint8Array.from(body)));
      const [length, checksum] = [around.buffer.slice(0, 4), around.buffer.slice(4)];
      return [...new Uint8Array(length), ...body, ...new Uint8Array(checksum)];
    }),
  ]);
}

/** Returns a PNG file with another width and height in its header. */
export function claimSize(png: Uint8Array, width: number, height: number): Uint8Array {
  const [header, ...rest] = splitPng(png);
  const view = new DataView(header.data.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  return joinPng([header, ...rest]);
}
