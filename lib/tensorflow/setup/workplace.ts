import { join, relative } from "@std/path";
import { withFolderLock } from "../../support/lock.ts";
import { Interrupted } from "../../support/interrupt.ts";
import { tensorflowFolder } from "../runtime/runtime.ts";
import { type SetupReporter, STDERR_REPORTER } from "./reporter.ts";

const SIGNALS: Deno.Signal[] = ["SIGINT", "SIGTERM"];

/** What one set-up works with while it holds the project's lock. */
export interface Workplace {
  project: string;
  reporter: SetupReporter;
  /** A folder on the project's own disk for what is not finished; it goes when the set-up ends. */
  staging: string;
  log: SetupLog;
  /** Ends when the user wants to stop. */
  signal: AbortSignal;
}

/** The file that holds what every program said. */
export interface SetupLog {
  path: string;
  write(text: string): void;
}

/** The project a set-up is for and where it reports. */
export interface SetupOptions {
  /** The project's top folder. */
  project: string;
  /** @default standard error */
  reporter?: SetupReporter;
}

/**
 * Runs `work` while no other set-up of this project runs, with an empty staging folder and a log.
 *
 * What an earlier set-up left unfinished is removed. Ctrl-C and SIGTERM stop the programs it has called and remove the staging
 * folder.
 *
 * @throws {Interrupted} If the user stopped it.
 */
export async function withWorkplace<T>(
  options: SetupOptions,
  work: (place: Workplace) => Promise<T>,
): Promise<T> {
  const { project, reporter = STDERR_REPORTER } = options;
  const folder = tensorflowFolder(project);
  const tellToWait = () => reporter.line("Waiting for another set-up in this folder to finish …");
  return await withFolderLock(folder, tellToWait, async () => {
    await removeStaging(folder);
    const staging = join(folder, `staging-${Deno.pid}`);
    const stop = new AbortController();
    const onSignal = () => stop.abort();
    for (const signal of SIGNALS) Deno.addSignalListener(signal, onSignal);
    await Deno.mkdir(staging, { recursive: true });
    const log = openLog(join(folder, "setup.log"));
    try {
      return await work({ project, reporter, staging, log, signal: stop.signal });
    } catch (error) {
      if (stop.signal.aborted) throw new Interrupted("Set-up stopped; it starts afresh the next time.");
      throw error;
    } finally {
      for (const signal of SIGNALS) Deno.removeSignalListener(signal, onSignal);
      await Deno.remove(staging, { recursive: true });
    }
  });
}

/** A log's place as the user would type it, from the project's folder. */
export function logPlace({ project, log }: Workplace): string {
  return relative(project, log.path);
}

/** Puts a finished folder in the place of another; the old one, if any, goes with the staging folder. */
export async function replaceFolder(finished: string, path: string, { staging }: Workplace): Promise<void> {
  try {
    await Deno.rename(path, join(staging, `old-${crypto.randomUUID()}`));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await Deno.rename(finished, path);
}

async function removeStaging(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (name.startsWith("staging-")) await Deno.remove(join(folder, name), { recursive: true });
  }
}

function openLog(path: string): SetupLog {
  Deno.writeTextFileSync(path, `${new Date().toISOString()}\n`);
  return { path, write: (text) => Deno.writeTextFileSync(path, text, { append: true }) };
}
