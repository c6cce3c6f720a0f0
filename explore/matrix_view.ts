import { cosineSimilarity } from "../lib/analysis/class_vectors.ts";
import { colourOf, readableOn } from "../lib/figures/colours.ts";
import { formatNumber } from "../lib/support/format.ts";
import type { App } from "./app.ts";
import { find, make } from "./elements.ts";

/** Shows how alike the filters of all classes are. */
export function connectMatrix(app: App): void {
  app.onNetwork(() => {
    const { filters, network: { classNames } } = app.engine;
    const rows = Array.from(
      { length: filters.length / 64 },
      (_, label) => [...filters.subarray(64 * label, 64 * (label + 1))],
    );
    const fits = rows.length > 1 && rows.length <= 20;
    find("similarities").replaceChildren(
      fits
        ? createMatrix(cosineSimilarity(rows), classNames)
        : make("p", { class: "note" }, describeWhyNot(rows.length, classNames)),
    );
  });
}

function describeWhyNot(filters: number, classNames: readonly string[]): string {
  return filters === 1
    ? `One filter serves all ${classNames.length} classes: there is nothing to compare.`
    : `${filters} filters are too many for a matrix here.`;
}

/** Creates a table of the cosines between all classes' filters, from −1 (blue) to 1 (orange). */
function createMatrix(cosines: number[][], classNames: readonly string[]): HTMLElement {
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
