import { CHANNELS } from "../lib/model/spec.ts";
import { formatNumber, formatPercent } from "../lib/support/format.ts";
import type { App, Seen } from "./app.ts";
import { colouringOf, gradientOf, mapOf, paintMap, paintPixels, placeOf, smallCanvas } from "./canvas.ts";
import { announce, connectChoice, find, make, setText } from "./elements.ts";
import { cellByArrow, cellUnder } from "./grid.ts";
import type { Cell } from "./state.ts";

/** Most classes that are shown at once: those of the highest scores. */
const MOST = 20;

/** Parts of a class's map in the page. */
interface MapCard {
  button: HTMLButtonElement;
  canvas: HTMLCanvasElement;
  name: HTMLElement;
  label: number;
}

/** Parts of a class's score in the page. */
interface ScoreRow {
  item: HTMLElement;
  name: HTMLElement;
  bar: HTMLElement;
  share: HTMLElement;
  score: HTMLElement;
}

/** Shows the picture as the network sees it, a map and a score for each class, and the verdict. */
export function connectLook(app: App): void {
  const showMap = connectChoice("map", (value) => app.change({ map: value as "response" | "evidence" }));
  const showOrder = connectChoice("order", (value) => app.change({ order: value as "sorted" | "fixed" }));
  const picture = smallCanvas(find<HTMLCanvasElement>("picture"));
  let cards: MapCard[] = [];
  let rows: ScoreRow[] = [];
  let announced: Uint8Array | null = null; // picture

  app.onNetwork(() => {
    const { classes, engine: { filters } } = app;
    const count = Math.min(filters.length / CHANNELS, MOST);
    cards = Array.from({ length: count }, (_, label) => createCard(app, label));
    find("maps").replaceChildren(...cards.map(({ button }) => button));
    rows = Array.from({ length: Math.min(classes, MOST) }, createRow);
    find("scores").replaceChildren(...rows.map(({ item }) => item));
    setText(find("describe"), describeNetwork(app));
    setText(find("title"), titleOf(filters.length / CHANNELS));
    find("shared-map").hidden = count > 1;
    find("some-classes").hidden = classes <= MOST;
  });

  app.onChange((seen) => {
    const { state, engine: { network: { classNames } } } = app;
    const kind = seen.evidence === null ? "response" : state.map;
    showMap(kind);
    showOrder(state.order);
    find<HTMLInputElement>("evidence").disabled = seen.evidence === null;
    paintPixels(picture, seen.pixels);
    const byScore = orderByScore(seen);
    const shown = app.classes <= MOST
      ? classNames.map((_, label) => label)
      : byScore.slice(0, MOST).sort((one, other) => one - other);
    drawMaps(cards, shown, seen, kind, app);
    const order = state.order === "sorted" ? byScore.slice(0, MOST) : shown;
    rows.forEach((row, place) => drawRow(row, order[place], seen, classNames));
    drawVerdict(seen, app);
    if (announced !== app.picture && !app.source?.moves) announce(find("verdict").textContent!);
    announced = app.picture;
  });
}

/** Sorts classes by score, highest first. */
function orderByScore({ scores }: Seen): number[] {
  return Array.from(scores, (_, label) => label).sort((one, other) => scores[other] - scores[one]);
}

function createCard(app: App, label: number): MapCard {
  const canvas = smallCanvas();
  const name = make("span", { class: "name" });
  const button = make("button", { type: "button", class: "map" }, canvas, make("i", {}), name);
  const card = { button, canvas, name, label };
  const ask = (cell: Partial<Cell>) => {
    app.change({ cell: { ...app.state.cell, label: card.label, ...cell } });
  };
  button.addEventListener("click", () => {
    ask({});
    app.change({ panel: "cell" });
  });
  button.addEventListener("focus", () => ask({}));
  const point = (event: PointerEvent) => ask(cellUnder(event, canvas));
  canvas.addEventListener("pointermove", point);
  canvas.addEventListener("pointerdown", point);
  button.addEventListener("keydown", (event) => {
    const place = cellByArrow(event.key, app.state.cell);
    if (place === null) return;
    event.preventDefault();
    ask(place);
  });
  return card;
}

function createRow(): ScoreRow {
  const [name, share] = [make("span", { class: "name" }), make("b", { class: "number" })];
  const [bar, score] = [make("i", {}), make("small", { class: "number" })];
  const item = make("li", {}, name, make("span", { class: "bar", "aria-hidden": "true" }, bar), share, score);
  return { item, name, bar, share, score };
}

function drawMaps(
  cards: MapCard[],
  shown: number[],
  seen: Seen,
  kind: "response" | "evidence",
  app: App,
): void {
  const { state: { cell }, engine: { network: { classNames } } } = app;
  const maps = kind === "evidence" ? seen.evidence! : seen.maps;
  const colouring = colouringOf(maps, kind);
  const isShared = cards.length === 1;
  cards.forEach((card, place) => {
    const label = card.label = isShared ? Math.min(cell.label, app.classes - 1) : shown[place];
    const map = mapOf(maps, label);
    paintMap(card.canvas, seen.pixels, map, colouring);
    const isWinner = label === seen.predictedClass && !isShared;
    const name = isShared ? "all classes" : classNames[label];
    setText(card.name, name);
    card.button.classList.toggle("winner", isWinner);
    card.button.classList.toggle("asked", isShared || label === cell.label);
    card.button.style.setProperty("--row", String(cell.row));
    card.button.style.setProperty("--column", String(cell.column));
    if (app.source?.moves) card.button.setAttribute("aria-label", `Map of ${name}`); // else it would be read all the time
    else {
      card.button.setAttribute(
        "aria-label",
        `Map of ${name}, ${kind} highest at the ${placeOf(map)}${isWinner ? ", predicted" : ""}`,
      );
    }
  });
  const [low, high] = colouring.domain;
  find("scale").style.backgroundImage = gradientOf(colouring.colours);
  setText(find("scale-low"), formatNumber(low, 2));
  setText(find("scale-high"), formatNumber(high, 2));
  setText(
    find("map-meaning"),
    kind === "evidence"
      ? "Orange cells speak for the class, blue ones against it, compared with the other classes."
      : "Bright: the class’s filter responds there. The predictor turns each map into one score.",
  );
}

function drawRow(row: ScoreRow, label: number, seen: Seen, classNames: readonly string[]): void {
  const share = seen.shares[label];
  setText(row.name, classNames[label]);
  setText(row.share, formatPercent(share, share < 0.0995 ? 1 : 0));
  setText(row.score, formatNumber(seen.scores[label], 1));
  row.score.title = formatNumber(seen.scores[label], 3);
  row.bar.style.width = `${100 * share}%`;
  row.item.classList.toggle("winner", label === seen.predictedClass);
  row.item.dataset.label = String(label);
}

function drawVerdict(seen: Seen, app: App): void {
  const { classNames, unsureBelow } = app.engine.network;
  const name = classNames[seen.predictedClass];
  const share = formatPercent(seen.shares[seen.predictedClass], 0);
  const isTie = seen.scores.every((score) => score === seen.scores[0]);
  find("verdict").classList.toggle("unsure", seen.isUnsure || isTie);
  if (isTie) {
    setText(find("verdict-name"), "No class");
    return setText(find("verdict-share"), "all scores are the same");
  }
  setText(find("verdict-name"), seen.isUnsure ? `Unsure: ${name}?` : name);
  setText(
    find("verdict-share"),
    seen.isUnsure ? `${share}, too little: sure from ${formatPercent(unsureBelow!, 0)}` : share,
  );
}

function titleOf(filters: number): string {
  return filters === 1
    ? "One filter looks at a picture"
    : `${filters === 10 ? "Ten" : filters} filters look at a picture`;
}

function describeNetwork({ engine: { network } }: App): string {
  const { name, variant, classNames, testAccuracy, heldOutAccuracy, data } = network;
  const accuracy = testAccuracy !== null
    ? `, right on ${formatPercent(testAccuracy)} of the test images`
    : heldOutAccuracy !== null
    ? `, right on ${formatPercent(heldOutAccuracy)} of held-out images`
    : "";
  return `Network “${name}” (${variant}): ${classNames.length} classes, trained on ${data}${accuracy}.`;
}
