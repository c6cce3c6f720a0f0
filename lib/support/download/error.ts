import { InputError } from "../errors.ts";

/** Why a download failed: whoever asked decides by it whether there is another way. */
export type DownloadFailure =
  /** No useful answer at all (no network, no such host, the server is down): the machine is as good as offline. */
  | "unreachable"
  /** The transfer had begun and broke off too often. */
  | "interrupted"
  /** The server answered that it will not give this file (404, 403 …). */
  | "refused"
  /** What came is not what was expected. */
  | "damaged"
  /** The file could not be written here. */
  | "disk";

/** A file could not be fetched. Its message is a complete sentence, see {@linkcode InputError}. */
export class DownloadError extends InputError {
  override name = "DownloadError";

  /** Creates an error with its sentence and the kind of failure. */
  constructor(message: string, readonly failure: DownloadFailure, options?: ErrorOptions) {
    super(message, options);
  }
}

/** A failure that may pass: the attempt is worth repeating. Never leaves `lib/download`. */
export class PassingError extends Error {
  override name = "PassingError";

  /** Creates the error; `retryAfter` is the pause in milliseconds that the server asked for. */
  constructor(message: string, readonly retryAfter = 0) {
    super(message);
  }
}

/** Tells a full disk or a missing right apart from a fault of ours. */
export function explainWriteError(error: unknown, path: string): unknown {
  const code = (error as { code?: string }).code;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new DownloadError(
      `Cannot save ${path}: the disk is full; free some space and run this again.`,
      "disk",
      { cause: error },
    );
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return new DownloadError(
      `Cannot save ${path}: this user may not write there; change the folder's rights and run this again.`,
      "disk",
      { cause: error },
    );
  }
  return error;
}
