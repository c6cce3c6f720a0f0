/**
 * Fetches files over HTTP: streamed, resumed after a cut, checked.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { dirname } from "@std/path";
import { DownloadError, explainWriteError } from "./error.ts";
import { continuePart, removePart } from "./part.ts";
import { type DownloadCallback, type NetworkOptions, withRetries } from "./request.ts";

export { DownloadError, type DownloadFailure } from "./error.ts";
export { fetchRange, type FetchRangeOptions } from "./range.ts";
export type { DownloadCallback, NetworkOptions } from "./request.ts";

/** Options of {@linkcode downloadFile}. */
export interface DownloadOptions extends NetworkOptions {
  /** The expected MD5 sum in hexadecimal. */
  md5?: string;
  /** Told of each piece, for a progress bar. */
  onDownload?: DownloadCallback;
}

/**
 * Downloads `url` to `path`. What is there already is checked and not fetched again.
 *
 * The bytes go to `<path>.part` (what is known of them to `<path>.part.json`); the file gets its name when it is complete and its
 * checksum right. After a cut it goes on by an HTTP range, also in a later process, unless the server's file has changed. Only one
 * process at a time may download to a path: see `withFolderLock`.
 *
 * @throws {DownloadError} If it cannot be had; its `failure` says why.
 *
 * @example
 * ```ts ignore
 * import { downloadFile } from "./download.ts";
 * await downloadFile("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", "data/cifar-10-binary.tar.gz", {
 *   md5: "c32a1d4ab5d03f1284b67883e8d87530",
 *   onDownload: (bytes, total) => console.log(bytes, total),
 * });
 * ```
 */
export async function downloadFile(
  url: string,
  path: string,
  { md5, onDownload = () => {}, ...network }: DownloadOptions = {},
): Promise<void> {
  if (await exists(path)) {
    const found = md5 && await md5OfFile(path);
    if (found === md5) return;
    throw new DownloadError(
      `Cannot use ${path}: its MD5 sum is ${found}, expected ${md5}; delete it and run this again.`,
      "damaged",
    );
  }
  await Deno.mkdir(dirname(path), { recursive: true }).catch((error) => {
    throw explainWriteError(error, path);
  });
  for (let round = 1;; round++) {
    let foundPart = false;
    await withRetries(url, network, async (arrived) => {
      const { resumed } = await continuePart(url, path, md5 !== undefined, (bytes, total) => {
        arrived(bytes);
        onDownload(bytes, total);
      }, network);
      foundPart = resumed;
    });
    const found = md5 && await md5OfFile(`${path}.part`);
    if (found === md5) break;
    await removePart(path);
    if (foundPart && round === 1) continue; // the older part may have been of another file: once more from the start
    throw new DownloadError(
      `Cannot use ${url}: what came has the MD5 sum ${found}, expected ${md5}; it was deleted. The file there has changed, or ` +
        `something on the way altered it; get it from elsewhere or try again later.`,
      "damaged",
    );
  }
  await Deno.rename(`${path}.part`, path);
  await removePart(path);
}

/** The MD5 sum of a file in hexadecimal, read piece by piece. */
export async function md5OfFile(path: string): Promise<string> {
  const hash = createHash("md5");
  using file = await Deno.open(path);
  const buffer = new Uint8Array(1 << 20);
  for (let read; (read = await file.read(buffer)) !== null;) hash.update(buffer.subarray(0, read));
  return hash.digest("hex");
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
