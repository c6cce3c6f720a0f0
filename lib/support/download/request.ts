import { InputError, type NextStep, type Problem } from "../errors.ts";

/** Reason of a failed download; callers decide by it whether to fall back. */
export type DownloadFailure =
  /** No answer at all (no network, no such host, the server is down): treated as offline. */
  | "unreachable"
  /** The transfer broke off too often. */
  | "interrupted"
  /** The server refuses this file (404, 403 …). */
  | "refused"
  /** The file is not the expected one. */
  | "damaged"
  /** The file cannot be written here. */
  | "disk";

/** A failed download. */
export class DownloadError extends InputError {
  override name = "DownloadError";
  constructor(override readonly problem: Problem, readonly failure: DownloadFailure, options?: ErrorOptions) {
    super(problem, options);
  }
}

/** A failure after which a retry may succeed. Never thrown out of this folder. */
export class TransientError extends Error {
  override name = "TransientError";
  /** @param retryAfter Pause in milliseconds that the server asked for. */
  constructor(message: string, readonly retryAfter = 0) {
    super(message);
  }
}

/** Converts a full disk or a missing permission to a {@linkcode DownloadError}; returns other errors. */
export function explainWriteError(error: unknown, path: string): unknown {
  const { code } = error as { code?: string };
  const explain = (why: string, advice: string) =>
    new DownloadError({ what: `save ${path}`, why, next: [{ advice }] }, "disk", { cause: error });
  if (code === "ENOSPC" || code === "EDQUOT") {
    return explain("the disk is full", "free some space and try again");
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return explain("this user may not write there", "change the folder's permissions and try again");
  }
  return error;
}

/** Receives the bytes downloaded so far and the total (`undefined` if unknown). */
export type DownloadCallback = (bytes: number, total: number | undefined) => void;

/** Retries and timeouts of a download. */
export interface NetworkOptions {
  /** Attempts in a row without progress before it fails. @default {5} */
  attempts?: number;
  /** Pause after the first failure in milliseconds; doubled after each further one. @default {500} */
  retryDelay?: number;
  /** Timeout for the server's answer, in milliseconds. @default {15000} */
  answerTimeout?: number;
  /** Longest time without a new byte, in milliseconds. @default {30000} */
  stallTimeout?: number;
}

/** Options of a loader that downloads missing files. */
export interface LoadOptions {
  /** Receives progress messages. @default {console.error} */
  log?: (message: string) => void;
  /** Receives the warning of a fallback (synthetic images, random weights). @default `log` */
  warn?: (message: string, next: readonly NextStep[]) => void;
  /** Called after each chunk of a download. */
  onDownload?: DownloadCallback;
  /** Retries and timeouts of the download. */
  network?: NetworkOptions;
}

/** A response whose body has not been read. */
export interface Answer {
  status: number;
  headers: Headers;
  /** The body; leaving the loop early closes the connection. @throws {TransientError} If it breaks off. */
  body: AsyncGenerator<Uint8Array<ArrayBuffer>>;
  /** Closes the connection without reading the body. */
  cancel(): Promise<void>;
}

const TRANSIENT_STATUSES = [408, 425, 429, 500, 502, 503, 504];
const LONGEST_RETRY_AFTER = 60_000;

/**
 * Requests `url` once. Only the statuses 200, 206 and 416 are returned.
 *
 * @throws {TransientError} If there is no answer, or a retryable status.
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
    // no compression in transit: ranges and checksums refer to the file's bytes
    response = await fetch(url, {
      headers: { "Accept-Encoding": "identity", ...headers },
      signal: abort.signal,
    });
  } catch (error) {
    throw explainNetworkError(error);
  } finally {
    watch.stop();
  }
  const cancel = () => response.body?.cancel() ?? Promise.resolve();
  if (![200, 206, 416].includes(response.status)) {
    await cancel();
    const why = `the server answered ${`${response.status} ${response.statusText}`.trim()}`;
    if (TRANSIENT_STATUSES.includes(response.status)) {
      const seconds = Number(response.headers.get("Retry-After") ?? 0) || 0;
      throw new TransientError(why, Math.min(seconds * 1000, LONGEST_RETRY_AFTER));
    }
    throw new DownloadError({ what: `download ${url}`, why }, "refused");
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
      watch.start(stallTimeout, "the transfer stalled");
      const { done, value } = await reader.read().catch((error) => {
        throw explainNetworkError(error);
      }).finally(watch.stop);
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {/* the connection is closed already */});
  }
}

/** Creates a timer that aborts the request unless it is stopped in time. */
function createWatch(abort: AbortController) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    start(milliseconds: number, what: string) {
      const error = new TransientError(`${what} for ${Math.round(milliseconds / 1000)} s`);
      timer = setTimeout(() => abort.abort(error), milliseconds);
    },
    stop: () => clearTimeout(timer),
  };
}

/** Finds the reason of a failed `fetch`, which throws TypeError for every network error. */
function explainNetworkError(error: unknown): unknown {
  if (!(error instanceof TypeError)) return error;
  const root = error.cause instanceof Error ? error.cause : error;
  const reason = root.message.replace(/^error sending request for url \([^)]*\): /, "").replace(
    /^client error \(\w+\): /,
    "",
  );
  return new TransientError(reason || "the request failed");
}

/** Parses `bytes 100-199/200`. A status 416 has a star for the range: no start. */
export function parseContentRange(
  headers: Headers,
): { start: number | null; total: number | null } | null {
  const match = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(headers.get("Content-Range") ?? "");
  if (!match) return null;
  return { start: match[1] ? Number(match[1]) : null, total: parseLength(match[2]) };
}

/** Parses a length; null if unknown. */
export function parseLength(text: string | null): number | null {
  return text && /^\d+$/.test(text) ? Number(text) : null;
}

/**
 * Repeats `attempt` after transient failures, with growing pauses.
 *
 * @param attempt Starts or resumes the work. It reports the bytes that arrived; progress resets the
 *   count of failures.
 * @throws {DownloadError} `unreachable` if nothing ever arrived, else `interrupted`.
 */
export async function withRetries<T>(
  url: string,
  { attempts = 5, retryDelay = 500 }: NetworkOptions,
  attempt: (onBytes: (bytes: number) => void) => Promise<T>,
): Promise<T> {
  let most = 0; // a server that starts again from zero each time makes no progress
  let failures = 0;
  let hasStarted = false;
  while (true) {
    try {
      return await attempt((bytes) => {
        hasStarted = true;
        if (bytes > most) [most, failures] = [bytes, 0];
      });
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
      failures++;
      // without a network two attempts are enough
      if (failures >= (hasStarted ? attempts : Math.min(attempts, 2))) {
        const why = error.message;
        if (!hasStarted) {
          throw new DownloadError({ what: `reach ${new URL(url).host}`, why }, "unreachable");
        }
        const next = [{ advice: "try again, which resumes it" }];
        throw new DownloadError({ what: `finish the download of ${url}`, why, next }, "interrupted");
      }
      await new Promise((done) =>
        setTimeout(done, Math.max(error.retryAfter, retryDelay * 2 ** (failures - 1)))
      );
    }
  }
}
