import { DownloadError, PassingError } from "./error.ts";
import { parseContentRange } from "./part.ts";
import { type DownloadCallback, type NetworkOptions, request, withRetries } from "./request.ts";

/** Options of {@linkcode fetchRange}. */
export interface FetchRangeOptions extends NetworkOptions {
  /** Told of each piece. */
  onDownload?: DownloadCallback;
}

/**
 * Fetches the bytes from `start` to before `end` of a file on a server.
 *
 * A server that knows no ranges sends the file from its beginning: what comes before `start` is passed over, and the connection
 * is closed at `end`.
 *
 * @throws {DownloadError} If they cannot be had: no network, no such file, a file that is shorter.
 */
export async function fetchRange(
  url: string,
  start: number,
  end: number,
  { onDownload, ...network }: FetchRangeOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(end - start);
  let filled = 0;
  await withRetries(url, network, async (arrived) => {
    if (filled === bytes.length) return;
    const from = start + filled;
    const answer = await request(url, { Range: `bytes=${from}-${end - 1}` }, network);
    const range = parseContentRange(answer.headers.get("Content-Range"));
    if (answer.status === 416) {
      await answer.cancel();
      throw tooShort(url, end, range?.total);
    }
    if (answer.status === 206 && range?.start !== from) {
      await answer.cancel();
      throw new DownloadError(
        `Cannot download ${url}: the server sent other bytes than were asked for (${
          answer.headers.get("Content-Range") ?? "no Content-Range"
        }).`,
        "damaged",
      );
    }
    let position = answer.status === 206 ? from : 0;
    for await (const piece of answer.body) {
      const wanted = piece.subarray(Math.max(0, start + filled - position), Math.max(0, end - position));
      bytes.set(wanted, filled);
      filled += wanted.length;
      position += piece.length;
      arrived(position);
      if (wanted.length) onDownload?.(filled, bytes.length);
      if (filled === bytes.length) return;
    }
    const total = answer.status === 206 ? range?.total : Number(answer.headers.get("Content-Length") ?? NaN);
    if (total === position && total < end) throw tooShort(url, end, total);
    throw new PassingError(`the transfer ended after ${filled} of ${bytes.length} bytes`);
  });
  return bytes;
}

function tooShort(url: string, end: number, total: number | null | undefined): DownloadError {
  const size = total ? `has only ${total} bytes` : "is shorter";
  return new DownloadError(`Cannot download ${url} up to byte ${end}: the file ${size}.`, "damaged");
}
