import { formatNumber } from "../support/format.ts";
import { composeFigure, contentWidth, type Figure, text, translate } from "./figure.ts";
import { valueKey, valueKeyHeight } from "./key.ts";
import { type Curve, curveStyle, linePanel, toLine } from "./line_panel.ts";
import { type FigureOptions, MUTED } from "./style.ts";

/** Probability of a class, 0–1, by the fraction of pixels deleted or inserted in the order of its name. */
export interface FractionCurve extends Curve {
  /** Area under the curve. */
  area: number;
}

/** Options of {@linkcode deletionInsertion}. */
export interface DeletionInsertionOptions extends FigureOptions {
  /** Quantity and unit. @default "Probability of the class (%)" */
  measure?: string;
}

/**
 * Draws deletion and insertion curves side by side: the drop as the pixels that a map marks are deleted
 * first, and the rise as they are inserted first. A good map has a small area on the left, a large one right.
 *
 * Source: Petsiuk, Das & Saenko, RISE (BMVC 2018), section 4.
 *
 * @throws {RangeError} If there is no curve, or one whose lists differ in length.
 */
export function deletionInsertion(
  curves: { deletion: readonly FractionCurve[]; insertion: readonly FractionCurve[] },
  options: DeletionInsertionOptions = {},
): Figure {
  const panels = [
    { title: "Deletion", axis: "Pixels deleted (%)", curves: curves.deletion },
    { title: "Insertion", axis: "Pixels inserted (%)", curves: curves.insertion },
  ].filter((panel) => panel.curves.length > 0);
  const all = panels.flatMap((panel) => panel.curves);
  if (all.length === 0) throw new RangeError("Deletion curves need at least one curve.");
  for (const { name, fraction, value } of all) {
    if (fraction.length !== value.length) {
      throw new RangeError(
        `The curve "${name}" has ${fraction.length} fractions and ${value.length} values.`,
      );
    }
  }
  const names = [...new Set(all.map(({ name }) => name))];
  const { measure = "Probability of the class (%)" } = options;
  const width = contentWidth(options);
  const between = 28;
  const each = (width - between) / 2;
  const top = 38 + valueKeyHeight(names.length);
  const markup = panels.map(({ title, axis, curves }, index) => {
    const most = Math.max(...curves.flatMap(({ value, high }) => [...high ?? value]));
    const panel = linePanel(
      curves.map((curve) => toLine(curve, names.indexOf(curve.name), 100)),
      {
        width: each,
        height: top + 210,
        margins: { left: 34, right: 10, top, bottom: 40 },
        x: { domain: [0, 100], ticks: [0, 20, 40, 60, 80, 100], label: axis },
        y: { domain: [0, Math.max(10, Math.ceil(10 * most - 1e-9) * 10)] },
      },
    );
    return translate(
      index * (each + between),
      0,
      text(title, 0, 11, { weight: "bold" }) + panel.markup + translate(34, 12, areaKey(curves, names)),
    );
  });
  const areas = panels.flatMap(({ title, curves }) =>
    curves.map(({ name, area }) => `${title} ${name} ${formatNumber(area, 3)}`)
  );
  return composeFigure({
    markup: text(measure, 0, 11, { fill: MUTED }) + translate(0, 24, ...markup),
    height: top + 234,
    alt: `${measure}. Areas under the curves: ${areas.join(", ")}.`,
  }, options);
}

function areaKey(curves: readonly FractionCurve[], names: readonly string[]): string {
  const entries = curves.map(({ name, area }) => ({
    label: name,
    ...curveStyle(names.indexOf(name)),
    values: [formatNumber(area, 3)],
  }));
  return valueKey(entries, ["area"]);
}
