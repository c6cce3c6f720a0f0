import { InputError } from "../lib/support/errors.ts";
import { boolean, integer } from "../lib/support/schema.ts";
import { watchInterrupts } from "../lib/support/interrupt.ts";
import { ensureJupyter } from "../notebooks/jupyter/jupyter.ts";
import { startLab } from "../notebooks/jupyter/lab_server.ts";
import { listNotebooks } from "../notebooks/jupyter/notebook_file.ts";
import { runCommand } from "./shared/command.ts";
import { setUpTensorFlow, withLiveReporter } from "./shared/load.ts";
import type { Command, CommandLine } from "./shared/options.ts";
import { print, printMessage } from "./shared/terminal.ts";

export const COMMAND = {
  name: "deno task lab",
  summary:
    "Opens the notebooks in JupyterLab, which is installed into the project's own environment. Ctrl-C ends it.",
  options: {
    browser: {
      schema: boolean(),
      default: true,
      help: "open a browser if there is a display",
      helpOff: "open no browser; the address is printed in any case",
    },
    port: {
      schema: integer({ from: 1, to: 65_535 }),
      default: 8888,
      help: "port on this machine; the next free one if it is taken",
    },
  },
  positionals: { name: "NN", help: "number of the notebook to open; 01 by default", from: 0, to: 1 },
  examples: [
    ["deno task lab", "notebook 01"],
    ["deno task lab 05", "notebook 05"],
    ["ssh -L 8888:localhost:8888 BOX", "first, from another machine; then open the printed address"],
  ],
} satisfies Command;

async function main({ values: { browser, port }, positionals }: CommandLine<typeof COMMAND>): Promise<void> {
  const [path] = listNotebooks(positionals.length > 0 ? positionals : ["01"]);
  await setUpTensorFlow();
  const jupyter = await withLiveReporter((reporter) => ensureJupyter({ reporter }));
  using interrupts = watchInterrupts();
  const { signal } = interrupts;
  printMessage("Starting JupyterLab …");
  const lab = await startLab({ jupyter, path, port, signal });
  print(`JupyterLab: ${lab.url}`);
  printMessage("Ctrl-C stops it; JupyterLab saves notebooks automatically.");
  if (browser) openBrowser(lab.url);
  const stop = () => printMessage("\nEnding JupyterLab and its kernels …");
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop);
  await lab.ended;
  if (!signal.aborted) {
    throw new InputError(`JupyterLab ended unexpectedly; its output is in ${lab.log}.`);
  }
}

/** Opens the system's browser if there is a display; a text browser would take over the terminal. */
function openBrowser(url: string): void {
  const isMac = Deno.build.os === "darwin";
  const hasScreen = Deno.env.get("DISPLAY") || Deno.env.get("WAYLAND_DISPLAY");
  if (!isMac && !hasScreen) return;
  try {
    // not waited for: it may run until the user closes it
    new Deno.Command(isMac ? "open" : "xdg-open", {
      args: [url],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn().unref();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

if (import.meta.main) await runCommand(COMMAND, main);
