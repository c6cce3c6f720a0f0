import { strToU8, zlibSync } from "fflate";

/** Red, green and blue, 0–255. */
export type Rgb = readonly [number, number, number];

const CRC_TABLE = new Uint32Array(256).map((_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/**
 * Encodes pixels as a PNG file (ISO/IEC 15948) without a canvas, so the bytes are the same on every machine.
 *
 * @param pixels Row by row from the top left: `[height,width,3]` red, green, blue, or with a palette `[height,width]`
 * indices into it.
 * @param palette Up to 256 colours; makes pictures of few colours about three times smaller.
 * @throws {RangeError} If the number of bytes does not fit the size.
 */
export function encodePng(
  pixels: ArrayLike<number>,
  width: number,
  height: number,
  palette?: readonly Rgb[],
): Uint8Array {
  const stride = palette ? width : 3 * width;
  if (pixels.length !== height * stride) {
    throw new RangeError(
      `A picture of ${width} × ${height} pixels has ${height * stride} values, not ${pixels.length}.`,
    );
  }
  const rows = new Uint8Array(height * (stride + 1));
  for (let row = 0; row < height; row++) {
    // rows that repeat the one above, as enlarged pixels do, become zeros under filter 2 ("up")
    const repeats = row > 0 && sameRow(pixels, row, stride);
    rows[row * (stride + 1)] = repeats ? 2 : 0;
    if (repeats) continue;
    for (let index = 0; index < stride; index++) {
      rows[row * (stride + 1) + 1 + index] = pixels[row * stride + index];
    }
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, palette ? 3 : 2, 0, 0, 0], 8);
  const parts = [Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), chunk("IHDR", header)];
  if (palette) parts.push(chunk("PLTE", Uint8Array.from(palette.flat())));
  parts.push(chunk("IDAT", zlibSync(rows, { level: 9 })), chunk("IEND", new Uint8Array(0)));
  const file = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    file.set(part, offset);
    offset += part.length;
  }
  return file;
}

/** A PNG file as a `data:` address, to stand inside an SVG. */
export function pngDataUri(png: Uint8Array): string {
  let binary = "";
  for (const byte of png) binary += String.fromCharCode(byte);
  return `data:image/png;base64,${btoa(binary)}`;
}

function sameRow(pixels: ArrayLike<number>, row: number, stride: number): boolean {
  for (let index = row * stride; index < (row + 1) * stride; index++) {
    if (pixels[index] !== pixels[index - stride]) return false;
  }
  return true;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(strToU8(type), 4);
  bytes.set(data, 8);
  let crc = 0xffffffff;
  for (const byte of bytes.subarray(4, data.length + 8)) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  view.setUint32(data.length + 8, ~crc >>> 0);
  return bytes;
}
