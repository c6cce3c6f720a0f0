import { createHash } from "node:crypto";
import { dirname } from "@std/path";
import { exists, requireRegularFile } from "../files.ts";
import {
  type DownloadCallback,
  DownloadError,
  explainWriteError,
  type NetworkOptions,
  parseContentRange,
  parseLength,
  request,
  TransientError,
  withRetries,
} from "./request.ts";

export interface DownloadOptions extends NetworkOptions {
  /** Expected MD5 sum in hexadecimal. */
  md5: string;
  /** Size at which it cannot be the file any more. */
  maximumBytes: number;
  /** Called after each chunk. */
  onDownload?: DownloadCallback;
}

/**
 * Downloads `url` to `path`, resuming an interrupted download. An existing file is
 * checked and not downloaded.
 *
 * The bytes go to `<path>.part`; the file gets its name when it is complete and its checksum correct.
 * Resuming uses an HTTP range, also in a later process. If the bytes of two versions of the file were joined,
 * the checksum shows it, and it is downloaded again from its beginning. Only one process at a time may
 * download to a path: see `withFolderLock`.
 *
 * @throws {DownloadError} If it fails; its `failure` is the reason.
 */
export async function downloadFile(
  url: string,
  path: string,
  { md5, maximumBytes, onDownload = () => {}, ...network }: DownloadOptions,
): Promise<void> {
  if (exists(path)) {
    const found = await md5OfFile(path);
    if (found === md5) return;
    throw new DownloadError({
      what: `use ${path}`,
      why: `its MD5 sum is ${found}, expected ${md5}`,
      next: [{ advice: "delete it and try again" }],
    }, "damaged");
  }
  await Deno.mkdir(dirname(path), { recursive: true }).catch((error) => {
    throw explainWriteError(error, path);
  });
  const part = `${path}.part`;
  for (let round = 1;; round++) {
    let isResumed = false;
    await withRetries(url, network, async (onBytes) => {
      isResumed = await continuePart(url, part, (bytes, total) => {
        onBytes(bytes);
        onDownload(bytes, total);
      }, { maximumBytes, ...network });
    });
    const found = await md5OfFile(part);
    if (found === md5) break;
    await Deno.remove(part);
    if (isResumed && round === 1) continue; // the part may belong to another version of the file: start again
    throw new DownloadError({
      what: `use ${url}`,
      why: `the MD5 sum of what was downloaded is ${found}, expected ${md5}; it was deleted`,
      next: [{ advice: "try again later" }, { advice: "get the file from elsewhere" }],
    }, "damaged");
  }
  await Deno.rename(part, path);
}

async function md5OfFile(path: string): Promise<string> {
  requireRegularFile(path);
  const hash = createHash("md5");
  using file = await Deno.open(path);
  const buffer = new Uint8Array(1 << 20);
  for (let read; (read = await file.read(buffer)) !== null;) hash.update(buffer.subarray(0, read));
  return hash.digest("hex");
}

/**
 * Continues `part` where it stopped, or starts it, until the file is complete.
 *
 * @returns True if an older part was resumed.
 * @throws {TransientError} If the transfer broke off: call again.
 * @throws {DownloadError} If the server refuses, or the disk is full.
 */
async function continuePart(
  url: string,
  part: string,
  onDownload: DownloadCallback,
  { maximumBytes, ...network }: NetworkOptions & { maximumBytes: number },
): Promise<boolean> {
  let size = exists(part) ? requireRegularFile(part).size : 0;
  const answer = await request(url, size > 0 ? { Range: `bytes=${size}-` } : {}, network);
  const range = parseContentRange(answer.headers);
  if (answer.status === 416 || (answer.status === 206 && range?.start !== size)) {
    await answer.cancel();
    if (answer.status === 416 && size > 0 && range?.total === size) return true;
    if (size === 0) {
      const why = `the server answered ${answer.status} with no range`;
      throw new DownloadError({ what: `download ${url}`, why }, "refused");
    }
    await Deno.remove(part); // the server's file has changed
    throw new TransientError("the server's file does not continue the downloaded part");
  }
  if (answer.status === 200) size = 0;
  const total = answer.status === 206 ? range!.total : parseLength(answer.headers.get("Content-Length"));
  const most = Math.min(total ?? Infinity, maximumBytes);
  const isResumed = size > 0;
  try {
    using file = await Deno.open(part, { write: true, create: true, truncate: !isResumed });
    await file.seek(size, Deno.SeekMode.Start);
    for await (const chunk of answer.body) {
      for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
      size += chunk.length;
      onDownload(size, total ?? undefined);
      if (size > most) break;
    }
    await file.sync();
  } catch (error) {
    throw explainWriteError(error, part);
  }
  if (total !== null && size < total) {
    throw new TransientError(`the transfer ended after ${size} of ${total} bytes`);
  }
  if (size > most) {
    await Deno.remove(part);
    const why = `the server sent more than ${most} bytes; they were deleted`;
    throw new DownloadError({ what: `download ${url}`, why }, "damaged");
  }
  return isResumed;
}
