import { InputError } from "../../lib/support/errors.ts";
import type { Figure } from "../../lib/figures/figure.ts";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import type { ModelFacts } from "./model_facts.ts";

/** An output in several forms; the frontend takes the best one it can show. */
export interface Bundle {
  "text/plain": string;
  /** With TeX between dollar signs. */
  "text/markdown"?: string;
  "text/html"?: string;
  /** A complete SVG document. */
  "image/svg+xml"?: string;
}

/** Facts about an output, kept under `report` in its metadata for the PDF report, which parses no text. */
export type OutputFacts =
  | FigureFacts
  | { kind: "table"; rows: number; columns: number }
  | ({ kind: "circumstances" } & Circumstances)
  | ({ kind: "model" } & ModelFacts)
  /** Of interest in the notebook only. */
  | { kind: "note" };

/** Text and size of a figure. */
export type FigureFacts = { kind: "figure" } & Omit<Figure, "svg">;

/** Data, weights and device that a notebook's numbers depend on. */
export interface Circumstances {
  /** The data set's name. */
  data: string;
  /** Training and test images. */
  sizes: readonly [train: number, test: number];
  /** Source of the backbone's initial weights. */
  weights: string;
  /** Device and version: `CPU, TensorFlow 2.21.0`. */
  runtime: string;
  /** Set for synthetic images. */
  synthetic: boolean;
  /** Set for a smoke test (`NOTEBOOK_QUICK=1`). */
  quick: boolean;
}

/** Identifies an output that later ones replace. */
interface Place {
  id: string;
  /** Replace what is shown there. */
  update: boolean;
}

/** Shows a bundle below the running cell; outside a notebook, its text is printed. */
export async function display(bundle: Bundle, facts?: OutputFacts, place?: Place): Promise<void> {
  if (!isInNotebook()) return console.log(bundle["text/plain"]);
  // not Deno.jupyter.display, which passes no metadata on
  await Deno.jupyter.broadcast(place?.update ? "update_display_data" : "display_data", {
    data: bundle,
    metadata: facts === undefined ? {} : { report: facts },
    transient: place === undefined ? {} : { display_id: place.id },
  });
  await new Promise((resolve) => setTimeout(resolve, MILLISECONDS_TO_SEND));
}

/**
 * The kernel hands a message on before it is sent, and "the cell is done" may overtake it (Deno 2.9, in a
 * third of the cells that show something last). Frontends drop what comes after that, so a cell must not end
 * at once.
 */
const MILLISECONDS_TO_SEND = 50;

/** Makes an output that each call replaces. Calls may overlap; they take effect in order. */
export function createLivePlace(): (bundle: Bundle, facts?: OutputFacts) => Promise<void> {
  const id = crypto.randomUUID();
  let last: Promise<void> | undefined;
  return (bundle, facts) => {
    const update = last !== undefined;
    return last = (last ?? Promise.resolve()).then(() => display(bundle, facts, { id, update }));
  };
}

/** Shows a figure of `lib/figures`. */
export async function displayFigure(figure: Figure, show = display): Promise<void> {
  const { svg: _, ...text } = figure;
  await show(bundleFigure(figure), { kind: "figure", ...text });
}

/**
 * Bundles a figure as an image with alternative text, as the SVG itself, and as text.
 *
 * JupyterLab shows an SVG without alternative text, and not at all in a notebook of somebody else's; HTML
 * with an image in it has neither fault, and scales down in a narrow window.
 */
export function bundleFigure({ svg, title, alt, width }: Figure): Bundle {
  const source = `data:image/svg+xml;base64,${new TextEncoder().encode(svg).toBase64()}`;
  const escaped = alt.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
  return {
    "text/plain": title === "" ? `[figure] ${alt}` : `[figure: ${title}] ${alt}`,
    "text/html":
      `<img src="${source}" alt="${escaped}" width="${width}" style="max-width: 100%; height: auto">`,
    "image/svg+xml": svg,
  };
}

/** Tells whether this program is a notebook's kernel. */
export function isInNotebook(): boolean {
  try {
    return Deno.jupyter !== undefined;
  } catch {
    return false; // outside a kernel the property throws
  }
}

/** Lets an {@linkcode InputError} be shown as its sentence, without a stack. */
export function installPlainErrors(): void {
  Error.prepareStackTrace = (error, sites) =>
    [String(error), ...error instanceof InputError ? [] : sites.map((site) => `    at ${site}`)].join("\n");
}

/** Lets a tensor as the last expression of a cell show its shape, type and first values. */
export function installTensorDisplay(): void {
  Object.defineProperty(tf.Tensor.prototype, Symbol.for("Jupyter.display"), {
    configurable: true,
    async value(this: tf.Tensor): Promise<Bundle> {
      return { "text/plain": await describeTensor(this) };
    },
  });
}

const VALUES_SHOWN = 6;

/** Describes a tensor in one line: `tensor [10, 64] float32: 0.12, −0.03, …`. */
export async function describeTensor(tensor: tf.Tensor): Promise<string> {
  const { shape, dtype, size } = tensor;
  const first = tf.tidy(() => tf.slice(tf.reshape(tensor, [size]), 0, Math.min(size, VALUES_SHOWN)));
  const values = [...await first.data()].map((value) =>
    Number.isInteger(value) ? String(value) : Number(value.toPrecision(4)).toString()
  );
  first.dispose();
  return `tensor [${shape.join(", ")}] ${dtype}: ${values.join(", ")}${size > VALUES_SHOWN ? ", …" : ""}`;
}
