import { join } from "@std/path";
import { type Zippable, zipSync } from "fflate";

/** A file to be zipped: where it is, or its content. */
export type ZipEntry = { path: string; bytes?: Uint8Array };

const UNIX = 3;
const REGULAR_FILE = 0o100000;

/** Earlier days cannot be told in a zip file. */
const EARLIEST = new Date(1980, 0, 1);

/**
 * Zips files of a folder below one folder in the zip, in order and with one date: the same files make the same bytes.
 *
 * @param project The folder that paths are relative to.
 * @param top The folder in the zip.
 */
export async function zipFiles(
  project: string,
  top: string,
  entries: readonly ZipEntry[],
  date: Date | null,
): Promise<Uint8Array<ArrayBuffer>> {
  const tree: Zippable = {};
  // a zip knows no time zone: written by the parts that it will be read by, so that it is the same everywhere
  const mtime = date === null
    ? EARLIEST
    : new Date(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate(), 12);
  for (const { path, bytes } of entries.toSorted((one, other) => one.path < other.path ? -1 : 1)) {
    const file = join(project, path);
    const mode = bytes === undefined && isExecutable(file) ? 0o755 : 0o644;
    const content = bytes ?? await Deno.readFile(file);
    tree[`${top}/${path}`] = [content, { mtime, os: UNIX, attrs: (REGULAR_FILE | mode) << 16 >>> 0 }];
  }
  return zipSync(tree, { level: 9 }) as Uint8Array<ArrayBuffer>;
}

/** `./deno` must start after unzipping. */
function isExecutable(path: string): boolean {
  return ((Deno.statSync(path).mode ?? 0) & 0o100) !== 0;
}
