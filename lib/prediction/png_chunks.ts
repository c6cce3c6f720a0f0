/**
 * Checks and completes what the decoder leaves out of a PNG file: its end, checksums outside the pixels, and
 * an orientation that does not stand in an `eXIf` chunk before them.
 */
import { Buffer } from "node:buffer";
import { crc32, inflateSync } from "node:zlib";

const [SIGNATURE_BYTES, HEADER_END] = [8, 33];
const AROUND_DATA = 12; // length, type and checksum

/**
 * Moves EXIF data to where the decoder looks for them: ImageMagick and exiftool write them as text or after
 * the pixels, others with JPEG's `Exif\0\0` before them.
 *
 * @returns The file, changed or not; null if it ends before its last chunk, or a checksum is wrong.
 */
export function completePng(bytes: Uint8Array): Uint8Array | null {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const kept: Buffer[] = []; // without `eXIf` chunks
  let [exif, keptTo]: [Buffer | null, number] = [null, HEADER_END];
  for (let at = SIGNATURE_BYTES; at + AROUND_DATA <= file.length;) {
    const end = at + AROUND_DATA + file.readUInt32BE(at);
    if (end > file.length || crc32(file.subarray(at + 4, end - 4)) !== file.readUInt32BE(end - 4)) {
      return null;
    }
    const type = file.toString("latin1", at + 4, at + 8);
    if (type === "IEND") {
      if (exif === null) return bytes;
      return Buffer.concat([file.subarray(0, HEADER_END), formatExif(exif), ...kept, file.subarray(keptTo)]);
    }
    exif ??= readExif(type, file.subarray(at + 8, end - 4));
    if (type === "eXIf") {
      kept.push(file.subarray(keptTo, at));
      keptTo = end;
    }
    at = end;
  }
  return null;
}

/** Returns the EXIF data of a chunk as TIFF; null if it has none. */
function readExif(type: string, data: Buffer): Buffer | null {
  if (/^[zti][TE]Xt$/.test(type)) {
    const keyword = /^Raw profile type (exif|APP1)\0/.exec(data.toString("latin1", 0, 40))?.[0];
    const text = keyword === undefined ? "" : readText(type, data.subarray(keyword.length));
    const digits = /^\s*\w+\s+\d+\s+([0-9a-f\s]+)$/i.exec(text)?.[1]; // a name, the length, and the bytes
    data = Buffer.from(digits?.replace(/\s/g, "") ?? "", "hex");
  } else if (type !== "eXIf") return null;
  const tiff = data.toString("latin1", 0, 6) === "Exif\0\0" ? data.subarray(6) : data;
  return /^(II\*\0|MM\0\*)/.test(tiff.toString("latin1", 0, 4)) ? tiff : null;
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

/** Formats an `eXIf` chunk. */
function formatExif(tiff: Buffer): Buffer {
  const around = Buffer.alloc(AROUND_DATA);
  around.writeUInt32BE(tiff.length);
  around.write("eXIf", 4);
  const [start, end] = [around.subarray(0, 8), around.subarray(8)];
  end.writeUInt32BE(crc32(Buffer.concat([start.subarray(4), tiff])));
  return Buffer.concat([start, tiff, end]);
}
