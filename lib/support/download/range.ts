import {
  type DownloadCallback,
  DownloadError,
  type NetworkOptions,
  parseContentRange,
  parseLength,
  request,
  TransientError,
  withRetries,
} from "./request.ts";

/** Identity of a file on a server, as its answers tell it: ETag, date, size. */
export type FileVersion = Record<string, string>;

export interface FetchRangeOptions extends NetworkOptions {
  /** Filled from the first answer; later ones must agree, so that several ranges are of one version. */
  version?: FileVersion;
  /** Called with each chunk. */
  onDownload?: DownloadCallback;
}

/**
 * Fetches the bytes from `start` to before `end` of a file on a server.
 *
 * A server without ranges sends the file from its beginning: the bytes before `start` are dropped, and the
 * connection is closed at `end`.
 *
 * @throws {DownloadError} If it fails: no network, a missing file, a file that is too short or has changed.
 */
export async function fetchRange(
  url: string,
  start: number,
  end: number,
  { onDownload, version = {}, ...network }: FetchRangeOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(end - start);
  let filled = 0;
  await withRetries(url, network, async (onBytes) => {
    if (filled === bytes.length) return;
    const from = start + filled;
    const answer = await request(url, { Range: `bytes=${from}-${end - 1}` }, network);
    const range = parseContentRange(answer.headers);
    if (answer.status === 416) {
      await answer.cancel();
      throw tooShort(url, end, range?.total);
    }
    if (answer.status === 206 && range?.start !== from) {
      await answer.cancel();
      const sent = answer.headers.get("Content-Range") ?? "no Content-Range";
      const why = `the server sent other bytes than were requested (${sent})`;
      throw new DownloadError({ what: `download ${url}`, why }, "damaged");
    }
    const total = answer.status === 206 ? range?.total : parseLength(answer.headers.get("Content-Length"));
    if (!isSameVersion(version, answer.headers, total)) {
      await answer.cancel();
      const why = "the file changed on the server meanwhile";
      throw new DownloadError({ what: `download ${url}`, why, next: [{ advice: "try again" }] }, "damaged");
    }
    let position = answer.status === 206 ? from : 0;
    for await (const chunk of answer.body) {
      const wanted = chunk.subarray(Math.max(0, start + filled - position), Math.max(0, end - position));
      bytes.set(wanted, filled);
      filled += wanted.length;
      position += chunk.length;
      onBytes(position);
      if (wanted.length) onDownload?.(filled, bytes.length);
      if (filled === bytes.length) return;
    }
    if (total === position && total < end) throw tooShort(url, end, total);
    throw new TransientError(`the transfer ended after ${filled} of ${bytes.length} bytes`);
  });
  return bytes;
}

/** Compares an answer with earlier ones in whatever they all tell. */
function isSameVersion(version: FileVersion, headers: Headers, total?: number | null): boolean {
  const told = { ETag: headers.get("ETag"), date: headers.get("Last-Modified"), total: total?.toString() };
  return Object.entries(told).every(([key, value]) => !value || (version[key] ??= value) === value);
}

function tooShort(url: string, end: number, total: number | null | undefined): DownloadError {
  const why = total ? `the file has only ${total} bytes` : "the file is shorter";
  return new DownloadError({ what: `download ${url} up to byte ${end}`, why }, "damaged");
}
