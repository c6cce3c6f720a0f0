import { composeFigure, contentWidth, type Figure } from "./figure.ts";
import { formatCount, formatNumber } from "../support/format.ts";
import { Plot, plotPanel } from "./plot.ts";
import { categoryColour, type FigureOptions, FONT_SIZE, INK, MUTED } from "./style.ts";
import { text, translate } from "./svg.ts";
import { textWidth } from "./text_width.ts";

/** How long (or how much) one system took for a task. */
export interface Measurement {
  /** What was measured, such as `PyTorch`. */
  system: string;
  /** The median of all runs. */
  median: number;
  /** Ends of the spread, such as the quartiles; both or none. */
  low?: number;
  /** The upper end of the spread. */
  high?: number;
}

/** A task that several systems were measured at; each task has a scale of its own. */
export interface MeasuredTask {
  /** What is done. */
  name: string;
  /** Unit of the values, such as `ms`. */
  unit: string;
  /** One a system. */
  measurements: readonly Measurement[];
}

/** Options of {@linkcode benchBars}. */
export interface BenchBarsOptions extends FigureOptions {
  /** The system the others are compared with; its bars are grey, and every bar says how many times its value it is. */
  baseline?: string;
  /** What the whisker is (default: nothing is said), such as `bars: medians of 5; whiskers: quartiles`. */
  note?: string;
}

/**
 * Systems side by side, task by task: horizontal bars of medians with their spread, the value, and its ratio to the
 * baseline's.
 *
 * @throws {RangeError} If there is no task, or one without measurements.
 */
export function benchBars(tasks: readonly MeasuredTask[], options: BenchBarsOptions = {}): Figure {
  if (tasks.length === 0 || tasks.some((task) => task.measurements.length === 0)) {
    throw new RangeError("A benchmark figure needs at least one task, and each at least one measurement.");
  }
  const { baseline, note } = options;
  const systems = [
    ...new Set(tasks.flatMap((task) => task.measurements.map((measurement) => measurement.system))),
  ];
  const coloured = systems.filter((system) => system !== baseline);
  const colourOf = (system: string) =>
    system === baseline ? "#a9b2bd" : categoryColour(coloured.indexOf(system));
  const width = contentWidth(options);
  // a tenth more: not every machine has the font that widths are known of
  const left = 12 + 1.1 * Math.max(...systems.map((system) => textWidth(system, FONT_SIZE.label)));
  const right = baseline ? 176 : 84;
  const row = 25;
  let y = 0;
  const groups = tasks.map(({ name, unit, measurements }) => {
    const reference = measurements.find((measurement) => measurement.system === baseline)?.median;
    const height = measurements.length * row;
    const most = Math.max(...measurements.map((measurement) => measurement.high ?? measurement.median));
    const panel = plotPanel({
      width: width - right + 20,
      height,
      marginLeft: left,
      marginRight: 20,
      marginTop: 0,
      marginBottom: 0,
      x: { domain: [0, most], axis: null },
      y: {
        type: "band",
        domain: measurements.map((measurement) => measurement.system),
        padding: 0.24,
        axis: null,
        round: false,
      },
      marks: [
        Plot.barX(measurements, {
          x1: 0,
          x2: "median",
          y: "system",
          fill: (measurement: Measurement) => colourOf(measurement.system),
          rx: 1.5,
        }),
        Plot.link(
          measurements.filter((measurement) =>
            measurement.low !== undefined && measurement.high !== undefined
          ),
          {
            x1: "low",
            x2: "high",
            y1: "system",
            y2: "system",
            stroke: INK,
            strokeWidth: 1.25,
          },
        ),
        Plot.ruleX([0], { stroke: MUTED }),
      ],
    });
    const labels = measurements.map((measurement) => {
      const middle = panel.y(measurement.system) + 4;
      const own = measurement.system !== baseline;
      const ratio = reference !== undefined && own
        ? text(`${formatNumber(measurement.median / reference, 2)} ×`, width, middle, {
          anchor: "end",
          weight: "bold",
        })
        : measurement.system === baseline
        ? text("1 ×", width, middle, { anchor: "end", fill: MUTED })
        : "";
      return text(measurement.system, left - 8, middle, { anchor: "end", weight: own ? "bold" : "regular" }) +
        text(
          `${formatMeasured(measurement.median)} ${unit}`,
          panel.x(measurement.high ?? measurement.median) + 8,
          middle,
          {
            fill: INK,
          },
        ) + ratio;
    }).join("");
    const markup = translate(
      0,
      y,
      text(name, 0, 12, { weight: "bold" }),
      translate(0, 20, panel.markup, labels),
    );
    y += height + 20 + 16;
    return markup;
  }).join("");
  const head = baseline
    ? text(`relative to ${baseline}`, width, 12, { size: FONT_SIZE.tick, fill: MUTED, anchor: "end" })
    : "";
  const foot = note ? text(note, 0, y + 6, { size: FONT_SIZE.tick, fill: MUTED }) : "";
  return composeFigure({
    markup: groups + head + foot,
    height: note ? y + 10 : y - 16,
    description: tasks.map((task) =>
      `${task.name}: ${
        task.measurements.map((item) => `${item.system} ${formatMeasured(item.median)} ${task.unit}`).join(
          ", ",
        )
      }.`
    ).join(" "),
  }, options);
}

/** Three significant digits: 1,310, 61.2, 6.12. */
function formatMeasured(value: number): string {
  return value >= 99.95 || value === 0 ? formatCount(value) : formatNumber(value, value >= 9.995 ? 1 : 2);
}
