import { dirname, resolve } from "@std/path";
import { InputError } from "./errors.ts";
import { formatBytes } from "./format.ts";
import { isRecord } from "./schema.ts";
import { withSystemErrors } from "./system_errors.ts";

/** Tells whether a path exists; links are followed. */
export function exists(path: string): boolean {
  return statOrNull(path) !== null;
}

/** Tells whether a path is a symbolic link. */
export function isLink(path: string): boolean {
  return orNull(() => Deno.lstatSync(path))?.isSymlink ?? false;
}

/** Reads a text file; null if it does not exist. @throws {InputError} As {@linkcode readText}. */
export function readTextOrNull(path: string): string | null {
  return exists(path) ? readText(path) : null;
}

/**
 * Reads a text file without its byte order mark.
 *
 * @param maximumBytes Default: far more than a run's history or a comparison's results.
 * @throws {InputError} As {@linkcode readFileBounded}, and if it is not UTF-8.
 */
export function readText(path: string, maximumBytes = 100e6): string {
  const bytes = readFileBounded(path, maximumBytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new InputError({ what: `read ${path}`, why: "it is not text in UTF-8" }, { cause });
  }
}

/**
 * Reads a whole file, which must be a regular one: a device or a pipe may never end.
 *
 * @throws {InputError} If there is no such file, it is a folder, a device or a pipe, is larger than allowed,
 * or cannot be read.
 */
export function readFileBounded(path: string, maximumBytes: number): Uint8Array<ArrayBuffer> {
  const { size } = requireRegularFile(path);
  if (size > maximumBytes) {
    const why = `it has ${formatBytes(size)}, and at most ${formatBytes(maximumBytes)} are read`;
    throw new InputError({ what: `read ${path}`, why });
  }
  return withSystemErrors(`read ${path}`, () => {
    using file = Deno.openSync(path);
    const bytes = new Uint8Array(size);
    let filled = 0;
    for (let read; filled < size && (read = file.readSync(bytes.subarray(filled))) !== null;) filled += read;
    return bytes.subarray(0, filled);
  });
}

/**
 * Checks that a path leads to a regular file, before it is opened: opening a pipe waits for its writer.
 *
 * @throws {InputError} If there is no such file, or it is a folder, a device, a pipe or a socket.
 */
export function requireRegularFile(path: string): Deno.FileInfo {
  const what = `read ${path}`;
  const info = withSystemErrors(what, () => statOrNull(path));
  if (info?.isFile) return info;
  const why = info === null
    ? "there is no such file"
    : info.isDirectory
    ? "it is a folder"
    : "it is a device or a pipe and no file";
  throw new InputError({ what, why });
}

/** Reads a JSON file; null if it does not exist, cannot be read or does not hold an object. */
export function readJsonOrNull(path: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(readTextOrNull(path) ?? "null");
    return isRecord(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof InputError) return null;
    throw error;
  }
}

/** Returns a file's size, kind and times; null if it does not exist. */
export function statOrNull(path: string): Deno.FileInfo | null {
  return orNull(() => Deno.statSync(path));
}

/**
 * Checks before long work that a new file can be written: that its folder exists and takes one.
 *
 * @throws {InputError} If not.
 */
export function requireFolderOf(path: string): void {
  if (exists(path)) return;
  const folder = dirname(resolve(path));
  const what = `write ${path}`;
  if (!withSystemErrors(what, () => statOrNull(folder))?.isDirectory) {
    const next = [{ advice: "create it first" }];
    throw new InputError({ what, why: `there is no folder ${folder}`, next });
  }
  withSystemErrors(what, () => Deno.removeSync(Deno.makeTempFileSync({ dir: folder, prefix: ".probe-" })));
}

/** Fills `bytes` from an open file's position; returns the number of bytes read, fewer at the file's end. */
export async function readInto(file: Deno.FsFile, bytes: Uint8Array): Promise<number> {
  let filled = 0;
  for (let read; filled < bytes.length && (read = await file.read(bytes.subarray(filled))) !== null;) {
    filled += read;
  }
  return filled;
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw error;
  }
}
