/**
 * The bytes of safetensors files: https://huggingface.co/docs/safetensors (8 bytes of length, a JSON header,
 * the raw data). Nothing here touches a file, so that it runs in a browser as well.
 *
 * A file written here carries the SHA-256 of all its other bytes, which is checked on reading, so that no
 * flipped bit is believed; files of other programs carry none.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { InputError } from "./errors.ts";
import {
  HASH_KEY,
  MAXIMUM_HEADER_BYTES,
  parseHeader,
  type SafetensorsHeader,
  type TensorEntry,
} from "./safetensors_header.ts";

/** The values of a stored tensor, little-endian. */
export type TensorData = Float32Array | Int32Array | BigInt64Array | Uint8Array;

/** A tensor of a file. */
export interface StoredTensor {
  /** Sizes of its axes; `[]` for a scalar. */
  shape: number[];
  /** Its values in row-major order; those of type F16, BF16 and F64 are converted to float32. */
  data: TensorData;
  /** Its type, if that cannot be decoded; then `data` are its bytes. */
  rawType?: string;
}

/** Content of a safetensors file. */
export interface Safetensors {
  /** Tensors by name, in the order of the file. */
  tensors: Map<string, StoredTensor>;
  /** The header's `__metadata__`: strings by name, without the hash. */
  metadata: Record<string, string>;
}

const NO_DIGITS = "0".repeat(64); // of the hash, while it is computed

/** Types by name: bytes of a value, and how a tensor's bytes become an array. */
const TYPES: Record<string, readonly [bytes: number, decode: (buffer: ArrayBuffer) => TensorData]> = {
  F32: [4, (buffer) => new Float32Array(buffer)],
  I32: [4, (buffer) => new Int32Array(buffer)],
  I64: [8, (buffer) => new BigInt64Array(buffer)],
  U8: [1, (buffer) => new Uint8Array(buffer)],
  F16: [2, (buffer) => new Float32Array(new Float16Array(buffer))],
  BF16: [
    2,
    (buffer) => new Float32Array(Uint32Array.from(new Uint16Array(buffer), (upper) => upper << 16).buffer),
  ],
  F64: [8, (buffer) => new Float32Array(new Float64Array(buffer))],
};
/**
 * Copies a tensor's bytes into a typed array.
 *
 * @throws {InputError} If the bytes do not fit the shape.
 */
export function decodeTensor(entry: TensorEntry, bytes: Uint8Array, label: string): StoredTensor {
  const { dtype, shape } = entry;
  if (!Object.hasOwn(TYPES, dtype)) return { shape, data: bytes.slice(), rawType: dtype };
  const [bytesPerValue, decode] = TYPES[dtype];
  if (shape.reduce((product, length) => product * length, bytesPerValue) !== bytes.length) {
    const why = `shape [${shape}] does not fit ${bytes.length} bytes`;
    throw new InputError({ what: `read ${label}`, why });
  }
  return { shape, data: decode(bytes.slice().buffer) };
}

/** Names a tensor's type as the format does: `F32`, `I64`. */
export function typeOf({ data, rawType }: StoredTensor): string {
  if (rawType !== undefined) return rawType;
  if (data instanceof Float32Array) return "F32";
  return data instanceof Int32Array ? "I32" : data instanceof BigInt64Array ? "I64" : "U8";
}

/** Removes the prefix that PyTorch's wrappers (`DataParallel`, `compile`) put before each name. */
export function stripWrapper(tensors: Map<string, StoredTensor>): Map<string, StoredTensor> {
  const names = [...tensors.keys()];
  const prefix = ["module.", "_orig_mod."].find((prefix) => names.every((name) => name.startsWith(prefix)));
  if (prefix === undefined || names.length === 0) return tensors;
  return stripWrapper(new Map([...tensors].map(([name, tensor]) => [name.slice(prefix.length), tensor])));
}

/** A file's bytes, of which header and hash are checked; its tensors are decoded on demand. */
export interface OpenSafetensors extends SafetensorsHeader {
  /** Decodes all tensors. @throws {InputError} If one is damaged. */
  decode(): Map<string, StoredTensor>;
}

/**
 * Parses a whole file but for its tensors.
 *
 * @param bytes The file's content.
 * @param label Name of the file in errors.
 * @throws {InputError} If it is truncated, damaged or not a safetensors file.
 */
export function openSafetensorsBytes(bytes: Uint8Array, label: string): OpenSafetensors {
  const header = parseHeader(bytes, label, bytes.length);
  checkHash(header, bytes, label);
  return { ...header, decode: () => decodeTensors(header, bytes, label) };
}

/** Parses a whole file. @throws {InputError} As {@linkcode openSafetensorsBytes}, or if a tensor is damaged. */
export function parseSafetensors(bytes: Uint8Array, label: string): Safetensors {
  const { decode, metadata } = openSafetensorsBytes(bytes, label);
  return { tensors: decode(), metadata };
}

/** Finds the digits of the hash in the header; -1 if they are not there. */
function findDigits(bytes: Uint8Array, headerBytes: number, digits: string): number {
  const key = `"${HASH_KEY}":"`; // within another text its quotes would be escaped
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, headerBytes)); // a character per byte
  const at = text.indexOf(`${key}${digits}"`);
  return at < 0 ? at : at + key.length;
}

/** Computes the SHA-256 of all bytes but its own digits. */
function hashRest(bytes: Uint8Array, at: number): string {
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at + NO_DIGITS.length)];
  const native = globalThis.process?.getBuiltinModule?.("node:crypto"); // ten times as fast; not in a browser
  if (native !== undefined) return native.createHash("sha256").update(before).update(after).digest("hex");
  return sha256.create().update(before).update(after).digest().toHex();
}

function checkHash({ sha256, headerBytes }: SafetensorsHeader, bytes: Uint8Array, label: string): void {
  if (sha256 === undefined) return;
  const at = findDigits(bytes, headerBytes, sha256);
  if (at >= 0 && hashRest(bytes, at) === sha256) return;
  throw new InputError({
    what: `read ${label}`,
    why: "its bytes do not match its SHA-256: it is damaged, or another program changed it",
    next: [
      { advice: "take another copy" },
      { advice: `remove ${HASH_KEY} from its metadata, if it was changed on purpose` },
    ],
  });
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

/** Encodes tensors, sorted by name, as a file. The data start on a multiple of 8 bytes. */
export function formatSafetensors(
  tensors: Iterable<[string, StoredTensor]>,
  metadata: Record<string, string> = {},
): Uint8Array<ArrayBuffer> {
  const sorted = [...tensors].sort(([one], [other]) => one < other ? -1 : 1);
  let end = 0;
  const entries = sorted.map(([name, tensor]) => {
    const offsets = [end, end += tensor.data.byteLength];
    return [name, { dtype: typeOf(tensor), shape: tensor.shape, data_offsets: offsets }];
  });
  const hashed = { ...metadata, [HASH_KEY]: NO_DIGITS };
  let text = JSON.stringify({ __metadata__: hashed, ...Object.fromEntries(entries) });
  const encoder = new TextEncoder();
  text += " ".repeat((8 - encoder.encode(text).length % 8) % 8);
  const head = encoder.encode(text);
  if (head.length > MAXIMUM_HEADER_BYTES) throw new RangeError("The metadata are too long to be read again.");
  const bytes = new Uint8Array(8 + head.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(head.length), true);
  bytes.set(head, 8);
  let at = 8 + head.length;
  for (const [, { data }] of sorted) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  const digits = findDigits(bytes, 8 + head.length, NO_DIGITS);
  bytes.set(encoder.encode(hashRest(bytes, digits)), digits);
  return bytes;
}
