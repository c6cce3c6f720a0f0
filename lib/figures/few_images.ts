import { formatCount } from "../support/format.ts";
import { composeFigure, contentWidth, type Figure, text, translate } from "./figure.ts";
import { valueKey, valueKeyHeight } from "./key.ts";
import { curveStyle, linePanel } from "./line_panel.ts";
import type { FigureOptions } from "./style.ts";

/** Accuracy by number of images to learn from. */
export interface FewImagesLine {
  /** In the key. */
  name: string;
  /** One point is drawn as a level across the panel. */
  points: readonly { images: number; accuracy: number }[];
}

/** A panel of lines, the same ones in each. */
export interface FewImagesPanel {
  /** Above the panel, with the unit. */
  title: string;
  /** In the order of the key. */
  lines: readonly FewImagesLine[];
}

const [KEY_WIDTH, GAP, HEIGHT] = [168, 16, 250];
const MARGINS = { left: 34, right: 10, top: 24, bottom: 38 };

/**
 * Draws accuracies by the number of images to learn from, on a logarithmic axis, panel beside panel; lines
 * differ by colour and dash.
 *
 * @throws {RangeError} If no line has two points.
 */
export function fewImages(panels: readonly FewImagesPanel[], options: FigureOptions = {}): Figure {
  const lines = panels.flatMap((panel) => panel.lines).filter(({ points }) => points.length > 1);
  if (lines.length === 0) throw new RangeError("A line needs two numbers of images.");
  const counts = [...new Set(lines.flatMap(({ points }) => points.map(({ images }) => images)))];
  const domain = [Math.min(...counts), Math.max(...counts)].map(Math.log10) as [number, number];
  const width = (contentWidth(options) - KEY_WIDTH - GAP * panels.length) / panels.length;
  const names = [...new Set(panels.flatMap(({ lines }) => lines.map(({ name }) => name)))];
  const styles = new Map(names.map((name, index) => [name, curveStyle(index)]));
  const markup = panels.map(({ title, lines }, index) => {
    const panel = linePanel(
      lines.map(({ name, points }) => ({
        ...styles.get(name)!,
        points: points.length === 1
          ? domain.map((x) => ({ x, y: 100 * points[0].accuracy }))
          : points.map(({ images, accuracy }) => ({ x: Math.log10(images), y: 100 * accuracy })),
      })),
      {
        ...{ width, height: HEIGHT, margins: MARGINS },
        x: {
          domain,
          ticks: counts.map(Math.log10),
          format: (power) => formatCount(10 ** power),
          label: "Images of the new class",
        },
      },
    );
    return translate(index * (width + GAP), 0, panel + text(title, 0, 11, { weight: "bold" }));
  });
  const entries = names.map((label) => ({ label, ...styles.get(label)!, values: [] }));
  const top = (HEIGHT - valueKeyHeight(names.length)) / 2;
  return composeFigure({
    markup: markup.join("") + translate(panels.length * (width + GAP), top, valueKey(entries, [])),
    height: HEIGHT,
    alt: `Accuracy by number of images to learn from: ${names.join(", ")}.`,
  }, options);
}
