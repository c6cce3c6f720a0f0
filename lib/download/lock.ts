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
  if (!await handle.tryLock(true)) {
    onWait();
    await handle.lock(true);
  }
  return await work(); // closing the handle gives the lock back
}
