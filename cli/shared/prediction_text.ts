import { CLASS_NAMES } from "../../lib/data/dataset.ts";
import type { Prediction } from "../../lib/prediction/classify.ts";
import { formatBar } from "./live_line.ts";
import { formatPercent } from "./units.ts";

/** How a prediction is printed. */
export interface PredictionTextOptions {
  /** Columns to stay within. @default 80 */
  width?: number;
  /** @default false */
  color?: boolean;
}

const NAME_WIDTH = Math.max(...CLASS_NAMES.map((name) => name.length));
const OTHER_COLUMNS = 2 + NAME_WIDTH + 2 + 7 + 2 + 2 + 8; // mark, name, score, share and the gaps
const WIDEST_BAR = 40;

/** The ten scores with their shares as bars, highest first, the winner marked. */
export function formatPrediction(
  { scores, shares, winner }: Prediction,
  { width = 80, color = false }: PredictionTextOptions = {},
): string {
  const barWidth = Math.max(6, Math.min(WIDEST_BAR, width - OTHER_COLUMNS));
  const order = CLASS_NAMES.map((_, label) => label).sort((one, other) => scores[other] - scores[one]);
  // of equal scores the first is the answer, and sort keeps their order
  return order.map((label) => {
    const isWinner = label === winner;
    const name = CLASS_NAMES[label].padEnd(NAME_WIDTH);
    const score = scores[label].toFixed(2).replace("-", "−").padStart(7);
    const bar = formatBar(shares[label], barWidth, color);
    const share = formatPercent(shares[label]).padStart(8);
    const left = `${isWinner ? "▸" : " "} ${name}  ${score}`;
    return `${color && isWinner ? `\x1b[1m${left}\x1b[0m` : left}  ${bar}  ${share}`;
  }).join("\n");
}
