import { formatCount, formatNumber } from "../support/format.ts";
import { composeFigure, contentWidth, type Figure, line, text, translate } from "./figure.ts";
import { fitFontSize } from "./fonts.ts";
import { intervalPanel, type IntervalRow, nameWidth } from "./interval_panel.ts";
import { categoryColour, type FigureOptions, FONT_SIZE, INK, MUTED, NOTE } from "./style.ts";

const ROW = 24;
const BAR_COLOUR = "#9cc9e6";
const BASELINE_COLOUR = "#a9b2bd";

/** Accuracy on the images of one class. */
export interface ClassAccuracy {
  /** Class name. */
  name: string;
  /** 0–1. */
  accuracy: number;
  /** Ends of its 95 % interval, 0–1. */
  interval?: readonly [number, number];
}

/** Options of {@linkcode perClassAccuracy}. */
export interface PerClassAccuracyOptions extends FigureOptions {
  /** Accuracy over all images, 0–1, drawn as a line across the bars. */
  overall?: number;
}

/**
 * Draws the accuracy of each class as a bar, the best class on top.
 *
 * @throws {RangeError} If there is no class.
 */
export function perClassAccuracy(
  classes: readonly ClassAccuracy[],
  { overall, ...options }: PerClassAccuracyOptions = {},
): Figure {
  if (classes.length === 0) throw new RangeError("Accuracy by class needs at least one class.");
  const sorted = classes.toSorted((a, b) => b.accuracy - a.accuracy);
  const percent = (share: number) => formatNumber(100 * share, 1);
  const rows = sorted.map(({ name, accuracy, interval }): IntervalRow => ({
    name,
    item: {
      value: 100 * accuracy,
      interval: interval && [100 * interval[0], 100 * interval[1]],
      colour: BAR_COLOUR,
      isBar: true,
      numbers: [percent(accuracy)],
    },
  }));
  const hasIntervals = classes.some(({ interval }) => interval);
  const panel = intervalPanel(rows, {
    width: contentWidth(options),
    row: ROW,
    title: `Accuracy (%)${hasIntervals ? " with 95 % intervals" : ""}`,
    headings: [""],
    domain: [0, 100],
  });
  const x = panel.x(100 * (overall ?? 0));
  const mark = overall === undefined ? "" : line([x, panel.top - 8], [x, panel.bottom], INK, 1, "3 3") +
    text(`all classes ${percent(overall)}`, x - 6, panel.top - 4, { ...NOTE, anchor: "end" });
  return composeFigure({
    markup: panel.markup + mark,
    height: panel.height,
    alt: `Accuracy by class: ${
      sorted.map(({ name, accuracy }) => `${name} ${percent(accuracy)} %`).join(", ")
    }.`,
  }, options);
}

/** A quantity, layer by layer. */
export interface DriftPanel {
  /** Quantity and unit, such as `Angle of the kernels to where they began (°)`. */
  title: string;
  /** In their order in the network. */
  layers: readonly { name: string; value: number }[];
  /** Of the numbers. @default 1 */
  decimals?: number;
}

/**
 * Draws quantities of layers as bars, side by side: the drift of weights and of running statistics, say.
 *
 * @throws {RangeError} If there is no panel, or one without layers.
 */
export function driftBars(panels: readonly DriftPanel[], options: FigureOptions = {}): Figure {
  if (panels.length === 0 || panels.some(({ layers }) => layers.length === 0)) {
    throw new RangeError("A figure of layers needs at least one panel, and each at least one layer.");
  }
  const between = 32;
  const width = (contentWidth(options) - (panels.length - 1) * between) / panels.length;
  const drawn = panels.map(({ title, layers, decimals = 1 }, index) => {
    const rows = layers.map(({ name, value }): IntervalRow => ({
      name,
      item: { value, colour: categoryColour(0), isBar: true, numbers: [formatNumber(value, decimals)] },
    }));
    const panel = intervalPanel(rows, { width, row: ROW, headings: [""] });
    const size = fitFontSize(title, FONT_SIZE.label, width, "bold");
    const markup = text(title, 0, 11, { weight: "bold", size }) + panel.markup;
    return { markup: translate(index * (width + between), 0, markup), height: panel.height };
  });
  return composeFigure({
    markup: drawn.map(({ markup }) => markup).join(""),
    height: Math.max(...drawn.map(({ height }) => height)),
    alt: panels.map(({ title, layers, decimals = 1 }) =>
      `${title}: ${layers.map(({ name, value }) => `${name} ${formatNumber(value, decimals)}`).join(", ")}.`
    ).join(" "),
  }, options);
}

/** Time or memory of one system at a task. */
export interface Measurement {
  /** Such as `PyTorch`. */
  system: string;
  /** Median over the rounds. */
  median: number;
  /** Ends of the spread, such as the quartiles; both or none. */
  low?: number;
  /** Third quartile. */
  high?: number;
}

/** A task that several systems were measured at, on a scale of its own. */
export interface MeasuredTask {
  /** Name of the workload. */
  name: string;
  /** Such as `ms`. */
  unit: string;
  /** One per system. */
  measurements: readonly Measurement[];
}

/** Options of {@linkcode benchBars}. */
export interface BenchBarsOptions extends FigureOptions {
  /** System the others are compared with; its bars are grey. */
  baseline: string;
  /** Line below the bars. */
  note?: string;
}

/**
 * Draws measured systems as bars, task by task: medians, spread and ratios to the baseline.
 *
 * @throws {RangeError} If there is no task, or one without measurements.
 */
export function benchBars(
  tasks: readonly MeasuredTask[],
  { baseline, note = "", ...options }: BenchBarsOptions,
): Figure {
  if (tasks.length === 0 || tasks.some(({ measurements }) => measurements.length === 0)) {
    throw new RangeError("A benchmark figure needs at least one task, and each at least one measurement.");
  }
  const systems = [...new Set(tasks.flatMap(({ measurements }) => measurements.map(({ system }) => system)))]
    .filter((system) => system !== baseline);
  const groups = tasks.map(({ unit, measurements }) => {
    const reference = measurements.find(({ system }) => system === baseline)?.median;
    return measurements.map(({ system, median, low, high }): IntervalRow => ({
      name: system,
      colour: system === baseline ? MUTED : INK,
      item: {
        value: median,
        interval: low === undefined || high === undefined ? undefined : [low, high],
        colour: system === baseline ? BASELINE_COLOUR : categoryColour(systems.indexOf(system)),
        isBar: true,
        numbers: [
          `${formatMeasured(median)} ${unit}`,
          reference === undefined
            ? ""
            : system === baseline
            ? "1 ×"
            : `${formatNumber(median / reference, 2)} ×`,
        ],
      },
    }));
  });
  const width = contentWidth(options);
  const names = nameWidth(groups.flat());
  let y = 0;
  const markup = groups.map((rows, index) => {
    const panel = intervalPanel(rows, {
      width,
      row: ROW,
      title: tasks[index].name,
      headings: ["", `relative to ${baseline}`],
      names,
      hasAxis: false,
    });
    const placed = translate(0, y, panel.markup);
    y += panel.height + 16;
    return placed;
  });
  return composeFigure({
    markup: markup.join("") + (note ? text(note, 0, y + 6, NOTE) : ""),
    height: note ? y + 10 : y - 16,
    alt: tasks.map(({ name, unit, measurements }) =>
      `${name}: ${
        measurements.map(({ system, median }) => `${system} ${formatMeasured(median)} ${unit}`).join(", ")
      }.`
    ).join(" "),
  }, options);
}

/** Formats three significant digits: 1,310, 61.2, 6.12. */
function formatMeasured(value: number): string {
  return value >= 99.95 || value === 0 ? formatCount(value) : formatNumber(value, value >= 9.995 ? 1 : 2);
}
