import { join } from "@std/path";
import axe from "axe-core";
import type { Browser, Page } from "puppeteer-core";
import { buildPage } from "../../explore/build_page.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import { projectFolder } from "../../lib/support/project.ts";
import { launchChromium } from "../browser/chromium.ts";
import { temporaryFolder } from "../testing/folder.ts";

/** The built page in a browser of its own. */
export interface Explorer extends AsyncDisposable {
  /** Folder for files that the page is given, and where it saves some. */
  folder: string;
  /** Opens the page from `file://` and waits for the first scores. */
  open(options?: OpenOptions): Promise<OpenPage>;
}

export interface OpenOptions {
  fragment?: string;
  width?: number;
  dark?: boolean;
}

/** An open page, and what went wrong in it. */
export interface OpenPage extends AsyncDisposable {
  page: Page;
  /** Errors of the page and requests that left it; none is right. */
  troubles: string[];
}

/** Starts a browser with a camera that shows a moving pattern, and builds the page. */
export async function startExplorer(): Promise<Explorer> {
  const folder = temporaryFolder();
  const path = join(folder.path, "page.html");
  const checkpoint = await openCheckpoint(join(projectFolder(), "checkpoints/published/dynamic.safetensors"));
  const known = Deno.readFileSync(join(projectFolder(), "checkpoints/published/features.safetensors"));
  Deno.writeFileSync(path, (await buildPage(checkpoint, known)).html);
  const browser = await launchChromium(folder.path, [
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
  ]);
  const session = await browser.target().createCDPSession();
  await session.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: folder.path });
  return {
    folder: folder.path,
    open: (options) => open(browser, `file://${path}`, options),
    async [Symbol.asyncDispose]() {
      await browser.close();
      folder[Symbol.dispose]();
    },
  };
}

/** Milliseconds to wait for what never happens: a busy machine takes ten times as long as an idle one. */
const PATIENCE = 120_000;

async function open(
  browser: Browser,
  address: string,
  { fragment = "", width = 1280, dark = false }: OpenOptions = {},
): Promise<OpenPage> {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  const troubles: string[] = [];
  page.on("pageerror", (error) => void troubles.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warn") troubles.push(message.text());
  });
  page.on("request", (request) => {
    if (!/^(file|blob|data):/.test(request.url())) troubles.push(`requested ${request.url()}`);
  });
  await page.emulateMediaFeatures([
    { name: "prefers-color-scheme", value: dark ? "dark" : "light" },
    { name: "prefers-reduced-motion", value: "reduce" },
  ]);
  await page.setViewport({ width, height: 900 });
  await page.goto(address + fragment);
  await page.waitForFunction("document.getElementById('verdict-share').textContent !== ''");
  return { page, troubles, [Symbol.asyncDispose]: () => page.close() };
}

/** Reads the text of the first element of a selector. */
export function textOf(page: Page, selector: string): Promise<string> {
  return page.$eval(selector, (element) => element.textContent!.trim());
}

/** Waits until the text of an element matches. */
export async function waitForText(page: Page, selector: string, pattern: RegExp): Promise<string> {
  await page.waitForFunction(
    (selector, source) => new RegExp(source).test(document.querySelector(selector)?.textContent ?? ""),
    {},
    selector,
    pattern.source,
  );
  return await textOf(page, selector);
}

/** Waits until the address has caught up with the page, and reads its fragment. */
export async function readFragment(page: Page): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, 300));
  return await page.evaluate("location.hash") as string;
}

/** Waits until the network has looked at what is shown. */
export async function settle(page: Page): Promise<void> {
  await page.waitForSelector("#overview[data-busy=false]");
}

/** Reads the scores, by class name. */
export function readScores(page: Page): Promise<Record<string, number>> {
  return page.$$eval("#scores li", (items) =>
    Object.fromEntries(items.map((item) => [
      item.querySelector(".name")!.textContent,
      Number(item.querySelector("small")!.title.replace("−", "-")),
    ])));
}

/** Waits for a file that the page saves, and reads it. */
export async function readDownload({ folder }: Explorer, name: string): Promise<Uint8Array> {
  for (let turn = 0; turn < 100; turn++) {
    const bytes = await Deno.readFile(join(folder, name)).catch(() => new Uint8Array());
    if (bytes.length > 0) return bytes;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${name} was not saved.`);
}

/** Lists what axe-core finds wrong, as "rule: element". */
export async function findViolations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return await page.evaluate(`axe.run().then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ": " + html.slice(0, 120))))`) as string[];
}

/** Drops a file on the page, or pastes it, as a person would. */
export async function hand(
  page: Page,
  kind: "drop" | "paste",
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  await page.evaluate(
    (kind, name, numbers) => {
      const data = new DataTransfer();
      const type = name.endsWith(".png") ? "image/png" : "";
      data.items.add(new File([Uint8Array.from(numbers)], name, { type }));
      const event = kind === "drop"
        ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
        : new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
      document.body.dispatchEvent(event);
    },
    kind,
    name,
    [...bytes],
  );
}
