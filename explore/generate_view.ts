import { cosineSimilarity } from "../lib/analysis/class_vectors.ts";
import { extent, formatNumber } from "../lib/support/format.ts";
import type { App, Seen } from "./app.ts";
import { colouringOf, paintMap, smallCanvas } from "./canvas.ts";
import { fillClasses, find, makeSvg, setText } from "./elements.ts";
import type { Applied } from "./engine.ts";
import { placeInTriangle, sharesAt } from "./triangle.ts";

/** From this cosine on, two filters are called nearly the same. */
const NEARLY_SAME = 0.95;

/** Two filters between classes, and what they make of the picture. */
interface Between {
  /** Generated from the mixture of the embeddings `[64]`. */
  generated: Float32Array;
  /** Mixture of the classes' own filters, of length 1 `[64]`. */
  mixed: Float32Array;
  applied: [generated: Applied, mixed: Applied];
}

/** Lets the reader mix the embeddings of two or three classes, and shows the filter that is generated. */
export function connectGenerate(app: App): void {
  const selects = [0, 1, 2].map((corner) => find<HTMLSelectElement>(`corner-${corner}`));
  const [along, towards] = ["along", "towards"].map((id) => find<HTMLInputElement>(id));
  const canvases = ["generated-map", "mixed-map"].map((id) => smallCanvas(find<HTMLCanvasElement>(id)));
  const bars = createBars();
  const point = find("triangle-point");
  find("filter-bars").append(...bars.flatMap(({ bar, tick }) => [bar, tick]));

  app.onNetwork(() => {
    const { classNames } = app.engine.network;
    selects.forEach((select, corner) => fillClasses(select, classNames, app.state.corners[corner]));
    find("generator").hidden = app.engine.embeddings === null;
    find("no-generator").hidden = app.engine.embeddings !== null;
  });
  selects.forEach((select) =>
    select.addEventListener("change", () => {
      const [one, two, three] = selects.map(({ selectedIndex }) => selectedIndex);
      app.change({ corners: [one, two, three] });
    })
  );
  const slide = () => {
    const [part, pull] = [Number(along.value) / 100, Number(towards.value) / 100];
    app.change({ mixture: [part * (1 - pull), pull] });
  };
  for (const slider of [along, towards]) slider.addEventListener("input", slide);
  const triangle = find("triangle");
  const drag = (event: PointerEvent) => {
    if (event.buttons === 0) return;
    const box = triangle.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    const [, two, three] = sharesAt(100 * x, 90 * y);
    app.change({ mixture: [two, three] });
  };
  triangle.addEventListener("pointerdown", (event) => {
    triangle.setPointerCapture(event.pointerId);
    drag(event);
  });
  triangle.addEventListener("pointermove", drag);

  app.onChange(async (seen) => {
    const { state, engine } = app;
    if (state.panel !== "generate" || engine.embeddings === null) return;
    const [two, three] = state.mixture;
    selects.forEach((select, corner) => select.selectedIndex = state.corners[corner]);
    along.value = String(Math.round(100 * (three < 1 ? two / (1 - three) : Number(along.value) / 100)));
    towards.value = String(Math.round(100 * three));
    const [x, y] = placeInTriangle([1 - two - three, two, three]);
    point.setAttribute("cx", String(x));
    point.setAttribute("cy", String(y));
    const names = state.corners.map((label) => engine.network.classNames[label]);
    names.forEach((name, corner) => setText(find(`triangle-${corner}`), name));
    setText(find("mixture"), describeMixture(names, [1 - two - three, two, three]));
    const between = await computeBetween(app, seen);
    if (state !== app.state || engine !== app.engine) return; // a later one is under way
    drawBetween(between, seen, canvases);
    drawBars(bars, between);
  });
}

/** Says what is mixed: "half cat, half dog" as "50 % cat + 50 % dog". */
function describeMixture(names: readonly string[], shares: readonly number[]): string {
  const parts = new Map<string, number>();
  names.forEach((name, corner) => parts.set(name, (parts.get(name) ?? 0) + shares[corner]));
  return [...parts].filter(([, share]) => share > 0.004)
    .map(([name, share]) => `${Math.round(100 * share)} % ${name}`).join(" + ");
}

async function computeBetween({ engine, state }: App, { features }: Seen): Promise<Between> {
  const { corners, mixture: [two, three] } = state;
  const shares = [1 - two - three, two, three];
  const mix = (rows: Float32Array) => {
    const length = rows.length / engine.network.classNames.length;
    return Float32Array.from(
      { length },
      (_, at) => corners.reduce((sum, label, corner) => sum + shares[corner] * rows[label * length + at], 0),
    );
  };
  const generated = await engine.generate(mix(engine.embeddings!));
  const sum = mix(engine.filters);
  const norm = Math.hypot(...sum) || 1;
  const mixed = sum.map((value) => value / norm);
  return {
    generated,
    mixed,
    applied: [await engine.apply(features, generated), await engine.apply(features, mixed)],
  };
}

function drawBetween(
  { generated, mixed, applied }: Between,
  seen: Seen,
  canvases: HTMLCanvasElement[],
): void {
  const colouring = colouringOf(seen.maps, "response"); // the scale of the maps above
  applied.forEach(({ map, score }, index) => {
    paintMap(canvases[index], seen.pixels, map, colouring);
    setText(find(["generated-score", "mixed-score"][index]), formatNumber(score, 2));
  });
  const cosine = cosineSimilarity([[...generated], [...mixed]])[0][1];
  const difference = Math.abs(applied[0].score - applied[1].score);
  setText(find("cosine"), formatNumber(cosine, 3));
  setText(
    find("generate-meaning"),
    cosine >= NEARLY_SAME
      ? "Nearly the same filter: between classes, generating makes hardly anything that mixing the finished filters " +
        `would not. The scores differ by ${formatNumber(difference, 2)}.`
      : "Here the generator makes another filter than mixing the finished ones would.",
  );
}

/** A weight of the generated filter as a bar, and of the mixture as a tick. */
interface Bar {
  bar: SVGElement;
  tick: SVGElement;
}

const [BAR_WIDTH, BAR_REACH] = [10, 50];

function createBars(): Bar[] {
  return Array.from({ length: 64 }, (_, at) => ({
    bar: makeSvg("rect", { x: at * BAR_WIDTH + 1.5, width: BAR_WIDTH - 3 }),
    tick: makeSvg("rect", { x: at * BAR_WIDTH, width: BAR_WIDTH, height: 2, class: "tick" }),
  }));
}

function drawBars(bars: readonly Bar[], { generated, mixed }: Between): void {
  const [low, high] = extent([...generated, ...mixed]);
  const scale = BAR_REACH / Math.max(-low, high);
  bars.forEach(({ bar, tick }, at) => {
    const height = generated[at] * scale;
    bar.setAttribute("y", String(BAR_REACH - Math.max(0, height)));
    bar.setAttribute("height", String(Math.abs(height)));
    bar.setAttribute("class", height < 0 ? "minus" : "plus");
    tick.setAttribute("y", String(BAR_REACH - mixed[at] * scale - 1));
  });
}
