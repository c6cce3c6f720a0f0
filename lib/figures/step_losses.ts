import { formatNumber } from "../support/format.ts";
import { mean } from "../support/statistics.ts";
import { composeFigure, contentWidth, type Figure, text, translate } from "./figure.ts";
import { key } from "./key.ts";
import { linePanel, type LinePanelOptions, ratePanel } from "./line_panel.ts";
import { categoryColour, type FigureOptions } from "./style.ts";

/** Losses of a training's steps, with the learning rate of each. */
export interface StepLosses {
  /** One loss per step, before it. */
  losses: readonly number[];
  /** Learning rate of each step. */
  learningRates: readonly number[];
}

/**
 * Draws the loss of every step, thin, with its running mean, thick, and the learning rate below.
 *
 * @throws {RangeError} If there are fewer than two steps.
 */
export function stepLosses({ losses, learningRates }: StepLosses, options: FigureOptions = {}): Figure {
  const steps = losses.map((_, at) => at + 1);
  const size = 10 ** Math.floor(Math.log10(losses.length / 2));
  const ticks = [
    1,
    ...steps.filter((step) => step > 1 && step % (losses.length / size > 10 ? 2 * size : size) === 0),
  ];
  const x = { domain: [1, losses.length] as const, ticks };
  const width = contentWidth(options);
  const rates = ratePanel(learningRates.map((y, at) => ({ x: at + 1, y })), {
    width,
    margins: MARGINS,
    x: { ...x, label: "Step" },
  });
  const [first, last] = [losses[0], runningMean(losses).at(-1)!].map((loss) => formatNumber(loss, 2));
  return composeFigure({
    markup: lossPanel([{ at: steps, losses }], x, width, 220) +
      translate(0, 226, rates),
    height: 330,
    alt: `Loss of each of ${losses.length} steps: ${first} at the first, ${last} (running mean) at the last.`,
  }, options);
}

/**
 * Draws a learning-rate range test (Smith 2017, arXiv:1506.01186): the loss while the rate rises from step to
 * step, on a logarithmic axis.
 *
 * @throws {RangeError} If a training has fewer than two steps.
 */
export function rangeTest(trainings: readonly StepLosses[], options: FigureOptions = {}): Figure {
  const lines = trainings.map(({ losses, learningRates }) => ({ at: learningRates.map(Math.log10), losses }));
  const all = lines.flatMap(({ at }) => at);
  const domain = [Math.min(...all), Math.max(...all)] as const;
  const first = Math.ceil(domain[0] - 1e-9);
  const ticks = Array.from({ length: Math.floor(domain[1] + 1e-9) - first + 1 }, (_, at) => first + at);
  const rate = (power: number) => String(Number((10 ** power).toPrecision(6)));
  const x = { domain, ticks, label: "Learning rate", format: rate };
  return composeFigure({
    markup: lossPanel(lines, x, contentWidth(options), 250),
    height: 250,
    alt: `Loss of ${trainings.length} trainings whose learning rate rises from ${
      domain.map(rate).join(" to ")
    }.`,
  }, options);
}

/** Smooths values by their mean over a window about each, a twentieth of them wide. */
export function runningMean(values: readonly number[]): number[] {
  const half = Math.ceil(values.length / 40);
  return values.map((_, at) => mean(values.slice(Math.max(0, at - half), at + half + 1)));
}

const MARGINS = { left: 46, right: 12, top: 22, bottom: 36 };
const RAW = { colour: "#b9cfe4", width: 0.75 };
const SMOOTH = { colour: categoryColour(0), width: 2 };

function lossPanel(
  trainings: readonly { at: readonly number[]; losses: readonly number[] }[],
  x: LinePanelOptions["x"],
  width: number,
  height: number,
): string {
  if (trainings.some(({ losses }) => losses.length < 2)) {
    throw new RangeError("A curve of losses needs at least two steps.");
  }
  const pair = (at: readonly number[], values: readonly number[]) =>
    values.map((y, index) => ({ x: at[index], y }));
  const panel = linePanel([
    ...trainings.map(({ at, losses }) => ({ points: pair(at, losses), ...RAW })),
    ...trainings.map(({ at, losses }) => ({ points: pair(at, runningMean(losses)), ...SMOOTH })),
  ], { width, height, margins: x.label === undefined ? { ...MARGINS, bottom: 14 } : MARGINS, x });
  const entries = [{ label: "each step", colour: RAW.colour }, {
    label: "running mean",
    colour: SMOOTH.colour,
  }];
  return panel + text("Loss (cross-entropy, nats)", 0, 11, { weight: "bold" }) +
    key(entries, width - MARGINS.right, 7, "end");
}
