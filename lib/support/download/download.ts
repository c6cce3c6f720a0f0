import { createHash } from "node:crypto";
import { dirname } from "@std/path";
import { exists, readJsonOrNull, statOrNull } from "../files.ts";
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

/** Options of {@linkcode downloadFile}. */
export interface DownloadOptions extends NetworkOptions {
  /** Expected MD5 sum in hexadecimal. */
  md5?: string;
  /** Called after each chunk. */
  onDownload?: DownloadCallback;
}

/**
 * Downloads `url` to `path`, resuming an interrupted download. An existing file is
 * checked and not downloaded.
 *
 * The bytes go to `<path>.part` and the server's ETag, date and size to `<path>.part.json`; the file gets its
 * name when it is complete and its checksum correct. Resuming uses an HTTP range, also in a later process,
 * unless the server's file has changed. Only one process at a time may download to a path: see
 * `withFolderLock`.
 *
 * @throws {DownloadError} If it fails; its `failure` is the reason.
 *
 * @example
 * ```ts ignore
 * import { downloadFile } from "./download.ts";
 * await downloadFile("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", "data/cifar-10.tar.gz", {
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
  if (exists(path)) {
    const found = md5 && await md5OfFile(path);
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
  for (let round = 1;; round++) {
    let isResumed = false;
    await withRetries(url, network, async (onBytes) => {
      isResumed = await continuePart(url, path, md5 !== undefined, (bytes, total) => {
        onBytes(bytes);
        onDownload(bytes, total);
      }, network);
    });
    const found = md5 && await md5OfFile(`${path}.part`);
    if (found === md5) break;
    await removePart(path);
    if (isResumed && round === 1) continue; // the part may belong to another version of the file: start again
    throw new DownloadError({
      what: `use ${url}`,
      why: `the MD5 sum of what was downloaded is ${found}, expected ${md5}; it was deleted`,
      next: [{ advice: "try again later" }, { advice: "get the file from elsewhere" }],
    }, "damaged");
  }
  await Deno.rename(`${path}.part`, path);
  await removePart(path);
}

async function md5OfFile(path: string): Promise<string> {
  const hash = createHash("md5");
  using file = await Deno.open(path);
  const buffer = new Uint8Array(1 << 20);
  for (let read; (read = await file.read(buffer)) !== null;) hash.update(buffer.subarray(0, read));
  return hash.digest("hex");
}

/** Identity of the server's file, kept to resume its download later, also in another process. */
interface PartRecord {
  url: string;
  /** A strong ETag or the date of the last change: sent as `If-Range`, so that a changed file comes whole. */
  validator: string | null;
  /** Size in bytes. */
  total: number | null;
}

/**
 * Continues `<path>.part` where it stopped, or starts it, until the file is complete.
 *
 * @param isChecked A checksum follows, so the part may be resumed by size alone if the server sends
 *   no ETag or date.
 * @returns True if an older part was resumed.
 * @throws {TransientError} If the transfer broke off: call again.
 * @throws {DownloadError} If the server refuses or sends too much, or the disk is full.
 */
async function continuePart(
  url: string,
  path: string,
  isChecked: boolean,
  onDownload: DownloadCallback,
  network: NetworkOptions,
): Promise<boolean> {
  const part = `${path}.part`;
  const known = readRecord(part, url);
  let size = known ? statOrNull(part)?.size ?? 0 : 0;
  if (!known?.validator && !(isChecked && known?.total)) size = 0;
  if (size > 0 && size === known?.total) return true;

  const headers: Record<string, string> = size > 0 ? { Range: `bytes=${size}-` } : {};
  if (size > 0 && known?.validator) headers["If-Range"] = known.validator;
  const answer = await request(url, headers, network);
  const range = parseContentRange(answer.headers);
  const isContinuation = range !== null && range.start === size &&
    (!known?.total || !range.total || range.total === known.total);
  if (answer.status === 416 || (answer.status === 206 && !isContinuation)) {
    await answer.cancel();
    if (answer.status === 416 && size > 0 && range?.total === size) return true;
    if (size === 0) {
      const why = `the server answered ${answer.status} with no range`;
      throw new DownloadError({ what: `download ${url}`, why }, "refused");
    }
    await removePart(path); // the server's file has changed
    throw new TransientError("the server's file does not continue the downloaded part");
  }
  if (answer.status === 200) size = 0;
  const total = answer.status === 206 ? range!.total : parseLength(answer.headers.get("Content-Length"));
  const isResumed = size > 0;
  try {
    if (!isResumed) await writeRecord(part, { url, validator: validatorOf(answer.headers), total });
    using file = await Deno.open(part, { write: true, create: true, truncate: !isResumed });
    await file.seek(size, Deno.SeekMode.Start);
    for await (const chunk of answer.body) {
      for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
      size += chunk.length;
      onDownload(size, total ?? undefined);
    }
    await file.sync();
  } catch (error) {
    throw explainWriteError(error, path);
  }
  if (total !== null && size < total) {
    throw new TransientError(`the transfer ended after ${size} of ${total} bytes`);
  }
  if (total !== null && size > total) {
    await removePart(path);
    const why = `the server sent ${size} bytes instead of ${total}; the file was deleted`;
    throw new DownloadError({ what: `download ${url}`, why }, "damaged");
  }
  return isResumed;
}

async function removePart(path: string): Promise<void> {
  for (const file of [`${path}.part`, `${path}.part.json`]) if (exists(file)) await Deno.remove(file);
}

function validatorOf(headers: Headers): string | null {
  const etag = headers.get("ETag");
  return etag && !etag.startsWith("W/") ? etag : headers.get("Last-Modified"); // a weak ETag does not promise equal bytes
}

function readRecord(part: string, url: string): PartRecord | null {
  const record = readJsonOrNull(`${part}.json`);
  return record?.url === url ? record as unknown as PartRecord : null;
}

async function writeRecord(part: string, record: PartRecord): Promise<void> {
  // an older part beside the new record would be taken for the beginning of the new file
  if (exists(part)) await Deno.remove(part);
  await Deno.writeTextFile(`${part}.json`, JSON.stringify(record));
}
