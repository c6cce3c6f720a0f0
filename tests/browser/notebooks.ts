/**
 * Opens every notebook in JupyterLab in a real browser, runs all its cells, and looks: no error below a cell, every figure there and not
 * blank. Leaves a screenshot of each. The notebooks' files stay as they are.
 *
 * `deno task test:browser [--full] [--dark] [--into FOLDER] [NN…]`
 *
 * @module
 */
import { basename, join } from "@std/path";
import { runCommand } from "../../cli/shared/command.ts";
import type { Command, CommandLine } from "../../cli/shared/options.ts";
import { InputError } from "../../lib/support/errors.ts";
import { boolean, text } from "../../lib/support/schema.ts";
import { ensureJupyter } from "../../notebooks/jupyter/jupyter.ts";
import { startLab } from "../../notebooks/jupyter/lab_server.ts";
import { listNotebooks } from "../../notebooks/jupyter/notebook_file.ts";
import { openPage, type Page } from "./chromium.ts";

const COMMAND = {
  name: "deno task test:browser",
  summary:
    "Runs the notebooks in JupyterLab in headless Chromium, checks what is shown, and takes screenshots.",
  options: {
    full: { schema: boolean(), default: false, help: "real data and weights instead of a smoke test" },
    run: {
      schema: boolean(),
      default: true,
      help: "run all cells",
      helpOff: "look at the files' outputs only",
    },
    dark: { schema: boolean(), default: false, help: "JupyterLab's dark theme" },
    into: {
      schema: text().nullable(),
      defaultText: "a temporary folder",
      help: "folder for the screenshots",
      value: "FOLDER",
    },
  },
  positionals: { name: "NN", help: "numbers of the notebooks; all by default", from: 0, to: 99 },
} satisfies Command;

const [WIDTH, HEIGHT] = [1280, 900];

async function main({ values, positionals }: CommandLine<typeof COMMAND>): Promise<void> {
  const { full, run, dark, into } = values;
  const paths = listNotebooks(positionals);
  const scratch = await Deno.makeTempDir({ prefix: "browser-test-" });
  const pictures = into ?? await Deno.makeTempDir({ prefix: "screenshots-" });
  await Deno.mkdir(pictures, { recursive: true });
  const stop = new AbortController();
  try {
    const jupyter = await ensureJupyter();
    const env = {
      ...jupyter.env,
      ...await writeSettings(scratch, dark),
      CHECKPOINTS_DIR: join(scratch, "checkpoints"),
      ...(full ? {} : { NOTEBOOK_QUICK: "1" }),
    };
    const lab = await startLab({
      jupyter: { ...jupyter, env },
      path: paths[0],
      port: 8890,
      signal: stop.signal,
    });
    const failures: string[] = [];
    for (const path of paths) {
      // without what was open before
      const url = `${lab.url.replace(basename(paths[0]), basename(path))}&reset`;
      const name = basename(path, ".ipynb");
      const page = await openPage(WIDTH, HEIGHT);
      try {
        const found = await visit(page, url, run, full ? 3600 : 300);
        const wrong = judge(found, page.errors);
        console.log(
          `${name}: ${found.cells} cells, ${found.figures.length} figures: ${
            wrong.length === 0 ? "all right" : wrong.join("; ")
          }`,
        );
        failures.push(...wrong.map((what) => `${name}: ${what}`));
      } catch (error) {
        failures.push(`${name}: ${(error as Error).message}`);
      } finally {
        await Deno.writeFile(join(pictures, `${name}${dark ? "_dark" : ""}.png`), await screenshotAll(page));
        await page.close();
      }
    }
    console.log(`Screenshots are in ${pictures}.`);
    stop.abort();
    await lab.ended;
    if (failures.length > 0) {
      throw new InputError(`The notebooks do not show what they should: ${failures.join("; ")}.`);
    }
  } finally {
    stop.abort();
    await Deno.remove(scratch, { recursive: true });
  }
}

/** JupyterLab's settings for the test: no saving by itself, all cells in the page, the theme. */
async function writeSettings(scratch: string, dark: boolean): Promise<Record<string, string>> {
  const folder = join(scratch, "settings");
  const settings: Record<string, object> = {
    "docmanager-extension/plugin": { autosave: false },
    "notebook-extension/tracker": { windowingMode: "none" },
    "apputils-extension/themes": { theme: dark ? "JupyterLab Dark" : "JupyterLab Light" },
  };
  for (const [name, values] of Object.entries(settings)) {
    const path = join(folder, "@jupyterlab", `${name}.jupyterlab-settings`);
    await Deno.mkdir(join(path, ".."), { recursive: true });
    await Deno.writeTextFile(path, JSON.stringify(values));
  }
  return { JUPYTERLAB_SETTINGS_DIR: folder, JUPYTERLAB_WORKSPACES_DIR: join(scratch, "workspaces") };
}

interface Found {
  /** Code cells, and those of them that were not run. */
  cells: number;
  notRun: number;
  /** Texts of errors below cells. */
  errors: string[];
  /** Each figure's form, and how many colours it has: one where it is blank. */
  figures: { form: string; colours: number; width: number }[];
  /** Formulas that TeX could not read. */
  formulas: string[];
}

const PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)";
const CODE_CELLS = `[...document.querySelectorAll("${PANEL} .jp-CodeCell")]`;
const PROMPTS = `${CODE_CELLS}.map((cell) => cell.querySelector(".jp-InputPrompt").textContent.trim())`;

async function visit(page: Page, url: string, run: boolean, seconds: number): Promise<Found> {
  await page.open(url);
  await page.waitFor(`${CODE_CELLS}.length > 0`, "the notebook's cells", 120);
  // "idle" is shown a little before the kernel has answered; who runs cells meanwhile is asked which kernel it is to be
  await page.waitFor(
    `document.querySelector(".jp-Notebook-ExecutionIndicator[data-status=idle]")`,
    "the kernel",
    120,
  );
  await new Promise((resolve) => setTimeout(resolve, 3000));
  if (run) {
    const menu = (text: string) =>
      `[...document.querySelectorAll(".lm-MenuBar-itemLabel, .lm-Menu-itemLabel")].find((item) => item.textContent === ${
        JSON.stringify(text)
      })`;
    await page.click(menu("Run"));
    await page.waitFor(menu("Run All Cells"), "the menu", 10);
    await page.click(menu("Run All Cells"));
    const hasFailed = `document.querySelector('[data-mime-type="application/vnd.jupyter.error"]')`;
    await page.waitFor(
      `${PROMPTS}.every((prompt) => /\\[\\d+\\]/.test(prompt)) || ${hasFailed}`,
      "the last cell",
      seconds,
    );
  }
  await new Promise((resolve) => setTimeout(resolve, 1000)); // what the last cells show is still being drawn
  return await page.evaluate<Found>(`(async () => {
    const prompts = ${PROMPTS};
    const images = [...document.querySelectorAll("${PANEL} .jp-RenderedSVG img, ${PANEL} .jp-RenderedImage img")];
    const figures = [];
    for (const image of images) {
      await image.decode().catch(() => {});
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [200, 200];
      const context = canvas.getContext("2d");
      if (image.naturalWidth > 0) context.drawImage(image, 0, 0, 200, 200);
      const colours = new Set(new Uint32Array(context.getImageData(0, 0, 200, 200).data.buffer));
      figures.push({
        form: image.closest(".jp-RenderedSVG") ? "SVG" : "PNG",
        colours: colours.size,
        width: Math.round(image.getBoundingClientRect().width),
      });
    }
    return {
      cells: prompts.length,
      notRun: prompts.filter((prompt) => !/\\[\\d+\\]/.test(prompt)).length,
      errors: [...document.querySelectorAll('[data-mime-type="application/vnd.jupyter.error"], [data-mime-type="application/vnd.jupyter.stderr"]')].map((output) => output.textContent.slice(0, 300)),
      figures,
      formulas: [...document.querySelectorAll("mjx-merror")].map((formula) => formula.textContent),
    };
  })()`);
}

/** The whole notebook in one picture: the window is made as high as it is. */
async function screenshotAll(page: Page): Promise<Uint8Array> {
  const height = await page.evaluate<number>(
    `Math.max(...[".jp-WindowedPanel-outer", ".jp-WindowedPanel-viewport", ".jp-Notebook"].flatMap((name) => [...document.querySelectorAll(name)].map((panel) => panel.scrollHeight)))`,
  );
  await page.resize(WIDTH, Math.min(16_000, height + 140));
  await page.evaluate(
    `document.querySelectorAll(".jp-WindowedPanel-outer").forEach((panel) => panel.scrollTop = 0)`,
  );
  await new Promise((resolve) => setTimeout(resolve, 1500));
  return await page.screenshot();
}

function judge({ notRun, errors, figures, formulas }: Found, pageErrors: readonly string[]): string[] {
  const blank = figures.filter(({ colours, width }) => colours < 3 || width < 50).length;
  return [
    ...(notRun > 0 ? [`${notRun} cells were not run`] : []),
    ...errors.map((error) => `an error is shown: ${error}`),
    ...(figures.length === 0 ? ["no figure is shown"] : []),
    ...(blank > 0 ? [`${blank} figures are blank`] : []),
    ...formulas.map((formula) => `a formula cannot be read: ${formula}`),
    ...pageErrors.map((error) => `the page threw ${error.slice(0, 200)}`),
  ];
}

if (import.meta.main) await runCommand(COMMAND, main);
