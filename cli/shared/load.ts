import wrapAnsi from "wrap-ansi";
import { loadDatasets, type LoadedDatasets } from "../../lib/data/load_datasets.ts";
import type { DownloadCallback } from "../../lib/support/download/request.ts";
import { loadPretrained, type Pretrained } from "../../lib/model/pretrained.ts";
import { createDownloadProgress } from "./download_progress.ts";

/** Loads the data set, with a bar where it is downloaded. */
export function loadDatasetsWithBar(data: string | null): Promise<LoadedDatasets> {
  return withBar("CIFAR-10", (network) => loadDatasets({ data, ...network }));
}

/** Loads the backbone's weights, with a bar where they are downloaded. */
export function loadPretrainedWithBar(weights: string | null): Promise<Pretrained> {
  return withBar("ResNet-18", (network) => loadPretrained({ weights, ...network }));
}

interface Network {
  log(message: string): void;
  warn(message: string): void;
  onDownload: DownloadCallback;
}

async function withBar<T>(label: string, load: (network: Network) => Promise<T>): Promise<T> {
  const bar = createDownloadProgress(label);
  const log = (text: string) => {
    bar.close(); // it must be gone before anything else is printed
    console.error(text);
  };
  try {
    return await load({ log, warn: (message) => log(formatBanner(message)), onDownload: bar.onDownload });
  } finally {
    bar.close();
  }
}

const BANNER_WIDTH = 74;

/** Frames a warning that must not be overlooked, 80 columns wide. */
export function formatBanner(text: string): string {
  const rule = "*".repeat(BANNER_WIDTH + 6);
  const lines = wrapAnsi(text, BANNER_WIDTH, { hard: true }).split("\n");
  return ["", rule, ...lines.map((line) => `*  ${line.padEnd(BANNER_WIDTH)}  *`), rule, ""].join("\n");
}
