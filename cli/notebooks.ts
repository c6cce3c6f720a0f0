import { basename, join } from "@std/path";
import { makeFolder, writeText } from "../lib/support/write_files.ts";
import { InputError } from "../lib/support/errors.ts";
import { readText } from "../lib/support/files.ts";
import { flag, textOption } from "../lib/support/schema.ts";
import { watchInterrupts } from "../lib/support/interrupt.ts";
import { makeTemporaryFolder } from "../lib/support/temporary_folder.ts";
import { checkCells } from "../notebooks/jupyter/check_cells.ts";
import { CellError, executeNotebook } from "../notebooks/jupyter/execute.ts";
import { ensureJupyter, type Jupyter } from "../notebooks/jupyter/jupyter.ts";
import {
  cleanOutputs,
  formatNotebook,
  listNotebooks,
  type Replacement,
} from "../notebooks/jupyter/notebook_file.ts";
import { projectFolder } from "../lib/support/project.ts";
import { runCommand } from "./shared/command.ts";
import { FORCE_OPTION, type OutputOptions, requireOutputs, writeOutputs } from "./shared/outputs.ts";
import { setUpTensorFlow, withLiveReporter } from "./shared/load.ts";
import { createLive } from "./shared/live.ts";
import type { Command, CommandLine } from "./shared/options.ts";
import { print, printMessage } from "./shared/terminal.ts";

export const COMMAND = {
  name: "deno task notebooks",
  summary:
    "Executes the notebooks from top to bottom, each in a fresh kernel, and keeps their outputs in them. A failing cell stops it; " +
    "its notebook is not changed.",
  options: {
    quick: flag("smoke test on synthetic images, offline, in seconds; the notebooks are not changed"),
    into: textOption("write the executed notebooks to another folder than notebooks/", "FOLDER"),
    force: { ...FORCE_OPTION, group: undefined },
    check: flag("only type-check the code cells"),
  },
  positionals: { name: "NN", help: "numbers of the notebooks; all by default", from: 0, to: 99 },
  examples: [
    ["deno task notebooks", "all of them, on CIFAR-10"],
    ["deno task notebooks 02 03", "two of them"],
    ["deno task notebooks --quick", "does everything run?"],
  ],
} satisfies Command;

async function main({ values, positionals }: CommandLine<typeof COMMAND>): Promise<void> {
  const { quick, into, force, check } = values;
  const paths = listNotebooks(positionals);
  if (check) return await checkAll(paths);
  await setUpTensorFlow();
  const jupyter = await withLiveReporter((reporter) => ensureJupyter({ reporter }));
  using temporary = quick ? makeTemporaryFolder() : null;
  const scratch = temporary?.path ?? null;
  const folder = into ?? (scratch ?? join(projectFolder(), "notebooks"));
  const output = into === null ? null : { origin: "an executed notebook", force };
  if (output !== null) {
    makeFolder(folder);
    requireOutputs(paths.map((path) => join(folder, basename(path))), output);
  }
  await executeAll(paths, { folder, jupyter, scratch, output });
}

async function checkAll(paths: readonly string[]): Promise<void> {
  const report = await checkCells(paths);
  if (report === "") return print(`The code of ${paths.length} notebooks type-checks.`);
  printMessage(report.trimEnd());
  throw new InputError("The notebooks' code does not type-check: see above.");
}

/** Settings of one call, for all its notebooks. */
interface Execution {
  /** Folder of the executed notebooks. */
  folder: string;
  jupyter: Jupyter;
  /** Folder of a smoke test's runs; null for no smoke test. */
  scratch: string | null;
  /** Whose files are replaced; null where the notebooks themselves are. */
  output: OutputOptions | null;
}

/** Trials are mostly waiting, so two run side by side; in earnest a notebook gets all cores. */
const [JOBS, QUICK_JOBS] = [1, 2];

/** Executes notebooks; after the first that fails no other is begun, and those that run are stopped. */
async function executeAll(paths: readonly string[], execution: Execution): Promise<void> {
  using interrupts = watchInterrupts();
  const failure = new AbortController();
  const signal = AbortSignal.any([interrupts.signal, failure.signal]);
  const live = await createLive();
  const running = new Map<string, string>();
  const tell = (name: string, state: string | null) => {
    if (state === null) running.delete(name);
    else running.set(name, state);
    live.draw(({ columns }) => [...running.values()].join(" · ").slice(0, columns), { now: true });
  };
  const queue = [...paths];
  const work = async () => {
    for (let path = queue.shift(); path !== undefined && !signal.aborted; path = queue.shift()) {
      const name = basename(path);
      const start = performance.now();
      await executeOne(
        path,
        execution,
        signal,
        (number, all) => tell(name, `${name}: cell ${number} of ${all}`),
      );
      tell(name, null);
      live.print(`${name}: executed in ${((performance.now() - start) / 1000).toFixed(0)} s`);
    }
  };
  let first: unknown = null;
  const workers = Array.from({ length: execution.scratch === null ? JOBS : QUICK_JOBS }, async () => {
    try {
      await work();
    } catch (error) {
      first ??= error; // what follows from it is no news
      failure.abort();
    }
  });
  await Promise.all(workers);
  live.clear();
  if (first === null) return;
  if (first instanceof CellError && first.trace !== "") printMessage(first.trace.trimEnd());
  throw first;
}

async function executeOne(
  path: string,
  { folder, jupyter, scratch, output }: Execution,
  signal: AbortSignal,
  onCell: (number: number, all: number) => void,
): Promise<void> {
  const env: Record<string, string> = scratch === null
    ? {}
    // each its own, since two may train runs of one name
    : { NOTEBOOK_QUICK: "1", CHECKPOINTS_DIR: join(scratch, "checkpoints", basename(path, ".ipynb")) };
  const before = readText(path);
  const executed = await executeNotebook(path, { jupyter, env, signal, onCell });
  const cleaned = cleanOutputs(executed, path, listReplacements(scratch));
  const text = formatNotebook(cleaned);
  const target = join(folder, basename(path));
  if (target === path && readText(path) !== before) {
    throw new InputError({
      what: `keep the outputs of ${basename(path)}`,
      why: "it was changed while it was executed",
      next: [{ task: "notebooks", arguments: [basename(path).slice(0, 2)] }],
    });
  }
  if (output === null) writeText(target, text);
  else writeOutputs([{ path: target, bytes: new TextEncoder().encode(text) }], output);
}

/** Local folders that outputs may contain, with their replacements. */
function listReplacements(scratch: string | null): Replacement[] {
  const named = ["CIFAR10_DIR", "RESNET18_WEIGHTS", "CHECKPOINTS_DIR", "NOTEBOOK_RESULTS"]
    .flatMap((name): Replacement[] => {
      const value = Deno.env.get(name);
      return value?.includes("/") ? [[value, `$${name}`]] : [];
    });
  const home = Deno.env.get("HOME");
  return [
    [`file://${projectFolder()}`, "."],
    [projectFolder(), "."],
    ...named,
    ...(scratch === null ? [] : [[scratch, "."] as Replacement]),
    ...(home === undefined || home === "/" ? [] : [[home, "~"] as Replacement]),
  ];
}

if (import.meta.main) await runCommand(COMMAND, main);
