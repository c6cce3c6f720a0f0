/**
 * A headless Chromium, driven by its DevTools protocol over a WebSocket: what a test of pages needs, and no package.
 *
 * @module
 */

import { dirname, join } from "@std/path";
import { figureFonts } from "../../lib/figures/mod.ts";

/** A page in a browser. */
export interface Page {
  /** Opens an address. */
  open(url: string): Promise<void>;
  /** Evaluates JavaScript in the page; a promise's value is waited for. */
  evaluate<T>(expression: string): Promise<T>;
  /** Waits until an expression is true in the page. */
  waitFor(expression: string, what: string, seconds: number): Promise<void>;
  /** Clicks, as a mouse does, in the middle of the first element for which the expression stands. */
  click(element: string): Promise<void>;
  /** Changes the window's size. */
  resize(width: number, height: number): Promise<void>;
  /** A PNG of the window. */
  screenshot(): Promise<Uint8Array>;
  /** Errors that the page's own code threw. */
  errors: string[];
  /** Ends the browser. */
  close(): Promise<void>;
}

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Starts a browser with one page. */
export async function openPage(width: number, height: number): Promise<Page> {
  const profile = await Deno.makeTempDir({ prefix: "chromium-" });
  const fonts = join(profile, "fonts.conf");
  await Deno.writeTextFile(fonts, listFonts());
  const child = new Deno.Command(await findChromium(), {
    args: [
      "--headless=new",
      "--no-sandbox", // which containers do not allow
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--hide-scrollbars",
      "--no-first-run",
      `--user-data-dir=${profile}`,
      `--window-size=${width},${height}`,
      "--remote-debugging-port=0",
      "about:blank",
    ],
    env: { FONTCONFIG_FILE: fonts },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const address = await readAddress(child.stderr);
  const targets = await (await fetch(`http://${new URL(address).host}/json`)).json() as {
    type: string;
    webSocketDebuggerUrl: string;
  }[];
  const connection = await connect(targets.find(({ type }) => type === "page")!.webSocketDebuggerUrl);
  const { send, errors } = connection;
  await send("Page.enable");
  await send("Runtime.enable");
  const evaluate = async <T>(expression: string): Promise<T> => {
    const { result, exceptionDetails } = await send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    }) as { result: { value: T }; exceptionDetails?: { exception?: { description?: string }; text: string } };
    if (!exceptionDetails) return result.value;
    throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  };
  const page: Page = {
    errors,
    evaluate,
    open: async (url) => void await send("Page.navigate", { url }),
    async waitFor(expression, what, seconds) {
      const end = Date.now() + 1000 * seconds;
      while (!await evaluate<boolean>(`Boolean(${expression})`)) {
        if (Date.now() > end) throw new Error(`waited ${seconds} s in vain for ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    },
    async click(element) {
      const [x, y] = await evaluate<[number, number]>(
        `(() => { const box = (${element}).getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()`,
      );
      const mouse = { x, y, button: "left", clickCount: 1 };
      await send("Input.dispatchMouseEvent", { ...mouse, type: "mouseMoved", button: "none" });
      await send("Input.dispatchMouseEvent", { ...mouse, type: "mousePressed" });
      await send("Input.dispatchMouseEvent", { ...mouse, type: "mouseReleased" });
    },
    resize: async (width, height) =>
      void await send("Emulation.setDeviceMetricsOverride", {
        width,
        height,
        deviceScaleFactor: 1,
        mobile: false,
      }),
    async screenshot() {
      const { data } = await send("Page.captureScreenshot", { format: "png" }) as { data: string };
      return Uint8Array.fromBase64(data);
    },
    async close() {
      connection.close();
      child.kill("SIGTERM");
      await child.status;
      await Deno.remove(profile, { recursive: true });
    },
  };
  return page;
}

/** The machine's fonts, and the figures' own: machines with a screen have one of its widths, bare containers may not. */
function listFonts(): string {
  return `<?xml version="1.0"?><fontconfig><include ignore_missing="yes">/etc/fonts/fonts.conf</include>${
    figureFonts().map((path) => `<dir>${dirname(path)}</dir>`).join("")
  }</fontconfig>`;
}

async function findChromium(): Promise<string> {
  const chosen = Deno.env.get("CHROMIUM");
  for (const name of chosen ? [chosen] : NAMES) {
    try {
      const { success } = await new Deno.Command(name, {
        args: ["--version"],
        stdout: "null",
        stderr: "null",
      })
        .output();
      if (success) return name;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Error("No Chromium is here: install it (Debian: apt install chromium), or name it by CHROMIUM.");
}

/** Chromium says on standard error where it listens. */
async function readAddress(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (true) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`Chromium did not start: ${text}`);
    text += value;
    const address = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
    if (address === undefined) continue;
    (async () => {
      while (!(await reader.read()).done); // what it says later is of no interest, but must not block it
    })();
    return address;
  }
}

interface Message {
  id?: number;
  method?: string;
  result?: unknown;
  error?: { message: string };
  params?: { exceptionDetails?: { text: string; exception?: { description?: string } } };
}

async function connect(url: string) {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error(`No connection to ${url}`));
  });
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  const errors: string[] = [];
  let last = 0;
  socket.onmessage = ({ data }) => {
    const { id, method, result, error, params } = JSON.parse(data) as Message;
    if (method === "Runtime.exceptionThrown") {
      const { text, exception } = params!.exceptionDetails!;
      errors.push(exception?.description ?? text);
    }
    if (id === undefined) return;
    const { resolve, reject } = waiting.get(id)!;
    waiting.delete(id);
    if (error) reject(new Error(error.message));
    else resolve(result);
  };
  const send = (method: string, params: object = {}): Promise<unknown> =>
    new Promise((resolve, reject) => {
      waiting.set(++last, { resolve, reject });
      socket.send(JSON.stringify({ id: last, method, params }));
    });
  return { send, errors, close: () => socket.close() };
}
