import { dirname, join } from "@std/path";
import { buildPage } from "../explore/build_page.ts";
import {
  computeKnownFeatures,
  FEATURES_FILE,
  fingerprintBackbone,
  formatKnownFeatures,
  parseKnownFeatures,
} from "../explore/known_features.ts";
import { isTeachable, isTrainedOn } from "../lib/analysis/teach.ts";
import { findModel } from "../lib/prediction/classify.ts";
import { formatBytes } from "../lib/support/format.ts";
import { projectFolder } from "../lib/support/project.ts";
import { text } from "../lib/support/schema.ts";
import { exists, readFileBounded } from "../lib/support/files.ts";
import { useNativeTensorFlow } from "../lib/tensorflow/runtime/native.ts";
import { type Checkpoint, openCheckpoint } from "../lib/training/checkpoint.ts";
import { TRAINING_OPTIONS } from "../lib/training/options.ts";
import { runCommand } from "./shared/command.ts";
import { loadDatasetsWithBar, setUpTensorFlow, warnOfMapSign } from "./shared/load.ts";
import type { Command, CommandLine } from "./shared/options.ts";
import { FORCE_OPTION, requireOutputs, writeOutputs } from "./shared/outputs.ts";
import { print, printMessage, showPath } from "./shared/terminal.ts";

export const COMMAND = {
  name: "deno task explore",
  summary:
    "Makes one HTML file in which anybody can look at pictures through a network, in a browser and without a server. " +
    "With the published model it needs neither TensorFlow nor CIFAR-10; with another network both, so that the page can teach it.",
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
    data: {
      ...TRAINING_OPTIONS.data,
      group: undefined,
      help: "images that the network was trained on, for teaching new classes in the page",
    },
    force: { ...FORCE_OPTION, group: undefined },
  },
  examples: [
    ["deno task explore", "docs/explore.html, with the published model"],
    ["deno task explore --model dynamic --output page.html", "the same page with your own network"],
  ],
} satisfies Command;

async function main({ values: { model, output, data, force } }: CommandLine<typeof COMMAND>): Promise<void> {
  const path = output ?? join(projectFolder(), "docs", "explore.html");
  const outputs = { origin: "a page of deno task explore", force: force || output === null };
  requireOutputs([path], outputs);
  const checkpoint = await openCheckpoint(findModel(model));
  const { html, sizes } = await buildPage(checkpoint, await findKnownFeatures(checkpoint, data));
  writeOutputs([{ path, bytes: html }], outputs);
  warnOfMapSign(checkpoint);
  const parts = Object.entries(sizes).map(([part, bytes]) => `${part} ${formatBytes(bytes)}`);
  print(`${showPath(path)}  ${formatBytes(html.length)} (${parts.join(", ")})`);
}

/**
 * Finds the feature maps by which the page teaches: those beside the network, or else computed from the images
 * that it was trained on. Null where it cannot be taught.
 */
async function findKnownFeatures(checkpoint: Checkpoint, data: string | null): Promise<Uint8Array | null> {
  if (!isTeachable(checkpoint.config)) return null;
  const path = join(dirname(checkpoint.path), FEATURES_FILE);
  if (exists(path)) {
    const bytes = readFileBounded(path, 10e6);
    const { fingerprint } = parseKnownFeatures(bytes, path);
    if (fingerprint === fingerprintBackbone(checkpoint.readTensors().network)) return bytes;
  }
  const { train } = await loadDatasetsWithBar(data);
  if (!isTrainedOn(checkpoint, train)) {
    printMessage(
      `The page cannot teach: the network was trained on ${checkpoint.recorded.data}, and the images found are ${train.name}.`,
    );
    return null;
  }
  await setUpTensorFlow({ device: "cpu" });
  await useNativeTensorFlow({ device: "cpu" });
  return formatKnownFeatures(await computeKnownFeatures(checkpoint, train));
}

if (import.meta.main) await runCommand(COMMAND, main);
