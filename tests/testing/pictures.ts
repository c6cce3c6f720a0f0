import { createCanvas } from "@napi-rs/canvas";
import { crc32 } from "node:zlib";

/** Red, green, blue and opacity, 0–255. */
export type Colour = readonly [number, number, number, number?];

/** A picture's colour at each pixel. */
export type Paint = (x: number, y: number) => Colour;

/** Draws a picture and encodes it; JPEG and lossy WebP as well as they can. */
export async function encodePicture(
  width: number,
  height: number,
  paint: Paint,
  format: "png" | "jpeg" | "webp" = "png",
): Promise<Uint8Array> {
  const canvas = createCanvas(width, height);
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [red, green, blue, opacity = 255] = paint(x, y);
      image.data.set([red, green, blue, opacity], 4 * (y * width + x));
    }
  }
  context.putImageData(image, 0, 0);
  return new Uint8Array(
    format === "png"
      ? await canvas.encode("png")
      : format === "jpeg"
      ? await canvas.encode("jpeg", 100)
      : await canvas.encode("webp", 100),
  );
}

/** The four corners of an upright picture of any size: red, green, blue, white. */
export function paintCorners(width: number, height: number): Paint {
  return (x, y) => {
    const [isRight, isLower] = [x >= width / 2, y >= height / 2];
    return isLower ? (isRight ? [255, 255, 255] : [0, 0, 255]) : isRight ? [0, 255, 0] : [255, 0, 0];
  };
}

/** Stores a picture as a camera would that was held so that `orientation` (1–8) must be told: where it keeps what is seen at (x, y). */
export function turnForStorage(paint: Paint, width: number, height: number, orientation: number): Paint {
  const [right, bottom] = [width - 1, height - 1]; // of the upright picture
  // the pixel of the upright picture that the stored one has at (x, y); EXIF's table: where its row 0 and column 0 are seen
  return (x, y) =>
    paint(
      ...([
        [x, y], // top, left
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

/** EXIF data with the tag Orientation alone. */
function exifData(orientation: number): Uint8Array {
  // TIFF header, one entry: tag 0x0112, type SHORT, count 1
  return Uint8Array.of(
    ...[0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation],
    ...[0, 0, 0, 0, 0, 0],
  );
}

/** Puts EXIF data into a picture. */
export function addOrientation(picture: Uint8Array, orientation: number): Uint8Array {
  const exif = exifData(orientation);
  if (picture[0] === 0x89) { // PNG: a chunk behind IHDR, which ends at 33
    return join(picture.subarray(0, 33), pngChunk("eXIf", exif), picture.subarray(33));
  }
  if (picture[0] === 0xff) { // JPEG: a segment APP1 behind SOI
    const content = join(letters("Exif\0\0"), exif);
    return join(
      picture.subarray(0, 2),
      Uint8Array.of(0xff, 0xe1, 0, content.length + 2),
      content,
      picture.subarray(2),
    );
  }
  // WebP: VP8X with the EXIF flag before the picture, EXIF behind it
  const isExtended = letters("VP8X").every((letter, index) => picture[12 + index] === letter);
  const image = picture.subarray(isExtended ? 30 : 12);
  const [width, height] = webpSize(picture);
  const extended = new Uint8Array(18);
  extended.set(letters("VP8X"));
  extended.set([10, 0, 0, 0, 0x08], 4);
  extended.set([width - 1 & 255, width - 1 >> 8, 0, height - 1 & 255, height - 1 >> 8, 0], 12);
  const chunk = join(letters("EXIF"), Uint8Array.of(exif.length, 0, 0, 0), exif);
  const body = join(letters("WEBP"), extended, image, chunk);
  const head = new Uint8Array(8);
  head.set(letters("RIFF"));
  new DataView(head.buffer).setUint32(4, body.length, true);
  return join(head, body);
}

function webpSize(picture: Uint8Array): [number, number] {
  const view = new DataView(picture.buffer, picture.byteOffset);
  if (picture[15] === 0x58) return [1 + view.getUint16(24, true), 1 + view.getUint16(27, true)]; // VP8X
  if (picture[15] === 0x4c) { // VP8L
    const bits = view.getUint32(21, true);
    return [1 + (bits & 0x3fff), 1 + (bits >>> 14 & 0x3fff)];
  }
  return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff];
}

/** A chunk of a PNG file. */
export function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const content = join(letters(type), data);
  const [length, sum] = [data.length, crc32(content)].map((value) => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value);
    return bytes;
  });
  return join(length, content, sum);
}

function letters(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function join(...parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
