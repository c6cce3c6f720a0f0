/**
 * Studies: measurements of trained networks in many small units, each kept on disk once it is finished. An
 * interrupted study resumes, and processes that are given the same one share its units.
 */
import { join } from "@std/path";
import { z } from "zod";
import type { Datasets } from "../data/dataset.ts";
import { type DataIdentity, identifyData } from "../data/identify.ts";
import type { Pretrained } from "../model/pretrained.ts";
import { InputError } from "../support/errors.ts";
import { readTextOrNull } from "../support/files.ts";
import { throwIfInterrupted } from "../support/interrupt.ts";
import { tryLockFile } from "../support/lock.ts";
import { checkValue, parseJson, plainText } from "../support/schema.ts";
import { makeFolder, writeText } from "../support/write_files.ts";
import type { StateDict } from "../model/state_dict.ts";
import { type Checkpoint, openCheckpoint } from "../training/checkpoint.ts";
import { chooseSign } from "../training/choose_sign.ts";
import { resolveConfig, type TrainConfig } from "../training/config.ts";
import type { TrainObserver } from "../training/observer.ts";
import { RunInTrainingError } from "../training/run_folder.ts";
import { train } from "../training/train.ts";
import { EXPERIMENTS } from "./experiments.ts";
import { planRuns } from "./plan.ts";
import { addSession, DATA_IDENTITY, inspectRun, TRAINING_SESSION, type TrainingSession } from "./runs.ts";

/** A part of a study that is measured on its own: for instance a seed, or a seed and a class. */
export interface StudyUnit {
  /** Name of its file: lower-case words with hyphens. */
  name: string;
}

/** A measurement of trained networks. */
export interface Study<Unit extends StudyUnit = StudyUnit, Row extends object = object> {
  /** Name on the command line, of its folder and of its results. */
  name: string;
  /** Question that it answers, in a sentence. */
  about: string;
  /** Default number of seeds. */
  seeds: number;
  /** Lists the units, in the order in which they are measured. */
  units(seeds: readonly number[]): Unit[];
  /** Schema of a row: strict, of finite numbers and short words. */
  row: z.ZodType<Row>;
  /** Measures a unit. The rows of all units together are the study's result. */
  measure(unit: Unit, context: StudyContext): Promise<Row[]>;
  /** Formats the rows of all units as Markdown: tables, and how to read them. */
  format(rows: readonly Row[]): string;
}

/** Data, recipe and surroundings of a study. */
export interface StudyContext {
  datasets: Datasets;
  data: DataIdentity;
  pretrained: Pretrained;
  /** Training options that differ from the defaults. */
  recipe: Partial<TrainConfig>;
  /** Folder of the study: its units' rows, and the runs that {@linkcode trainRun} trains. */
  folder: string;
  /** Folder of the comparison's runs, for {@linkcode trainExperiment}. */
  comparisonFolder: string;
  /** Code, machine and device, recorded in runs and results. */
  session: TrainingSession;
  signal: AbortSignal;
  /** Receives the progress of trainings. */
  observer: TrainObserver;
}

/** Rows of a finished unit and where they come from: `<unit>.json` in the study's folder. */
interface FinishedUnit<Row> {
  rows: Row[];
  session: TrainingSession;
}

/** Result of a study, small enough to be committed. */
export interface StudyResult<Row extends object = object> {
  format: typeof STUDY_FORMAT;
  study: string;
  data: DataIdentity;
  /** Initial weights of the backbones. */
  weights: string;
  /** Training options that differ from the defaults. */
  recipe: Partial<TrainConfig>;
  /** One per process that measured a part of it. */
  sessions: TrainingSession[];
  rows: Row[];
}

/** Format of a study's result file. */
export const STUDY_FORMAT = "dynamic-filters-study/1";

export interface RunStudyOptions {
  seeds: readonly number[];
  /** Receives each unit's end; `measured` is false where its rows were on disk already. */
  onUnit?(unit: StudyUnit, done: number, all: number, measured: boolean): void;
}

/**
 * Measures the units of a study that have no rows on disk yet.
 *
 * @returns The result, or null while other processes still measure some of its units.
 * @throws {InputError} If the folder holds units of other data, weights or options.
 * @throws {Interrupted} If it was stopped; finished units and started trainings are saved.
 */
export async function runStudy<Unit extends StudyUnit, Row extends object>(
  study: Study<Unit, Row>,
  context: StudyContext,
  { seeds, onUnit }: RunStudyOptions,
): Promise<StudyResult<Row> | null> {
  const units = study.units(seeds);
  makeFolder(context.folder);
  const pathOf = (unit: Unit, ending: "json" | "lock") => join(context.folder, `${unit.name}.${ending}`);
  const finished = new Map<string, FinishedUnit<Row>>();
  const finish = (unit: Unit, rows: FinishedUnit<Row>, measured: boolean) => {
    finished.set(unit.name, rows);
    onUnit?.(unit, finished.size, units.length, measured);
  };
  for (const unit of units) {
    const before = readUnit(study, pathOf(unit, "json"), context);
    if (before !== null) {
      finish(unit, before, false);
      continue;
    }
    throwIfInterrupted(context.signal);
    using lock = tryLockFile(pathOf(unit, "lock"), context.observer.onMessage ?? (() => {}));
    if (lock === null) continue; // another process measures it
    const meanwhile = readUnit(study, pathOf(unit, "json"), context);
    const rows = meanwhile?.rows ?? await study.measure(unit, context);
    if (meanwhile === null) writeUnit(study, pathOf(unit, "json"), rows, context);
    if (lock.isInPlace()) Deno.removeSync(pathOf(unit, "lock"));
    finish(unit, meanwhile ?? { rows, session: context.session }, meanwhile === null);
  }
  for (const unit of units) {
    const rows = finished.get(unit.name) ?? readUnit(study, pathOf(unit, "json"), context);
    if (rows === null) return null;
    finished.set(unit.name, rows);
  }
  const all = units.map(({ name }) => finished.get(name)!);
  return {
    format: STUDY_FORMAT,
    study: study.name,
    ...identify(context),
    sessions: [...new Map(all.map(({ session }) => [JSON.stringify(session), session])).values()],
    rows: all.flatMap(({ rows }) => rows),
  };
}

/** Data, weights and options that a unit's rows depend on. */
function identify({ data, pretrained, recipe }: StudyContext) {
  return { data, weights: pretrained.name, recipe: changesOf(recipe) };
}

/** Options that no result depends on, or that results name in another way. */
const APART: readonly string[] = ["data", "weights", "device", "tensorboard"];

/** Returns the training options that make a recipe another one than the lab's. */
export function changesOf(recipe: Partial<TrainConfig>): Partial<TrainConfig> {
  return Object.fromEntries(Object.entries(recipe).filter(([name]) => !APART.includes(name)));
}

function readUnit<Row extends object>(
  study: Study<StudyUnit, Row>,
  path: string,
  context: StudyContext,
): FinishedUnit<Row> | null {
  const text = readTextOrNull(path);
  if (text === null) return null;
  const { rows, session, ...found } = parseJson(unitSchema(study), text, path);
  if (JSON.stringify(found) !== JSON.stringify(identify(context))) {
    throw new InputError({
      what: `resume the study ${study.name} in ${context.folder}`,
      why: "it was begun with other data, weights or training options",
      next: [{ advice: "use those" }, { set: { into: "NAME" } }],
    });
  }
  return { rows, session };
}

function writeUnit<Row extends object>(
  study: Study<StudyUnit, Row>,
  path: string,
  rows: readonly Row[],
  context: StudyContext,
): void {
  const unit = { ...identify(context), session: context.session, rows };
  checkValue(unitSchema(study), unit, `write ${path}`);
  writeText(path, JSON.stringify(unit) + "\n");
}

/** Schema of what {@linkcode identify} returns, and of the rows. */
function unitSchema<Row extends object>({ row }: Pick<Study<StudyUnit, Row>, "row">) {
  return z.strictObject({
    data: DATA_IDENTITY,
    weights: plainText(),
    recipe: z.record(plainText(60), z.unknown()),
    session: TRAINING_SESSION,
    rows: z.array(row),
  });
}

/**
 * Trains a network for a study, or finds it trained: `<folder>/<run>`.
 *
 * @param flags Options beside the study's recipe; `run` is required.
 * @param datasets Images other than the study's.
 * @returns Its last epoch's checkpoint.
 */
export async function trainRun(
  context: StudyContext,
  flags: Partial<TrainConfig> & { run: string },
  datasets: Datasets = context.datasets,
): Promise<Checkpoint> {
  const config = resolveConfig({ flags: { ...context.recipe, ...flags } });
  return await finishRun(config, datasets, context.folder, context);
}

/** Trains a run of the comparison, or finds it trained, and returns its last epoch's checkpoint. */
export async function trainExperiment(
  context: StudyContext,
  experiment: string,
  seed: number,
): Promise<Checkpoint> {
  const [{ config }] = planRuns({
    experiments: EXPERIMENTS.filter(({ name }) => name === experiment),
    seeds: [seed],
    flags: context.recipe,
  });
  return await finishRun(config, context.datasets, context.comparisonFolder, context);
}

/** Loads the network of a run of the comparison, with the sign of its maps chosen. */
export async function loadExperiment(
  context: StudyContext,
  experiment: string,
  seed: number,
): Promise<{ tensors: StateDict; spec: TrainConfig }> {
  const { config, loadNetwork } = await trainExperiment(context, experiment, seed);
  const tensors = loadNetwork();
  // runs of older versions leave it to chance
  await chooseSign({ trainable: tensors, fixed: {}, slots: {} }, context.datasets.train, config);
  return { tensors, spec: config };
}

/** Trains a run, or waits for another process that trains it: several units may need one network. */
async function finishRun(...args: Parameters<typeof tryToFinishRun>): Promise<Checkpoint> {
  const [, , , { signal }] = args;
  while (true) {
    try {
      return await tryToFinishRun(...args);
    } catch (error) {
      if (!(error instanceof RunInTrainingError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
      throwIfInterrupted(signal);
    }
  }
}

async function tryToFinishRun(
  config: TrainConfig,
  datasets: Datasets,
  runsFolder: string,
  { data: own, datasets: ownData, pretrained, session, signal, observer }: StudyContext,
): Promise<Checkpoint> {
  const data = datasets === ownData ? own : await identifyData(datasets);
  const state = await inspectRun({ config }, { data, weights: pretrained.name }, runsFolder);
  const folder = join(runsFolder, config.run);
  const last = join(folder, "last.safetensors");
  if (state.stage !== "finished") {
    await train(state.config, {
      datasets,
      pretrained,
      runsFolder,
      signal,
      resume: state.stage === "interrupted" ? await openCheckpoint(last) : null,
      observer: {
        ...observer,
        onStart: (info) => {
          const { threads, device } = info.recorded;
          addSession(folder, data, { ...session, date: new Date().toISOString(), threads, device });
          observer.onStart?.(info);
        },
      },
    });
  }
  return await openCheckpoint(last);
}
