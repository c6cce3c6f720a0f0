import { basename, dirname, join, resolve } from "@std/path";
import { InputError } from "./errors.ts";

/** Replaces a file: written beside it, synced, renamed. On an error the old file stays. */
export function writeFileAtomically(path: string, bytes: Uint8Array<ArrayBuffer>): void {
  const temporary = join(dirname(path), `.${basename(path)}.${Deno.pid}.tmp`);
  try {
    using file = Deno.openSync(temporary, { write: true, create: true, truncate: true });
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    file.syncSync();
    Deno.renameSync(temporary, path);
  } catch (error) {
    try {
      Deno.removeSync(temporary);
    } catch { /* it was not there: the first error is the one to tell */ }
    throw error;
  }
}

/** Replaces a text file, as {@linkcode writeFileAtomically} does. */
export function writeText(path: string, text: string): void {
  writeFileAtomically(path, new TextEncoder().encode(text));
}

/** Tells whether a path exists; links are followed. */
export function exists(path: string): boolean {
  return statOrNull(path) !== null;
}

/** Reads a text file; null if it does not exist. */
export function readTextOrNull(path: string): string | null {
  return orNull(() => Deno.readTextFileSync(path));
}

/** Reads a JSON file; null if it does not exist or does not hold an object. */
export function readJsonOrNull(path: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(readTextOrNull(path) ?? "null");
    return isRecord(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Tells whether a value is an object with named fields: neither null nor an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns a file's size, kind and times; null if it does not exist. */
export function statOrNull(path: string): Deno.FileInfo | null {
  return orNull(() => Deno.statSync(path));
}

/**
 * Checks before long work that a file can be written: that its folder exists.
 *
 * @throws {InputError} If not.
 */
export function requireFolderOf(path: string): void {
  const folder = dirname(resolve(path));
  if (statOrNull(folder)?.isDirectory) return;
  throw new InputError({
    what: `write ${path}`,
    why: `there is no folder ${folder}`,
    next: [{ advice: "create it first" }],
  });
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
