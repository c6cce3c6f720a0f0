import { InputError, type NextStep, type Problem } from "../errors.ts";
import { explainSystemError } from "../system_errors.ts";

/** Reason of a failed download; callers decide by it whether to fall back. */
export type DownloadFailure =
  /** No connection (no network, no such host, a proxy that lets nothing through): treated as offline. */
  | "unreachable"
  /** The transfer broke off too often. */
  | "interrupted"
  /** The server, or something before it, answers but does not give this file (404, 503, a login page). */
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
  /**
   * @param failure What it is if it happens to every attempt.
   * @param next Remedies.
   * @param retryAfter Pause in milliseconds that the server asked for.
   */
  constructor(
    message: string,
    readonly failure: "unreachable" | "refused" = "refused",
    readonly next: readonly NextStep[] = [],
    readonly retryAfter = 0,
  ) {
    super(message);
  }
}

/** Converts an error of the disk to a {@linkcode DownloadError}; returns others as they are. */
export function explainWriteError(error: unknown, path: string): unknown {
  if (error instanceof TransientError) return error;
  const explained = explainSystemError(error, `save ${path}`);
  return explained === null ? error : new DownloadError(explained.problem!, "disk", { cause: error });
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
  /** Longest time for a kilobyte, in milliseconds. @default {30000} */
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
const LEAST_PROGRESS = 1024; // bytes; less in the longest time allowed is as good as nothing
const TRY_LATER: NextStep = { advice: "try again later" };
const LOG_IN: NextStep = { advice: "log in to the network, or check its proxy (HTTPS_PROXY), and try again" };
const TRUST: NextStep = {
  advice: "if your network checks connections with a certificate of its own, trust the machine's by " +
    "DENO_TLS_CA_STORE=mozilla,system or give it by DENO_CERT=FILE",
};

/**
 * Requests `url` once. Only the statuses 200, 206 and 416 are returned.
 *
 * @throws {TransientError} If there is no answer, or a retryable status.
 * @throws {DownloadError} If the server refuses, or the answer cannot be the file.
 */
export async function request(
  url: string,
  headers: Record<string, string>,
  { answerTimeout = 15_000, stallTimeout = 30_000 }: NetworkOptions = {},
): Promise<Answer> {
  const abort = new AbortController();
  const watch = createWatch(abort);
  watch.start(answerTimeout, new TransientError(`no answer ${forSeconds(answerTimeout)}`, "unreachable"));
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
  const { status, statusText } = response;
  const cancel = () => response.body?.cancel() ?? Promise.resolve();
  const refuse = async (why: string, ...next: NextStep[]) => {
    await cancel();
    return new DownloadError({ what: `download ${url}`, why, next }, "refused");
  };
  if (![200, 206, 416].includes(status)) {
    const why = `the server answered ${`${status} ${statusText}`.trim()}`;
    if (!TRANSIENT_STATUSES.includes(status)) throw await refuse(why);
    await cancel();
    const seconds = Number(response.headers.get("Retry-After") ?? 0) || 0;
    throw new TransientError(why, "refused", [TRY_LATER], Math.min(seconds * 1000, LONGEST_RETRY_AFTER));
  }
  if (url.startsWith("https:") && !response.url.startsWith("https:")) {
    throw await refuse(`it was redirected to ${response.url}, where anybody could change it`, LOG_IN);
  }
  if (status !== 416 && response.headers.get("Content-Type")?.startsWith("text/html")) {
    throw await refuse("a web page came instead of the file", LOG_IN);
  }
  const encoding = response.headers.get("Content-Encoding") ?? "identity";
  if (encoding !== "identity") throw await refuse(`it came compressed (${encoding}), unasked`, TRY_LATER);
  return { status, headers: response.headers, body: readBody(response, watch, stallTimeout), cancel };
}

async function* readBody(
  response: Response,
  watch: ReturnType<typeof createWatch>,
  stallTimeout: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (!response.body) return;
  const reader = response.body.getReader();
  let waited = 0; // for the bytes of `arrived`
  let arrived = 0;
  try {
    while (true) {
      const start = performance.now();
      watch.start(
        stallTimeout - waited,
        new TransientError(`the transfer stalled ${forSeconds(stallTimeout)}`),
      );
      const { done, value } = await reader.read().catch((error) => {
        throw explainNetworkError(error);
      }).finally(watch.stop);
      if (done) return;
      arrived += value.length;
      waited += performance.now() - start;
      if (arrived >= LEAST_PROGRESS) arrived = waited = 0;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {/* the connection is closed already */});
  }
}

const forSeconds = (milliseconds: number) => `for ${Math.round(milliseconds / 1000)} s`;

/** Creates a timer that aborts the request unless it is stopped in time. */
function createWatch(abort: AbortController) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    start(milliseconds: number, error: TransientError) {
      timer = setTimeout(() => abort.abort(error), milliseconds);
    },
    stop: () => clearTimeout(timer),
  };
}

/** Finds the reason of a failed `fetch`: TypeError for a network error, Error for wrong settings of TLS. */
function explainNetworkError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof TransientError) return error;
  const { message } = error.cause instanceof Error ? error.cause : error;
  const needed = /Requires \w+ access to .*/.exec(message)?.[0]; // by a SOCKS proxy
  if (needed !== undefined) return new Deno.errors.NotCapable(needed);
  const reason = message.replace(/^.*client error \(\w+\): |^Fetch failed: /s, "") || "the request failed";
  if (/certificate|CA file/.test(reason)) return new TransientError(reason, "refused", [TRUST]);
  if (!(error instanceof TypeError)) return error;
  if (reason === "unsuccessful tunnel") {
    return new TransientError("the proxy of HTTPS_PROXY lets no connection through", "unreachable");
  }
  const isOffline = /\(Connect\)|dns error|tcp \w+ error/.test(message) && !/corrupt message/.test(reason);
  return new TransientError(reason, isOffline ? "unreachable" : "refused");
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
 * @throws {DownloadError} `unreachable` or `refused` if nothing ever arrived, else `interrupted`.
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
        if (bytes >= most + LEAST_PROGRESS) [most, failures] = [bytes, 0];
      });
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
      failures++;
      // without a network two attempts are enough
      if (failures >= (hasStarted ? attempts : Math.min(attempts, 2))) {
        throw explainFailure(error, url, hasStarted);
      }
      const pause = Math.max(error.retryAfter, retryDelay * 2 ** (failures - 1));
      await new Promise((done) => setTimeout(done, pause));
    }
  }
}

function explainFailure({ message, failure, next }: TransientError, url: string, hasStarted: boolean) {
  if (hasStarted) {
    const resume = { advice: "try again, which resumes it" };
    const what = `finish the download of ${url}`;
    return new DownloadError({ what, why: message, next: [resume] }, "interrupted");
  }
  const what = failure === "unreachable" ? `reach ${new URL(url).host}` : `download ${url}`;
  return new DownloadError({ what, why: message, next }, failure);
}
