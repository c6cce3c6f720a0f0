/** The header of a safetensors file, and the format's rules. */
import { InputError } from "./errors.ts";
import { isPlainText } from "./format.ts";
import { findDuplicateKey, isRecord } from "./schema.ts";

/** A tensor's entry in the header. */
export interface TensorEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** The header of a file: names, types, shapes and offsets of its tensors. */
export interface SafetensorsHeader {
  entries: Map<string, TensorEntry>;
  /** The header's `__metadata__`, without the hash. */
  metadata: Record<string, string>;
  /** SHA-256 of all bytes of the file but these 64 digits, if it carries one. */
  sha256?: string;
  /** Length of the header with its own length field; offsets count from here. */
  headerBytes: number;
}

/** Longest header that is read. */
export const MAXIMUM_HEADER_BYTES = 16_000_000; // the format allows 100 MB; a history of 40,000 epochs fits
const MAXIMUM_NAME = 500; // characters
/** Key of the hash in the metadata. */
export const HASH_KEY = "sha256_of_rest";

const PICKLE = ["a file of torch.save", "convert it by safetensors.torch.save_file"] as const;
/** Files that are taken for safetensors, by their first bytes. */
const OTHER_FILES: readonly [begin: string, what: string, advice: string][] = [
  ["PK\x03\x04", ...PICKLE],
  ["\x80\x02\x8a\x0a", ...PICKLE], // before PyTorch 1.6
  ["version https://git-lfs", "a pointer of Git LFS", "run `git lfs pull`"],
];

/**
 * Parses the JSON header and checks the format's rules: each name once, and the tensors' bytes one after the
 * other, without gaps, to the end of the file.
 *
 * @param bytes The file's first bytes: the length and the whole header.
 * @param label Name of the file in errors.
 * @param size The file's length, where it is known.
 * @throws {InputError} If it is no safetensors header, or the file is shorter or longer than it says.
 */
export function parseHeader(bytes: Uint8Array, label: string, size?: number): SafetensorsHeader {
  const refuse = (why: string, advice?: string) =>
    new InputError({ what: `read ${label}`, why, next: advice === undefined ? [] : [{ advice }] });
  if (bytes.length < 8) throw refuse(`${bytes.length} bytes are too few for a safetensors file`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > MAXIMUM_HEADER_BYTES) {
    const begin = String.fromCharCode(...bytes.subarray(0, 30));
    const [, what, advice] = OTHER_FILES.find(([first]) => begin.startsWith(first)) ?? [];
    throw refuse(`it is ${what === undefined ? "not" : `${what} and not`} a safetensors file`, advice);
  }
  const headerBytes = 8 + length;
  if (headerBytes > bytes.length) {
    throw refuse(`it is cut short or not a safetensors file (header of ${length} bytes)`);
  }
  let header: unknown;
  let twice: string | null;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, headerBytes));
    header = JSON.parse(text);
    twice = findDuplicateKey(text);
  } catch {
    throw refuse("it is not a safetensors file (its header is not JSON)");
  }
  if (twice !== null) throw refuse(`its header has ${twice.slice(0, 100)} twice`);
  if (!isRecord(header) || bytes[8] !== 0x7b) throw refuse("it is not a safetensors file");
  const { __metadata__: strings = {}, ...rest } = header;
  if (!isRecord(strings) || !Object.values(strings).every((value) => typeof value === "string")) {
    throw refuse("its metadata is damaged");
  }
  const { [HASH_KEY]: sha256, ...metadata } = strings as Record<string, string>;
  const entries = new Map(Object.entries(rest as Record<string, TensorEntry>));
  for (const [name, entry] of entries) {
    if (!isPlainText(name) || name === "" || name.length > MAXIMUM_NAME) {
      throw refuse("the name of a tensor in it is empty, too long or not plain text");
    }
    if (!isSound(entry)) throw refuse(`its entry for ${name} is damaged`);
  }
  let end = 0;
  for (const [name, { data_offsets: [from, to] }] of [...entries].sort(byPlace)) {
    if (from !== end) throw refuse(`the bytes of ${name} do not follow those of the tensor before`);
    end = to;
    if (size !== undefined && headerBytes + end > size) throw refuse(`it is cut short in ${name}`);
  }
  const left = (size ?? headerBytes + end) - headerBytes - end;
  if (left > 0) throw refuse(`${left} bytes after its last tensor do not belong to it`);
  return { entries, metadata, ...sha256 === undefined ? {} : { sha256 }, headerBytes };
}

/** Compares entries by the place of their bytes; an empty tensor comes before one that begins there. */
function byPlace([, one]: [string, TensorEntry], [, other]: [string, TensorEntry]): number {
  return one.data_offsets[0] - other.data_offsets[0] || one.data_offsets[1] - other.data_offsets[1];
}

function isSound(entry: unknown): boolean {
  if (!isRecord(entry)) return false;
  const { dtype, shape, data_offsets: offsets } = entry;
  const isCounts = (value: unknown): value is number[] =>
    Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);
  return typeof dtype === "string" && /^\w{1,20}$/.test(dtype) && isCounts(shape) && shape.length <= 64 &&
    isCounts(offsets) && offsets.length === 2 && offsets[0] <= offsets[1];
}
