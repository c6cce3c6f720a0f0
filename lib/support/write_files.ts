/**
 * Writes files so that each holds its old content or its new one, whatever happens: the new content goes to a
 * temporary file beside it, which is synced and renamed, and the folder is synced.
 *
 * Symbolic links and the file's mode stay. Into devices, pipes and mounted files the content is written.
 */
import { dirname, join, resolve } from "@std/path";
import { InputError } from "./errors.ts";
import { exists, statOrNull } from "./files.ts";
import { tryLock } from "./lock.ts";
import { explainSystemError, systemErrorName, withSystemErrors } from "./system_errors.ts";

/** A file to write. */
export interface FileToWrite {
  /** Path of the file. */
  path: string;
  /** Content of the file. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** Replaces a file. @throws {InputError} If that fails; the old file stays. */
export function writeFileAtomically(path: string, bytes: Uint8Array<ArrayBuffer>): void {
  replaceFiles([{ path, bytes }]);
}

/** Replaces a text file, as {@linkcode writeFileAtomically} does. */
export function writeText(path: string, text: string): void {
  writeFileAtomically(path, new TextEncoder().encode(text));
}

/**
 * Replaces files that belong together, none before all of them are on the disk, and makes their folders.
 *
 * @throws {InputError} If one cannot be written; the old files stay.
 */
export function writeFiles(files: readonly FileToWrite[]): void {
  for (const { path } of files) if (!isStream(path) && !exists(path)) makeFolder(dirname(path));
  replaceFiles(files);
}

function replaceFiles(files: readonly FileToWrite[]): void {
  const staged: StagedFile[] = [];
  try {
    for (const { path, bytes } of files) {
      staged.push(withSystemErrors(`write ${path}`, () => stage(path, bytes)));
    }
    for (const { path, commit } of staged) withSystemErrors(`write ${path}`, commit);
  } finally {
    for (const { discard } of staged) discard();
  }
}

/** Appends to a file, which is created if it is missing; the text is on the disk when this returns. */
export function appendText(path: string, text: string): void {
  withSystemErrors(`write ${path}`, () => {
    using file = Deno.openSync(path, { append: true, create: true });
    writeAll(file, new TextEncoder().encode(text));
    file.syncSync();
  });
}

/** A complete file without a name of its own yet; disposing it closes it, and removes it if it got none. */
export interface UnnamedFile extends Disposable {
  /** Open for writing, and locked where the file system has locks. */
  file: Deno.FsFile;
  /** Gives it a name; false if there is a file of that name. Only one of several hosts gets a name. */
  nameIt(path: string): boolean;
}

/** Writes a file that is to be named later, in the same folder; its content is on the disk. */
export function writeUnnamed(folder: string, text: string): UnnamedFile {
  return withSystemErrors(`write a file in ${folder}`, () => {
    const { path: temporary, file } = createTemporary(folder, null);
    const removeName = () => ignoreSystemErrors(() => Deno.removeSync(temporary));
    const dispose = () => {
      removeName();
      file.close();
    };
    try {
      writeAll(file, new TextEncoder().encode(text));
      file.syncSync();
    } catch (error) {
      dispose();
      throw error;
    }
    const nameIt = (path: string) => {
      try {
        Deno.linkSync(temporary, path);
      } catch (error) {
        if (systemErrorName(error) !== "EEXIST") throw explainSystemError(error, `write ${path}`) ?? error;
        // a network file system may make a link and lose the answer: then its second try finds the first
        if (file.statSync().nlink !== 2) return false;
      }
      syncFolder(folder);
      removeName();
      return true;
    };
    return { file, nameIt, [Symbol.dispose]: dispose };
  });
}

/** Overwrites the beginning of an open file; the text is on the disk when this returns. */
export function rewriteStart(file: Deno.FsFile, text: string): void {
  file.seekSync(0, Deno.SeekMode.Start);
  writeAll(file, new TextEncoder().encode(text));
  file.syncSync();
}

/** Makes a folder, and those above it that are missing; they are on the disk when this returns. */
export function makeFolder(path: string): void {
  if (statOrNull(path)?.isDirectory) return;
  const above = dirname(resolve(path));
  makeFolder(above);
  withSystemErrors(`make the folder ${path}`, () => Deno.mkdirSync(path, { recursive: true }));
  syncFolder(above);
}

/** New content of a file, written beside it. */
interface StagedFile {
  path: string;
  /** Puts it in the file's place. */
  commit(): void;
  /** Removes it if it is still there. */
  discard(): void;
}

function stage(path: string, bytes: Uint8Array<ArrayBuffer>): StagedFile {
  const inPlace = { path, commit: () => overwrite(path, bytes), discard() {} };
  if (isStream(path)) return inPlace;
  const old = statOrNull(path);
  if (old?.isDirectory || old?.isBlockDevice) {
    throw new InputError({ what: `write ${path}`, why: `it is a ${old.isDirectory ? "folder" : "disk"}` });
  }
  if (old !== null && !old.isFile) return inPlace;
  const target = followLinks(path);
  removeLeftovers(dirname(target));
  let temporary: ReturnType<typeof createTemporary>;
  try {
    temporary = createTemporary(dirname(target), old);
  } catch (error) {
    // the folder takes no new file, but the file itself may be writable
    if (old !== null && ["EACCES", "EPERM"].includes(systemErrorName(error)!)) return inPlace;
    throw error;
  }
  const discard = () => {
    temporary.file.close();
    ignoreSystemErrors(() => Deno.removeSync(temporary.path)); // it is not there any more, or cannot be removed
  };
  const commit = () => {
    try {
      Deno.renameSync(temporary.path, target);
    } catch (error) {
      if (systemErrorName(error) !== "EBUSY") throw error;
      return overwrite(target, bytes); // a file that is mounted by itself can only be written into
    }
    syncFolder(dirname(target));
  };
  try {
    writeAll(temporary.file, bytes);
    temporary.file.syncSync();
  } catch (error) {
    discard();
    throw error;
  }
  return { path, commit, discard };
}

/** Follows symbolic links to the file, or to the place where a dangling link wants one. */
function followLinks(path: string): string {
  try {
    return followLinks(resolve(Deno.realPathSync(dirname(path)), Deno.readLinkSync(path)));
  } catch {
    return path; // no link
  }
}

const TEMPORARY = /^\.dynamic-filters-[0-9a-f-]{36}\.tmp$/;

/**
 * Creates a temporary file with the mode and owner of the file that it will replace, and locks it, so that no
 * other process takes it for a leftover.
 */
function createTemporary(folder: string, old: Deno.FileInfo | null) {
  for (;;) {
    const path = join(folder, `.dynamic-filters-${crypto.randomUUID()}.tmp`);
    const mode = old?.mode == null ? undefined : old.mode & 0o777;
    const file = Deno.openSync(path, { write: true, createNew: true, mode });
    tryLock(file);
    const { nlink, uid, gid, mode: given } = file.statSync();
    if (nlink === 0) { // another process removed it before it was locked
      file.close();
      continue;
    }
    if (old !== null && (old.uid !== uid || old.gid !== gid)) {
      ignoreSystemErrors(() => Deno.chownSync(path, old.uid, old.gid)); // only root may give files away
    }
    if (mode !== undefined && (given! & 0o777) !== mode) Deno.chmodSync(path, mode); // past the umask
    return { path, file };
  }
}

const cleaned = new Set<string>();

/** Removes the temporary files of this program's processes that ended while they wrote into a folder. */
function removeLeftovers(folder: string): void {
  if (cleaned.has(folder)) return;
  cleaned.add(folder);
  ignoreSystemErrors(() => {
    for (const { name } of Deno.readDirSync(folder)) {
      if (TEMPORARY.test(name)) ignoreSystemErrors(() => removeIfAbandoned(join(folder, name)));
    }
  });
}

function removeIfAbandoned(path: string): void {
  using file = Deno.openSync(path, { write: true });
  const hours = (Date.now() - file.statSync().mtime!.getTime()) / 3600e3;
  const state = tryLock(file);
  if (state === "locked" || (state === "unsupported" && hours > 24)) Deno.removeSync(path);
}

/** Tells this process's own streams. A file behind one would lose its place, or what is printed later. */
export function isStream(path: string): boolean {
  return path === "/dev/stdout" || path === "/dev/stderr";
}

function overwrite(path: string, bytes: Uint8Array): void {
  if (isStream(path)) return writeAll(path === "/dev/stdout" ? Deno.stdout : Deno.stderr, bytes);
  using file = Deno.openSync(path, { write: true, truncate: true });
  writeAll(file, bytes);
  if (file.statSync().isFile) file.syncSync();
}

function writeAll(file: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}

/** Codes of file systems that cannot sync a folder, or of a folder that one may write into but not read. */
const CANNOT_SYNC = ["EINVAL", "ENOTSUP", "ENOSYS", "EBADF", "EACCES"];

/** Puts the names of a folder's files on the disk. */
export function syncFolder(path: string): void {
  try {
    using folder = Deno.openSync(path);
    folder.syncSync();
  } catch (error) {
    if (!CANNOT_SYNC.includes(systemErrorName(error)!)) throw error;
  }
}

function ignoreSystemErrors(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (systemErrorName(error) === null) throw error;
  }
}
