import { dirname, resolve } from "@std/path";
import { type Column, COLUMNS, sizeColumns } from "../bench/columns.ts";
import { findForm, FORMS, parseBatchSizes, parseNames } from "../bench/forms.ts";
import { checkIdle } from "../bench/machine.ts";
import { drawResult, formatResult } from "../bench/report.ts";
import { runBench } from "../bench/run_bench.ts";
import { writeFileAtomically } from "../lib/atomic_file.ts";
import { InputError } from "../lib/input_error.ts";
import { watchInterrupts } from "../lib/interrupt.ts";
import { ensurePythonPackages, findGpu } from "../lib/setup/mod.ts";
import { TRAINING_OPTIONS } from "../lib/training/options.ts";
import type { DeviceChoice } from "../lib/tensorflow/runtime.ts";
import { runCommand } from "./command.ts";
import { createLiveLine } from "./live_line.ts";
import { type Command, parseCommandLine } from "./options.ts";
import { setUpTensorFlow, withLiveReporter } from "./set_up.ts";

interface BenchFlags {
  rows: string | null;
  columns: string | null;
  batchSizes: string;
  rounds: number | null;
  epochImages: number;
  quick: boolean;
  profile: boolean;
  python: string | null;
  data: string | null;
  weights: string | null;
  device: DeviceChoice;
  threads: number | null;
  force: boolean;
  json: string | null;
  figure: string | null;
}

const { data, weights, device } = TRAINING_OPTIONS;

/** The columns of other batch sizes together. */
const SIZES = "sizes";
const COLUMN_NAMES = [...COLUMNS.map(({ id }) => id), SIZES];
/** Of a trial, in less than a minute. */
const QUICK = { rounds: 3, turn: 60, columns: "step,frozen,predict", epochImages: 640 };
const MILLISECONDS_A_TURN = 300;

const COMMAND: Command<BenchFlags> = {
  name: "deno task bench",
  summary:
    "Times this project beside PyTorch and plain TensorFlow.js: the same network, weights, batches and optimizer, in turn. First " +
    "it checks that all compute the same gradients. About ten minutes; leave the machine alone meanwhile.",
  options: {
    rows: {
      kind: "string",
      default: null,
      defaultText: "all but bf16",
      group: "What",
      help: FORMS.map(({ row }) => row).join(", "),
      value: "ROW,…|all",
    },
    columns: {
      kind: "string",
      default: null,
      defaultText: "all",
      group: "What",
      help: COLUMN_NAMES.join(", "),
      value: "COLUMN,…|all",
    },
    batchSizes: {
      kind: "string",
      default: "1,32,128,512,1024",
      group: "What",
      help: "images a step, of the column sizes",
      value: "N,…",
    },
    epochImages: {
      kind: "integer",
      range: { from: 1, to: 50_000 },
      default: 2560,
      group: "What",
      help: "images of an epoch that is timed; the time is scaled to all 50,000",
      value: "N",
    },
    profile: {
      kind: "boolean",
      default: false,
      group: "What",
      help: "list the operations of a step with their times",
    },
    rounds: {
      kind: "integer",
      range: { from: 1, to: 1000 },
      default: null,
      defaultText: "9",
      group: "How",
      help: "rounds in which all take turns, after one that is thrown away",
      value: "N",
    },
    quick: {
      kind: "boolean",
      default: false,
      group: "How",
      help: "a trial of some columns in less than a minute: no measurement",
    },
    force: {
      kind: "boolean",
      default: false,
      group: "How",
      help: "measure although the machine is busy; the result says so",
    },
    python: {
      kind: "string",
      default: null,
      defaultText: "PyTorch is installed into .venv",
      group: "How",
      help: "a Python that has torch and safetensors",
      value: "PATH",
    },
    threads: {
      kind: "integer",
      range: { from: 1, to: 1024 },
      default: null,
      defaultText: "all cores",
      group: "How",
      help: "threads of both sides",
      value: "N",
    },
    data: { ...data, default: data.default, group: "How" },
    weights: { ...weights, default: weights.default, group: "How" },
    device: { ...device, default: "auto", group: "How" },
    json: {
      kind: "string",
      default: null,
      group: "Output",
      help: "write everything to a file",
      value: "FILE",
    },
    figure: {
      kind: "string",
      default: null,
      group: "Output",
      help: "draw bars into an SVG file",
      value: "FILE",
    },
  },
  examples: [
    ["deno task bench --json bench/results/laptop.json", "all of it"],
    ["deno task bench --quick --rows ours,plain", "see how it goes, without PyTorch"],
    ["deno task bench --columns epoch --rows ours,best --epoch-images 50000", "whole epochs"],
    ["deno task bench --rows ours --columns step --profile", "what a step's time is spent on"],
  ],
};

async function main(args: string[]): Promise<void> {
  const { values, given } = parseCommandLine(COMMAND, args);
  const rows = values.rows === null ? defaultRows(values.quick) : parseNames(
    values.rows,
    FORMS.map(({ row }) => row),
    "--rows",
  );
  const columns = chooseColumns(values, given);
  for (const file of [values.json, values.figure]) requireFolder(file);
  const loadAverage = Deno.loadavg(); // before the set-up makes it rise
  const warning = checkIdle(loadAverage[0], navigator.hardwareConcurrency, values.force || values.quick);
  if (warning !== null) console.error(warning);
  await setUpTensorFlow({ device: values.device });
  const python = rows.some((row) => findForm(row).side === "peer") ? await findPython(values.python) : null;

  using interrupts = watchInterrupts();
  const liveLine = createLiveLine();
  const result = await runBench({
    rows,
    columns,
    python,
    loadAverage,
    warning,
    rounds: values.rounds ?? (values.quick ? QUICK.rounds : 9),
    thrownAway: 1,
    turn: values.quick ? QUICK.turn : MILLISECONDS_A_TURN,
    epochImages: given.epochImages ?? (values.quick ? QUICK.epochImages : values.epochImages),
    threads: values.threads ?? navigator.hardwareConcurrency,
    device: values.device,
    data: values.data,
    weights: values.weights,
    profile: values.profile,
    isQuick: values.quick,
    signal: interrupts.signal,
    onProgress: (text) => liveLine.draw((columns) => text.slice(0, columns)),
    onMessage: (text) => liveLine.print(text),
  }).finally(() => liveLine.clear());
  console.log(formatResult(result));
  if (values.json !== null) writeText(values.json, JSON.stringify(result, null, 1) + "\n");
  const figure = values.figure === null ? null : drawResult(result);
  if (figure !== null) writeText(values.figure!, figure);
}

function defaultRows(quick: boolean): string[] {
  return FORMS.filter(({ byDefault, isQuick }) => byDefault && (!quick || isQuick)).map(({ row }) => row);
}

function chooseColumns(values: BenchFlags, given: Partial<BenchFlags>): Column[] {
  const names = parseNames(
    values.columns ?? (values.quick ? QUICK.columns : "all"),
    COLUMN_NAMES,
    "--columns",
  );
  const main = COLUMNS.filter(({ id }) => names.includes(id));
  const isWanted = names.includes(SIZES) || given.batchSizes !== undefined;
  const sizes = isWanted ? sizeColumns(parseBatchSizes(values.batchSizes, "--batch-sizes")) : [];
  // what the first column measures need not be measured twice
  const known = main.filter(({ id }) => id === "step").map(({ batchSize }) => batchSize);
  return [...main, ...sizes.filter(({ batchSize }) => !known.includes(batchSize))];
}

/** The Python that the user names, or the project's own with PyTorch in it. */
async function findPython(named: string | null): Promise<string> {
  if (named !== null) return named.includes("/") ? resolve(named) : named;
  // PyPI has the CUDA build only, several GB; PyTorch's own index has the small one, which is the later version of the two
  const index = "PIP_EXTRA_INDEX_URL";
  if (Deno.env.get(index) === undefined && await findGpu() === null) {
    Deno.env.set(index, "https://download.pytorch.org/whl/cpu");
  }
  const { python } = await withLiveReporter((reporter) => ensurePythonPackages("bench", { reporter }));
  return python;
}

/** Ten minutes later would be too late to learn that a file cannot be written. */
function requireFolder(file: string | null): void {
  if (file === null) return;
  const folder = dirname(resolve(file));
  const isFolder = (() => {
    try {
      return Deno.statSync(folder).isDirectory;
    } catch {
      return false;
    }
  })();
  if (!isFolder) throw new InputError(`Cannot write ${file}: there is no folder ${folder}; make it first.`);
}

function writeText(file: string, text: string): void {
  writeFileAtomically(file, new TextEncoder().encode(text));
  console.error(`Written to ${file}.`);
}

if (import.meta.main) await runCommand(main);
