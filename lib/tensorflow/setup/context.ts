import { join, relative } from "node:path";
import { SetupInterrupted } from "../errors.ts";

/** Receives the messages of a set-up. */
export interface SetupReporter {
  /** A permanent line. */
  line(text: string): void;
  /** Progress of the last line's work, several times per second. @default one line every 15 s */
  live?(text: string): void;
}

const STDERR_REPORTER: SetupReporter = { line: (text) => console.error(text) };

/** Folders and messages of a set-up. */
export interface SetupOptions {
  /** Folder of the installation, also for the log and unfinished files. */
  folder: string;
  /** Python environment to fetch packages with; made where it is missing. @default `venv` in the folder */
  venv?: string;
  /** Receives messages. @default standard error, line by line */
  reporter?: SetupReporter;
}

/** The state of one set-up while it holds the folder's lock. */
export interface SetupContext extends Required<SetupOptions> {
  /** Folder on the same disk for unfinished files; it is removed when the set-up ends. */
  staging: string;
  /** Log file with the output of every program. */
  log: { path: string; write(text: string): void };
  /** Aborted when the user wants to stop. */
  signal: AbortSignal;
}

const SIGNALS: Deno.Signal[] = ["SIGINT", "SIGTERM"];

/**
 * Runs `work` while no other set-up of this folder runs, with an empty staging folder and a log.
 *
 * Unfinished files of an earlier set-up are removed. Ctrl-C and SIGTERM stop the programs it has called and
 * remove the staging folder.
 *
 * @throws {SetupInterrupted} If the user stopped it.
 */
export async function withSetup<T>(
  options: SetupOptions,
  work: (context: SetupContext) => Promise<T>,
): Promise<T> {
  const { folder, venv = join(folder, "venv"), reporter = STDERR_REPORTER } = options;
  return await withFolderLock(folder, (text) => reporter.line(text), async () => {
    await removeStaging(folder);
    const staging = join(folder, `staging-${Deno.pid}`);
    const stop = new AbortController();
    const onSignal = () => stop.abort();
    for (const signal of SIGNALS) Deno.addSignalListener(signal, onSignal);
    await Deno.mkdir(staging, { recursive: true });
    const path = join(folder, "setup.log");
    const write = (text: string, append = true) => Deno.writeTextFileSync(path, text, { append });
    write(`${new Date().toISOString()}\n`, false);
    try {
      return await work({ folder, venv, reporter, staging, log: { path, write }, signal: stop.signal });
    } catch (error) {
      throw stop.signal.aborted ? new SetupInterrupted({ cause: error }) : error;
    } finally {
      for (const signal of SIGNALS) Deno.removeSignalListener(signal, onSignal);
      await Deno.remove(staging, { recursive: true });
    }
  });
}

/** Returns the log's path as the user would type it. */
export function logPath({ log }: SetupContext): string {
  const path = relative(Deno.cwd(), log.path);
  return path.startsWith("..") ? log.path : path;
}

/** Replaces a folder by a finished one; the old one, if any, is removed with the staging folder. */
export async function replaceFolder(
  finished: string,
  path: string,
  { staging }: SetupContext,
): Promise<void> {
  try {
    await Deno.rename(path, join(staging, `old-${crypto.randomUUID()}`));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await Deno.rename(finished, path);
}

/**
 * Runs `work` while no other process holds the folder. The lock is the operating system's, on the folder
 * itself: it leaves no file and ends with the process. Duplicated from the project's support code so
 * that the package is self-contained.
 */
async function withFolderLock<T>(
  folder: string,
  report: (text: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  await Deno.mkdir(folder, { recursive: true });
  using handle = await Deno.open(folder);
  const state = tryLock(handle);
  if (state === "unsupported") report(`The file system of ${folder} has no locks: start no second set-up.`);
  if (state === "taken") {
    report("Waiting for another set-up in this folder to finish …");
    await handle.lock(true);
  }
  return await work(); // closing the handle releases the lock
}

/** Tries to lock a folder; some network file systems have no locks. */
function tryLock(handle: Deno.FsFile): "locked" | "taken" | "unsupported" {
  try {
    return handle.tryLockSync(true) ? "locked" : "taken";
  } catch (error) {
    // EBADF, ENOLCK, ENOSYS, ENOTSUP: for some of them Deno gives no code
    if (/\(os error (9|37|38|95)\)/.test((error as Error).message)) return "unsupported";
    throw error;
  }
}

async function removeStaging(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (name.startsWith("staging-")) await Deno.remove(join(folder, name), { recursive: true });
  }
}
