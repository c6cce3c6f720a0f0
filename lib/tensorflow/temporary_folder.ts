import { dirname, join } from "node:path";

/** A folder for files that another program or library reads. Disposing it removes it. */
export interface TemporaryFolder extends Disposable {
  readonly path: string;
}

const PREFIX = "dynamic-filters-";

/**
 * Creates a folder in `TMPDIR`. Those of processes that were killed are removed: a living process has its
 * folder locked.
 */
export function makeTemporaryFolder(): TemporaryFolder {
  const path = Deno.makeTempDirSync({ prefix: PREFIX });
  const lock = Deno.openSync(path);
  tryLock(lock);
  removeLeftovers(dirname(path));
  return {
    path,
    [Symbol.dispose]() {
      Deno.removeSync(path, { recursive: true });
      lock.close();
    },
  };
}

const cleaned = new Set<string>();

function removeLeftovers(folder: string): void {
  if (cleaned.has(folder)) return;
  cleaned.add(folder);
  const names = attempt(() => [...Deno.readDirSync(folder)]) ?? [];
  for (const { name, isDirectory } of names) {
    if (isDirectory && name.startsWith(PREFIX)) attempt(() => removeIfAbandoned(join(folder, name)));
  }
}

function removeIfAbandoned(path: string): void {
  const age = Date.now() - Deno.statSync(path).mtime!.getTime();
  if (age < 60_000) return; // it may not be locked yet
  using lock = Deno.openSync(path);
  if (tryLock(lock)) Deno.removeSync(path, { recursive: true });
}

/** Tries to lock an open folder; on network drives without locks nothing is removed. */
function tryLock(folder: Deno.FsFile): boolean {
  return attempt(() => folder.tryLockSync(true)) ?? false;
}

/** Tidying up is no reason to fail: a leftover may be another user's, or be gone already. */
function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}
