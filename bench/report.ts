/** A result as tables, notes and bars. The command line prints them; the README has the first table. */
import { formatMachine } from "../lib/experiments/provenance.ts";
import { benchBars, type MeasuredTask, type Measurement } from "../lib/figures/bars.ts";
import { formatPercent } from "../lib/support/format.ts";
import { formatSpread, meanInterval } from "../lib/support/statistics.ts";
import type { ColumnResult, RowResult } from "./columns.ts";
import type { StepProfile } from "./profile.ts";
import { quantile, type Spread } from "./rounds.ts";
import type { BenchResult } from "./run_bench.ts";

/** A table of texts. */
export interface ReportTable {
  title: string;
  header: string[];
  rows: string[][];
}

/** Returns a row of a column, if it was measured. */
export function findRow({ rows }: ColumnResult, row: string | null): RowResult | undefined {
  return rows.find((found) => found.row === row);
}

/** Tabulates ours beside plain TensorFlow.js and PyTorch's best row of each column. */
export function summariseResult(columns: readonly ColumnResult[]): ReportTable {
  return {
    title: "Medians",
    header: ["", "plain", "PyTorch", "ours", "×"],
    rows: columns.map((column) => {
      const [plain, best, ours] = ["plain", column.reference, "ours"].map((row) => findRow(column, row));
      const show = (row?: RowResult) => row ? `${formatValue(row.spread.median)} ${column.unit}` : "–";
      return [column.title, show(plain), show(best), show(ours), ours?.ratio?.median.toFixed(2) ?? "–"];
    }),
  };
}

/** Tabulates every row of every column with its quartiles. */
export function tabulateSpreads(columns: readonly ColumnResult[]): ReportTable[] {
  return columns.map(({ title, unit, rows }) => ({
    title: `${title} (${unit})`,
    header: ["", "least", "median", "quartiles", "× (quartiles)", "rounds"],
    rows: rows.map(({ row, count, rounds, spread, ratio }) => [
      row,
      formatValue(spread.minimum),
      formatValue(spread.median),
      `${formatValue(spread.low)}–${formatValue(spread.high)}`,
      ratio === null ? "" : formatRatio(ratio),
      `${rounds.length} × ${count}`,
    ]),
  }));
}

const SHOWN_OPERATIONS = 20;

export function tabulateProfile({ operations, steps, milliseconds, outside }: StepProfile): ReportTable {
  const [shown, rest] = [operations.slice(0, SHOWN_OPERATIONS), operations.slice(SHOWN_OPERATIONS)];
  const sum = (key: "count" | "milliseconds") => rest.reduce((total, one) => total + one[key], 0);
  const others = {
    operation: `${rest.length} others`,
    count: sum("count"),
    milliseconds: sum("milliseconds"),
  };
  const row = (name: string, calls: string, time: number) => [
    name,
    calls,
    time.toFixed(2),
    formatPercent(time / milliseconds),
  ];
  return {
    title: `Operations of the eager step, mean of ${steps} steps`,
    header: ["operation", "calls", "ms", "share"],
    rows: [
      ...[...shown, ...rest.length > 0 ? [others] : []].map((one) =>
        row(one.operation, String(Math.round(one.count)), one.milliseconds)
      ),
      row("outside TensorFlow", "", milliseconds * outside),
      row("step", "", milliseconds),
    ],
  };
}

/** Lists the circumstances and the checks of a result, one sentence each. */
export function listNotes(result: BenchResult): string[] {
  const { machine, date, own, pytorch, settings, agreement, dataShare, overhead, profile } = result;
  return [
    `${formatMachine(machine)}; ${
      date.slice(0, 10)
    }; ${settings.rounds} rounds of ${settings.turn} ms per turn, ` +
    `${result.seconds} s in all.`,
    own && `TensorFlow ${own.tensorflow} on the ${own.device.toUpperCase()}, ${own.threads} threads, ` +
      `TensorFlow.js ${own.tfjs}, Deno ${own.deno}.`,
    pytorch && `PyTorch ${pytorch.torch} on ${pytorch.device === "cpu" ? "the CPU" : pytorch.device}, ` +
      `${pytorch.threads} threads, Python ${pytorch.python}, allocator ${pytorch.allocator}, ${pytorch.capability}.`,
    `Images: ${result.data}. Weights: ${result.weights}. Float32, SGD with Nesterov momentum and weight decay.`,
    `Epochs were timed on ${settings.epochImages.toLocaleString("en-GB")} images and scaled to 50,000.`,
    agreement.length > 0 && `Gradients differ from those of ${agreement[0].reference} by ` +
      agreement.map(({ row, distances }) => `${quantile(distances, 0.5).toExponential(1)} (${row})`).join(
        ", ",
      ) +
      " of their length.",
    ...result.columns.flatMap(({ title, rows }) =>
      rows.flatMap(({ row, accuracies = [] }) =>
        accuracies.length === 0
          ? []
          : `Test accuracy of ${title}, ${row}: ${
            formatSpread(meanInterval(accuracies), 2, 100)
          } % (n = ${accuracies.length}).`
      )
    ),
    dataShare && `Making the batches takes ${formatPercent(dataShare.median)} of our epoch.`,
    overhead &&
    `${formatPercent(overhead.outside)} of our step of ${overhead.batchSize} is spent outside TensorFlow.`,
    profile && `Compiled, the profiled step takes ${formatValue(profile.compiled.milliseconds)} ms.`,
    "×: times as fast as PyTorch's best row of that column; for memory, its multiple of PyTorch's.",
  ].filter((note) => typeof note === "string");
}

function formatRatio({ median, low, high }: Spread): string {
  return `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}

/** Formats with three significant digits. */
export function formatValue(value: number): string {
  if (!Number.isFinite(value)) return "?";
  const digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : value >= 0.9995 ? 2 : 3;
  return value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

const BEST = "PyTorch at its best";
const DRAWN_ROWS = ["plain", "usual", "eager", "ours"];

/**
 * Draws the result as bars, one group per column.
 *
 * @returns An SVG document; null if there is nothing to show.
 */
export function drawResult({ columns, settings, machine }: BenchResult): string | null {
  const measure = ({ spread }: RowResult, system: string): Measurement => ({
    system,
    median: spread.median,
    low: spread.low,
    high: spread.high,
  });
  const tasks = columns.map((column): MeasuredTask => {
    const best = findRow(column, column.reference);
    const shown = DRAWN_ROWS.map((row) => findRow(column, row)).filter((row) => row !== undefined);
    return {
      name: column.title,
      unit: column.unit,
      measurements: [
        ...best ? [measure(best, BEST)] : [],
        ...shown.filter((row) => row !== best).map((row) => measure(row, row.label)),
      ],
    };
  }).filter(({ measurements }) => measurements.length > 0);
  if (tasks.length === 0) return null;
  const { svg } = benchBars(tasks, {
    baseline: BEST,
    title: "Time and memory, side by side",
    note: `Bars: medians of ${settings.rounds} rounds; whiskers: quartiles. Shorter is better. ${
      formatMachine(machine)
    }.`,
  });
  return svg;
}
