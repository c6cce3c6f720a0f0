/**
 * Runs `work` while no other process (and no other call here) holds the same folder: two runs started at once must not both
 * download into it. The lock is the operating system's, on the folder itself: it leaves no file and ends with the process.
 *
 * @param folder Created if it is missing.
 * @param onWait Called once if somebody else holds the lock.
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
  return await work(); // closing the handle gives the lock back
}

/** Some network file systems know no locks on folders: there the user sees to it that no two runs start at once. */
async function tryLock(handle: Deno.FsFile): Promise<boolean> {
  try {
    return await handle.tryLock(true);
  } catch (error) {
    const { code } = error as { code?: string };
    if (["EBADF", "ENOLCK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(code ?? "")) return true;
    throw error;
  }
}
