/**
 * A result as tables and as a figure.
 *
 * @module
 */
import { formatMachine } from "../lib/experiments/provenance.ts";
import { formatMarkdownTable } from "../lib/experiments/markdown.ts";
import { benchBars, type MeasuredTask, type Measurement } from "../lib/figures/bench_bars.ts";
import { findForm, FORMS } from "./forms.ts";
import type { StepProfile } from "./profile.ts";
import { type BenchResult, type ColumnResult, findRow, type RowResult } from "./result.ts";
import { quantile, type Spread } from "./statistics.ts";

/** The whole result as Markdown. */
export function formatResult(result: BenchResult): string {
  const main = result.columns.filter(({ id }) => !isSize(id));
  const sizes = result.columns.filter(({ id }) => isSize(id) || id === "step");
  const parts = [
    ...(result.isQuick ? ["**A quick trial: these are no measurements.**"] : []),
    ...(result.warning === null ? [] : [`**${result.warning}**`]),
    ...(main.length > 0 ? [formatMainTable(main)] : []),
    ...(sizes.some(({ id }) => isSize(id)) ? [formatSizes(sizes)] : []),
    formatNotes(result),
    ...(result.profile === null ? [] : [formatProfile(result.profile)]),
    "### Spread",
    formatSpread(result.columns),
  ];
  return parts.join("\n\n") + "\n";
}

function isSize(id: string): boolean {
  return id.startsWith("step-");
}

/** Rows by columns: medians, and how they compare with PyTorch's best. */
function formatMainTable(columns: readonly ColumnResult[]): string {
  const rows = FORMS.filter(({ row }) =>
    columns.some((column) => column.rows.some((found) => found.row === row))
  );
  return formatMarkdownTable(
    ["", ...columns.map(({ title, unit }) => `${title} (${unit})`)],
    rows.map(({ row, label }) => [label, ...columns.map((column) => formatCell(column, row))]),
  );
}

function formatCell({ rows, reference }: ColumnResult, row: string): string {
  const found = rows.find((found) => found.row === row);
  if (found === undefined) return "";
  const { spread, ratio } = found;
  const compared = ratio === null ? "" : row === reference ? " · **1 ×**" : ` · ${ratio.median.toFixed(2)} ×`;
  return formatValue(spread.median) + compared;
}

/** Steps of other batch sizes: PyTorch's best and ours. */
function formatSizes(columns: readonly ColumnResult[]): string {
  const sorted = columns.toSorted((one, other) => one.batchSize! - other.batchSize!);
  const rows = sorted.map(({ batchSize, rows, reference }) => {
    const ours = rows.find(({ row }) => row === "ours");
    const best = rows.find(({ row }) => row === reference);
    return [
      String(batchSize),
      best ? `${formatValue(best.spread.median)} (${best.row})` : "",
      ours ? formatValue(ours.spread.median) : "",
      ours?.ratio ? formatRatio(ours.ratio) : "",
      ours ? Math.round(batchSize! * 1000 / ours.spread.median).toLocaleString("en-GB") : "",
    ];
  });
  return formatMarkdownTable(
    ["images a step", "PyTorch's best form (ms)", "ours (ms)", "times as fast", "ours, images a second"],
    rows,
  );
}

function formatNotes(result: BenchResult): string {
  const { machine, own, pytorch, settings, agreement, dataShare, javaScript } = result;
  const lines = [
    `Medians of ${settings.rounds} rounds (memory: at most 3), ${settings.thrownAway} before them thrown away; all systems took turns in each. × : how many ` +
    "times as fast as PyTorch's best form in that column, for memory how many times its bytes; the median over pairs of the same round.",
    `${formatMachine(machine)}; load average ${result.loadAverage[0].toFixed(2)} before the start; ${
      result.date.slice(0, 10)
    }; ${result.seconds} s.`,
  ];
  if (own) {
    lines.push(
      `TensorFlow ${own.tensorflow} on the ${own.device.toUpperCase()}, ${own.threads} threads, TensorFlow.js ${own.tfjs}, Deno ${own.deno}.`,
    );
  }
  if (pytorch) {
    lines.push(
      `PyTorch ${pytorch.torch} on ${
        pytorch.device === "cpu" ? "the CPU" : pytorch.device
      }, ${pytorch.threads} threads, Python ${pytorch.python}, allocator ${pytorch.allocator}, ${pytorch.capability}.`,
    );
  }
  lines.push(
    `Images: ${result.data}. Weights: ${result.weights}. Float32, SGD with Nesterov momentum and weight decay. ` +
      `An epoch was timed on ${settings.epochImages.toLocaleString("en-GB")} images and scaled to 50,000.`,
  );
  if (agreement.length > 0) {
    const texts = agreement.map(({ row, distances }) =>
      `${findForm(row).label} ${quantile(distances, 0.5).toExponential(1)}`
    );
    lines.push(
      `Gradients differ from those of ${findForm(agreement[0].reference).label} by: ${texts.join(", ")}.`,
    );
  }
  if (dataShare) lines.push(`Making the batches takes ${percent(dataShare.median)} of our epoch.`);
  if (javaScript) {
    lines.push(
      `Outside TensorFlow's own computing our step of ${javaScript.batchSize} spends ${
        percent(javaScript.javaScript)
      }.`,
    );
  }
  return lines.map((line) => `- ${line}`).join("\n");
}

const SHOWN_OPERATIONS = 20;

/** The operations of a step, and how near it comes to what the machine can do. */
export function formatProfile(profile: StepProfile): string {
  const { operations, batchSize, steps, milliseconds, javaScript, compiled, flops, matMulRate } = profile;
  const shown = operations.slice(0, SHOWN_OPERATIONS);
  const rest = operations.slice(SHOWN_OPERATIONS);
  const sum = (key: "count" | "milliseconds" | "share") => rest.reduce((total, one) => total + one[key], 0);
  const row = (name: string, count: number, milliseconds: number, share: number) => [
    name,
    String(Math.round(count)),
    milliseconds.toFixed(2),
    percent(share),
  ];
  const table = formatMarkdownTable(["operation", "calls", "ms", "share"], [
    ...shown.map((one) => row(one.operation, one.count, one.milliseconds, one.share)),
    ...(rest.length > 0
      ? [row(`${rest.length} others`, sum("count"), sum("milliseconds"), sum("share"))]
      : []),
    ["JavaScript", "", (milliseconds * javaScript).toFixed(2), percent(javaScript)],
    ["step", "", milliseconds.toFixed(2), percent(1)],
  ]);
  const rate = flops / (compiled.milliseconds / 1000);
  const giga = (value: number) => (value / 1e9).toFixed(value < 1e11 ? 1 : 0);
  return [
    "### A step, operation by operation",
    `Our step of ${batchSize} images run one operation after the other, mean of ${steps} steps. As one graph it takes ` +
    `${formatValue(compiled.milliseconds)} ms, ${percent(compiled.javaScript)} of it outside TensorFlow.`,
    table,
    `By the textbook a step is ${giga(flops)} GFLOP. As one graph that is ${giga(rate)} GFLOP/s, ` +
    `${percent(rate / matMulRate)} of what this machine does in a product of two 1024×1024 matrices (${
      giga(matMulRate)
    } GFLOP/s); ` +
    "Winograd's algorithm does with fewer operations than the textbook.",
  ].join("\n\n");
}

/** Every row of every column with its quartiles. */
function formatSpread(columns: readonly ColumnResult[]): string {
  const range = ({ low, high }: Spread) => `${formatValue(low)}–${formatValue(high)}`;
  const rows = columns.flatMap(({ title, unit, rows }) =>
    rows.map(({ label, count, rounds, spread, ratio }, at) => [
      at === 0 ? `${title} (${unit})` : "",
      label,
      formatValue(spread.minimum),
      formatValue(spread.median),
      range(spread),
      ratio === null ? "" : formatRatio(ratio),
      `${rounds.length} × ${count}`,
    ])
  );
  return formatMarkdownTable(
    ["", "", "least", "median", "quartiles", "× (quartiles)", "rounds × repetitions"],
    rows,
  );
}

function formatRatio({ median, low, high }: Spread): string {
  return `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}

/** Three digits. */
function formatValue(value: number): string {
  if (!Number.isFinite(value)) return "?";
  const digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** What a figure calls the least of PyTorch's forms. */
const BEST = "PyTorch at its best";
const SHOWN_ROWS = ["plain", "usual", "eager", "ours"];

/**
 * The result as bars, one group a column.
 *
 * @returns An SVG document; null if there is nothing to show.
 */
export function drawResult(result: BenchResult): string | null {
  const tasks = result.columns.map((column): MeasuredTask => {
    const best = column.rows.find(({ row }) => row === column.reference);
    const shown = SHOWN_ROWS.map((row) => findRow(result, column.id, row)).filter((row) => row !== undefined);
    return {
      name: column.title,
      unit: column.unit,
      measurements: [
        ...(best ? [measure(best, BEST)] : []),
        ...shown.filter((row) => row !== best).map((row) => measure(row, row.label)),
      ],
    };
  }).filter(({ measurements }) => measurements.length > 0);
  if (tasks.length === 0) return null;
  return benchBars(tasks, {
    baseline: BEST,
    title: "Time and memory, side by side",
    note: `Bars: medians of ${result.settings.rounds} rounds; whiskers: quartiles. Shorter is better. ${
      formatMachine(result.machine)
    }.`,
  });
}

function measure({ spread }: RowResult, system: string): Measurement {
  return { system, median: spread.median, low: spread.low, high: spread.high };
}
