import { basename, dirname, join } from "@std/path";

/** Replaces the file at `path` by `bytes`: written beside it, synced, renamed. On an error the old file stays. */
export function writeFileAtomically(path: string, bytes: Uint8Array<ArrayBuffer>): void {
  const temporary = join(dirname(path), `.${basename(path)}.${Deno.pid}.tmp`);
  try {
    using file = Deno.openSync(temporary, { write: true, create: true, truncate: true });
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    file.syncSync();
    Deno.renameSync(temporary, path);
  } catch (error) {
    try {
      Deno.removeSync(temporary);
    } catch { /* it was not there: the first error is the one to tell */ }
    throw error;
  }
}
