import { formatNumber, formatPercent } from "../support/format.ts";
import { mean } from "../support/statistics.ts";
import { composeFigure, contentWidth, type Figure, text, translate } from "./figure.ts";
import { widestOf } from "./fonts.ts";
import { endLabels, key } from "./key.ts";
import { type Line, linePanel } from "./line_panel.ts";
import { categoryColour, type FigureOptions, FONT_SIZE, GREY, MUTED, NOTE } from "./style.ts";

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
  /** Name in the key. */
  name: string;
  /** One point per epoch. */
  history: readonly CurvePoint[];
}

/** Options of {@linkcode trainingCurves}. */
export interface TrainingCurvesOptions extends FigureOptions {
  /** End of the epochs' axis, which keeps a growing figure in place. @default the last epoch recorded */
  epochs?: number;
}

/**
 * Draws accuracy, loss and learning rate by epoch, of one run or of several: test set solid, training set
 * dashed. Lines are labelled with their last values; the label of several seeds is their mean.
 *
 * @throws {RangeError} If no run has an epoch.
 */
export function trainingCurves(runs: readonly TrainingRun[], options: TrainingCurvesOptions = {}): Figure {
  const epochs = runs.flatMap((run) => run.history.map(({ epoch }) => epoch));
  if (epochs.length === 0) throw new RangeError("Training curves need at least one run with one epoch.");
  const names = [...new Set(runs.map(({ name }) => name))];
  const isSingle = names.length === 1;
  const width = contentWidth(options);
  const longest = isSingle ? ["training 88.8 %"] : names.map((name) => `${name} 88.8 %`);
  const right = Math.min(width / 3, 20 + widestOf(longest, FONT_SIZE.tick, "bold"));
  const first = Math.min(1, ...epochs);
  const frame: Frame = {
    names,
    isSingle,
    width,
    right,
    domain: [first, Math.max(options.epochs ?? 0, ...epochs, first + 1)],
  };
  const marks = [
    { label: "test set", colour: MUTED },
    { label: "training set", colour: MUTED, dash: DASH },
  ];
  const finals = names.map((name) => {
    const last = runs.filter((run) => run.name === name).map(({ history }) =>
      history.at(-1)?.testAccuracy ?? NaN
    );
    return `${name} ends at ${last.map((value) => formatPercent(value)).join(", ")} on the test set`;
  });
  return composeFigure({
    markup: scorePanel(runs, frame, "Accuracy") +
      (isSingle ? "" : key(marks, width - right, 7, "end")) +
      translate(0, 226, scorePanel(runs, frame, "Loss")) + translate(0, 422, ratePanel(runs, frame)),
    height: 526,
    alt: `Accuracy, loss and learning rate over ${Math.max(...epochs)} epochs: ${finals.join("; ")}.`,
  }, options);
}

const DASH = "4 3";
const LEFT = 46;

/** Settings of all three panels. */
interface Frame {
  names: readonly string[];
  isSingle: boolean;
  width: number;
  /** Margin for the labels. */
  right: number;
  /** First and last epoch. */
  domain: readonly [number, number];
}

function scorePanel(
  runs: readonly TrainingRun[],
  { names, isSingle, width, right, domain }: Frame,
  measure: "Accuracy" | "Loss",
): string {
  const isAccuracy = measure === "Accuracy";
  const [height, title] = isAccuracy ? [220, "Accuracy (%)"] : [190, "Loss (cross-entropy, nats)"];
  const lines = runs.flatMap(({ name, history }) =>
    (["train", "test"] as const).map((set) => ({
      name,
      set,
      colour: categoryColour(isSingle ? (set === "train" ? 1 : 0) : names.indexOf(name)),
      ...(set === "train" && { dash: DASH, width: isSingle ? 1.75 : 1.25 }),
      points: history.map((record) => ({
        x: record.epoch,
        y: isAccuracy ? 100 * record[`${set}Accuracy`] : record[`${set}Loss`],
      })).filter(({ y }) => Number.isFinite(y)),
    }))
  ).filter(({ points }) => points.length > 0);
  const panel = linePanel(lines, {
    width,
    height,
    margins: { left: LEFT, right, top: 22, bottom: 14 },
    x: { domain, ticks: epochTicks(domain) },
  });
  const labelled = lines.filter(({ set }) => isSingle || set === "test");
  const labels = [...Map.groupBy(labelled, ({ name, set }) => `${set} ${name}`).values()].map((group) => {
    const [{ name, set, colour }] = group;
    const value = mean(group.map(({ points }) => points.at(-1)!.y));
    const number = isAccuracy ? `${formatNumber(value, 1)}\u00a0%` : formatNumber(value, 2);
    return {
      x: Math.max(...group.map(({ points }) => panel.x(points.at(-1)!.x))),
      y: panel.y(value),
      content: `${isSingle ? (set === "train" ? "training" : "test") : name} ${number}`,
      colour,
    };
  });
  // beside the last epoch recorded, so that the labels of a growing figure move along
  const x = Math.max(...labels.map((label) => label.x)) + 10;
  return panel.markup + text(title, 0, 11, { weight: "bold" }) + endLabels(labels, x, [16, height - 8]);
}

function ratePanel(runs: readonly TrainingRun[], { names, isSingle, width, right, domain }: Frame): string {
  const longest = runs.reduce((best, run) => run.history.length > best.history.length ? run : best);
  const areSame = runs.every(({ history }) =>
    history.every(({ learningRate }, index) => learningRate === longest.history[index].learningRate)
  );
  const lines = (areSame ? [longest] : runs).map(({ name, history }): Line => ({
    colour: areSame || isSingle ? GREY : categoryColour(names.indexOf(name)),
    points: history.map(({ epoch, learningRate }) => ({ x: epoch, y: learningRate })),
  }));
  const highest = Math.max(...runs.flatMap(({ history }) => history.map(({ learningRate }) => learningRate)));
  const panel = linePanel(lines, {
    width,
    height: 104,
    margins: { left: LEFT, right, top: 22, bottom: 36 },
    x: { domain, ticks: epochTicks(domain), label: "Epoch" },
    y: {
      domain: [0, highest || 1],
      ticks: 3,
      ...(highest < 5e-3 && { format: formatSmall }),
    },
  });
  const note = isSingle || !areSame ? "" : text("the same for all runs", width - right + 10, 26, NOTE);
  return panel.markup + text("Learning rate", 0, 11, { weight: "bold" }) + note;
}

/** Formats what Plot would round to 0: `5e−4`. */
function formatSmall(tick: number): string {
  return tick === 0 ? "0" : Number(tick.toPrecision(6)).toExponential().replace("-", "−");
}

/** Picks at most 13 ticks; epochs count from 1, so with steps of five the axis reads 1, 5, 10 … */
function epochTicks([first, last]: readonly [number, number]): number[] {
  const step = [1, 2, 5, 10, 20, 50, 100].find((size) => (last - first) / size <= 12) ?? 200;
  const ticks = Array.from({ length: Math.floor(last / step) + 1 }, (_, index) => index * step);
  return [first, ...ticks.filter((tick) => tick > first && (step === 1 || tick - first > step / 3))];
}
