/**
 * What the decoder leaves out of a PNG file: its end, checksums outside the pixels, and an orientation that
 * does not stand in an `eXIf` chunk before them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { crc32, inflateSync } from "node:zlib";

const [SIGNATURE_BYTES, HEADER_END] = [8, 33];
const AROUND_DATA = 12; // length, type and checksum

/**
 * Moves the orientation to where the decoder looks for it: ImageMagick and exiftool write it as text or after
 * the pixels, others with JPEG's `Exif\0\0` before it.
 *
 * @returns The file, changed or not; null if it ends before its last chunk, or a checksum is wrong.
 */
export function completePng(bytes: Uint8Array): Uint8Array | null {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const kept: Buffer[] = []; // without `eXIf` chunks
  let [orientation, keptTo]: [number | null, number] = [null, HEADER_END];
  for (let at = SIGNATURE_BYTES; at + AROUND_DATA <= file.length;) {
    const end = at + AROUND_DATA + file.readUInt32BE(at);
    if (end > file.length || crc32(file.subarray(at + 4, end - 4)) !== file.readUInt32BE(end - 4)) {
      return null;
    }
    const type = file.toString("latin1", at + 4, at + 8);
    if (type === "IEND") {
      if (orientation === null) return bytes;
      const start = [file.subarray(0, HEADER_END), formatOrientation(orientation)];
      return Buffer.concat([...start, ...kept, file.subarray(keptTo)]);
    }
    const exif = readExif(type, file.subarray(at + 8, end - 4));
    if (exif !== null) orientation ??= readOrientation(exif);
    if (type === "eXIf") {
      kept.push(file.subarray(keptTo, at));
      keptTo = end;
    }
    at = end;
  }
  return null;
}

/** Returns the EXIF data of a chunk: TIFF, perhaps after `Exif\0\0`. */
function readExif(type: string, data: Buffer): Buffer | null {
  if (type === "eXIf") return data;
  if (!/^[zti][TE]Xt$/.test(type)) return null;
  const keyword = /^Raw profile type (exif|APP1)\0/.exec(data.toString("latin1", 0, 40))?.[0];
  if (keyword === undefined) return null;
  const text = readText(type, data.subarray(keyword.length));
  const digits = /^\s*\w+\s+\d+\s+([0-9a-f\s]+)$/i.exec(text)?.[1]; // a name, the length, and the bytes
  return digits === undefined ? null : Buffer.from(digits.replace(/\s/g, ""), "hex");
}

const LONGEST_TEXT = 1_000_000; // a few bytes may inflate to gigabytes

/** Reads a text chunk after its keyword; empty if it is damaged. */
function readText(type: string, data: Buffer): string {
  const inflate = (bytes: Buffer) => inflateSync(bytes, { maxOutputLength: LONGEST_TEXT });
  try {
    if (type === "tEXt") return data.toString("latin1");
    if (type === "zTXt") return inflate(data.subarray(1)).toString("latin1");
    const start = data.indexOf(0, data.indexOf(0, 2) + 1) + 1; // after language and translated keyword
    return (data[0] === 1 ? inflate(data.subarray(start)) : data.subarray(start)).toString("latin1");
  } catch {
    return "";
  }
}

const ORIENTATION = 0x0112;

/** Reads the orientation (1–8) of EXIF data; null if there is none. */
function readOrientation(exif: Buffer): number | null {
  const tiff = exif.toString("latin1", 0, 6) === "Exif\0\0" ? exif.subarray(6) : exif;
  const order = tiff.toString("latin1", 0, 4);
  if (order !== "II*\0" && order !== "MM\0*") return null;
  const isLittle = order === "II*\0";
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.length);
  try {
    const directory = view.getUint32(4, isLittle);
    for (let index = 0; index < view.getUint16(directory, isLittle); index++) {
      const entry = directory + 2 + 12 * index;
      if (view.getUint16(entry, isLittle) !== ORIENTATION) continue;
      const value = view.getUint16(entry + 8, isLittle);
      return value >= 1 && value <= 8 ? value : null;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // it ends too early
  }
  return null;
}

/** Formats an `eXIf` chunk that holds the orientation only. */
function formatOrientation(orientation: number): Buffer {
  const tiff = "4d4d002a00000008" + "0001" + "0112000300000001" + "00000000".repeat(2);
  const chunk = Buffer.from(`0000001a65584966${tiff}00000000`, "hex"); // length, "eXIf", data, checksum
  chunk.writeUInt16BE(orientation, 26);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), chunk.length - 4);
  return chunk;
}
