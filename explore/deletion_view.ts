import { areaUnder, centreMap, orderByValue } from "../lib/analysis/deletion.ts";
import { MAP_SIZE } from "../lib/model/spec.ts";
import { formatNumber } from "../lib/support/format.ts";
import { type App, attempt, hideCells } from "./app.ts";
import { mapOf, paintPixels, smallCanvas } from "./canvas.ts";
import { announce, find, setText } from "./elements.ts";

const CELLS = MAP_SIZE * MAP_SIZE;
/** Cells that are hidden at once, and the pause after it in milliseconds. */
const [STEP, PAUSE] = [2, 120];
/** The chart's size, in its own units. */
const [WIDTH, HEIGHT] = [320, 150];

/** An order in which cells are hidden, and where it is shown. */
interface Order {
  cells: readonly number[];
  canvas: HTMLCanvasElement;
  line: Element;
  /** Probability of the class after each step. */
  shares: number[];
}

/**
 * Shows as an animation how the class's probability falls while cells are hidden: in the order of the
 * evidence, and beside it in an order that never saw the picture, from the middle outwards.
 */
export function connectDeletion(app: App): void {
  const canvases = ["evidence-picture", "fixed-picture"].map((id) =>
    smallCanvas(find<HTMLCanvasElement>(id))
  );
  const lines = ["evidence-line", "fixed-line"].map((id) => find(id));
  const button = find<HTMLButtonElement>("delete");
  let turn = 0; // a later run ends an earlier one
  let shown: Uint8Array | null = null;

  app.onChange(({ evidence }) => {
    if (app.state.panel !== "hide") return;
    button.disabled = evidence === null;
    if (shown === app.picture || app.source?.moves) return;
    shown = app.picture; // another picture: what was shown belongs to the last one
    turn++;
    for (const line of lines) line.setAttribute("points", "");
    for (const canvas of canvases) paintPixels(canvas, app.picture);
    setText(find("deletion-result"), "");
  });
  button.addEventListener("click", () =>
    attempt(async () => {
      const own = ++turn;
      const { picture, engine } = app;
      const { evidence, predictedClass } = await engine.look(picture);
      const maps = [mapOf(evidence!, predictedClass), centreMap()];
      const orders = maps.map((map, index): Order => (
        { cells: orderByValue(map), canvas: canvases[index], line: lines[index], shares: [] }
      ));
      const pause = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : PAUSE;
      for (let count = 0; count <= CELLS; count += STEP) {
        for (const { cells, canvas, line, shares } of orders) {
          const pixels = hideFirst(picture, cells, count);
          const look = await engine.look(pixels);
          if (own !== turn) return;
          shares.push(look.shares[predictedClass]);
          paintPixels(canvas, pixels);
          line.setAttribute("points", formatPoints(shares));
        }
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
      const fraction = orders[0].shares.map((_, step) => step * STEP / CELLS);
      const [own1, fixed] = orders.map(({ shares }) =>
        formatNumber(areaUnder({ fraction, value: shares }), 2)
      );
      const text =
        `Mean probability of ${engine.network.classNames[predictedClass]} on the way: ${own1} by evidence, ` +
        `${fixed} from the middle outwards.`;
      setText(find("deletion-result"), text);
      announce(text);
    }));
}

/** Hides the first cells of an order. */
export function hideFirst(picture: Uint8Array, order: readonly number[], count: number): Uint8Array {
  const hidden = new Uint8Array(CELLS);
  for (const cell of order.slice(0, count)) hidden[cell] = 1;
  return hideCells(picture, hidden);
}

function formatPoints(shares: readonly number[]): string {
  return shares.map((share, step) =>
    `${(step * STEP / CELLS * WIDTH).toFixed(1)},${((1 - share) * HEIGHT).toFixed(1)}`
  ).join(" ");
}
