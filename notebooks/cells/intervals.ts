import { formatNumber, formatPercent } from "../../lib/support/format.ts";
import type { MeanInterval } from "../../lib/support/statistics.ts";

/** Whether an interval leaves out zero, and on which side it lies; null where it holds zero, or where there is none. */
export function signOf({ interval }: MeanInterval): "above" | "below" | null {
  if (interval === undefined) return null;
  return interval[0] > 0 ? "above" : interval[1] < 0 ? "below" : null;
}

/** A mean share with its 95 % interval: `58.6 % [56.5, 60.6]`. */
export function formatShare({ mean, interval }: Pick<MeanInterval, "mean" | "interval">): string {
  const range = interval?.map((end) => formatNumber(100 * end, 1)).join(", ");
  return formatPercent(mean) + (range === undefined ? "" : ` [${range}]`);
}

/** A mean with its 95 % interval: `0.348 [0.329, 0.366]`. */
export function formatMeanInterval({ mean, interval }: MeanInterval, decimals = 3): string {
  const range = interval?.map((end) => formatNumber(end, decimals)).join(", ");
  return formatNumber(mean, decimals) + (range === undefined ? "" : ` [${range}]`);
}

/** A mean difference with its sign and interval: `+0.021 [+0.010, +0.032]`. */
export function formatDifference({ mean, interval }: MeanInterval, decimals = 3): string {
  const signed = (value: number) => (value > 0 ? "+" : "") + formatNumber(value, decimals);
  const range = interval?.map(signed).join(", ");
  return signed(mean) + (range === undefined ? "" : ` [${range}]`);
}

/** A difference of shares in points: `+13.1 [+12.2, +14.0] points`. */
export function formatPoints({ mean, interval, ...rest }: MeanInterval): string {
  const scaled = interval?.map((end) => 100 * end) as MeanInterval["interval"];
  return `${formatDifference({ ...rest, mean: 100 * mean, interval: scaled }, 1)} points`;
}
