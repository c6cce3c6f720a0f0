/**
 * A run's folder `checkpoints/<run>/`: who may write to it, and what lies where.
 *
 * @module
 */
import { basename, dirname, join, resolve } from "@std/path";
import { writeFileAtomically } from "../support/files.ts";
import { InputError } from "../support/errors.ts";
import { projectFolder } from "../support/project.ts";
import type { Environment } from "./progress.ts";
import { RECORDED_KEY, type TrainConfig } from "./config.ts";
import type { EpochRecord } from "./observer.ts";

/** The folder of all runs, unless another is asked for: `checkpoints`, or the environment variable `CHECKPOINTS_DIR`. */
export function defaultRunsFolder(): string {
  return resolve(Deno.env.get("CHECKPOINTS_DIR") || join(projectFolder(), "checkpoints"));
}

/** A run's folder, locked for this process until it is closed. */
export interface RunFolder {
  path: string;
  /** The checkpoint of the best epoch so far. */
  best: string;
  /** The checkpoint to go on from. */
  last: string;
  /** Where TensorBoard's event files go. */
  events: string;
  /** Writes `config.json`: the options, and what the run found out. */
  writeConfig(config: TrainConfig, recorded: Environment): void;
  /** Writes `history.jsonl` anew: on going on, lines later than the checkpoint are dropped. */
  writeHistory(records: EpochRecord[]): void;
  /** Adds a line to `history.jsonl`, on disk when this returns. */
  appendHistory(record: EpochRecord): void;
  /** Lets others train the run. */
  [Symbol.dispose](): void;
}

/**
 * Opens a run's folder for a training.
 *
 * @param isNew Whether the run is to be begun; else it must be there.
 * @throws {InputError} If a new run would overwrite one, or another process trains it.
 */
export function openRunFolder(path: string, isNew: boolean): RunFolder {
  const run = basename(path);
  const file = (name: string) => join(path, name);
  Deno.mkdirSync(path, { recursive: true });
  const lock = Deno.openSync(file(".lock"), { write: true, create: true });
  const refuse = (why: string) => {
    lock.close();
    return new InputError(`Run ${run} is ${why}.`);
  };
  if (!lock.tryLockSync(true)) { // the system frees it when the process ends, however it ends
    throw refuse("being trained by another process: wait for it, or choose another name by --run NAME");
  }
  if (isNew && hasCheckpoint(path)) throw refuse(describeExisting(path));
  removeTemporaryFiles(path);
  return {
    path,
    best: file("best.safetensors"),
    last: file("last.safetensors"),
    events: file("tensorboard"),
    writeConfig: (config, recorded) =>
      writeText(file("config.json"), JSON.stringify({ ...config, [RECORDED_KEY]: recorded }, null, 2) + "\n"),
    writeHistory: (records) => writeText(file("history.jsonl"), records.map(formatLine).join("")),
    appendHistory: (record) => {
      using history = Deno.openSync(file("history.jsonl"), { append: true, create: true });
      history.writeSync(new TextEncoder().encode(formatLine(record)));
      history.syncSync();
    },
    [Symbol.dispose]: () => lock.close(),
  };
}

/**
 * Checks that a new run would not overwrite one: what {@linkcode openRunFolder} does too, but at once.
 *
 * @throws {InputError} If it would.
 */
export function checkNewRun(path: string): void {
  if (hasCheckpoint(path)) throw new InputError(`Run ${basename(path)} is ${describeExisting(path)}.`);
}

function hasCheckpoint(path: string): boolean {
  return exists(join(path, "last.safetensors")) || exists(join(path, "best.safetensors"));
}

function describeExisting(path: string): string {
  return `already in ${path}: go on with it by --resume ${
    basename(path)
  }, choose another name by --run NAME, or delete the folder`;
}

/**
 * Finds the checkpoint that `RUN|FILE` means: a file as it is, a folder's or run's last one, or its best.
 *
 * @param which Which of a run's two.
 * @throws {InputError} If there is none.
 */
export function findCheckpoint(
  runOrFile: string,
  which: "best" | "last",
  runsFolder: string = defaultRunsFolder(),
): string {
  if (isFile(runOrFile)) return runOrFile;
  for (const folder of [join(runsFolder, runOrFile), runOrFile]) {
    const path = join(folder, `${which}.safetensors`);
    if (isFile(path)) return path;
  }
  const runs = listRuns(runsFolder);
  throw new InputError(
    `Cannot find a checkpoint of ${runOrFile}: there is no such file, and no ${which}.safetensors in ${
      join(runsFolder, runOrFile)
    }; ` +
      (runs.length > 0 ? `runs here are ${runs.join(", ")}.` : "there are no runs yet."),
  );
}

/** The folder of the run that a checkpoint belongs to. */
export function runFolderOf(checkpoint: string): string {
  return dirname(checkpoint);
}

/** Names of the runs that have a checkpoint, sorted. */
export function listRuns(runsFolder: string = defaultRunsFolder()): string[] {
  if (!exists(runsFolder)) return [];
  return [...Deno.readDirSync(runsFolder)]
    .filter(({ name, isDirectory }) => isDirectory && hasCheckpoint(join(runsFolder, name)))
    .map(({ name }) => name).sort();
}

/** What a process that was killed was writing; who holds the lock is the only one to write here. */
function removeTemporaryFiles(path: string): void {
  for (const { name } of Deno.readDirSync(path)) {
    if (/^\..+\.\d+\.tmp$/.test(name)) Deno.removeSync(join(path, name));
  }
}

function formatLine(record: EpochRecord): string {
  return JSON.stringify(record) + "\n";
}

function writeText(path: string, text: string): void {
  writeFileAtomically(path, new TextEncoder().encode(text));
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

function isFile(path: string): boolean {
  return exists(path) && Deno.statSync(path).isFile;
}
