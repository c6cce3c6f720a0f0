import { type ColourMap, colourOf, readableOn } from "./colours.ts";
import { type Panel, Plot, plotPanel } from "./plot.ts";
import { FONT_SIZE, INK } from "./style.ts";
import { text } from "./svg.ts";
import { textWidth } from "./text_width.ts";

/** A table of coloured cells. */
export interface HeatMap {
  /** Values by row, then column. */
  values: readonly (readonly number[])[];
  rowNames: readonly string[];
  /** Names above the columns; none for columns without a name. */
  columnNames?: readonly string[];
  /** Size of a cell in pixels. */
  cell: { width: number; height: number };
  colours: ColourMap;
  domain: readonly [number, number];
  /** Where on the colours a value lies, if not at its own place: a square root, say. */
  transform?: (value: number) => number;
  /** What is written in a cell; nothing where it is undefined or empty. */
  format?: (value: number) => string;
  /** Whether the rows' names are written (default true), for tables that share them. */
  showRowNames?: boolean;
  /** Space between cells in pixels (default 1). */
  gap?: number;
}

/** A heat map as a part of a figure, with the space its labels take. */
export interface HeatMapPanel extends Panel {
  /** Where the cells begin, in pixels from the panel's left and top. */
  left: number;
  top: number;
}

/** Draws a table of coloured cells with names left and above; those above are turned where they are wider than a cell. */
export function heatMapPanel(map: HeatMap): HeatMapPanel {
  const {
    values,
    rowNames,
    columnNames,
    cell,
    colours,
    domain,
    transform,
    format,
    showRowNames = true,
    gap = 1,
  } = map;
  const columns = values[0].length;
  const left = showRowNames ? 8 + Math.max(...rowNames.map((name) => textWidth(name, FONT_SIZE.tick))) : 0;
  const widest = Math.max(0, ...(columnNames ?? []).map((name) => textWidth(name, FONT_SIZE.tick)));
  const turned = widest > cell.width + 2;
  const top = columnNames ? (turned ? 8 + widest * 0.71 + 8 : 18) : 0;
  // a name turned by 45° reaches past the last column
  const right = turned ? Math.max(0, widest * 0.71 - cell.width / 2) : 0;
  const fill = (value: number) => colourOf(transform ? transform(value) : value, domain, colours);
  const cells = values.flatMap((row, y) => row.map((value, x) => ({ x, y, value })));
  const panel = plotPanel({
    width: left + columns * cell.width + right,
    height: top + values.length * cell.height,
    marginLeft: left,
    marginRight: right,
    marginTop: top,
    marginBottom: 0,
    x: {
      type: "band",
      domain: Array.from({ length: columns }, (_, x) => x),
      padding: 0,
      axis: null,
      round: false,
    },
    y: { type: "band", domain: values.map((_, y) => y), padding: 0, axis: null, round: false },
    marks: [
      Plot.cell(cells, {
        x: "x",
        y: "y",
        fill: (item: { value: number }) => fill(item.value),
        inset: gap / 2,
      }),
      ...(format
        ? [Plot.text(cells, {
          x: "x",
          y: "y",
          text: (item: { value: number }) => format(item.value),
          fill: (item: { value: number }) => readableOn(fill(item.value)),
          fontSize: Math.min(FONT_SIZE.tick, cell.width * 0.36),
        })]
        : []),
    ],
  });
  const rowLabels = showRowNames
    ? rowNames.map((name, y) =>
      text(name, left - 6, top + (y + 0.5) * cell.height + 4, {
        size: FONT_SIZE.tick,
        anchor: "end",
        fill: INK,
      })
    )
    : [];
  const columnLabels = (columnNames ?? []).map((name, x) => {
    const middle = left + (x + 0.5) * cell.width;
    return turned
      ? text(name, middle + 3, top - 5, { size: FONT_SIZE.tick, rotate: -45 })
      : text(name, middle, top - 6, { size: FONT_SIZE.tick, anchor: "middle" });
  });
  return { ...panel, markup: panel.markup + rowLabels.join("") + columnLabels.join(""), left, top };
}
