import { CLASS_NAMES } from "../../lib/data/dataset.ts";
import type { Prediction } from "../../lib/prediction/classify.ts";
import { formatBar } from "./live_line.ts";
import { formatPercent } from "./units.ts";

/** Options of {@linkcode formatPrediction}. */
export interface PredictionTextOptions {
  /** Columns to stay within. @default 80 */
  width?: number;
  /** @default false */
  color?: boolean;
}

const NAME_WIDTH = Math.max(...CLASS_NAMES.map((name) => name.length));
const OTHER_COLUMNS = 2 + NAME_WIDTH + 2 + 7 + 2 + 2 + 8; // mark, name, score, percentage and the gaps
const WIDEST_BAR = 40;

/** Formats the ten scores with their probabilities as bars, highest first, the predicted class marked. */
export function formatPrediction(
  { scores, probabilities, predictedClass }: Prediction,
  { width = 80, color = false }: PredictionTextOptions = {},
): string {
  const barWidth = Math.max(6, Math.min(WIDEST_BAR, width - OTHER_COLUMNS));
  const order = CLASS_NAMES.map((_, label) => label).sort((one, other) => scores[other] - scores[one]);
  // of equal scores the first is predicted, and sort keeps their order
  return order.map((label) => {
    const isPredicted = label === predictedClass;
    const name = CLASS_NAMES[label].padEnd(NAME_WIDTH);
    const score = scores[label].toFixed(2).replace("-", "−").padStart(7);
    const bar = formatBar(probabilities[label], barWidth, color);
    const percent = formatPercent(probabilities[label]).padStart(8);
    const left = `${isPredicted ? "▸" : " "} ${name}  ${score}`;
    return `${color && isPredicted ? `\x1b[1m${left}\x1b[0m` : left}  ${bar}  ${percent}`;
  }).join("\n");
}
