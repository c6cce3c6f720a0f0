import { join } from "@std/path";
import { buildPage } from "../explore/build_page.ts";
import { findModel } from "../lib/prediction/classify.ts";
import { formatBytes } from "../lib/support/format.ts";
import { projectFolder } from "../lib/support/project.ts";
import { text } from "../lib/support/schema.ts";
import { openCheckpoint } from "../lib/training/checkpoint.ts";
import { runCommand } from "./shared/command.ts";
import { warnOfMapSign } from "./shared/load.ts";
import type { Command, CommandLine } from "./shared/options.ts";
import { FORCE_OPTION, requireOutputs, writeOutputs } from "./shared/outputs.ts";
import { print, showPath } from "./shared/terminal.ts";

export const COMMAND = {
  name: "deno task explore",
  summary:
    "Makes one HTML file in which anybody can look at pictures through a network, in a browser and without a server. " +
    "Needs no TensorFlow; the bundler, esbuild, is downloaded once.",
  options: {
    model: {
      schema: text().nullable(),
      defaultText: "the published model",
      help: "network: a run, whose best epoch is used, or a checkpoint file",
      value: "RUN|FILE",
    },
    output: {
      schema: text().nullable(),
      defaultText: "docs/explore.html in the project",
      help: "file to write",
      value: "FILE",
    },
    force: { ...FORCE_OPTION, group: undefined },
  },
  examples: [
    ["deno task explore", "docs/explore.html, with the published model"],
    ["deno task explore --model dynamic --output page.html", "the same page with your own network"],
  ],
} satisfies Command;

async function main({ values: { model, output, force } }: CommandLine<typeof COMMAND>): Promise<void> {
  const path = output ?? join(projectFolder(), "docs", "explore.html");
  const outputs = { origin: "a page of deno task explore", force: force || output === null };
  requireOutputs([path], outputs);
  const checkpoint = await openCheckpoint(findModel(model));
  const { html, sizes } = await buildPage(checkpoint);
  writeOutputs([{ path, bytes: html }], outputs);
  warnOfMapSign(checkpoint);
  const parts = Object.entries(sizes).map(([part, bytes]) => `${part} ${formatBytes(bytes)}`);
  print(`${showPath(path)}  ${formatBytes(html.length)} (${parts.join(", ")})`);
}

if (import.meta.main) await runCommand(COMMAND, main);
