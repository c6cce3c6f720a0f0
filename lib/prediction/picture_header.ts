/**
 * What a picture's first bytes say, read before it is decoded: a few kilobytes can claim to be a picture of many gigabytes.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { InputError } from "../support/errors.ts";
import { readOrientation } from "./exif.ts";

/** The formats that are read. */
export type PictureFormat = "PNG" | "JPEG" | "WebP";

/** A picture's format and size. */
export interface PictureHeader {
  format: PictureFormat;
  /** As stored, so before it is turned as its EXIF says. */
  width: number;
  height: number;
  /** Whether the format says that no pixel is transparent. */
  opaque: boolean;
  /** How a PNG is to be turned, 1–8 as EXIF numbers it; 1 for JPEG and WebP, which the decoder turns itself. */
  orientation: number;
}

/** How other files begin that people take for pictures to be read here. */
const OTHER_FORMATS: readonly [begin: RegExp, what: string][] = [
  [/^GIF8/, "a GIF picture"],
  [/^BM/, "a BMP picture"],
  [/^(II\*\0|MM\0\*)/, "a TIFF picture"],
  [/^....ftyp(avif|avis)/s, "an AVIF picture"],
  [/^....ftyp(hei|mif|msf)/s, "a HEIC picture"],
  [/^%PDF/, "a PDF document"],
  [/^\s*(<\?xml[^]*)?<svg/, "an SVG drawing"],
];

/**
 * Reads a picture's header, and of a PNG checks every part.
 *
 * @param label How errors name the picture.
 * @throws {InputError} If it is not a PNG, JPEG or WebP picture, or cut short.
 */
export function readPictureHeader(bytes: Uint8Array, label: string): PictureHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const begin = textAt(bytes, 0, 256);
  try {
    if (begin.startsWith("\x89PNG\r\n\x1a\n")) return readPng(view, bytes);
    if (begin.startsWith("\xff\xd8\xff")) return readJpeg(view);
    if (/^RIFF....WEBP/s.test(begin)) return readWebP(view, bytes);
  } catch (error) {
    // to read beyond the end is how a parser meets a file that is cut short
    if (error instanceof RangeError) throw new InputError(`Cannot use ${label}: it is cut short.`);
    if (error instanceof DamagedPicture) throw new InputError(`Cannot use ${label}: ${error.message}.`);
    throw error;
  }
  if (bytes.length === 0) throw new InputError(`Cannot use ${label}: it is empty.`);
  const other = OTHER_FORMATS.find(([pattern]) => pattern.test(begin))?.[1];
  throw new InputError(
    other === undefined
      ? `Cannot use ${label}: it is not a picture (PNG, JPEG or WebP).`
      : `Cannot use ${label}: it is ${other}; convert it to PNG, JPEG or WebP.`,
  );
}

class DamagedPicture extends Error {}

/** https://www.w3.org/TR/png-3: chunks of length, type, data and checksum. */
function readPng(view: DataView, bytes: Uint8Array): PictureHeader {
  let [transparency, orientation] = [false, 1];
  for (let at = 8, type = ""; type !== "IEND"; at += 12 + view.getUint32(at)) {
    const length = view.getUint32(at);
    type = textAt(bytes, at + 4, 4);
    const sum = view.getUint32(at + 8 + length);
    if (crc32(bytes.subarray(at + 4, at + 8 + length)) !== sum) {
      throw new DamagedPicture(`it is damaged (checksum of its part ${JSON.stringify(type)})`);
    }
    if (type === "tRNS") transparency = true;
    if (type === "eXIf") orientation = readOrientation(bytes.subarray(at + 8, at + 8 + length));
  }
  const hasAlphaChannel = (view.getUint8(25) & 4) !== 0; // colour types 4 and 6
  return {
    format: "PNG",
    width: view.getUint32(16),
    height: view.getUint32(20),
    opaque: !hasAlphaChannel && !transparency,
    orientation,
  };
}

/** ITU-T T.81: segments up to the frame header SOF. */
function readJpeg(view: DataView): PictureHeader {
  for (let at = 2;; at += 2 + view.getUint16(at + 2)) {
    while (view.getUint8(at + 1) === 0xff) at++; // fill bytes
    const marker = view.getUint8(at + 1);
    if (view.getUint8(at) !== 0xff || marker === 0xda) throw new DamagedPicture("it is damaged");
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (!isFrame) continue;
    const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)];
    return { format: "JPEG", width, height, opaque: true, orientation: 1 };
  }
}

/** RFC 9649: a RIFF file whose first chunk is VP8 (lossy), VP8L (lossless) or VP8X (extended). */
function readWebP(view: DataView, bytes: Uint8Array): PictureHeader {
  if (view.getUint32(4, true) + 8 > bytes.length) throw new RangeError();
  const size24 = (at: number) => 1 + view.getUint16(at, true) + (view.getUint8(at + 2) << 16);
  const facts = { format: "WebP", orientation: 1 } as const;
  switch (textAt(bytes, 12, 4)) {
    case "VP8 ":
      return {
        ...facts,
        width: view.getUint16(26, true) & 0x3fff,
        height: view.getUint16(28, true) & 0x3fff,
        opaque: true,
      };
    case "VP8L": {
      const bits = view.getUint32(21, true);
      return {
        ...facts,
        width: 1 + (bits & 0x3fff),
        height: 1 + (bits >>> 14 & 0x3fff),
        opaque: (bits >>> 28 & 1) === 0,
      };
    }
    case "VP8X": {
      const flags = view.getUint8(20); // 0x10 alpha, 0x02 animation
      return { ...facts, width: size24(24), height: size24(27), opaque: (flags & 0x12) === 0 };
    }
    default:
      throw new DamagedPicture("it is damaged");
  }
}

/** Bytes as characters of the same numbers. */
function textAt(bytes: Uint8Array, start: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(start, start + length));
}
