/** A run's folder `checkpoints/<run>/`: its files, and the lock against concurrent trainings. */
import { basename, dirname, join, resolve } from "@std/path";
import { exists, isLink, readJsonOrNull, requireRegularFile, statOrNull } from "../support/files.ts";
import { appendText, makeFolder, writeText } from "../support/write_files.ts";
import { InputError, type NextStep } from "../support/errors.ts";
import { tryLockFile } from "../support/lock.ts";
import { projectFolder } from "../support/project.ts";
import { RECORDED_KEY, type TrainConfig } from "./config.ts";
import type { Environment, EpochRecord } from "./progress.ts";

/** Returns the folder of all runs: `checkpoints`, or the environment variable `CHECKPOINTS_DIR`. */
export function defaultRunsFolder(): string {
  return resolve(Deno.env.get("CHECKPOINTS_DIR") || join(projectFolder(), "checkpoints"));
}

const BEST = "best.safetensors";
const LAST = "last.safetensors";
const FILES = [".lock", "config.json", "history.jsonl", "provenance.json", "tensorboard", BEST, LAST];

/** A run's folder, locked for this process until it is disposed of. */
export type RunFolder = ReturnType<typeof openRunFolder>;

/**
 * Opens and locks a run's folder for a training.
 *
 * @param isNew False to resume the run in it.
 * @param log Receives a message where the file system has no locks.
 * @param requireClaim Throws where another host has taken the run over.
 * @throws {InputError} If a new run would overwrite one, another process trains it, or it holds links.
 */
export function openRunFolder(
  path: string,
  isNew: boolean,
  log: (message: string) => void = () => {},
  requireClaim: () => void = () => {},
) {
  const file = (name: string) => join(path, name);
  refuseLinks(path);
  makeFolder(path);
  const lock = tryLockFile(file(".lock"), log);
  if (lock === null) {
    throw new RunInTrainingError({
      what: `train run ${basename(path)}`,
      why: "another process is training it",
      next: [{ advice: "wait for it" }, ANOTHER_NAME],
    });
  }
  try {
    if (isNew) checkNewRun(path);
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
  const requireOwn = (): void => {
    requireClaim();
    if (lock.isInPlace()) return;
    throw new InputError({
      what: `save run ${basename(path)}`,
      why: `its folder ${path}, or the lock in it, was deleted or replaced while it trained`,
      next: [{ advice: "start a new run" }, { advice: "resume it if its checkpoint is still there" }],
    });
  };
  const write = (name: string, text: string) => {
    requireOwn();
    writeText(file(name), text);
  };
  const formatLine = (record: EpochRecord) => JSON.stringify(record) + "\n";
  return {
    path,
    /** The checkpoint of the best epoch so far. */
    best: file(BEST),
    /** The checkpoint to resume from. */
    last: file(LAST),
    /** Folder of TensorBoard's event files. */
    events: file("tensorboard"),
    /** Checks before each save that the folder was not replaced: another training may be in it. */
    requireOwn,
    writeConfig: (config: TrainConfig, recorded: Environment) =>
      write("config.json", JSON.stringify({ ...config, [RECORDED_KEY]: recorded }, null, 2) + "\n"),
    /** Rewrites `history.jsonl`: on resuming, lines later than the checkpoint are dropped. */
    writeHistory: (records: EpochRecord[]) => write("history.jsonl", records.map(formatLine).join("")),
    /** Appends a line to `history.jsonl`; it is on disk when this returns. */
    appendHistory: (record: EpochRecord): void => {
      requireOwn();
      appendText(file("history.jsonl"), formatLine(record));
    },
    [Symbol.dispose]: () => lock[Symbol.dispose](),
  };
}

/** Refuses links: a run writes into its own folder only. Those above it may be links. */
function refuseLinks(path: string): void {
  for (const link of [path, ...FILES.map((name) => join(path, name))]) {
    if (!isLink(link)) continue;
    throw new InputError({
      what: `train run ${basename(path)}`,
      why: `${link} is a symbolic link, and a run writes into its own folder only`,
      next: [{ advice: "replace the link by what it leads to" }, ANOTHER_NAME],
    });
  }
}

/**
 * Opens the folder of a new run that is named after its network, with a number where that name is taken:
 * `dynamic`, `dynamic-2`.
 *
 * Concurrent processes get different names: the lock decides.
 */
export function openNumberedRunFolder(
  runsFolder: string,
  name: string,
  log?: (message: string) => void,
): RunFolder {
  for (let number = 1;; number++) {
    const path = join(runsFolder, number === 1 ? name : `${name}-${number}`);
    if (hasCheckpoint(path)) continue;
    try {
      return openRunFolder(path, true, log);
    } catch (error) {
      if (!(error instanceof RunTakenError)) throw error;
    }
  }
}

/**
 * Removes a run if there is one, so that its name is free; files of others in its folder stay.
 *
 * @throws {InputError} If another process trains it, or it holds links.
 */
export function removeRun(path: string): void {
  if (!hasCheckpoint(path)) return;
  using _lock = openRunFolder(path, false);
  for (const name of FILES.filter((name) => name !== ".lock" && exists(join(path, name)))) {
    Deno.removeSync(join(path, name), { recursive: true });
  }
}

/** The run's name is taken, by a run with a checkpoint or by one that another process trains. */
class RunTakenError extends InputError {}

/** Another process trains the run. */
export class RunInTrainingError extends RunTakenError {}

const ANOTHER_NAME: NextStep = { set: { run: "NAME" } };

/**
 * Checks early that a new run would not overwrite one; {@linkcode openRunFolder} checks again.
 *
 * @throws {InputError} If the run exists, or a file of somebody else's would be overwritten.
 */
export function checkNewRun(path: string): void {
  const run = basename(path);
  const [config, history] = [join(path, "config.json"), join(path, "history.jsonl")];
  const isForeign = exists(config) && readJsonOrNull(config)?.[RECORDED_KEY] === undefined;
  const hasHistory = !hasCheckpoint(path) && (statOrNull(history)?.size ?? 0) > 0;
  if (isForeign || hasHistory) {
    throw new RunTakenError({
      what: `start run ${run}`,
      why: isForeign
        ? `${config} was not written by a training and would be overwritten`
        : `${history} holds epochs and would be overwritten`,
      next: [ANOTHER_NAME, { advice: "move that file" }],
    });
  }
  if (!hasCheckpoint(path)) return;
  throw new RunTakenError({
    what: `start run ${run}`,
    why: `it is already in ${path}`,
    next: [{ set: { resume: run } }, ANOTHER_NAME, { advice: "delete the folder" }],
  });
}

function hasCheckpoint(path: string): boolean {
  return exists(join(path, LAST)) || exists(join(path, BEST));
}

/**
 * Checks that a run can be resumed from a file in the folder of that file: from its last checkpoint only,
 * since what came after another one would be lost.
 *
 * @throws {InputError} If the file is another one.
 */
export function requireLastCheckpoint(path: string): void {
  if (basename(path) === LAST) return;
  const folder = dirname(path);
  throw new InputError({
    what: `resume from ${path}`,
    why: `a run is resumed from its ${LAST}, and later epochs would be lost`,
    next: [
      ...exists(join(folder, LAST)) ? [{ set: { resume: folder } }] : [],
      { set: { resume: path, run: "NAME" } },
    ],
  });
}

/**
 * Finds the checkpoint of `RUN|FILE`: the file itself, or the last or best one of a run or folder.
 *
 * @throws {InputError} If there is none.
 */
export function findCheckpoint(
  runOrFile: string,
  which: "best" | "last",
  runsFolder: string = defaultRunsFolder(),
): string {
  const isFile = (path: string) => statOrNull(path)?.isFile ?? false;
  if (statOrNull(runOrFile)?.isDirectory === false) {
    requireRegularFile(runOrFile);
    return runOrFile;
  }
  const find = (name: string) =>
    [join(runsFolder, runOrFile), runOrFile].map((folder) => join(folder, `${name}.safetensors`)).find(
      isFile,
    );
  const found = find(which);
  if (found !== undefined) return found;
  const other = find(which === "best" ? "last" : "best");
  const runs = listRuns(runsFolder);
  throw new InputError({
    what: `find a checkpoint of ${runOrFile}`,
    why: `there is no such file, and no ${which}.safetensors in ${join(runsFolder, runOrFile)}; ` +
      (runs.length > 0 ? `runs here are ${runs.join(", ")}` : "there are no runs yet"),
    next: other === undefined ? [] : [{ advice: `use the file ${other}` }],
  });
}

/** Lists the names of the runs that have a checkpoint, sorted. */
export function listRuns(runsFolder: string = defaultRunsFolder()): string[] {
  if (!exists(runsFolder)) return [];
  return [...Deno.readDirSync(runsFolder)]
    .filter(({ name, isDirectory }) => isDirectory && hasCheckpoint(join(runsFolder, name)))
    .map(({ name }) => name).sort();
}
