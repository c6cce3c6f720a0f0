import { loadDatasets, type LoadedDatasets } from "../../lib/data/load_datasets.ts";
import type { DownloadCallback } from "../../lib/support/download/download.ts";
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
  log(text: string): void;
  onDownload: DownloadCallback;
}

async function withBar<T>(label: string, load: (network: Network) => Promise<T>): Promise<T> {
  const bar = createDownloadProgress(label);
  const log = (text: string) => {
    bar.close(); // it must be gone before anything else is printed
    console.error(text);
  };
  try {
    return await load({ log, onDownload: bar.onDownload });
  } finally {
    bar.close();
  }
}
