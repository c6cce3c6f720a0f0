import { colourBar, colourDomain } from "./colour_bar.ts";
import { composeFigure, contentWidth, type Figure } from "./figure.ts";
import { heatMapPanel } from "./heat_map.ts";
import { type Matrix, toRows } from "../support/format.ts";
import { type FigureOptions, FONT_SIZE, MUTED } from "./style.ts";
import { text, translate } from "./svg.ts";
import { textWidth } from "./text_width.ts";
import { argMax } from "../support/statistics.ts";

/** Options of {@linkcode filtersHeatMap}. */
export interface FiltersHeatMapOptions extends FigureOptions {
  /** Names of the filters, one a row. */
  names: readonly string[];
  /**
   * Order of the channels: as they are in the network (`"channel"`, default), or by the filter that weighs them most
   * (`"peak"`), which puts the channels a class listens to side by side.
   */
  order?: "channel" | "peak";
  /** What a weight is (default `Weight (each filter has length 1)`). */
  measure?: string;
}

/**
 * The filters as a heat map: a row a class, a column a channel of the feature map, blue for negative weights and orange for
 * positive ones, on one scale.
 *
 * @param filters `[K,C]`.
 * @throws {RangeError} If the filters do not have a row for each name.
 */
export function filtersHeatMap(filters: Matrix, options: FiltersHeatMapOptions): Figure {
  const { names, order = "channel", measure = "Weight (each filter has length 1)" } = options;
  const rows = toRows(filters, names.length);
  const channels = rows[0].map((_, channel) => channel);
  if (order === "peak") {
    const peak = channels.map((channel) => argMax(rows.map((row) => row[channel])));
    channels.sort((a, b) => peak[a] - peak[b] || rows[peak[b]][b] - rows[peak[a]][a]);
  }
  const domain = colourDomain(rows.flat(), "diverging");
  const width = contentWidth(options);
  const left = 8 + Math.max(...names.map((name) => textWidth(name, FONT_SIZE.tick)));
  const cell = { width: (width - left) / channels.length, height: 22 };
  const map = heatMapPanel({
    values: rows.map((row) => channels.map((channel) => row[channel])),
    rowNames: names,
    cell,
    colours: "diverging",
    domain,
    gap: Math.min(1, cell.width / 8),
  });
  const bottom = rows.length * cell.height;
  const ticks = order === "channel"
    ? channels.filter((channel) => channel % 8 === 0 || channel === channels.length - 1).map((channel) =>
      text(String(channel), left + (channel + 0.5) * cell.width, bottom + 15, {
        size: FONT_SIZE.tick,
        fill: MUTED,
        anchor: "middle",
      })
    ).join("")
    : "";
  const axis = order === "channel"
    ? "Channel of the feature map v"
    : "Channels of the feature map v, by the class that weighs them most";
  return composeFigure({
    markup: map.markup + ticks +
      text(axis, left, bottom + (ticks ? 36 : 20), { fill: MUTED }) +
      translate(
        width - 200,
        bottom + (ticks ? 26 : 10),
        colourBar(200, { colours: "diverging", domain, label: measure }),
      ),
    height: bottom + (ticks ? 66 : 50),
    description:
      `Heat map of ${rows.length} filters of ${channels.length} weights each, between ${
        domain[0].toFixed(2)
      } ` +
      `and ${domain[1].toFixed(2)}.`,
  }, options);
}
