import { loadDatasets, type LoadedDatasets } from "../../lib/data/load_datasets.ts";
import type { NextStep } from "../../lib/support/errors.ts";
import type { LoadOptions } from "../../lib/support/download/request.ts";
import { loadPretrained, type Pretrained } from "../../lib/model/pretrained.ts";
import { ensureTensorFlow } from "../../lib/setup/setup.ts";
import type { Installation, InstallOptions, SetupReporter } from "../../lib/tensorflow/setup/mod.ts";
import { wordNextStep } from "./command.ts";
import { createLiveLine } from "./live_line.ts";
import { createDownloadProgress } from "./download_progress.ts";

/** Loads the data set, with a bar where it is downloaded. */
export function loadDatasetsWithBar(data: string | null): Promise<LoadedDatasets> {
  return withBar("CIFAR-10", (network) => loadDatasets({ data, ...network }));
}

/** Loads the backbone's weights, with a bar where they are downloaded. */
export function loadPretrainedWithBar(weights: string | null): Promise<Pretrained> {
  return withBar("ResNet-18", (network) => loadPretrained({ weights, ...network }));
}

async function withBar<T>(label: string, load: (network: LoadOptions) => Promise<T>): Promise<T> {
  const bar = createDownloadProgress(label);
  const log = (text: string) => {
    bar.close(); // it must be gone before anything else is printed
    console.error(text);
  };
  let warned = Promise.resolve();
  const warn = (message: string, next: readonly NextStep[]) => {
    warned = formatBanner(`${message} Or ${next.map(wordNextStep).join(", or ")}.`).then(log);
  };
  try {
    return await load({ log, warn, onDownload: bar.onDownload });
  } finally {
    await warned;
    bar.close();
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
  const liveLine = createLiveLine();
  const live = (text: string) => liveLine.draw((columns) => text.slice(0, columns));
  try {
    return await work({
      line: (text) => liveLine.print(text),
      live: liveLine.interactive ? live : undefined,
    });
  } finally {
    liveLine.clear();
  }
}

const BANNER_WIDTH = 74;

/** Frames a warning that must not be overlooked, 80 columns wide. */
export async function formatBanner(text: string): Promise<string> {
  const { default: wrapAnsi } = await import("wrap-ansi");
  const rule = "*".repeat(BANNER_WIDTH + 6);
  const lines = wrapAnsi(text, BANNER_WIDTH, { hard: true }).split("\n");
  return ["", rule, ...lines.map((line) => `*  ${line.padEnd(BANNER_WIDTH)}  *`), rule, ""].join("\n");
}
