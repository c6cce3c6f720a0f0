/**
 * Locks between processes. They are the operating system's: a process that ends for any reason releases its
 * own.
 */

import { dirname } from "@std/path";
import { statOrNull } from "./files.ts";
import { systemErrorName } from "./system_errors.ts";

/** Errors of network file systems (Lustre, some NFS) that have no locks. */
const NO_LOCKS = ["ENOLCK", "ENOTSUP", "ENOSYS", "EBADF"];

/** Tries to lock an open file or folder; the lock ends when it is closed. */
export function tryLock(file: Deno.FsFile): "locked" | "taken" | "unsupported" {
  try {
    return file.tryLockSync(true) ? "locked" : "taken";
  } catch (error) {
    if (NO_LOCKS.includes(systemErrorName(error)!)) return "unsupported";
    throw error;
  }
}

/** A locked file; disposing it releases the lock. */
export interface FileLock extends Disposable {
  /** Tells whether the path still leads to the locked file: it may have been deleted, and another begun. */
  isInPlace(): boolean;
}

/**
 * Locks a file, which is created if it is missing.
 *
 * @param log Receives a message where the file system has no locks: the file counts as locked.
 * @returns The lock, or null if another process holds it.
 */
export function tryLockFile(path: string, log: (message: string) => void): FileLock | null {
  const file = Deno.openSync(path, { write: true, create: true });
  const state = tryLock(file);
  if (state === "unsupported") log(warnOfNoLocks(dirname(path)));
  if (state === "taken") {
    file.close();
    return null;
  }
  const { dev, ino } = file.statSync();
  const isInPlace = () => {
    const now = statOrNull(path);
    return now !== null && now.dev === dev && now.ino === ino;
  };
  return { isInPlace, [Symbol.dispose]: () => file.close() };
}

/**
 * Runs `work` while no other process, and no other call here, holds the lock of the same folder. The lock is
 * on the folder itself and leaves no file.
 *
 * @param folder Created if it is missing.
 * @param log Receives a message if another process holds the lock, or the file system has no locks.
 */
export async function withFolderLock<T>(
  folder: string,
  log: (message: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  await Deno.mkdir(folder, { recursive: true });
  using handle = await Deno.open(folder);
  const state = tryLock(handle);
  if (state === "unsupported") log(warnOfNoLocks(folder));
  if (state === "taken") {
    log(`Waiting for another process that uses ${folder} …`);
    await handle.lock(true);
  }
  return await work();
}

function warnOfNoLocks(folder: string): string {
  return `The file system of ${folder} has no locks: let no other process write there meanwhile.`;
}
