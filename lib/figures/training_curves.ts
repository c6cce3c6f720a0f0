import { composeFigure, contentWidth, type Figure } from "./figure.ts";
import { endLabels, keyRow } from "./labels.ts";
import { extent, formatNumber, formatPercent } from "../support/format.ts";
import { type Panel, Plot, plotPanel } from "./plot.ts";
import { categoryColour, FAINT, type FigureOptions, FONT_SIZE, GREY, INK, MUTED } from "./style.ts";
import { text, translate } from "./svg.ts";
import { textWidth } from "./text_width.ts";

/** One epoch of a curve, such as a line of `history.jsonl`. Values that are not finite are not drawn. */
export interface CurvePoint {
  /** 1 for the first. */
  epoch: number;
  /** Of the epoch's last step. */
  learningRate: number;
  /** Mean over the epoch, with augmentation. */
  trainLoss: number;
  /** 0–1. */
  trainAccuracy: number;
  /** After the epoch. */
  testLoss: number;
  /** 0–1. */
  testAccuracy: number;
}

/** A run and its history. Runs of one name (seeds of one experiment) share a colour and a label. */
export interface TrainingRun {
  /** What the run is called. */
  name: string;
  /** Its epochs, in order. */
  history: readonly CurvePoint[];
}

/** Options of {@linkcode trainingCurves}. */
export interface TrainingCurvesOptions extends FigureOptions {
  /** Where the epochs' axis ends (default: the last epoch recorded); keeps a growing figure in place. */
  epochs?: number;
}

type Measure = "trainLoss" | "testLoss" | "trainAccuracy" | "testAccuracy" | "learningRate";

/**
 * Accuracy and loss by epoch, on the training and the test set, with the learning rate below: one run, or several to compare.
 *
 * A single run's lines are blue and orange and say which set they are of; with several runs the colour is the run's, and
 * the test set's line is solid, the training set's dashed. Lines are labelled where they end.
 *
 * @throws {RangeError} If there is no run, or no run has an epoch.
 */
export function trainingCurves(runs: readonly TrainingRun[], options: TrainingCurvesOptions = {}): Figure {
  const epochs = runs.flatMap((run) => run.history.map((record) => record.epoch));
  if (epochs.length === 0) throw new RangeError("Training curves need at least one run with one epoch.");
  const names = [...new Set(runs.map((run) => run.name))];
  const single = names.length === 1;
  const width = contentWidth(options);
  const endNames = single ? ["training 88.8 %"] : names.map((name) => `${name} 88.8 %`);
  const marginRight = Math.min(
    width / 3,
    20 + Math.max(...endNames.map((name) => textWidth(name, FONT_SIZE.tick, "bold"))),
  );
  const [first] = extent(epochs);
  const frame = {
    runs,
    names,
    single,
    width,
    marginRight,
    domain: [Math.min(1, first), Math.max(options.epochs ?? 0, ...epochs, first + 1)] as [number, number],
  };
  const accuracy = curvePanel(frame, "Accuracy (%)", 220, ["trainAccuracy", "testAccuracy"]);
  const loss = curvePanel(frame, "Loss (cross-entropy, nats)", 190, ["trainLoss", "testLoss"]);
  const rate = curvePanel(frame, "Learning rate", 104, ["learningRate"]);
  const key = single ? "" : keyRow(
    [{ label: "test set", colour: MUTED }, { label: "training set", colour: MUTED, mark: "dashed" }],
    width - marginRight,
    7,
    "end",
  );
  const best = names.map((name) => {
    const last = runs.filter((run) => run.name === name).map((run) =>
      run.history.at(-1)?.testAccuracy ?? NaN
    );
    return `${name} ends at ${last.map((value) => formatPercent(value)).join(", ")} on the test set`;
  });
  return composeFigure({
    markup: accuracy.markup + key + translate(0, 226, loss.markup) + translate(0, 422, rate.markup),
    height: 526,
    description: `Accuracy, loss and learning rate over ${Math.max(...epochs)} epochs: ${best.join("; ")}.`,
  }, options);
}

interface Frame {
  runs: readonly TrainingRun[];
  names: readonly string[];
  single: boolean;
  width: number;
  marginRight: number;
  domain: [number, number];
}

function curvePanel(
  frame: Frame,
  label: string,
  height: number,
  measures: readonly Measure[],
): { markup: string } {
  const { runs, names, single, width, marginRight, domain } = frame;
  const rates = measures[0] === "learningRate";
  const unit = measures[0] === "trainAccuracy" ? 100 : 1;
  const shown = rates && sameRates(runs) ? [longest(runs)] : runs;
  const lines = shown.flatMap((run, runIndex) =>
    measures.map((measure) => ({
      measure,
      name: run.name,
      key: `${runIndex} ${measure}`,
      train: measure.startsWith("train"),
      colour: rates && sameRates(runs)
        ? GREY
        : single && !rates
        ? categoryColour(measure.startsWith("train") ? 1 : 0)
        : single
        ? GREY
        : categoryColour(names.indexOf(run.name)),
      points: run.history.map((record) => ({ epoch: record.epoch, value: unit * record[measure] }))
        .filter((point) => Number.isFinite(point.value)),
    }))
  );
  const values = lines.flatMap((line) => line.points.map((point) => point.value));
  const [low, high] = extent(values);
  const points = lines.flatMap((line) => line.points.map((point) => ({ ...line, ...point })));
  const short = Math.max(...lines.map((line) => line.points.length)) < 3;
  const panel = plotPanel({
    width,
    height,
    marginLeft: 46,
    marginRight,
    marginTop: 22,
    marginBottom: rates ? 36 : 14,
    x: {
      domain,
      ticks: epochTicks(domain),
      tickFormat: rates ? "d" : () => "",
      tickSize: rates ? 4 : 0,
      label: null,
    },
    y: {
      domain: rates ? [0, high || 1] : low < high ? [low, high] : [low - 0.5, high + 0.5],
      nice: true,
      ticks: rates ? 3 : 5,
      tickSize: 0,
      tickFormat: high < 5e-3 ? (tick: number) => formatTick(tick) : undefined,
      label: null,
    },
    marks: [
      Plot.gridY({ stroke: FAINT, strokeOpacity: 1, ticks: rates ? 3 : 5 }),
      Plot.lineY(points, {
        x: "epoch",
        y: "value",
        z: "key",
        stroke: (point: typeof points[number]) => point.colour,
        strokeWidth: (point: typeof points[number]) => point.train && !single ? 1.25 : 2,
        strokeDasharray: "none",
        curve: "linear",
        filter: (point: typeof points[number]) => !point.train || single,
      }),
      Plot.lineY(points, {
        x: "epoch",
        y: "value",
        z: "key",
        stroke: (point: typeof points[number]) => point.colour,
        strokeWidth: 1.25,
        strokeDasharray: "4 3",
        filter: (point: typeof points[number]) => point.train && !single,
      }),
      ...(short
        ? [Plot.dot(points, {
          x: "epoch",
          y: "value",
          r: 3,
          fill: (point: typeof points[number]) => point.colour,
        })]
        : []),
    ],
  });
  const labels = rates ? "" : lineLabels(panel, lines, unit === 100, single, height);
  const axis = rates
    ? text("Epoch", (46 + width - marginRight) / 2, height - 2, { anchor: "middle", fill: MUTED })
    : "";
  const note = rates && !single && sameRates(runs)
    ? text("the same for all runs", width - marginRight + 10, 26, { size: FONT_SIZE.tick, fill: MUTED })
    : "";
  return { markup: panel.markup + text(label, 0, 11, { weight: "bold", fill: INK }) + labels + axis + note };
}

function lineLabels(
  panel: Panel,
  lines: readonly {
    name: string;
    train: boolean;
    colour: string;
    points: { epoch: number; value: number }[];
  }[],
  percent: boolean,
  single: boolean,
  height: number,
): string {
  const groups = Map.groupBy(
    lines.filter((line) => line.points.length > 0 && (single || !line.train)),
    (line) => `${line.name}\n${line.train}`,
  );
  const labels = [...groups.values()].map((group) => {
    const value = group.reduce((sum, line) => sum + line.points.at(-1)!.value, 0) / group.length;
    const { name, train, colour } = group[0];
    const number = percent ? `${formatNumber(value, 1)}\u00a0%` : formatNumber(value, 2);
    return {
      x: Math.max(...group.map((line) => panel.x(line.points.at(-1)!.epoch))),
      y: panel.y(value),
      content: `${single ? (train ? "training" : "test") : name} ${number}`,
      colour,
      weight: "bold" as const,
    };
  });
  // beside the last epoch recorded, so that the labels of a growing figure move along
  return endLabels(labels, Math.max(...labels.map((label) => label.x)) + 10, [16, height - 8]);
}

/** Powers of ten for what is very small, which Plot would round to 0. */
function formatTick(tick: number): string {
  return tick === 0 ? "0" : String(Number(tick.toPrecision(6)).toExponential()).replace("-", "−");
}

function epochTicks([first, last]: readonly [number, number]): number[] {
  const step = [1, 2, 5, 10, 20, 50, 100].find((size) => (last - first) / size <= 12) ?? 200;
  const ticks = Array.from({ length: Math.floor(last / step) + 1 }, (_, index) => index * step);
  // epochs count from 1: with steps of five the axis reads 1, 5, 10 …
  return [...new Set([first, ...ticks])].filter((tick) =>
    tick >= first && (tick === first || step === 1 || tick - first > step / 3)
  );
}

function sameRates(runs: readonly TrainingRun[]): boolean {
  const { history } = longest(runs);
  return runs.every((run) =>
    run.history.every((record, index) => record.learningRate === history[index].learningRate)
  );
}

function longest(runs: readonly TrainingRun[]): TrainingRun {
  return runs.reduce((best, run) => run.history.length > best.history.length ? run : best);
}
