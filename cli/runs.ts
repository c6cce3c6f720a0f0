import { join, relative } from "@std/path";
import { InputError } from "../lib/support/errors.ts";
import { exists, statOrNull } from "../lib/support/files.ts";
import { formatPercent } from "../lib/support/format.ts";
import { choice, flag, suggest, text } from "../lib/support/schema.ts";
import { openCheckpoint } from "../lib/training/checkpoint.ts";
import { CLASS_NAMES } from "../lib/data/dataset.ts";
import { nameNetwork, type TrainConfig } from "../lib/training/config.ts";
import type { EpochRecord } from "../lib/training/progress.ts";
import { defaultRunsFolder } from "../lib/training/run_folder.ts";
import { runCommand } from "./shared/command.ts";
import { FORCE_OPTION, type OutputOptions, requireOutputs, writeOutputs } from "./shared/outputs.ts";
import { type Command, type CommandLine, JSON_OPTION } from "./shared/options.ts";
import { formatTable, wrapText } from "./shared/table.ts";
import { outputWidth, print, printMessage, showPath } from "./shared/terminal.ts";

/** Declares `deno task runs`. */
export const COMMAND = {
  name: "deno task runs",
  summary: "Lists the runs in checkpoints/ with their networks, epochs and best test accuracies.",
  options: {
    sort: {
      schema: choice(["date", "accuracy", "name"]),
      default: "date",
      group: "Output",
      help: "order of the rows: newest first, best first, or by name",
    },
    nested: flag("list runs in subfolders too, such as those of a comparison", "Output"),
    svg: {
      schema: text(/\.svg$/i, "a file name that ends in .svg").nullable(),
      group: "Output",
      help: "draw the runs' training curves",
      value: "FILE",
    },
    force: FORCE_OPTION,
    json: JSON_OPTION,
  },
  positionals: {
    name: "RUN",
    help: "runs to list, or folders of runs; by default all of checkpoints/",
    from: 0,
    to: Infinity,
  },
  examples: [
    ["deno task runs --sort accuracy", "best run first"],
    ["deno task runs compare", "the runs of a comparison"],
    ["deno task runs dynamic frozen --svg curves.svg", "training curves of two runs"],
  ],
} satisfies Command;

/** A run with a checkpoint. */
interface Run {
  /** Path below the folder of all runs. */
  run: string;
  /** Last modification, ISO 8601, UTC. */
  date: string;
  config: TrainConfig;
  classes: number;
  data: string;
  weights: string;
  device: string;
  /** Best test accuracy (0–1), or validation accuracy if images are held out; null before the first test. */
  best: { epoch: number; accuracy: number } | null;
  history: EpochRecord[];
}

/** A run that cannot be read. */
interface BrokenRun {
  run: string;
  date: string;
  /** In two words. */
  state: "no checkpoint" | "damaged" | "unreadable";
  problem: string;
}

async function main({ values, positionals }: CommandLine<typeof COMMAND>): Promise<void> {
  const folder = defaultRunsFolder();
  const output = { origin: "a figure of training curves", force: values.force };
  requireOutputs([values.svg], output);
  const all = findRuns(folder);
  const isListed = (run: string) => values.nested || !run.includes("/");
  const names = positionals.length === 0 ? all.filter(isListed) : selectRuns(all, positionals);
  const found: (Run | BrokenRun)[] = [];
  for (const run of names) found.push(await readRun(folder, run)); // one at a time in memory
  const runs = sortRuns(found, values.sort);
  if (values.svg !== null) await drawCurves(values.svg, runs, output);
  print(values.json ? JSON.stringify({ folder, runs: runs.map(toJson) }) : formatRuns(runs));
  const hidden = positionals.length === 0 ? all.length - names.length : 0;
  if (hidden > 0 && !values.json) {
    printMessage(`${hidden} more in subfolders of ${showPath(folder)}: --nested lists them.`);
  }
}

/** Finds all runs below a folder, by their paths in it. */
function findRuns(folder: string, inside = folder): string[] {
  if (!exists(inside)) return [];
  const names = [...Deno.readDirSync(inside)].filter(({ isDirectory }) => isDirectory).map(({ name }) =>
    name
  );
  return names.sort().flatMap((name) => {
    const path = join(inside, name);
    try {
      const isRun = ["last.safetensors", "best.safetensors", "config.json"].some((file) =>
        exists(join(path, file))
      );
      return isRun ? [relative(folder, path)] : findRuns(folder, path);
    } catch (error) {
      if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
      return [relative(folder, path)]; // listed with what is wrong
    }
  });
}

/** Selects runs by their names, or by those of the folders they are in. */
function selectRuns(all: readonly string[], wanted: readonly string[]): string[] {
  return [
    ...new Set(wanted.flatMap((given) => {
      const name = given.replace(/\/+$/, "");
      const found = all.filter((run) => run === name || run.startsWith(`${name}/`));
      if (found.length > 0) return found;
      const near = suggest(name, [...all]);
      throw new InputError({
        what: `list run ${name}`,
        why: `there is none of that name in ${defaultRunsFolder()}`,
        next: near === undefined ? [] : [{ advice: `perhaps you mean ${near}` }],
      });
    })),
  ];
}

async function readRun(folder: string, run: string): Promise<Run | BrokenRun> {
  const path = join(folder, run);
  let date = new Date(0).toISOString();
  try {
    const checkpoint = ["last.safetensors", "best.safetensors"].map((name) => join(path, name)).find(exists);
    date = statOrNull(checkpoint ?? path)?.mtime?.toISOString() ?? date;
    if (checkpoint === undefined) {
      return { run, date, state: "no checkpoint", problem: "There is no checkpoint in its folder." };
    }
    const { config, recorded, progress, classNames } = await openCheckpoint(checkpoint);
    const { data, weights, device } = recorded;
    const { best, history } = progress;
    return { run, date, config, classes: classNames.length, data, weights, device, best, history };
  } catch (error) {
    const isDenied = [error, (error as Error).cause].some((one) =>
      one instanceof Deno.errors.PermissionDenied
    );
    if (isDenied) return { run, date, state: "unreadable", problem: "You are not allowed to read it." };
    if (!(error instanceof InputError)) throw error;
    return { run, date, state: "damaged", problem: error.message };
  }
}

function sortRuns(runs: (Run | BrokenRun)[], by: "date" | "accuracy" | "name"): (Run | BrokenRun)[] {
  const accuracy = (run: Run | BrokenRun) => "best" in run ? run.best?.accuracy ?? -1 : -2;
  if (by === "accuracy") return runs.sort((one, other) => accuracy(other) - accuracy(one));
  if (by === "date") return runs.sort((one, other) => other.date.localeCompare(one.date));
  return runs.sort((one, other) => one.run.localeCompare(other.run, "en", { numeric: true }));
}

function toJson(run: Run | BrokenRun): object {
  if ("problem" in run) return run;
  const { config, history, best, ...facts } = run;
  return {
    ...facts,
    network: nameNetwork(config),
    epochs: history.length,
    configuredEpochs: config.epochs,
    best,
    chosenOn: config.validation > 0 ? "validation" : "test",
  };
}

/** Formats runs as a table; data, weights and device stand below it where they are the same for all. */
export function formatRuns(runs: readonly (Run | BrokenRun)[], width = outputWidth()): string {
  if (runs.length === 0) return "There are no runs yet: `deno task train` makes one.";
  const sound = runs.filter((run) => "config" in run);
  const isCommon = (key: "data" | "weights" | "device") => sound.every((run) => run[key] === sound[0][key]);
  const [common, own] = [true, false].map((wanted) =>
    (["data", "weights", "device"] as const).filter((key) => isCommon(key) === wanted)
  );
  const describe = (run: Run) =>
    [
      nameNetwork(run.config),
      ...run.classes === CLASS_NAMES.length ? [] : [`${run.classes} classes`],
      ...own.map((key) => run[key]),
      ...run.config.validation > 0 ? ["validation accuracy"] : [],
    ].join(", ");
  const table = formatTable({
    header: ["run", ["network", ...own].join(", "), "epochs", "best test accuracy", "when"],
    rows: runs.map((run) =>
      "problem" in run ? [run.run, run.state, "", "", formatDate(run.date)] : [
        run.run,
        describe(run),
        `${run.history.length}/${run.config.epochs}`,
        run.best === null ? "" : formatPercent(run.best.accuracy, 2),
        formatDate(run.date),
      ]
    ),
    width,
    prose: 1,
    optional: [4],
  });
  const facts = sound.length === 0 ? [] : common.map((key) => [key, sound[0][key]]);
  const problems = runs.filter((run) => "problem" in run).map(({ run, problem }) => `${run}: ${problem}`);
  return [
    table,
    ...facts.length > 0 ? ["", formatTable({ rows: facts, width, prose: 1 })] : [],
    ...problems.length > 0 ? ["", wrapText(problems.join("\n"))] : [],
  ].join("\n");
}

/** Formats a date as `2026-11-25 14:03`, local time. */
function formatDate(date: string): string {
  const local = new Date(date);
  local.setMinutes(local.getMinutes() - local.getTimezoneOffset());
  return local.toISOString().slice(0, 16).replace("T", " ");
}

async function drawCurves(
  path: string,
  runs: readonly (Run | BrokenRun)[],
  output: OutputOptions,
): Promise<void> {
  const drawn = runs.filter((run) => "history" in run).filter(({ history }) => history.length > 0);
  if (drawn.length === 0) {
    throw new InputError({ what: `draw ${path}`, why: "no run has finished an epoch", setting: "svg" });
  }
  const unique = (key: "data" | "weights") => [...new Set(drawn.map((run) => run[key]))].join("; ");
  const { trainingCurves } = await import("../lib/figures/training_curves.ts");
  const { svg } = trainingCurves(drawn.map(({ run, history }) => ({ name: run, history })), {
    title: "Training curves",
    subtitle: `Data: ${unique("data")}. Initial weights of the backbone: ${unique("weights")}.`,
  });
  writeOutputs([{ path, bytes: new TextEncoder().encode(svg) }], output);
  printMessage(`Training curves drawn in ${path}.`);
}

if (import.meta.main) await runCommand(COMMAND, main);
