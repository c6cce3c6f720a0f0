import { BLOCK } from "../lib/analysis/deletion.ts";
import { BACKBONE_WINDOWS, receptiveField, type WindowLayer } from "../lib/analysis/receptive_field.ts";
import { IMAGE_SIZE } from "../lib/data/dataset.ts";
import { CHANNELS, MAP_SIZE } from "../lib/model/spec.ts";
import { formatNumber, formatPercent, formatSigned } from "../lib/support/format.ts";
import type { App, Seen } from "./app.ts";
import { mapOf } from "./canvas.ts";
import { initialState } from "./state.ts";
import { announce, find, make, makeSvg, setText } from "./elements.ts";

/** Terms that are written out. */
const SHOWN_TERMS = 8;

/**
 * Side in pixels of the square about a cell that nine tenths of its influence come from, measured on the
 * published network (tests/explore/look_test.ts).
 */
export const INFLUENCE_SIZE = 26;

const ADAPTER_WINDOW: WindowLayer = { kernel: 3, padding: 1 };

/** Shows how a cell of a map is computed, what it sees, and what it says for its class. */
export function connectCell(app: App): void {
  const veil = makeSvg("path", { class: "veil", "fill-rule": "evenodd" });
  const frame = makeSvg("rect", { class: "window" });
  const block = makeSvg("rect", { class: "cell", width: BLOCK, height: BLOCK });
  find("marks").append(veil, frame, block);
  const { cell } = initialState();
  const atFirst = `${cell.row}.${cell.column}`;
  let isAsked = false; // the picture is left alone until somebody points at a map

  app.onChange((seen) => {
    const { panel, cell: { row, column } } = app.state;
    isAsked ||= `${row}.${column}` !== atFirst;
    find("marks").classList.toggle("asked", panel === "cell" && isAsked);
    if (panel !== "cell") return;
    const [top, left] = [row, column].map((at) => at * BLOCK - (INFLUENCE_SIZE - BLOCK) / 2);
    const whole = `M0 0H${IMAGE_SIZE}V${IMAGE_SIZE}H0Z`;
    veil.setAttribute("d", `${whole}M${left} ${top}h${INFLUENCE_SIZE}v${INFLUENCE_SIZE}h${-INFLUENCE_SIZE}Z`);
    const layers = app.engine.network.adapter === "3x3"
      ? [...BACKBONE_WINDOWS, ADAPTER_WINDOW]
      : BACKBONE_WINDOWS;
    const { size, jump, start } = receptiveField(layers);
    place(frame, start + column * jump - size / 2, start + row * jump - size / 2);
    frame.setAttribute("width", String(size));
    frame.setAttribute("height", String(size));
    place(block, column * BLOCK, row * BLOCK);
    setText(
      find("cell-window"),
      `Lit in the picture: the ${INFLUENCE_SIZE} × ${INFLUENCE_SIZE} pixels that hold nine tenths of what can ` +
        `change this cell. Nothing beyond ${size} × ${size} reaches it at all (dashed, where the picture goes on).`,
    );
    drawTerms(app, seen);
    drawShare(app, seen);
  });
}

function place(rectangle: SVGElement, x: number, y: number): void {
  rectangle.setAttribute("x", String(x));
  rectangle.setAttribute("y", String(y));
}

/** A term of v · w. */
export interface Term {
  channel: number;
  v: number;
  w: number;
  product: number;
}

/** Lists the terms of v · w, the largest first. */
export function listTerms(v: Float32Array, w: Float32Array): Term[] {
  return Array.from(
    v,
    (value, channel) => ({ channel, v: value, w: w[channel], product: value * w[channel] }),
  )
    .sort((one, other) => Math.abs(other.product) - Math.abs(one.product));
}

function drawTerms(app: App, { features, maps }: Seen): void {
  const { engine: { filters, network: { classNames } }, state: { cell: { label, row, column } } } = app;
  const cell = row * MAP_SIZE + column;
  const v = features.subarray(cell * CHANNELS, (cell + 1) * CHANNELS);
  const shared = filters.length === CHANNELS;
  const w = shared ? filters : filters.subarray(label * CHANNELS, (label + 1) * CHANNELS);
  const terms = listTerms(v, w);
  const [shown, rest] = [terms.slice(0, SHOWN_TERMS), terms.slice(SHOWN_TERMS)];
  const add = (some: readonly Term[]) => some.reduce((sum, { product }) => sum + product, 0);
  const response = mapOf(maps, label)[cell];
  const largest = Math.max(...terms.map(({ product }) => Math.abs(product)), Math.abs(add(rest)));
  const name = shared ? "all classes" : classNames[label];
  setText(
    find("cell-formula"),
    `Map of ${name}, row ${row + 1}, column ${column + 1}:  v · w / 8 = ${
      formatNumber(add(terms), 2)
    } / 8 = ` +
      formatNumber(response, 3),
  );
  const lines = shown.map(({ channel, v, w, product }) =>
    termRow(
      String(channel),
      [formatNumber(v, 2), formatNumber(w, 2), formatNumber(product, 2)],
      product / largest,
    )
  );
  const others = termRow(
    `${rest.length} smaller ones`,
    ["", "", formatNumber(add(rest), 2)],
    add(rest) / largest,
  );
  const sum = termRow("their sum, v · w", ["", "", formatNumber(add(terms), 2)], 0);
  sum.classList.add("sum");
  find("cell-terms").querySelector("tbody")!.replaceChildren(...lines, others, sum);
  if (!app.source?.moves) {
    announceCell(`${name}, row ${row + 1}, column ${column + 1}: ${formatNumber(response, 2)}`);
  }
}

/** Tells screen readers of the cell, once it stays. */
function announceCell(text: string): void {
  if (document.activeElement?.classList.contains("map")) announce(text);
}

/** Creates a row: a name, three numbers, and a bar from the middle, −1 to 1. */
function termRow(name: string, numbers: readonly string[], part: number): HTMLTableRowElement {
  const bar = make("i", { class: part < 0 ? "minus" : "plus" });
  bar.style.width = `${50 * Math.abs(part)}%`;
  return make(
    "tr",
    {},
    make("th", { scope: "row" }, name),
    ...numbers.map((number) => make("td", {}, number)),
    make("td", { class: "sign", "aria-hidden": "true" }, make("span", {}, bar)),
  );
}

/** Says what the cell adds to its class's score. */
function drawShare(app: App, { evidence }: Seen): void {
  const { state: { cell: { label, row, column } }, engine: { network: { classNames } } } = app;
  if (evidence === null) {
    return setText(find("cell-share"), "All classes share this map: a cell speaks for none alone.");
  }
  const map = mapOf(evidence, label);
  const own = map[row * MAP_SIZE + column];
  const part = own / map.reduce((sum, value) => value * own > 0 ? sum + value : sum, 0);
  const side = own > 0 ? "for" : "against";
  setText(
    find("cell-share"),
    own === 0
      ? `It says nothing for or against ${classNames[label]}.`
      : `It speaks ${side} ${classNames[label]}: ${formatSigned(own, 2)} of evidence, ${
        formatPercent(part)
      } of all ` +
        `that the 64 cells say ${side} it. Evidence is response × slope of the score, compared with the other classes.`,
  );
}
