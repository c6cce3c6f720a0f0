import { dirname, resolve } from "@std/path";
import { type Column, COLUMNS, sizeColumns } from "../bench/columns.ts";
import { findForm, FORMS, parseBatchSizes, parseNames } from "../bench/forms.ts";
import { checkIdle } from "../bench/machine.ts";
import { drawResult, formatResult } from "../bench/report.ts";
import { runBench } from "../bench/run_bench.ts";
import { writeFileAtomically } from "../lib/support/files.ts";
import { InputError } from "../lib/support/errors.ts";
import { watchInterrupts } from "../lib/support/interrupt.ts";
import { ensurePythonPackages, findGpu } from "../lib/tensorflow/setup/mod.ts";
import { BENCH_COMMAND, COLUMN_NAMES, SIZES } from "./shared/bench_options.ts";
import { runCommand } from "./shared/command.ts";
import { createLiveLine } from "./shared/live_line.ts";
import type { CommandLine, ValuesOf } from "./shared/options.ts";
import { setUpTensorFlow, withLiveReporter } from "./shared/set_up.ts";

/** Of a trial, in less than a minute. */
const QUICK = { rounds: 3, turn: 60, columns: "step,frozen,predict", epochImages: 640 };
const MILLISECONDS_A_TURN = 300;

type BenchFlags = ValuesOf<typeof BENCH_COMMAND>;

async function main({ values, given }: CommandLine<typeof BENCH_COMMAND>): Promise<void> {
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

if (import.meta.main) await runCommand(BENCH_COMMAND, main);
