import { MAP_SIZE } from "../lib/model/spec.ts";
import { formatPercent } from "../lib/support/format.ts";
import type { App } from "./app.ts";
import { paintPixels, smallCanvas } from "./canvas.ts";
import { connectDeletion } from "./deletion_view.ts";
import { announce, find, makeSvg, setText } from "./elements.ts";
import { cellByArrow, cellUnder, type Place } from "./grid.ts";

const CELLS = MAP_SIZE * MAP_SIZE;

/** Lets the reader paint over parts of the picture, and says what that does to the prediction. */
export function connectHide(app: App): void {
  const easel = find("easel");
  const canvas = smallCanvas(find<HTMLCanvasElement>("easel-picture"));
  const cursor = makeSvg("rect", { class: "cell", width: 1, height: 1 });
  const outlines = makeSvg("path", { class: "outlines" });
  find("easel-marks").append(outlines, cursor);
  let at: Place = { row: 3, column: 3 }; // near the middle
  let isHiding = true;

  const hide = (cell: number, isHidden: boolean) => {
    const { hidden } = app.state;
    if (Boolean(hidden[cell]) === isHidden) return;
    app.change({ hidden: hidden.map((mark, other) => other === cell ? Number(isHidden) : mark) });
  };
  const indexOf = ({ row, column }: Place) => row * MAP_SIZE + column;
  const moveTo = (place: Place) => {
    at = place;
    cursor.setAttribute("x", String(place.column));
    cursor.setAttribute("y", String(place.row));
  };
  moveTo(at);
  connectBrush(easel, (place, isFirst) => {
    moveTo(place);
    if (isFirst) isHiding = !app.state.hidden[indexOf(place)];
    hide(indexOf(place), isHiding);
  });
  easel.addEventListener("keydown", (event) => {
    const next = cellByArrow(event.key, at);
    if (next !== null) moveTo(next);
    else if (event.key === " " || event.key === "Enter") hide(indexOf(at), !app.state.hidden[indexOf(at)]);
    else return;
    event.preventDefault();
    const what = app.state.hidden[indexOf(at)] ? "hidden" : "seen";
    announce(`Row ${at.row + 1}, column ${at.column + 1}: ${what}.`);
  });
  for (const id of ["show-all", "show-all-above"]) {
    find(id).addEventListener("click", () => app.change({ hidden: new Uint8Array(CELLS) }));
  }

  app.onChange(async (seen) => {
    const { state, engine } = app;
    const count = state.hidden.reduce((sum, mark) => sum + mark, 0);
    find("show-all-above").hidden = count === 0;
    if (state.panel !== "hide") return;
    find<HTMLButtonElement>("show-all").disabled = count === 0;
    paintPixels(canvas, seen.pixels);
    outlines.setAttribute("d", outlineCells(state.hidden)); // the mean colour may be hard to see
    find("hide-result").setAttribute("aria-live", app.source?.moves ? "off" : "polite");
    const whole = count === 0 ? seen : await engine.look(app.picture);
    if (state !== app.state || engine !== app.engine) return; // a later one is under way
    const { predictedClass } = whole;
    const names = engine.network.classNames;
    const [before, after] = [whole, seen].map(({ shares }) => formatPercent(shares[predictedClass], 0));
    setText(
      find("hide-result"),
      count === 0
        ? `Nothing is hidden: ${names[predictedClass]}, ${before}.`
        : `${count} of ${CELLS} parts are hidden: ${names[predictedClass]} from ${before} to ${after}` +
          (seen.predictedClass === predictedClass ? "." : `; now it is ${names[seen.predictedClass]}.`),
    );
  });
  connectDeletion(app);
}

/** Draws the outlines of hidden cells, in cells. */
function outlineCells(hidden: Uint8Array): string {
  return Array.from(
    hidden,
    (mark, cell) =>
      mark ? `M${cell % MAP_SIZE + 0.08} ${Math.floor(cell / MAP_SIZE) + 0.08}h.84v.84h-.84z` : "",
  ).join("");
}

/** Calls `paint` for each cell that a pressed pointer passes. */
function connectBrush(easel: HTMLElement, paint: (place: Place, isFirst: boolean) => void): void {
  easel.addEventListener("pointerdown", (event) => {
    easel.setPointerCapture(event.pointerId);
    paint(cellUnder(event, easel), true);
  });
  easel.addEventListener("pointermove", (event) => {
    if (event.buttons !== 0) paint(cellUnder(event, easel), false);
  });
}
