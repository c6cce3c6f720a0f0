import {
  DEFAULT_WIDTH,
  FAINT,
  FONT_FAMILY,
  INK,
  MUTED,
  PAPER,
  PREDICTED_COLOUR,
  TRUE_COLOUR,
} from "../lib/figures/style.ts";
import { InputError } from "../lib/support/errors.ts";
import { formatPercent } from "../lib/support/format.ts";
import { type App, attempt, type Seen } from "./app.ts";
import { announce, find, make, makeSvg } from "./elements.ts";

/** Connects the buttons that copy the page's address, and save what it shows. */
export function connectShare(app: App): void {
  find("copy-link").addEventListener("click", () =>
    attempt(async () => {
      app.writeAddress();
      await copy(location.href);
      announce("The address is copied. It holds what the page shows, but no picture of yours.");
      confirmOn("copy-link");
    }));
  find("save-svg").addEventListener("click", () => {
    if (app.seen !== null) saveFile("maps.svg", new Blob([drawView(app, app.seen).text], { type: SVG }));
  });
  find("save-png").addEventListener("click", () =>
    attempt(async () => {
      if (app.seen !== null) saveFile("maps.png", await rasterise(drawView(app, app.seen)));
    }));
}

const SVG = "image/svg+xml";

/** Copies a text. @throws {InputError} If the browser does not allow it. */
async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch (cause) {
    throw new InputError({
      what: "copy the address",
      why: "this browser does not allow it",
      next: [{ advice: "copy it from the address bar" }],
    }, { cause });
  }
}

/** Shows for a moment that a button has done its work. */
function confirmOn(id: string): void {
  const button = find(id);
  button.classList.add("done");
  setTimeout(() => button.classList.remove("done"), 1500);
}

/** Hands a file to the browser, to be saved; in its name other characters become dashes. */
export function saveFile(name: string, content: Blob): void {
  const download = name.replace(/[^\w.-]+/g, "-");
  const link = make("a", { href: URL.createObjectURL(content), download });
  link.click();
  URL.revokeObjectURL(link.href);
}

/** A drawing of the view. */
interface View {
  text: string;
  width: number;
  height: number;
}

const [PICTURE, MAP, GAP, LINE] = [220, 84, 12, 22];

/** Draws picture, maps and scores as the page shows them, on white: it is for papers and slides. */
function drawView(app: App, seen: Seen): View {
  const { classNames, name: network, data } = app.engine.network;
  const cards = [...document.querySelectorAll<HTMLElement>(".map")];
  const names = [...document.querySelectorAll<HTMLElement>("#scores li")].map((row) =>
    Number(row.dataset.label)
  );
  const columns = Math.min(5, cards.length);
  const rows = Math.ceil(cards.length / columns);
  const mapsHeight = rows * (MAP + 18 + GAP);
  const top = 34;
  const scoresTop = top + Math.max(PICTURE, mapsHeight) + GAP;
  const [width, height] = [DEFAULT_WIDTH + 40, scoresTop + names.length * LINE + 40];
  const svg = makeSvg("svg", {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
  });
  svg.setAttribute("font-family", FONT_FAMILY);
  const write = (x: number, y: number, text: string, attributes: Record<string, string | number> = {}) => {
    const element = makeSvg("text", { x, y, fill: INK, "font-size": 13, ...attributes });
    element.textContent = text;
    svg.append(element);
  };
  svg.append(makeSvg("rect", { width, height, fill: PAPER }));
  const winner = classNames[seen.predictedClass];
  write(
    20,
    22,
    `${seen.isUnsure ? "Unsure: " : ""}${winner}, ${formatPercent(seen.shares[seen.predictedClass], 0)}`,
    {
      "font-size": 16,
      "font-weight": "bold",
    },
  );
  svg.append(drawCanvas(find<HTMLCanvasElement>("picture"), 20, top, PICTURE));
  cards.forEach((card, place) => {
    const x = 20 + PICTURE + 2 * GAP + place % columns * (MAP + GAP);
    const y = top + Math.floor(place / columns) * (MAP + 18 + GAP);
    svg.append(drawCanvas(card.querySelector("canvas")!, x, y, MAP));
    if (card.classList.contains("winner")) {
      const frame = { x, y, width: MAP, height: MAP, fill: "none", "stroke-width": 3 };
      svg.append(makeSvg("rect", { ...frame, stroke: PREDICTED_COLOUR }));
    }
    write(x, y + MAP + 14, card.querySelector(".name")!.textContent!);
  });
  names.forEach((label, place) => {
    const y = scoresTop + place * LINE;
    const full = width - 20 - 130 - 60;
    write(20, y + 14, classNames[label]);
    svg.append(
      makeSvg("rect", { x: 130, y: y + 3, width: full, height: 13, fill: FAINT }),
      makeSvg("rect", {
        x: 130,
        y: y + 3,
        width: full * seen.shares[label],
        height: 13,
        fill: label === seen.predictedClass ? PREDICTED_COLOUR : TRUE_COLOUR,
      }),
    );
    write(width - 20, y + 14, formatPercent(seen.shares[label]), { "text-anchor": "end" });
  });
  const kind = seen.evidence === null ? "response" : app.state.map;
  const note = `Maps: ${kind}, one scale. Network ${network}, trained on ${data}.`;
  write(20, height - 14, note, { fill: MUTED, "font-size": 11.5 });
  return { text: new XMLSerializer().serializeToString(svg), width, height };
}

/** Draws a small canvas large, since not every viewer of SVG keeps pixels sharp. */
function drawCanvas(canvas: HTMLCanvasElement, x: number, y: number, side: number): SVGImageElement {
  const large = make("canvas", { width: 320, height: 320 });
  const context = large.getContext("2d")!;
  context.imageSmoothingEnabled = false;
  context.drawImage(canvas, 0, 0, 320, 320);
  return makeSvg("image", { x, y, width: side, height: side, href: large.toDataURL() });
}

/** Draws an SVG as PNG, at twice its size. */
async function rasterise({ text, width, height }: View): Promise<Blob> {
  const image = new Image();
  image.src = `data:${SVG};charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = new OffscreenCanvas(2 * width, 2 * height);
  canvas.getContext("2d")!.drawImage(image, 0, 0, 2 * width, 2 * height);
  return await canvas.convertToBlob();
}
