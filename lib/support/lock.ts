/**
 * Locks between processes. They are the operating system's: a process that ends for any reason releases its
 * own.
 *
 * @module
 */

/**
 * Locks a file, which is created if it is missing.
 *
 * @returns The lock, or null if another process holds it.
 */
export function tryLockFile(path: string): Disposable | null {
  const file = Deno.openSync(path, { write: true, create: true });
  if (file.tryLockSync(true)) return file;
  file.close();
  return null;
}

/**
 * Runs `work` while no other process, and no other call here, holds the lock of the same folder. The lock is
 * on the folder itself and leaves no file.
 *
 * @param folder Created if it is missing.
 * @param onWait Called once if another process holds the lock.
 */
export async function withFolderLock<T>(
  folder: string,
  onWait: () => void,
  work: () => Promise<T>,
): Promise<T> {
  await Deno.mkdir(folder, { recursive: true });
  using handle = await Deno.open(folder);
  if (!await tryLock(handle)) {
    onWait();
    await handle.lock(true);
  }
  return await work();
}

/** Some network file systems cannot lock folders: there the user must run one process at a time. */
async function tryLock(handle: Deno.FsFile): Promise<boolean> {
  try {
    return await handle.tryLock(true);
  } catch (error) {
    const { code } = error as { code?: string };
    if (["EBADF", "ENOLCK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(code ?? "")) return true;
    throw error;
  }
}
