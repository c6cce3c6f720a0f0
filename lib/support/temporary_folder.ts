const PREFIX = "dynamic-filters-";

/**
 * Creates a folder in `TMPDIR` for files that another program or library reads; disposing it removes it.
 * Removes those of killed processes too: a living one's is locked.
 */
export function makeTemporaryFolder() {
  const path = Deno.makeTempDirSync({ prefix: PREFIX });
  const lock = Deno.openSync(path);
  attempt(() => lock.tryLockSync(true));
  removeLeftovers(path.slice(0, path.lastIndexOf("/")));
  return {
    path,
    [Symbol.dispose]() {
      Deno.removeSync(path, { recursive: true });
      lock.close();
    },
  };
}

function removeLeftovers(folder: string): void {
  const names = attempt(() => [...Deno.readDirSync(folder)]) ?? [];
  for (const { name, isDirectory } of names) {
    if (isDirectory && name.startsWith(PREFIX)) attempt(() => removeIfAbandoned(`${folder}/${name}`));
  }
}

function removeIfAbandoned(path: string): void {
  const age = Date.now() - Deno.statSync(path).mtime!.getTime();
  if (age < 60_000) return; // it may not be locked yet
  using lock = Deno.openSync(path);
  if (lock.tryLockSync(true)) Deno.removeSync(path, { recursive: true });
}

/** Ignores errors: a leftover may be another user's, or be gone already; a drive may have no locks. */
function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}
