import { loadDatasets, type LoadedDatasets } from "../../lib/data/load_datasets.ts";
import type { NextStep } from "../../lib/support/errors.ts";
import type { LoadOptions } from "../../lib/support/download/request.ts";
import { loadPretrained, type Pretrained } from "../../lib/model/pretrained.ts";
import { ensureTensorFlow } from "../../lib/setup.ts";
import type { Installation, InstallOptions, SetupReporter } from "../../lib/tensorflow/setup/mod.ts";
import { wordNextStep } from "./command.ts";
import { createLive } from "./live.ts";
import { createDownloadProgress } from "./progress.ts";
import { outputWidth, printMessage, showPath } from "./terminal.ts";
import type { Checkpoint } from "../../lib/training/checkpoint.ts";

/** Loads the data set, with a progress bar for a download. */
export function loadDatasetsWithBar(data: string | null): Promise<LoadedDatasets> {
  return withBar("CIFAR-10", (network) => loadDatasets({ data, ...network }));
}

/** Loads the backbone's weights, with a progress bar for a download. */
export function loadPretrainedWithBar(weights: string | null): Promise<Pretrained> {
  return withBar("ResNet-18", (network) => loadPretrained({ weights, ...network }));
}

async function withBar<T>(label: string, load: (network: LoadOptions) => Promise<T>): Promise<T> {
  const live = await createLive();
  let warned = Promise.resolve();
  const warn = (message: string, next: readonly NextStep[]) => {
    warned = formatBanner(`${message} Or ${next.map(wordNextStep).join(", or ")}.`).then(live.print);
  };
  try {
    return await load({ log: live.print, warn, onDownload: createDownloadProgress(label, live) });
  } finally {
    live.clear();
    await warned;
  }
}

/** Installs TensorFlow into the project where it is missing, with progress on a live line. */
export async function setUpTensorFlow(
  options: Pick<InstallOptions, "device" | "withoutGpu"> = {},
): Promise<Installation> {
  return await withLiveReporter((reporter) => ensureTensorFlow({ ...options, reporter }));
}

/** Runs a set-up that reports on a live line of standard error. */
export async function withLiveReporter<T>(work: (reporter: SetupReporter) => Promise<T>): Promise<T> {
  const live = await createLive();
  const draw = (text: string) => live.draw(({ columns }) => text.slice(0, columns));
  try {
    return await work({ line: live.print, live: live.interactive ? draw : undefined });
  } finally {
    live.clear();
  }
}

/** Frames a warning as a banner, at most 80 columns wide. */
async function formatBanner(text: string, width = outputWidth(Deno.stderr)): Promise<string> {
  const { wrapText } = await import("./table.ts"); // imported lazily: only a warning needs it
  const columns = Math.min(80, width);
  const rule = "*".repeat(columns);
  const lines = wrapText(text, columns - 6).split("\n");
  return ["", rule, ...lines.map((line) => `*  ${line.padEnd(columns - 6)}  *`), rule, ""].join("\n");
}

/** Says so where the sign of a checkpoint's maps was never chosen. */
export function warnOfMapSign({ path, progress }: Checkpoint): void {
  if (progress.isSignChosen) return;
  printMessage(
    `The sign of the maps in ${showPath(path)} was never chosen: a class may be dark where it is. ` +
      "One more epoch of training chooses it.",
  );
}
