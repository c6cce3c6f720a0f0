/** Words for errors of the operating system: a full disk, a folder in the way, no permission. */
import { constants } from "node:os";
import { InputError, type NextStep } from "./errors.ts";

const CHANGE = "change the permissions or choose another folder";
const FREE = "free some space and try again";

/** Reasons by the error's name, each with a remedy where there is one. Other errors are bugs. */
const REASONS: Record<string, [why: string, advice?: string]> = {
  ENOENT: ["there is no such file or folder"],
  ENOTDIR: ["a part of the path is a file and no folder"],
  EISDIR: ["it is a folder"],
  EEXIST: ["there is already something of that name"],
  ENOTEMPTY: ["the folder is not empty"],
  ELOOP: ["its symbolic links lead in a circle"],
  EACCES: ["you are not allowed to", CHANGE],
  EPERM: ["you are not allowed to", CHANGE],
  EROFS: ["that disk can only be read", "choose another folder"],
  ENOSPC: ["the disk is full", FREE],
  EDQUOT: ["your disk quota is used up", FREE],
  EFBIG: ["the file would be larger than allowed", "raise the limit with ulimit -f or choose another disk"],
  ENAMETOOLONG: ["no file or folder may have a name that long", "give a shorter one"],
  EBUSY: ["another program or a mount uses it", "choose another path"],
  ETXTBSY: ["it is a program that runs", "wait until it has ended"],
  EXDEV: ["it would have to move to another disk", "choose a path on the same disk"],
  EMFILE: ["too many files are open", "raise the limit with ulimit -n"],
  ENFILE: ["the whole machine has too many files open", "close some programs"],
  EMLINK: ["it has too many links"],
  EIO: ["the disk or network drive reports an error", "check it, or choose another folder"],
  ESTALE: ["the network drive no longer knows the file", "mount it again, or choose another folder"],
  ENODEV: ["the device cannot do that"],
  ENXIO: ["nothing is at the other end of that device or pipe"],
  ETIMEDOUT: ["the network drive does not answer", "check the network"],
  EHOSTDOWN: ["the network drive does not answer", "check the network"],
  ENOTCONN: ["the network drive is no longer connected", "mount it again"],
  ENOLCK: ["the file system has no locks"],
  ENOSYS: ["the file system cannot do that", "choose another folder"],
  ENOTSUP: ["the file system cannot do that", "choose another folder"],
  EOVERFLOW: ["the file is too large for this system"],
  EAGAIN: ["what reads it takes nothing"],
  ENOMEM: ["the machine is out of memory", "close other programs"],
};

/** Names by number; ENOTSUP and EOPNOTSUPP share one: the first is kept. */
const NAMES = new Map(Object.entries(constants.errno).reverse().map(([name, number]) => [number, name]));

/**
 * Names an error of the operating system, `ENOSPC`; null for any other error.
 *
 * Deno gives no `code` for many of them: the number stands in the message.
 */
export function systemErrorName(error: unknown): string | null {
  if (!(error instanceof Error) || error instanceof InputError) return null; // its sentence may quote a number
  const number = /\(os error (\d+)\)/.exec(error.message)?.[1];
  if (number !== undefined) return NAMES.get(Number(number)) ?? null;
  const { code } = error as { code?: unknown };
  return typeof code === "string" && code in constants.errno ? code : null;
}

/** Verbs for messages, by Deno's name of the operation. */
const VERBS: Record<string, string> = {
  readfile: "read",
  writefile: "write",
  mkdir: "make the folder",
  readdir: "list",
  stat: "read",
  lstat: "read",
  realpath: "read",
  tmpdir: "make a temporary folder",
};

/**
 * Explains an error of the operating system to the user; null if it is none, or one that only a bug causes.
 *
 * @param what Completes "Cannot …", as in {@linkcode InputError}. By default the operation and the path that
 * the error names.
 */
export function explainSystemError(error: unknown, what = describeOperation(error)): InputError | null {
  const name = systemErrorName(error);
  if (name === null || !Object.hasOwn(REASONS, name)) return null;
  const isTemporary = (error as Error).message.endsWith(": tmpdir");
  const [why, advice] = [REASONS[name][0], isTemporary ? "set TMPDIR to another folder" : REASONS[name][1]];
  const next: NextStep[] = advice === undefined ? [] : [{ advice }];
  return new InputError({ what, why, next }, { cause: error });
}

/**
 * Does something with files; an error of the operating system becomes an {@linkcode InputError}.
 *
 * @param what Completes "Cannot …": `write /a/b.svg`.
 */
export function withSystemErrors<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explainSystemError(error, what) ?? error;
  }
}

/** Reads "Not a directory (os error 20): open 'a/b'". */
function describeOperation(error: unknown): string {
  const { message = "", path } = (error ?? {}) as { message?: string; path?: unknown };
  const [, operation, given] = /: (\w+)(?: '([^]*)')?$/.exec(message) ?? [];
  const verb = operation === undefined ? "use" : VERBS[operation] ?? operation;
  if (operation === "tmpdir") return `${verb} in ${Deno.env.get("TMPDIR") || "/tmp"}`;
  const object = given?.replace("' -> '", " to ") ?? path ?? "a file";
  return `${verb} ${object}`;
}
