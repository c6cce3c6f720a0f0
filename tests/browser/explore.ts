/**
 * Draws the README's pictures of the page of `deno task explore`, light and dark, or measures the page: its
 * size, the time to its first maps, its frames, and what axe-core finds wrong.
 *
 * `deno run -A tests/browser/explore.ts [--measure]`
 *
 * @module
 */
import { join } from "@std/path";
import { quantile } from "../../bench/rounds.ts";
import { formatNumber } from "../../lib/support/format.ts";
import { projectFolder } from "../../lib/support/project.ts";
import { findViolations, startExplorer } from "../explore/open_page.ts";

/** Window of the pictures in pixels: it ends below the overview. */
const WINDOW = { width: 1280, height: 700 };
/** Of the measurement. */
const [OPENINGS, SECONDS] = [5, 10];

async function drawPictures(): Promise<void> {
  await using explorer = await startExplorer();
  for (const dark of [false, true]) {
    await using opened = await explorer.open({
      dark,
      width: WINDOW.width,
      fragment: "#example=5&cell=6.3.4",
    });
    await opened.page.setViewport(WINDOW);
    const path = join(projectFolder(), "docs", dark ? "explore_dark.png" : "explore.png");
    Deno.writeFileSync(path, await opened.page.screenshot());
    console.log(path);
  }
}

async function measure(): Promise<void> {
  await using explorer = await startExplorer();
  const first: number[] = [];
  for (let opening = 0; opening < OPENINGS; opening++) {
    await using opened = await explorer.open();
    first.push(
      await opened.page.evaluate("performance.getEntriesByName('first maps')[0].startTime") as number,
    );
  }
  await using opened = await explorer.open();
  await opened.page.click("#camera");
  const frames = await opened.page.evaluate(OBSERVE_FRAMES) as number[];
  const violations = await findViolations(opened.page);
  const bytes = Deno.statSync(join(explorer.folder, "page.html")).size;
  console.log([
    `bytes: ${bytes}`,
    `first maps, median of ${OPENINGS}: ${formatNumber(quantile(first, 0.5), 0)} ms after opening`,
    `frames with a camera: ${formatNumber(frames.length / SECONDS, 1)} per second; ` +
    `work per frame: median ${formatNumber(quantile(frames, 0.5), 1)} ms, p95 ${
      formatNumber(quantile(frames, 0.95), 1)
    } ms`,
    `violations: ${violations.length}`,
  ].join("\n"));
}

/** Times each look and the drawing after it, from when the overview is busy to when it is not. */
const OBSERVE_FRAMES = `new Promise((resolve) => {
  const overview = document.getElementById("overview"), frames = [];
  const set = overview.setAttribute.bind(overview);
  let start = 0;
  overview.setAttribute = (name, value) => {
    if (value === "true") start = performance.now();
    else frames.push(performance.now() - start);
    set(name, value);
  };
  setTimeout(() => resolve(frames), ${1000 * SECONDS});
})`;

if (import.meta.main) await (Deno.args.includes("--measure") ? measure() : drawPictures());
