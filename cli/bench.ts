import { resolve } from "@std/path";
import {
  type Column,
  COLUMNS,
  parseBatchSizes,
  ROW_NAMES,
  ROWS,
  selectNames,
  sizeColumns,
  SIZES,
} from "../bench/cases.ts";
import {
  drawResult,
  listNotes,
  type ReportTable,
  summariseResult,
  tabulateProfile,
  tabulateSpreads,
} from "../bench/report.ts";
import { type BenchResult, runBench } from "../bench/run_bench.ts";
import { InputError } from "../lib/support/errors.ts";
import { watchInterrupts } from "../lib/support/interrupt.ts";
import { flag, integer, text, textOption } from "../lib/support/schema.ts";
import { ensurePythonPackages } from "../lib/setup.ts";
import { findGpu } from "../lib/tensorflow/setup/mod.ts";
import { TRAINING_OPTIONS } from "../lib/training/options.ts";
import { runCommand } from "./shared/command.ts";
import { type OutputOptions, requireOutputs, writeOutputs } from "./shared/outputs.ts";
import { setUpTensorFlow, withLiveReporter } from "./shared/load.ts";
import { createLive } from "./shared/live.ts";
import type { Command, CommandLine, ValuesOf } from "./shared/options.ts";
import { formatTable, wrapText } from "./shared/table.ts";
import { print, printMessage } from "./shared/terminal.ts";

const { data, weights, device } = TRAINING_OPTIONS;
const COLUMN_NAMES = [...COLUMNS.map(({ id }) => id), SIZES];
const LONG_COLUMNS = COLUMNS.filter(({ isLong }) => isLong).map(({ id }) => id);
const SHORT_COLUMNS = COLUMN_NAMES.filter((name) => !LONG_COLUMNS.includes(name));

/** Declares `deno task bench`. */
export const COMMAND = {
  name: "deno task bench",
  summary:
    "Benchmarks this project beside PyTorch and plain TensorFlow.js: same network, weights, batches and optimizer, in " +
    "interleaved rounds, after checking that the gradients agree. About six minutes on an idle machine.",
  options: {
    rows: textOption(ROW_NAMES.join(", "), "ROW,…|all", { group: "Cases", defaultText: "all" }),
    columns: textOption(COLUMN_NAMES.join(", "), "COLUMN,…|all", {
      group: "Cases",
      defaultText: `all but ${LONG_COLUMNS.join()}`,
    }),
    batchSizes: {
      schema: text(),
      default: "1,32,128,512,1024",
      group: "Cases",
      help: "batch sizes of the column sizes",
      value: "N,…",
    },
    epochImages: {
      schema: integer({ from: 1, to: 50_000 }),
      default: 2560,
      group: "Cases",
      help: "images of the timed epoch; its time is scaled to all 50,000",
      value: "N",
    },
    profile: flag("list the operations of a step with their times", "Cases"),
    rounds: {
      schema: integer({ from: 1, to: 1000 }).nullable(),
      defaultText: "9",
      group: "Measurement",
      help: "interleaved rounds, after one for warming up",
      value: "N",
    },
    quick: flag("smoke test of some columns in less than a minute: not a measurement", "Measurement"),
    force: flag(
      "measure on a busy machine, which the result says; replace files that this command did not write",
      "Measurement",
    ),
    python: textOption("Python with torch and safetensors", "PATH", {
      group: "Measurement",
      defaultText: "PyTorch is installed into .venv",
    }),
    threads: {
      schema: integer({ from: 1, to: 1024 }).nullable(),
      defaultText: "all cores",
      group: "Measurement",
      help: "threads per operation, on both sides",
      value: "N",
    },
    data: { ...data, group: "Measurement" },
    weights: { ...weights, group: "Measurement" },
    device: { ...device, group: "Measurement" },
    json: textOption("write the result as JSON", "FILE", { group: "Output" }),
    figure: textOption("draw a bar chart (SVG)", "FILE", { group: "Output" }),
  },
  examples: [
    ["deno task bench --json laptop.json", "everything"],
    ["deno task bench --quick --rows ours,plain", "smoke test without PyTorch"],
    ["deno task bench --columns epoch --epoch-images 50000", "whole epochs"],
    ["deno task bench --columns accuracy --rounds 10", "the recipe fast: seconds and accuracy"],
    ["deno task bench --rows ours --columns step --profile", "times of a step's operations"],
  ],
} satisfies Command;

type BenchFlags = ValuesOf<typeof COMMAND>;

const QUICK = {
  rounds: 3,
  turn: 60,
  rows: "plain,usual,best,eager,ours",
  columns: "step,frozen,predict",
  epochImages: 640,
};
const TURN = 300; // milliseconds
const ROUNDS = 9;

async function main({ values, given }: CommandLine<typeof COMMAND>): Promise<void> {
  const { quick, force } = values;
  const rows = selectNames(values.rows ?? (quick ? QUICK.rows : "all"), ROW_NAMES, "rows");
  const columns = selectColumns(values, given);
  const output = { origin: "a result of the benchmark", force };
  requireOutputs([values.json, values.figure], output);
  const loadAverage = Deno.loadavg(); // before set-up raises it
  const warning = checkIdle(loadAverage[0], navigator.hardwareConcurrency, force || quick);
  if (warning !== null) printMessage(warning);
  await setUpTensorFlow({ device: values.device });
  const python = rows.some((row) => ROWS[row].side === "pytorch") ? await findPython(values.python) : null;

  using interrupts = watchInterrupts();
  const live = await createLive();
  const result = await runBench({
    rows,
    columns,
    python,
    loadAverage,
    warning,
    rounds: values.rounds ?? (quick ? QUICK.rounds : ROUNDS),
    warmUp: 1,
    turn: quick ? QUICK.turn : TURN,
    epochImages: given.epochImages ?? (quick ? QUICK.epochImages : values.epochImages),
    threads: values.threads ?? navigator.hardwareConcurrency,
    device: values.device,
    data: values.data,
    weights: values.weights,
    profile: values.profile,
    isQuick: quick,
    signal: interrupts.signal,
    onProgress: (text) => live.draw(({ columns }) => text.slice(0, columns)),
    onMessage: live.print,
  }).finally(() => live.clear());
  print(formatResult(result));
  const figure = values.figure === null ? null : drawResult(result);
  if (values.json !== null) write(values.json, JSON.stringify(result, null, 1) + "\n", output);
  if (figure !== null) write(values.figure!, figure, output);
}

function selectColumns(values: BenchFlags, given: Partial<BenchFlags>): Column[] {
  const wanted = values.columns ?? (values.quick ? QUICK.columns : "all");
  const names = selectNames(wanted, wanted === "all" ? SHORT_COLUMNS : COLUMN_NAMES, "columns");
  const main = COLUMNS.filter(({ id }) => names.includes(id));
  const wantsSizes = names.includes(SIZES) || given.batchSizes !== undefined;
  const sizes = wantsSizes ? sizeColumns(parseBatchSizes(values.batchSizes)) : [];
  // the first column measures its batch size already
  const known = main.filter(({ id }) => id === "step").map(({ batchSize }) => batchSize);
  return [...main, ...sizes.filter(({ batchSize }) => !known.includes(batchSize))];
}

function formatResult(result: BenchResult): string {
  const { columns, isQuick, warning, profile } = result;
  const format = ({ title, header, rows }: ReportTable) => `${title}\n\n${formatTable({ header, rows })}`;
  return [
    ...isQuick ? ["QUICK: a smoke test, not a measurement."] : [],
    ...warning === null ? [] : [warning],
    format(summariseResult(columns)),
    wrapText(listNotes(result).join("\n")),
    ...profile === null ? [] : [format(tabulateProfile(profile))],
    ...tabulateSpreads(columns).map(format),
  ].join("\n\n");
}

/** Load average per core above which a machine is busy. */
const IDLE_LOAD = 0.3;

/**
 * Warns of a busy machine.
 *
 * @param load Load average of the last minute.
 * @returns The warning, where `force` was given; null on an idle machine.
 * @throws {InputError} On a busy machine without `force`.
 */
export function checkIdle(load: number, cores: number, force: boolean): string | null {
  const limit = IDLE_LOAD * cores;
  if (load <= limit) return null;
  const why = `the load average of the last minute is ${load.toFixed(2)} on ${cores} cores, above ${
    limit.toFixed(1)
  }`;
  if (force) return `THE MACHINE IS BUSY: ${why}. The times below say little.`;
  throw new InputError({
    what: "measure on a busy machine",
    why,
    next: [{ advice: "wait until it is idle" }, { set: { force: true } }],
  });
}

/** Returns the Python that the user names, or the project's own with PyTorch in it. */
async function findPython(named: string | null): Promise<string> {
  if (named !== null) return named.includes("/") ? resolve(named) : named;
  // PyPI has the CUDA build only, several GB; PyTorch's own index has the small one, which pip takes for the
  // later version
  const index = "PIP_EXTRA_INDEX_URL";
  if (!Deno.env.get(index) && await findGpu() === null) {
    Deno.env.set(index, "https://download.pytorch.org/whl/cpu");
  }
  const { python } = await withLiveReporter((reporter) => ensurePythonPackages("bench", { reporter }));
  return python;
}

function write(path: string, text: string, output: OutputOptions): void {
  writeOutputs([{ path, bytes: new TextEncoder().encode(text) }], output);
  printMessage(`Written to ${path}.`);
}

if (import.meta.main) await runCommand(COMMAND, main);
