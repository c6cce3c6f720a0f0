import { composeFigure, contentWidth, type Figure } from "./figure.ts";
import { keyRow } from "./labels.ts";
import { formatCount, formatNumber } from "../support/format.ts";
import { Plot, plotPanel } from "./plot.ts";
import { wilsonInterval } from "../support/statistics.ts";
import { categoryColour, FAINT, type FigureOptions, FONT_SIZE, INK, MUTED } from "./style.ts";
import { element, text } from "./svg.ts";
import { textWidth } from "./text_width.ts";

/** A network's accuracy on each class. */
export interface ClassAccuracies {
  /** What the network is called. */
  name: string;
  /** 0–1, by class. */
  accuracy: ArrayLike<number>;
}

/** Options of {@linkcode perClassAccuracy}. */
export interface PerClassAccuracyOptions extends FigureOptions {
  /** Names of the classes. */
  names: readonly string[];
  /** Images a class was tested on; with it each value gets its 95 % interval (Wilson's). */
  examples?: number;
}

const ROW = 26;

/**
 * Accuracy by class, the best class of the first network on top: bars for one network, a point for each of several.
 *
 * @throws {RangeError} If there is no network, or one has not a value for each class.
 */
export function perClassAccuracy(
  networks: readonly ClassAccuracies[],
  options: PerClassAccuracyOptions,
): Figure {
  const { names, examples } = options;
  if (networks.length === 0) throw new RangeError("Accuracy by class needs at least one network.");
  for (const { name, accuracy } of networks) {
    if (accuracy.length !== names.length) {
      throw new RangeError(`${name} has ${accuracy.length} accuracies for ${names.length} classes.`);
    }
  }
  const single = networks.length === 1;
  const order = names.map((_, index) => index).sort((a, b) =>
    networks[0].accuracy[b] - networks[0].accuracy[a]
  );
  const values = networks.flatMap(({ accuracy }, network) =>
    order.map((index) => {
      const share = accuracy[index];
      const interval = examples ? wilsonInterval(share * examples, examples) : [share, share];
      return {
        class: names[index],
        value: 100 * share,
        low: 100 * interval[0],
        high: 100 * interval[1],
        colour: categoryColour(network),
        // several networks share a row, each a little lower than the one before
        shift: single ? 0 : (network - (networks.length - 1) / 2) * Math.min(8, 24 / networks.length),
      };
    })
  );
  const width = contentWidth(options);
  const left = 10 + Math.max(...names.map((name) => textWidth(name, FONT_SIZE.label)));
  const row = single ? ROW : ROW + 4 * Math.min(3, networks.length - 1);
  const top = single ? 40 : 44;
  const height = top + names.length * row + 24;
  const lowest = Math.min(...values.map((item) => item.low));
  const domain = [single ? 0 : Math.max(0, Math.floor((lowest - 2) / 10) * 10), 100];
  type Item = typeof values[number];
  const shifts = [...new Set(values.map((item) => item.shift))];
  const panel = plotPanel({
    width,
    height,
    marginLeft: left,
    marginRight: 14,
    marginTop: top,
    marginBottom: 24,
    x: { domain, ticks: 6, tickSize: 4, label: null },
    y: { type: "band", domain: order.map((index) => names[index]), padding: 0.28, axis: null, round: false },
    marks: [
      Plot.gridX({ stroke: FAINT, strokeOpacity: 1, ticks: 6 }),
      ...(single
        ? [
          Plot.barX(values, {
            x1: 0,
            x2: "value",
            y: "class",
            fill: "#9cc9e6",
            rx: 1.5,
          }),
        ]
        : []),
      ...shifts.flatMap((shift) => {
        const items = values.filter((item) => item.shift === shift);
        return [
          ...(examples
            ? [Plot.link(items, {
              x1: "low",
              x2: "high",
              y1: "class",
              y2: "class",
              stroke: (item: Item) => single ? INK : item.colour,
              strokeWidth: 1.5,
              dy: shift,
            })]
            : []),
          ...(single ? [] : [Plot.dot(items, {
            x: "value",
            y: "class",
            r: 3.5,
            fill: (item: Item) => item.colour,
            stroke: "white",
            strokeWidth: 1,
            dy: shift,
          })]),
        ];
      }),
    ],
  });
  const rowLabels = order.map((index) =>
    text(names[index], left - 8, panel.y(names[index]) + 4, { anchor: "end" })
  ).join("");
  const numbers = single
    ? values.map((item) =>
      text(formatNumber(item.value, 1), panel.x(0) + 8, panel.y(item.class) + 4, {
        size: FONT_SIZE.tick,
        weight: "bold",
      })
    ).join("")
    : "";
  const means = networks.map(({ accuracy }, network) => {
    const mean = 100 * Array.from(accuracy).reduce((sum, value) => sum + value, 0) / accuracy.length;
    const x = panel.x(mean);
    return element("line", {
      x1: x,
      x2: x,
      y1: top - 2,
      y2: height - 24,
      stroke: single ? INK : categoryColour(network),
      "stroke-width": 1,
      "stroke-dasharray": "3 3",
    }) + (single
      ? text(`mean ${formatNumber(mean, 1)}`, x, top - 6, {
        size: FONT_SIZE.tick,
        fill: MUTED,
        anchor: "middle",
      })
      : "");
  }).join("");
  const key = single ? "" : keyRow(
    networks.map(({ name, accuracy }, network) => {
      const mean = 100 * Array.from(accuracy).reduce((sum, value) => sum + value, 0) / accuracy.length;
      return {
        label: `${name}, mean ${formatNumber(mean, 1)}`,
        colour: categoryColour(network),
        mark: "dot" as const,
      };
    }),
    left,
    27,
  );
  const interval = examples ? `, with the 95 % interval over ${formatCount(examples)} images a class` : "";
  return composeFigure({
    markup: text(`Accuracy (%)${interval}`, left, 11, { weight: "bold" }) + key + panel.markup +
      means + rowLabels + numbers,
    height,
    description: networks.map(({ name, accuracy }) =>
      `${name}: ${
        order.map((index) => `${names[index]} ${formatNumber(100 * accuracy[index], 1)} %`).join(", ")
      }.`
    ).join(" "),
  }, options);
}
