import { composeFigure, contentWidth, type Figure } from "./figure.ts";
import { keyRow } from "./labels.ts";
import { formatNumber } from "../support/format.ts";
import { Plot, plotPanel } from "./plot.ts";
import { categoryColour, FAINT, type FigureOptions, FONT_SIZE, INK, MUTED } from "./style.ts";
import { text, translate } from "./svg.ts";
import { textWidth } from "./text_width.ts";

/** One panel of bars: how far something has moved, layer by layer. */
export interface DriftPanel {
  /** What has moved, and in which unit, such as `Change of the weights (% of their length)`. */
  title: string;
  /** The layers in their order in the network, each with a value for every series. */
  layers: readonly { name: string; values: readonly number[] }[];
  /** Names of the series, where a layer has more than one value. */
  series?: readonly string[];
  /** Decimals of the numbers written (default 1). */
  decimals?: number;
}

/**
 * How far the layers have moved from where they started, as bars, side by side: weights on the left and statistics on the
 * right, say.
 *
 * @throws {RangeError} If there is no panel, or one without layers.
 */
export function driftBars(panels: readonly DriftPanel[], options: FigureOptions = {}): Figure {
  if (panels.length === 0 || panels.some((panel) => panel.layers.length === 0)) {
    throw new RangeError("A drift figure needs at least one panel, and each at least one layer.");
  }
  const width = contentWidth(options);
  const between = 32;
  const each = (width - (panels.length - 1) * between) / panels.length;
  const keyed = panels.some((panel) => panel.series);
  const drawn = panels.map((panel) => driftPanel(panel, each, keyed));
  return composeFigure({
    markup: drawn.map((panel, index) => translate(index * (each + between), 0, panel.markup)).join(""),
    height: Math.max(...drawn.map((panel) => panel.height)),
    description: panels.map((panel) =>
      `${panel.title}: ${
        panel.layers.map((layer) =>
          `${layer.name} ${layer.values.map((value) => value.toFixed(2)).join(" and ")}`
        ).join(", ")
      }.`
    ).join(" "),
  }, options);
}

function driftPanel(panel: DriftPanel, width: number, keyed: boolean): { markup: string; height: number } {
  const { title, layers, series, decimals = 1 } = panel;
  const count = layers[0].values.length;
  const thickness = count === 1 ? 13 : 9;
  const row = count * thickness + 9;
  const left = 8 + Math.max(...layers.map((layer) => textWidth(layer.name, FONT_SIZE.tick)));
  const bars = layers.flatMap((layer, place) =>
    layer.values.map((value, index) => ({
      value,
      colour: categoryColour(index),
      y: place * row + 4.5 + index * thickness,
    }))
  );
  const most = Math.max(0, ...bars.map((bar) => bar.value));
  const least = Math.min(0, ...bars.map((bar) => bar.value));
  const label = (value: number) => formatNumber(value, decimals);
  const top = keyed ? 42 : 24;
  const height = top + layers.length * row + 24;
  const plot = plotPanel({
    width,
    height,
    marginLeft: left,
    marginRight: 10 + Math.max(...bars.map((bar) => textWidth(label(bar.value), FONT_SIZE.small))),
    marginTop: top,
    marginBottom: 24,
    x: { domain: [least, most || 1], nice: true, ticks: 4, tickSize: 4, label: null },
    y: {
      type: "linear",
      domain: [0, layers.length * row],
      reverse: false,
      range: [top, top + layers.length * row],
      axis: null,
    },
    marks: [
      Plot.gridX({ stroke: FAINT, strokeOpacity: 1, ticks: 4 }),
      Plot.rect(bars, {
        x1: 0,
        x2: "value",
        y1: "y",
        y2: (bar: typeof bars[number]) => bar.y + thickness - 1,
        fill: (bar: typeof bars[number]) => bar.colour,
      }),
      Plot.ruleX([0], { stroke: MUTED }),
    ],
  });
  const names = layers.map((layer, place) =>
    text(layer.name, left - 8, top + (place + 0.5) * row + 4, { size: FONT_SIZE.tick, anchor: "end" })
  ).join("");
  const numbers = bars.map((bar) =>
    text(label(bar.value), plot.x(Math.max(0, bar.value)) + 4, plot.y(bar.y) + thickness / 2 + 3, {
      size: FONT_SIZE.small,
      fill: INK,
    })
  ).join("");
  const key = series
    ? keyRow(
      series.map((name, index) => ({ label: name, colour: categoryColour(index), mark: "square" })),
      left,
      26,
    )
    : "";
  return { markup: text(title, 0, 11, { weight: "bold" }) + key + plot.markup + names + numbers, height };
}
