import { DownloadError, PassingError } from "./error.ts";

/** Told of each piece that arrives: bytes so far and in all (`undefined` where the server does not say). */
export type DownloadCallback = (bytes: number, total: number | undefined) => void;

/** How patient a download is. */
export interface NetworkOptions {
  /** Attempts in a row that bring nothing before it gives up. @default {5} */
  attempts?: number;
  /** Pause after the first failure in milliseconds; doubled after each further one. @default {500} */
  retryDelay?: number;
  /** How long to wait for a server's answer, in milliseconds. @default {15000} */
  answerTimeout?: number;
  /** How long a transfer may stand still, in milliseconds. @default {30000} */
  stallTimeout?: number;
}

/** An answer whose body is still to be read. */
export interface Answer {
  status: number;
  headers: Headers;
  /** The body, piece by piece. Leaving the loop early closes the connection. @throws {PassingError} When it breaks off. */
  body: AsyncGenerator<Uint8Array<ArrayBuffer>>;
  /** Closes the connection without reading the body. */
  cancel(): Promise<void>;
}

const PASSING_STATUSES = [408, 425, 429, 500, 502, 503, 504];
const LONGEST_RETRY_AFTER = 60_000;

/**
 * Asks for `url` once. Only 200, 206 and 416 come back as answers.
 *
 * @throws {PassingError} If there is no answer, or one that says "later".
 * @throws {DownloadError} If the server refuses.
 */
export async function request(
  url: string,
  headers: Record<string, string>,
  { answerTimeout = 15_000, stallTimeout = 30_000 }: NetworkOptions = {},
): Promise<Answer> {
  const abort = new AbortController();
  const watch = createWatch(abort);
  watch.start(answerTimeout, "no answer");
  let response: Response;
  try {
    // no compression on the way: ranges and checksums are about the bytes of the file
    response = await fetch(url, {
      headers: { "Accept-Encoding": "identity", ...headers },
      signal: abort.signal,
    });
  } catch (error) {
    throw describeNetworkError(error);
  } finally {
    watch.stop();
  }
  const cancel = () => response.body?.cancel() ?? Promise.resolve();
  if (![200, 206, 416].includes(response.status)) {
    await cancel();
    const status = `${response.status} ${response.statusText}`.trim();
    if (PASSING_STATUSES.includes(response.status)) {
      const seconds = Number(response.headers.get("Retry-After") ?? 0) || 0;
      throw new PassingError(`the server answered ${status}`, Math.min(seconds * 1000, LONGEST_RETRY_AFTER));
    }
    throw new DownloadError(`Cannot download ${url}: the server answered ${status}.`, "refused");
  }
  return {
    status: response.status,
    headers: response.headers,
    body: readBody(response, watch, stallTimeout),
    cancel,
  };
}

async function* readBody(
  response: Response,
  watch: ReturnType<typeof createWatch>,
  stallTimeout: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (!response.body) return;
  const reader = response.body.getReader();
  try {
    while (true) {
      watch.start(stallTimeout, "the transfer stood still");
      const { done, value } = await reader.read().catch((error) => {
        throw describeNetworkError(error);
      }).finally(watch.stop);
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {/* the connection is closed already */});
  }
}

/** A timer that aborts the request unless it is stopped in time. */
function createWatch(abort: AbortController) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    start(milliseconds: number, what: string) {
      const error = new PassingError(`${what} for ${Math.round(milliseconds / 1000)} s`);
      timer = setTimeout(() => abort.abort(error), milliseconds);
    },
    stop: () => clearTimeout(timer),
  };
}

/** `fetch` says TypeError for everything that goes wrong on the way. */
function describeNetworkError(error: unknown): unknown {
  if (!(error instanceof TypeError)) return error;
  const root = error.cause instanceof Error ? error.cause : error;
  const reason = root.message.replace(/^error sending request for url \([^)]*\): /, "").replace(
    /^client error \(\w+\): /,
    "",
  );
  return new PassingError(reason || "the request failed");
}

/**
 * Repeats `attempt` while its failures may pass, with growing pauses.
 *
 * @param attempt Does the work or goes on with it. It reports what has arrived; any progress starts the count of failures anew.
 * @throws {DownloadError} `unreachable` if nothing ever arrived, else `interrupted`.
 */
export async function withRetries<T>(
  url: string,
  { attempts = 5, retryDelay = 500 }: NetworkOptions,
  attempt: (arrived: (bytes: number) => void) => Promise<T>,
): Promise<T> {
  let most = 0; // a server that starts again from zero each time makes no progress
  let failures = 0;
  let anything = false;
  while (true) {
    try {
      return await attempt((bytes) => {
        anything = true;
        if (bytes > most) [most, failures] = [bytes, 0];
      });
    } catch (error) {
      if (!(error instanceof PassingError)) throw error;
      failures++;
      // without a network two attempts tell as much as five
      if (failures >= (anything ? attempts : Math.min(attempts, 2))) {
        throw giveUp(url, error.message, anything);
      }
      await new Promise((done) =>
        setTimeout(done, Math.max(error.retryAfter, retryDelay * 2 ** (failures - 1)))
      );
    }
  }
}

function giveUp(url: string, why: string, anything: boolean): DownloadError {
  return anything
    ? new DownloadError(
      `Cannot finish the download of ${url}: ${why}; run this again, it goes on where it stopped.`,
      "interrupted",
    )
    : new DownloadError(`Cannot reach ${new URL(url).host}: ${why}.`, "unreachable");
}
