import { DownloadError, explainWriteError, PassingError } from "./error.ts";
import { type DownloadCallback, type NetworkOptions, request } from "./request.ts";

/** What must be remembered of the file on the server to go on with it later, also in another process. */
interface PartRecord {
  url: string;
  /** A strong ETag or the date of the last change: sent as `If-Range`, so that a changed file comes whole. */
  validator: string | null;
  /** The size the server told. */
  total: number | null;
}

/**
 * Goes on with `<path>.part` where it stopped, or begins it, until the server's file is complete.
 *
 * @param trustLength Go on by position and size alone where the server names no ETag or date (a checksum is to follow).
 * @throws {PassingError} If the transfer broke off: call again.
 * @throws {DownloadError} If the server refuses or sends too much, or the disk is full.
 */
export async function continuePart(
  url: string,
  path: string,
  trustLength: boolean,
  onDownload: DownloadCallback,
  network: NetworkOptions,
): Promise<{ resumed: boolean }> {
  const part = `${path}.part`;
  const known = await readRecord(part, url);
  let size = known ? await sizeOf(part) : 0;
  if (!known?.validator && !(trustLength && known?.total)) size = 0;
  if (size > 0 && size === known?.total) return { resumed: true };

  const headers: Record<string, string> = size > 0 ? { Range: `bytes=${size}-` } : {};
  if (size > 0 && known?.validator) headers["If-Range"] = known.validator;
  const answer = await request(url, headers, network);
  const range = parseContentRange(answer.headers.get("Content-Range"));
  if (answer.status === 416 || (answer.status === 206 && !fits(range, size, known?.total))) {
    await answer.cancel();
    if (answer.status === 416 && size > 0 && range?.total === size) return { resumed: true };
    if (size === 0) {
      throw new DownloadError(
        `Cannot download ${url}: the server answered ${answer.status} with no range.`,
        "refused",
      );
    }
    await removePart(path); // the file there is another one now
    throw new PassingError("the server's file does not continue the part at hand");
  }
  if (answer.status === 200) size = 0;
  const total = answer.status === 206 ? range!.total : parseLength(answer.headers.get("Content-Length"));
  const resumed = size > 0;
  try {
    if (!resumed) await writeRecord(part, { url, validator: validatorOf(answer.headers), total });
    using file = await Deno.open(part, { write: true, create: true, truncate: !resumed });
    await file.seek(size, Deno.SeekMode.Start);
    for await (const piece of answer.body) {
      for (let at = 0; at < piece.length;) at += await file.write(piece.subarray(at));
      size += piece.length;
      onDownload(size, total ?? undefined);
    }
    await file.sync();
  } catch (error) {
    throw explainWriteError(error, path);
  }
  if (total !== null && size < total) {
    throw new PassingError(`the transfer ended after ${size} of ${total} bytes`);
  }
  if (total !== null && size > total) {
    await removePart(path);
    throw new DownloadError(
      `Cannot download ${url}: the server sent ${size} bytes and had said ${total}; the file was deleted.`,
      "damaged",
    );
  }
  return { resumed };
}

/** Deletes the part and its record. */
export async function removePart(path: string): Promise<void> {
  for (const file of [`${path}.part`, `${path}.part.json`]) {
    await Deno.remove(file).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}

/** Reads `bytes 100-199/200`. An answer 416 has a star for the range: no start. */
export function parseContentRange(
  header: string | null,
): { start: number | null; total: number | null } | null {
  const match = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(header ?? "");
  if (!match) return null;
  return { start: match[1] ? Number(match[1]) : null, total: parseLength(match[2]) };
}

function fits(
  range: ReturnType<typeof parseContentRange>,
  size: number,
  total: number | null | undefined,
): boolean {
  return range !== null && range.start === size && (!total || !range.total || range.total === total);
}

function parseLength(text: string | null): number | null {
  return text && /^\d+$/.test(text) ? Number(text) : null;
}

function validatorOf(headers: Headers): string | null {
  const etag = headers.get("ETag");
  return etag && !etag.startsWith("W/") ? etag : headers.get("Last-Modified"); // a weak one proves nothing about bytes
}

async function readRecord(part: string, url: string): Promise<PartRecord | null> {
  try {
    const record = JSON.parse(await Deno.readTextFile(`${part}.json`)) as PartRecord;
    return record.url === url ? record : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return null;
    throw error;
  }
}

async function writeRecord(part: string, record: PartRecord): Promise<void> {
  // an older part must not stay beside the new record: it would be taken for the new file's beginning
  await Deno.remove(part).catch(() => {/* there was none */});
  await Deno.writeTextFile(`${part}.json`, JSON.stringify(record));
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await Deno.stat(path)).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}
