import { extent, formatNumber, formatPercent } from "../support/format.ts";
import { mean } from "../support/statistics.ts";
import { composeFigure, contentWidth, type Figure, text, translate } from "./figure.ts";
import { valueKey, valueKeyHeight } from "./key.ts";
import { curveStyle, type Line, linePanel, ratePanel } from "./line_panel.ts";
import type { FigureOptions } from "./style.ts";

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

/** A run and its history. Runs of one name (seeds of one experiment) share a line: their mean. */
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
 * Draws accuracy and loss by epoch, of one run or of several, and the learning rate of a single one. Lines of
 * several seeds are means, with a band from the lowest to the highest on the test set.
 *
 * @throws {RangeError} If no run has an epoch.
 */
export function trainingCurves(runs: readonly TrainingRun[], options: TrainingCurvesOptions = {}): Figure {
  const epochs = runs.flatMap((run) => run.history.map(({ epoch }) => epoch));
  if (epochs.length === 0) throw new RangeError("Training curves need at least one run with one epoch.");
  const groups = Map.groupBy(runs, ({ name }) => name);
  const first = Math.min(1, ...epochs);
  const domain = [first, Math.max(options.epochs ?? 0, ...epochs, first + 1)] as const;
  const width = contentWidth(options);
  const each = (width - BETWEEN) / 2;
  const top = 22 + valueKeyHeight(groups.size === 1 ? 2 : groups.size);
  const height = top + 220;
  const panels = (["Accuracy", "Loss"] as const).map((measure, index) =>
    translate(index * (each + BETWEEN), 0, scorePanel(groups, measure, { width: each, height, top, domain }))
  );
  const points = runs[0].history.map(({ epoch, learningRate }) => ({ x: epoch, y: learningRate }));
  const x = { domain, ticks: epochTicks(domain), label: "Epoch" };
  const rates = runs.length === 1
    ? translate(0, height + 6, ratePanel(points, { width, margins: MARGINS, x }))
    : "";
  const finals = [...groups].map(([name, some]) => {
    const last = some.map(({ history }) => history.at(-1)?.testAccuracy ?? NaN);
    return `${name} ends at ${last.map((value) => formatPercent(value)).join(", ")} on the test set`;
  });
  return composeFigure({
    markup: panels.join("") + rates,
    height: height + (rates === "" ? 0 : 110),
    alt: `Accuracy and loss over ${Math.max(...epochs)} epochs: ${finals.join("; ")}.`,
  }, options);
}

const BETWEEN = 28;
const LEFT = 40;
const MARGINS = { left: LEFT, right: 10, top: 22, bottom: 36 };
const SETS = ["test", "train"] as const;
const SET_NAMES = { test: "test", train: "training" };

interface Frame {
  width: number;
  height: number;
  /** Height of title and key. */
  top: number;
  /** First and last epoch. */
  domain: readonly [number, number];
}

function scorePanel(
  groups: ReadonlyMap<string, readonly TrainingRun[]>,
  measure: "Accuracy" | "Loss",
  { width, height, top, domain }: Frame,
): string {
  const isAccuracy = measure === "Accuracy";
  const isSingle = groups.size === 1;
  const lines = [...groups.values()].map((runs, index) =>
    SETS.map((set, which): Line => ({
      ...curveStyle(isSingle ? which : index),
      // sets of one network by dash, of several by thickness: the dash is the network's
      width: set === "test" ? 2.25 : isSingle ? 1.75 : 1,
      points: summarise(runs, (record) =>
        isAccuracy ? 100 * record[`${set}Accuracy`] : record[`${set}Loss`], set === "test"),
    }))
  );
  const last = ({ points }: Line) => {
    const value = points.at(-1)?.y;
    return value === undefined ? "–" : isAccuracy ? formatPercent(value / 100) : formatNumber(value, 2);
  };
  const [headings, entries] = isSingle
    ? [
      [""],
      lines[0].map((line, which) => ({ ...line, label: SET_NAMES[SETS[which]], values: [last(line)] })),
    ]
    : [
      ["test (thick)", "training (thin)"],
      [...groups.keys()].map((name, index) => ({
        ...lines[index][0],
        label: name,
        values: lines[index].map(last),
      })),
    ];
  const panel = linePanel(lines.flat().filter(({ points }) => points.length > 0), {
    width,
    height,
    margins: { ...MARGINS, top: top + 12 },
    x: { domain, ticks: epochTicks(domain), label: "Epoch" },
  });
  const title = isAccuracy ? "Accuracy (%)" : "Loss (cross-entropy, nats)";
  return text(title, 0, 11, { weight: "bold" }) + panel +
    translate(LEFT, isSingle ? 14 : 28, valueKey(entries, headings));
}

/** Means by epoch, with the lowest and the highest value where there are several. */
function summarise(
  runs: readonly TrainingRun[],
  read: (record: CurvePoint) => number,
  hasBand: boolean,
): Line["points"] {
  const records = Map.groupBy(runs.flatMap(({ history }) => history), ({ epoch }) => epoch);
  return [...records].flatMap(([x, some]) => {
    const values = some.map(read).filter(Number.isFinite);
    if (values.length === 0) return [];
    const [low, high] = extent(values);
    return [{ x, y: mean(values), ...hasBand && values.length > 1 && { low, high } }];
  });
}

/** Picks at most 13 ticks; epochs count from 1, so with steps of five the axis reads 1, 5, 10 … */
function epochTicks([first, last]: readonly [number, number]): number[] {
  const step = [1, 2, 5, 10, 20, 50, 100].find((size) => (last - first) / size <= 12) ?? 200;
  const ticks = Array.from({ length: Math.floor(last / step) + 1 }, (_, index) => index * step);
  return [first, ...ticks.filter((tick) => tick > first && (step === 1 || tick - first > step / 3))];
}
