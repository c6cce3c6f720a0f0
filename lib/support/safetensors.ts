/** Reads and writes safetensors files. */
import { requireRegularFile } from "./files.ts";
import { InputError } from "./errors.ts";
import { formatBytes } from "./format.ts";
import {
  formatSafetensors,
  type OpenSafetensors,
  openSafetensorsBytes,
  type Safetensors,
  type StoredTensor,
} from "./safetensors_format.ts";
import { explainSystemError } from "./system_errors.ts";
import { writeFileAtomically } from "./write_files.ts";

export * from "./safetensors_format.ts";
export { parseHeader, type SafetensorsHeader, type TensorEntry } from "./safetensors_header.ts";

const MAXIMUM_BYTES = 1_000_000_000;

/**
 * Opens a file: reads it at once, so that it may be replaced meanwhile, and checks header and hash.
 *
 * @throws {InputError} If the file is missing, truncated, damaged or not a safetensors file.
 */
export async function openSafetensors(path: string): Promise<OpenSafetensors> {
  const { size } = requireRegularFile(path);
  if (size > MAXIMUM_BYTES) {
    throw new InputError({ what: `read ${path}`, why: `it is larger than ${formatBytes(MAXIMUM_BYTES)}` });
  }
  const bytes = await Deno.readFile(path).catch((error) => {
    throw explainSystemError(error, `read ${path}`) ?? error;
  });
  return openSafetensorsBytes(bytes, path);
}

/**
 * Reads a file.
 *
 * @throws {InputError} If the file is missing or cannot be parsed.
 */
export async function readSafetensors(path: string): Promise<Safetensors> {
  const { decode, metadata } = await openSafetensors(path);
  return { tensors: decode(), metadata };
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
