/**
 * Opens every notebook in JupyterLab in a real browser, first as committed, then running all its cells.
 * Checks that no cell shows an error, that every figure is drawn, has alternative text and fits its window,
 * and that opening changes no file. Leaves a screenshot of each.
 *
 * `deno task test:browser [--look | --full] [--dark] [--width PIXELS] [--into FOLDER] [NN…]`
 *
 * @module
 */
import { parseArgs } from "node:util";
import { basename, join } from "@std/path";
import type { Page } from "puppeteer-core";
import { ensureJupyter, type Jupyter } from "../../notebooks/jupyter/jupyter.ts";
import { startLab } from "../../notebooks/jupyter/lab_server.ts";
import { listNotebooks } from "../../notebooks/jupyter/notebook_file.ts";
import { launchChromium } from "./chromium.ts";

const { values: options, positionals } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    /** Only look at what the files bring. */
    look: { type: "boolean", default: false },
    /** With the real data and weights instead of a quick trial. */
    full: { type: "boolean", default: false },
    /** In JupyterLab's dark theme. */
    dark: { type: "boolean", default: false },
    /** Of the window, in pixels. */
    width: { type: "string", default: "1280" },
    /** Folder for the screenshots. */
    into: { type: "string" },
  },
});
const WIDTH = Number(options.width);
const HEIGHT = 900;

/** What a notebook's page shows. */
interface Found {
  cells: number;
  /** Code cells without a number: they were not run. */
  notRun: number;
  /** Texts of errors below cells. */
  errors: string[];
  /**
   * Each figure's alternative text, its number of colours (one where it is blank), its width and that of its
   * output area.
   */
  figures: { alt: string; colours: number; width: number; room: number }[];
  /** Formulas that TeX could not read. */
  formulas: string[];
}

async function main(): Promise<number> {
  const paths = listNotebooks(positionals);
  const scratch = await Deno.makeTempDir({ prefix: "browser-test-" });
  const pictures = options.into ?? await Deno.makeTempDir({ prefix: "screenshots-" });
  await Deno.mkdir(pictures, { recursive: true });
  try {
    const jupyter = await ensureJupyter();
    const failures: string[] = [];
    for (const run of options.look ? [false] : [false, true]) {
      failures.push(...await visitAll(paths, { jupyter, scratch, pictures, run }));
    }
    console.log(`Screenshots are in ${pictures}.`);
    for (const failure of failures) console.error(failure);
    return failures.length === 0 ? 0 : 1;
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

interface Visit {
  jupyter: Jupyter;
  scratch: string;
  pictures: string;
  run: boolean;
}

async function visitAll(
  paths: readonly string[],
  { jupyter, scratch, pictures, run }: Visit,
): Promise<string[]> {
  const env = {
    ...jupyter.env,
    ...await writeSettings(scratch, run),
    CHECKPOINTS_DIR: join(scratch, "checkpoints"),
    ...options.full ? {} : { NOTEBOOK_QUICK: "1" },
  };
  const stop = new AbortController();
  const failures: string[] = [];
  const lab = await startLab({
    jupyter: { ...jupyter, env },
    path: paths[0],
    port: 8890,
    signal: stop.signal,
  });
  const browser = await launchChromium(await Deno.makeTempDir({ dir: scratch }));
  try {
    for (const path of paths) {
      const name = basename(path, ".ipynb");
      const before = await Deno.readTextFile(path);
      const page = await browser.newPage();
      const thrown: string[] = [];
      page.on("pageerror", (error) => void thrown.push(String(error)));
      try {
        await page.setViewport({ width: WIDTH, height: HEIGHT });
        // without what was open before
        await page.goto(`${lab.url.replace(basename(paths[0]), basename(path))}&reset`);
        const found = await visit(page, run);
        const wrong = judge(found, thrown);
        if (await Deno.readTextFile(path) !== before) wrong.push("its file was changed");
        console.log(
          `${name}, ${run ? "run" : "as it is"}: ${found.cells} cells, ${found.figures.length} figures: ` +
            (wrong.length === 0 ? "as they should be" : wrong.join("; ")),
        );
        failures.push(...wrong.map((what) => `${name}: ${what}`));
      } catch (error) {
        failures.push(`${name}: ${error}`);
      } finally {
        const picture = [name, ...run ? ["run"] : [], ...options.dark ? ["dark"] : [], WIDTH].join("_");
        await Deno.writeFile(join(pictures, `${picture}.png`), await screenshotAll(page));
        await page.close();
      }
    }
  } finally {
    await browser.close();
    stop.abort();
    await lab.ended;
  }
  return failures;
}

/**
 * JupyterLab's settings: all cells in the page, the theme, and saving at once what opening changes, but not
 * what running does.
 */
async function writeSettings(scratch: string, run: boolean): Promise<Record<string, string>> {
  const folder = join(scratch, "settings");
  const settings: Record<string, object> = {
    "docmanager-extension/plugin": { autosave: !run, autosaveInterval: 1 },
    "notebook-extension/tracker": { windowingMode: "none" },
    "apputils-extension/themes": { theme: options.dark ? "JupyterLab Dark" : "JupyterLab Light" },
  };
  for (const [name, values] of Object.entries(settings)) {
    const path = join(folder, "@jupyterlab", `${name}.jupyterlab-settings`);
    await Deno.mkdir(join(path, ".."), { recursive: true });
    await Deno.writeTextFile(path, JSON.stringify(values));
  }
  return { JUPYTERLAB_SETTINGS_DIR: folder, JUPYTERLAB_WORKSPACES_DIR: join(scratch, "workspaces") };
}

const PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)";
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function visit(page: Page, run: boolean): Promise<Found> {
  await page.waitForSelector(`${PANEL} .jp-CodeCell`, { timeout: 120_000 });
  // "idle" is shown a little before the kernel has answered; who runs cells meanwhile is asked which kernel
  // it is to be
  await page.waitForSelector(".jp-Notebook-ExecutionIndicator[data-status=idle]", { timeout: 120_000 });
  await pause(4000);
  if (run) {
    await page.locator("::-p-xpath(//*[contains(@class,'lm-MenuBar-itemLabel')][text()='Run'])").click();
    await page.locator("::-p-xpath(//*[contains(@class,'lm-Menu-itemLabel')][text()='Run All Cells'])")
      .click();
    await page.waitForFunction(
      `[...document.querySelectorAll("${PANEL} .jp-CodeCell .jp-InputPrompt")].every(({ textContent }) => /\\[\\d+\\]/.test(textContent)) ||
        document.querySelector('[data-mime-type="application/vnd.jupyter.error"]')`,
      { timeout: options.full ? 3_600_000 : 300_000 },
    );
  }
  await pause(1000); // the last outputs are still being drawn
  return await page.evaluate(`(async () => {
    const all = (selector) => [...document.querySelectorAll("${PANEL} " + selector)];
    const prompts = all(".jp-CodeCell .jp-InputPrompt").map(({ textContent }) => textContent);
    const figures = [];
    for (const image of all(".jp-OutputArea-output img")) {
      await image.decode().catch(() => {});
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [200, 200];
      const context = canvas.getContext("2d");
      if (image.naturalWidth > 0) context.drawImage(image, 0, 0, 200, 200);
      figures.push({
        alt: image.alt,
        colours: new Set(new Uint32Array(context.getImageData(0, 0, 200, 200).data.buffer)).size,
        width: image.getBoundingClientRect().width,
        room: image.closest(".jp-OutputArea-output").getBoundingClientRect().width,
      });
    }
    return {
      cells: prompts.length,
      notRun: prompts.filter((prompt) => !/\\[\\d+\\]/.test(prompt)).length,
      errors: all('[data-mime-type="application/vnd.jupyter.error"], [data-mime-type="application/vnd.jupyter.stderr"]')
        .map((output) => output.textContent.slice(0, 300)),
      figures,
      formulas: all("mjx-merror").map((formula) => formula.textContent),
    };
  })()`) as Found;
}

/** Takes a screenshot of the whole notebook: the window gets its height. */
async function screenshotAll(page: Page): Promise<Uint8Array> {
  const height = await page.evaluate(
    `Math.max(...[".jp-WindowedPanel-outer", ".jp-WindowedPanel-viewport", ".jp-Notebook"].flatMap((name) => [...document.querySelectorAll(name)].map((panel) => panel.scrollHeight)))`,
  ) as number;
  await page.setViewport({ width: WIDTH, height: Math.min(16_000, height + 140) });
  await page.evaluate(
    `document.querySelectorAll(".jp-WindowedPanel-outer").forEach((panel) => panel.scrollTop = 0)`,
  );
  await pause(1500);
  return await page.screenshot();
}

function judge({ notRun, errors, figures, formulas }: Found, thrown: readonly string[]): string[] {
  const count = (isWrong: (figure: Found["figures"][number]) => boolean, what: string) => {
    const wrong = figures.filter(isWrong).length;
    return wrong === 0 ? [] : [`${wrong} figures ${what}`];
  };
  return [
    ...notRun > 0 ? [`${notRun} cells were not run`] : [],
    ...errors.map((error) => `an error is shown: ${error}`),
    ...figures.length === 0 ? ["no figure is shown"] : [],
    ...count(({ colours, width }) => colours < 3 || width < 50, "are blank"),
    ...count(({ alt }) => alt.length < 10, "have no alternative text"),
    ...count(({ width, room }) => width > room + 1, "are wider than their window"),
    ...formulas.map((formula) => `a formula cannot be read: ${formula}`),
    ...thrown.map((error) => `the page threw ${error.slice(0, 200)}`),
  ];
}

if (import.meta.main) Deno.exit(await main());
