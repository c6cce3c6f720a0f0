import { colourOf, readableOn } from "../lib/figures/colours.ts";
import { formatNumber } from "../lib/support/format.ts";
import type { App } from "./app.ts";
import { make } from "./elements.ts";

/** Creates a table of the cosines between all classes' filters, from −1 (blue) to 1 (orange). */
export function createMatrix(app: App, cosines: number[][]): HTMLElement {
  const { classNames } = app.engine.network;
  const head = make(
    "tr",
    {},
    make("td"),
    ...classNames.map((name) => make("th", { scope: "col" }, make("span", {}, name))),
  );
  const body = cosines.map((row, label) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, classNames[label]),
      ...row.map((cosine) => {
        const colour = colourOf(cosine, [-1, 1], "diverging");
        const cell = make("td", {}, formatNumber(cosine, 1));
        cell.style.backgroundColor = colour;
        cell.style.color = readableOn(colour);
        return cell;
      }),
    )
  );
  return make(
    "table",
    { class: "matrix" },
    make("caption", {}, "How alike the classes’ filters are: cosines, 1 for the same direction"),
    make("thead", {}, head),
    make("tbody", {}, ...body),
  );
}
