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

/** Options of {@linkcode fetchRange}. */
export interface FetchRangeOptions extends NetworkOptions {
  /** Called with each chunk. */
  onDownload?: DownloadCallback;
}

/**
 * Fetches the bytes from `start` to before `end` of a file on a server.
 *
 * A server without ranges sends the file from its beginning: the bytes before `start` are dropped, and the
 * connection is closed at `end`.
 *
 * @throws {DownloadError} If it fails: no network, a missing file, a file that is too short.
 */
export async function fetchRange(
  url: string,
  start: number,
  end: number,
  { onDownload, ...network }: FetchRangeOptions = {},
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
    const total = answer.status === 206 ? range?.total : parseLength(answer.headers.get("Content-Length"));
    if (total === position && total < end) throw tooShort(url, end, total);
    throw new TransientError(`the transfer ended after ${filled} of ${bytes.length} bytes`);
  });
  return bytes;
}

function tooShort(url: string, end: number, total: number | null | undefined): DownloadError {
  const why = total ? `the file has only ${total} bytes` : "the file is shorter";
  return new DownloadError({ what: `download ${url} up to byte ${end}`, why }, "damaged");
}
