import { formatCount, formatNumber, formatPercent } from "../support/format.ts";
import { wilsonInterval } from "../support/statistics.ts";
import { composeFigure, contentWidth, type Figure, text, translate } from "./figure.ts";
import { valueKey, valueKeyHeight } from "./key.ts";
import { curveStyle, linePanel } from "./line_panel.ts";
import { type FigureOptions, GREY } from "./style.ts";

/** Predictions of one network, grouped by the probability of their class. */
export interface ReliabilityCurve {
  /** Label in the key. */
  name: string;
  /**
   * Groups with their number of predictions, mean probability and accuracy, 0–1; empty ones are not drawn.
   */
  bins: readonly { n: number; probability: number; accuracy: number }[];
  /** Expected calibration error, 0–1. */
  error: number;
}

/**
 * Draws a reliability diagram: the accuracy of predictions by their probability, with Wilson's 95 %
 * intervals. On the dotted diagonal, predictions are right as often as their probability says.
 *
 * Source: Niculescu-Mizil & Caruana, Predicting good probabilities with supervised learning (2005).
 *
 * @throws {RangeError} If there is no curve, or one without predictions.
 */
export function reliabilityDiagram(
  curves: readonly ReliabilityCurve[],
  options: FigureOptions = {},
): Figure {
  const filled = curves.map((curve) => ({ ...curve, bins: curve.bins.filter(({ n }) => n > 0) }));
  if (filled.length === 0 || filled.some(({ bins }) => bins.length === 0)) {
    throw new RangeError("A reliability diagram needs at least one curve, and each at least one prediction.");
  }
  const lines = filled.map(({ bins }, index) => ({
    ...curveStyle(index),
    points: bins.map(({ n, probability, accuracy }) => {
      const [low, high] = wilsonInterval(accuracy * n, n);
      return { x: 100 * probability, y: 100 * accuracy, low: 100 * low, high: 100 * high };
    }),
  }));
  const diagonal = {
    points: [0, 100].map((at) => ({ x: at, y: at })),
    colour: GREY,
    dash: "1 3",
    width: 1.5,
  };
  const entries = curves.map(({ name, error, bins }, index) => ({
    label: name,
    ...curveStyle(index),
    values: [
      `${formatNumber(100 * error, 1)}\u00a0%`,
      formatCount(bins.reduce((sum, { n }) => sum + n, 0)),
    ],
  }));
  const top = 44 + valueKeyHeight(curves.length);
  const panel = linePanel([diagonal, ...lines], {
    width: contentWidth(options),
    height: top + 290,
    margins: { left: 40, right: 12, top, bottom: 40 },
    x: {
      domain: [0, 100],
      ticks: [0, 20, 40, 60, 80, 100],
      label: "Probability of the predicted class (%); dotted: as often right as it says",
    },
    y: { domain: [0, 100] },
  });
  return composeFigure({
    markup: text("Accuracy (%) with 95 % intervals", 0, 11, { weight: "bold" }) + panel +
      translate(40, 34, valueKey(entries, ["calibration error", "predictions"])),
    height: top + 290,
    alt: `Accuracy by probability. Expected calibration error: ${
      curves.map(({ name, error }) => `${name} ${formatPercent(error)}`).join(", ")
    }.`,
  }, options);
}
