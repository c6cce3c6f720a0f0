/**
 * Reads and writes safetensors files: https://huggingface.co/docs/safetensors (8 bytes of length, a JSON
 * header, the raw data).
 *
 * @module
 */
import { basename } from "@std/path";
import { isRecord, readInto, statOrNull, writeFileAtomically } from "./files.ts";
import { InputError } from "./errors.ts";

/** The values of a stored tensor, little-endian. */
export type TensorData = Float32Array | Int32Array | BigInt64Array | Uint8Array;

/** A tensor as the file holds it. */
export interface StoredTensor {
  /** Sizes of its axes; `[]` for a scalar. */
  shape: number[];
  /** Its values in row-major order. */
  data: TensorData;
}

/** Content of a safetensors file. */
export interface Safetensors {
  /** Tensors by name, in the order of the file. */
  tensors: Map<string, StoredTensor>;
  /** The header's `__metadata__`: strings by name. */
  metadata: Record<string, string>;
}

/** A tensor's entry in the header. */
export interface TensorEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** The header of a file: names, types, shapes and offsets of its tensors. */
export interface SafetensorsHeader {
  /** Entries by tensor name. */
  entries: Map<string, TensorEntry>;
  /** The header's `__metadata__`. */
  metadata: Record<string, string>;
  /** Length of the header with its own length field; offsets count from here. */
  headerBytes: number;
}

const ARRAY_TYPES = { F32: Float32Array, I32: Int32Array, I64: BigInt64Array, U8: Uint8Array } as const;
const MAXIMUM_HEADER_BYTES = 100_000_000; // the format's own limit

/**
 * Parses the JSON header and checks that each entry is sound.
 *
 * @param bytes The file's first bytes: the length and the whole header.
 * @param label Name of the file in errors.
 * @param size The file's length, where it is known, so that a file cut short is recognised.
 * @throws {InputError} If it is no safetensors header, or the file is shorter than it says.
 */
export function parseHeader(bytes: Uint8Array, label: string, size = Infinity): SafetensorsHeader {
  const refuse = (why: string) => new InputError({ what: `read ${label}`, why });
  if (bytes.length < 8) throw refuse(`${bytes.length} bytes are too few for a safetensors file`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > MAXIMUM_HEADER_BYTES) throw refuse("it is not a safetensors file");
  if (8 + length > bytes.length) {
    throw refuse(`it is cut short or not a safetensors file (header of ${length} bytes)`);
  }
  let header: Record<string, TensorEntry | Record<string, string>>;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + length)));
  } catch {
    throw refuse("it is not a safetensors file (its header is not JSON)");
  }
  if (!isRecord(header)) throw refuse("it is not a safetensors file");
  const { __metadata__: metadata = {}, ...rest } = header;
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    throw refuse("its metadata is damaged");
  }
  const entries = new Map(Object.entries(rest as Record<string, TensorEntry>));
  for (const [name, entry] of entries) {
    if (!isSound(entry)) throw refuse(`its entry for ${name} is damaged`);
    if (8 + length + entry.data_offsets[1] > size) throw refuse(`it is cut short in ${name}`);
  }
  return { entries, metadata: metadata as Record<string, string>, headerBytes: 8 + length };
}

function isSound(entry: unknown): boolean {
  if (!isRecord(entry) || !Array.isArray(entry.shape) || !Array.isArray(entry.data_offsets)) return false;
  const isCount = (value: unknown) => Number.isSafeInteger(value) && value as number >= 0;
  const [start, end] = entry.data_offsets;
  return entry.shape.every(isCount) && isCount(start) && isCount(end) && start <= end;
}

/**
 * Copies a tensor's bytes into a typed array.
 *
 * @throws {InputError} If the type is not one of F32, I32, I64, U8, or the bytes do not fit the shape.
 */
export function decodeTensor(entry: TensorEntry, bytes: Uint8Array, label: string): StoredTensor {
  if (!Object.hasOwn(ARRAY_TYPES, entry.dtype)) {
    throw new InputError({ what: `read ${label}`, why: `values of type ${entry.dtype} are not supported` });
  }
  const ArrayType = ARRAY_TYPES[entry.dtype as keyof typeof ARRAY_TYPES];
  const size = entry.shape.reduce((product, length) => product * length, 1);
  if (size * ArrayType.BYTES_PER_ELEMENT !== bytes.length) {
    const why = `shape [${entry.shape}] does not fit ${bytes.length} bytes`;
    throw new InputError({ what: `read ${label}`, why });
  }
  return { shape: entry.shape, data: new ArrayType(bytes.slice().buffer) };
}

/**
 * Parses a whole file.
 *
 * @param bytes The file's content.
 * @param label Name of the file in errors.
 * @throws {InputError} If it is truncated, damaged or not a safetensors file.
 */
export function parseSafetensors(bytes: Uint8Array, label: string): Safetensors {
  const header = parseHeader(bytes, label, bytes.length);
  return { tensors: decodeTensors(header, bytes, label), metadata: header.metadata };
}

function decodeTensors(
  { entries, headerBytes }: SafetensorsHeader,
  bytes: Uint8Array,
  label: string,
): Map<string, StoredTensor> {
  const data = bytes.subarray(headerBytes);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of entries) {
    const [start, end] = entry.data_offsets;
    tensors.set(name, decodeTensor(entry, data.subarray(start, end), `${name} in ${label}`));
  }
  return tensors;
}

/** An open file; its tensors are decoded on demand. */
export interface OpenSafetensors extends SafetensorsHeader {
  /** Decodes all tensors. @throws {InputError} If one is damaged. */
  decode(): Map<string, StoredTensor>;
}

/**
 * Opens a file: its header is read and checked first, then its data, from the same file even if it is
 * replaced meanwhile.
 *
 * @param accept Checks the metadata before the data are read; may throw.
 * @throws {InputError} If the file is missing, truncated, damaged or not a safetensors file.
 */
export async function openSafetensors(
  path: string,
  accept: (metadata: Record<string, string>) => void = () => {},
): Promise<OpenSafetensors> {
  requireFile(path);
  using file = await Deno.open(path);
  const { size } = await file.stat();
  const start = await readStart(file, 8);
  const length = start.length < 8 ? 0 : Number(new DataView(start.buffer).getBigUint64(0, true));
  const head = await readStart(file, length > MAXIMUM_HEADER_BYTES ? 8 : Math.min(8 + length, size));
  const header = parseHeader(head, basename(path), size);
  accept(header.metadata);
  const bytes = await readStart(file, size);
  return { ...header, decode: () => decodeTensors(header, bytes, basename(path)) };
}

/** Reads the first bytes of a file, or fewer if it is shorter. */
async function readStart(file: Deno.FsFile, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  await file.seek(0, Deno.SeekMode.Start);
  return bytes.slice(0, await readInto(file, bytes));
}

/**
 * Reads a file.
 *
 * @throws {InputError} If the file is missing or cannot be parsed.
 */
export async function readSafetensors(path: string): Promise<Safetensors> {
  requireFile(path);
  return parseSafetensors(await Deno.readFile(path), basename(path));
}

function requireFile(path: string): void {
  const info = statOrNull(path);
  if (info && !info.isDirectory) return;
  throw new InputError({ what: `read ${path}`, why: info ? "it is a folder" : "there is no such file" });
}

/** Encodes tensors, sorted by name, as a file. The data start on a multiple of 8 bytes. */
export function formatSafetensors(
  tensors: Iterable<[string, StoredTensor]>,
  metadata: Record<string, string> = {},
): Uint8Array<ArrayBuffer> {
  const sorted = [...tensors].sort(([one], [other]) => one < other ? -1 : 1);
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const [name, { shape, data }] of sorted) {
    const dtype = Object.entries(ARRAY_TYPES).find(([, ArrayType]) => data instanceof ArrayType)![0];
    header[name] = { dtype, shape, data_offsets: [end, end += data.byteLength] };
  }
  let text = JSON.stringify(header);
  const encoder = new TextEncoder();
  text += " ".repeat((8 - encoder.encode(text).length % 8) % 8);
  const head = encoder.encode(text);
  const bytes = new Uint8Array(8 + head.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(head.length), true);
  bytes.set(head, 8);
  let at = 8 + head.length;
  for (const [, { data }] of sorted) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/**
 * Writes a file atomically: a reader sees the old content or the new.
 *
 * The bytes go to a temporary file in the same folder, which is synced and renamed.
 */
export function writeSafetensors(
  path: string,
  tensors: Iterable<[string, StoredTensor]>,
  metadata: Record<string, string> = {},
): void {
  writeFileAtomically(path, formatSafetensors(tensors, metadata));
}
