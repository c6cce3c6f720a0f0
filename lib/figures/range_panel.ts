import { extent } from "../support/format.ts";
import { Plot, plotPanel } from "./plot.ts";
import type { MeanInterval } from "../support/statistics.ts";
import { FAINT, FONT_SIZE, MUTED } from "./style.ts";
import { element, text } from "./svg.ts";
import { textWidth } from "./text_width.ts";

/** Height of a row in pixels. */
export const ROW = 46;

/** One row of a range panel. */
export interface RangeRow {
  values: readonly number[];
  statistics: MeanInterval;
  colour: string;
  caption: string;
}

/** What a range panel shows. */
export interface RangePanel {
  names: readonly string[];
  width: number;
  height: number;
  label: string;
  rows: readonly (RangeRow | undefined)[];
  domain?: readonly [number, number];
  zero?: boolean;
}

/** Rows of values as dots, with their mean, its interval and a caption; what lies off the axis is written at its edge. */
export function rangePanel({ names, width, height, label, rows, domain: asked, zero }: RangePanel): string {
  const all = rows.flatMap((row) => row ? [...row.values, ...(row.statistics.interval ?? [])] : []);
  if (zero) all.push(0);
  const [low, high] = asked ?? extent(all);
  const room = asked ? 0 : (high - low || 1) * 0.06;
  const domain = [low - room, high + room];
  const inside = (value: number) => value >= domain[0] && value <= domain[1];
  const clamp = (value: number) => Math.max(domain[0], Math.min(domain[1], value));
  const points = rows.flatMap((row, index) =>
    row ? row.values.filter(inside).map((value) => ({ name: names[index], value, colour: row.colour })) : []
  );
  const means = rows.flatMap((row, index) =>
    row && inside(row.statistics.mean)
      ? [{
        name: names[index],
        mean: row.statistics.mean,
        colour: row.colour,
        low: clamp(row.statistics.interval?.[0] ?? row.statistics.mean),
        high: clamp(row.statistics.interval?.[1] ?? row.statistics.mean),
      }]
      : []
  );
  type Point = { colour: string };
  const panel = plotPanel({
    width,
    height,
    marginLeft: 8,
    marginRight: 8,
    marginTop: 26,
    marginBottom: 24,
    x: { domain, ticks: Math.max(3, Math.floor(width / 70)), tickSize: 4, label: null },
    y: { type: "band", domain: names, padding: 0, axis: null },
    marks: [
      Plot.gridX({ stroke: FAINT, strokeOpacity: 1, ticks: Math.max(3, Math.floor(width / 70)) }),
      ...(zero ? [Plot.ruleX([0], { stroke: MUTED, strokeWidth: 1 })] : []),
      Plot.link(means, {
        x1: "low",
        x2: "high",
        y1: "name",
        y2: "name",
        stroke: (point: Point) => point.colour,
        strokeWidth: 2,
        strokeLinecap: "round",
        dy: 2,
      }),
      Plot.tickX(means, {
        x: "mean",
        y: "name",
        stroke: (point: Point) => point.colour,
        strokeWidth: 2.5,
        insetTop: 18,
        insetBottom: 8,
      }),
      Plot.dot(points, {
        x: "value",
        y: "name",
        r: 3,
        fill: (point: Point) => point.colour,
        fillOpacity: 0.6,
        stroke: "white",
        strokeWidth: 0.75,
        dy: 13,
      }),
    ],
  });
  const captions = rows.map((row, index) => {
    const y = 26 + (index + 0.5) * ROW - 8;
    if (!row) {
      const zero = panel.x(0);
      const room = zero < width / 2; // on the side with more of it
      return text("reference", zero + (room ? 6 : -6), y + 11, {
        size: FONT_SIZE.tick,
        fill: MUTED,
        anchor: room ? "start" : "end",
      });
    }
    const { mean } = row.statistics;
    const half = textWidth(row.caption, FONT_SIZE.tick, "bold") / 2;
    if (!inside(mean)) {
      const below = mean < domain[0];
      const edge = below ? 8 : width - 8;
      const towards = below ? 1 : -1;
      return element("path", { d: `M${edge},${y + 12}l${6 * towards},-4v8z`, fill: row.colour }) +
        text(row.caption, edge + 10 * towards, y + 16, {
          size: FONT_SIZE.tick,
          weight: "bold",
          fill: row.colour,
          anchor: below ? "start" : "end",
        });
    }
    const x = Math.max(half, Math.min(width - half, panel.x(mean)));
    return text(row.caption, x, y, {
      size: FONT_SIZE.tick,
      weight: "bold",
      fill: row.colour,
      anchor: "middle",
      halo: true,
    });
  }).join("");
  return text(label, 8, 12, { weight: "bold" }) + panel.markup + captions;
}
