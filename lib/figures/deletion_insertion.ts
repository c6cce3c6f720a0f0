import { composeFigure, contentWidth, type Figure } from "./figure.ts";
import { formatNumber } from "../support/format.ts";
import { Plot, plotPanel } from "./plot.ts";
import { categoryColour, FAINT, type FigureOptions, FONT_SIZE, MUTED } from "./style.ts";
import { element, text, translate } from "./svg.ts";
import { textWidth } from "./text_width.ts";

/** A value by the share of pixels taken away or put in. */
export interface FractionCurve {
  /** Which order the pixels are taken in: the own map's, at random … */
  name: string;
  /** Shares of the pixels, 0–1, rising. */
  fraction: readonly number[];
  /** Probability or accuracy at each share, 0–1. */
  value: readonly number[];
  /** Ends of the band about the value, such as a 95 % interval; both or none. */
  low?: readonly number[];
  /** The upper end of the band around the curve. */
  high?: readonly number[];
}

/** Options of {@linkcode deletionInsertion}. */
export interface DeletionInsertionOptions extends FigureOptions {
  /** What is measured, with its unit (default `Probability of the class (%)`). */
  measure?: string;
}

/**
 * Deletion and insertion curves: how fast the network's answer falls when the pixels a map marks are removed first, and how
 * fast it rises when they are shown first. The area under each curve stands in the key; a good map's is small on the left
 * and large on the right.
 *
 * Source: Petsiuk, Das & Saenko, RISE: Randomized Input Sampling for Explanation of Black-box Models (BMVC 2018), section 4.
 *
 * @param curves For each of the two panels one or more curves; a name keeps its colour in both.
 * @throws {RangeError} If there is no curve, or one whose lists differ in length.
 */
export function deletionInsertion(
  curves: { deletion: readonly FractionCurve[]; insertion?: readonly FractionCurve[] },
  options: DeletionInsertionOptions = {},
): Figure {
  const panels = [
    {
      title: "Deletion",
      axis: "Pixels removed (%)",
      curves: curves.deletion,
    },
    ...(curves.insertion
      ? [{
        title: "Insertion",
        axis: "Pixels shown (%)",
        curves: curves.insertion,
      }]
      : []),
  ];
  const names = [...new Set(panels.flatMap((panel) => panel.curves.map((curve) => curve.name)))];
  if (names.length === 0) throw new RangeError("Deletion curves need at least one curve.");
  const { measure = "Probability of the class (%)" } = options;
  const width = contentWidth(options);
  const between = 28;
  const each = panels.length === 1 ? Math.min(width, 460) : (width - between) / 2;
  const keyRows = Math.max(...panels.map((panel) => panel.curves.length));
  const markup = panels.map((panel, index) =>
    translate(
      index * (each + between),
      0,
      text(`${panel.title}: ${measure.charAt(0).toLowerCase()}${measure.slice(1)}`, 0, 11, {
        weight: "bold",
      }),
      curvesPanel(panel.curves, names, panel.axis, each, keyRows),
    )
  ).join("");
  const areas = panels.flatMap((panel) =>
    panel.curves.map((curve) => `${panel.title} ${curve.name} ${formatNumber(areaUnder(curve), 3)}`)
  );
  return composeFigure({
    markup,
    height: 278 + 16 * keyRows,
    description: `${measure}. Areas under the curves: ${areas.join(", ")}.`,
  }, options);
}

/**
 * The area under a curve by the trapezoidal rule; 0–1 when its shares run from 0 to 1.
 *
 * @throws {RangeError} If the two lists differ in length.
 */
export function areaUnder({ name, fraction, value }: FractionCurve): number {
  if (fraction.length !== value.length) {
    throw new RangeError(`The curve "${name}" has ${fraction.length} shares and ${value.length} values.`);
  }
  let area = 0;
  for (let index = 1; index < fraction.length; index++) {
    area += (fraction[index] - fraction[index - 1]) * (value[index] + value[index - 1]) / 2;
  }
  return area;
}

function curvesPanel(
  curves: readonly FractionCurve[],
  names: readonly string[],
  axis: string,
  width: number,
  keyRows: number,
): string {
  const points = curves.flatMap((curve) =>
    curve.fraction.map((fraction, index) => ({
      name: curve.name,
      colour: categoryColour(names.indexOf(curve.name)),
      fraction: 100 * fraction,
      value: 100 * curve.value[index],
      low: curve.low && 100 * curve.low[index],
      high: curve.high && 100 * curve.high[index],
    }))
  );
  type Point = typeof points[number];
  const banded = points.filter((point) => point.low !== undefined && point.high !== undefined);
  const most = Math.max(...points.map((point) => point.high ?? point.value));
  const ceiling = Math.max(10, Math.ceil(most / 10 - 1e-9) * 10);
  const [left, right, top, bottom] = [34, 6, 38 + 16 * keyRows, 40];
  const height = 278 + 16 * keyRows;
  const panel = plotPanel({
    width,
    height,
    marginLeft: left,
    marginRight: right,
    marginTop: top,
    marginBottom: bottom,
    x: { domain: [0, 100], ticks: [0, 20, 40, 60, 80, 100], tickSize: 4, label: null },
    y: { domain: [0, ceiling], ticks: 5, tickSize: 0, label: null },
    marks: [
      Plot.gridY({ stroke: FAINT, strokeOpacity: 1, ticks: 5 }),
      Plot.areaY(banded, {
        x: "fraction",
        y1: "low",
        y2: "high",
        z: "name",
        fill: (point: Point) => point.colour,
        fillOpacity: 0.16,
      }),
      Plot.lineY(points, {
        x: "fraction",
        y: "value",
        z: "name",
        stroke: (point: Point) => point.colour,
        strokeWidth: 2,
      }),
    ],
  });
  return panel.markup + translate(left, 18, areaKey(curves, names)) +
    text(axis, (left + width - right) / 2, height - 6, { fill: MUTED, anchor: "middle" });
}

/** The key above a panel, a row a curve, so that it can lie on none of them. */
function areaKey(curves: readonly FractionCurve[], names: readonly string[]): string {
  const right = 60 + Math.max(60, ...curves.map((curve) => textWidth(curve.name, FONT_SIZE.tick)));
  return text("area", right, 8, { size: FONT_SIZE.small, fill: MUTED, anchor: "end" }) +
    curves.map((curve, index) => {
      const y = 9 + 16 * (index + 1) - 3;
      const stroke = categoryColour(names.indexOf(curve.name));
      return element("line", { x1: 0, x2: 17, y1: y - 4, y2: y - 4, stroke, "stroke-width": 2.25 }) +
        text(curve.name, 23, y, { size: FONT_SIZE.tick }) +
        text(formatNumber(areaUnder(curve), 3), right, y, {
          size: FONT_SIZE.tick,
          anchor: "end",
          weight: "bold",
        });
    }).join("");
}
