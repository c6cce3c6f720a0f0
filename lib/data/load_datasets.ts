import { fromFileUrl, join } from "@std/path";
import {
  type DownloadCallback,
  DownloadError,
  downloadFile,
  type NetworkOptions,
} from "../support/download/download.ts";
import { formatBanner } from "../support/download/banner.ts";
import { withFolderLock } from "../support/download/lock.ts";
import { InputError } from "../support/errors.ts";
import { ARCHIVE_FOLDER, removeLeftovers, unpackArchive } from "./archive.ts";
import { type FileCheck, readCifar10, TEST_FILE, TRAIN_FILES } from "./cifar10.ts";
import { OFFICIAL_ARCHIVE } from "./cifar10_copies.ts";
import type { Datasets } from "./dataset.ts";
import { createSynthetic } from "./synthetic.ts";

/** The project's folder for data, ignored by git. */
export const DATA_FOLDER = fromFileUrl(new URL("../../data", import.meta.url));

/** Options of {@linkcode loadDatasets}. */
export interface LoadDatasetsOptions {
  /** A folder with CIFAR-10's binary files, or `synthetic`; else looked for, else downloaded. */
  data?: string | null;
  /** Takes what the user must know, line by line or framed. @default {console.error} */
  log?: (text: string) => void;
  /** Told of each piece that is downloaded. */
  onDownload?: DownloadCallback;
  /** Where the data set is kept. @default {DATA_FOLDER} */
  folder?: string;
  /** The archive to download. @default {OFFICIAL_ARCHIVE} */
  archive?: { url: string; md5: string };
  /** Records each file must have. @default {10000} */
  recordsPerFile?: number;
  /** How patient the download is. */
  network?: NetworkOptions;
}

/** Where the data came from. */
export interface DataSource {
  /** `option` is `--data`, `environment` is `CIFAR10_DIR`, `local` was there, `download` has just been fetched. */
  kind: "option" | "environment" | "local" | "download" | "synthetic";
  /** The folder; null for the synthetic set. */
  path: string | null;
  /** What was checked, a file each; none for the synthetic set. */
  files: FileCheck[];
  /** Why it is the synthetic set although nobody asked for it. */
  reason?: string;
}

/** The two halves of the data set, both named alike, and where they came from. */
export interface LoadedDatasets extends Datasets {
  /** Where they came from. */
  source: DataSource;
}

/**
 * Loads the data set: `data`, else the environment variable `CIFAR10_DIR`, else `data/cifar-10-batches-bin`, else the official
 * archive from the network, else, and only if the network cannot be reached, the synthetic set, said loudly.
 *
 * @throws {InputError} If the data that was named or found is missing or damaged, or the server refuses, or what came is wrong.
 *
 * @example
 * ```ts
 * import { loadDatasets } from "./load_datasets.ts";
 * const { train, test, source } = await loadDatasets({ data: "synthetic" });
 * console.log(train.name, train.labels.length, test.labels.length, source.kind);
 * ```
 */
export async function loadDatasets(options: LoadDatasetsOptions = {}): Promise<LoadedDatasets> {
  const { data, folder = DATA_FOLDER, recordsPerFile } = options;
  if (data === "synthetic") return loadSynthetic();
  if (data) return await loadNamed(data, "option", "--data", recordsPerFile);
  const variable = Deno.env.get("CIFAR10_DIR");
  if (variable) return await loadNamed(variable, "environment", "CIFAR10_DIR", recordsPerFile);

  const path = join(folder, ARCHIVE_FOLDER);
  let kind: DataSource["kind"] = "local";
  if (!await isFolder(path)) {
    try {
      kind = await fetchArchive(path, options) ? "download" : "local";
    } catch (error) {
      if (!(error instanceof DownloadError && error.failure === "unreachable")) throw addAdvice(error);
      (options.log ?? console.error)(formatBanner([
        `CIFAR-10 IS NOT HERE AND CANNOT BE DOWNLOADED. ${error.message}`,
        "",
        "The built-in SYNTHETIC data set takes its place: drawn shapes, not photographs. Its results say nothing about CIFAR-10.",
        "For the real one: connect to the network, or give the folder of its binary version by --data or CIFAR10_DIR.",
      ]));
      return loadSynthetic(error.message);
    }
  }
  const advice = "Delete that folder to have the data set downloaded again.";
  const { files, ...datasets } = await readCifar10(path, { recordsPerFile, advice });
  return { ...datasets, source: { kind, path, files } };
}

function loadSynthetic(reason?: string): LoadedDatasets {
  return {
    ...createSynthetic(),
    source: { kind: "synthetic", path: null, files: [], ...reason && { reason } },
  };
}

/** Reads the folder that the user named; its parent will do as well. */
async function loadNamed(
  named: string,
  kind: DataSource["kind"],
  by: string,
  recordsPerFile?: number,
): Promise<LoadedDatasets> {
  const path = await findFolder(named, by);
  const { files, ...datasets } = await readCifar10(path, { recordsPerFile });
  return { ...datasets, source: { kind, path, files } };
}

async function findFolder(named: string, by: string): Promise<string> {
  const what = `Cannot use ${named} (${by}) as the data set`;
  const info = await Deno.stat(named).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return null;
    throw new InputError(`${what}: ${error.message}.`, { cause: error });
  });
  if (!info) {
    throw new InputError(`${what}: there is no such folder. Give one with ${TEST_FILE}, or "synthetic".`);
  }
  if (!info.isDirectory) {
    throw new InputError(`${what}: it is a file. Unpack it and give the folder with ${TEST_FILE}.`);
  }
  const names = new Set<string>();
  for await (const entry of Deno.readDir(named)) names.add(entry.name);
  if ([...TRAIN_FILES, TEST_FILE].some((file) => names.has(file))) return named;
  if (names.has(ARCHIVE_FOLDER)) return join(named, ARCHIVE_FOLDER);
  const python = names.has("data_batch_1") || names.has("cifar-10-batches-py");
  throw new InputError(
    `${what}: it has no ${TEST_FILE}. ` +
      (python
        ? "It holds the Python version; get the binary version (cifar-10-binary.tar.gz)."
        : "Give the folder that has."),
  );
}

/** Downloads and unpacks the archive. False if another process did so meanwhile. */
async function fetchArchive(path: string, options: LoadDatasetsOptions): Promise<boolean> {
  const { folder = DATA_FOLDER, archive = OFFICIAL_ARCHIVE, recordsPerFile, network, onDownload } = options;
  const log = options.log ?? console.error;
  return await withFolderLock(
    folder,
    () => log(`Waiting for another process that uses ${folder} …`),
    async () => {
      if (await isFolder(path)) return false;
      await removeLeftovers(folder);
      const file = join(folder, new URL(archive.url).pathname.split("/").at(-1)!);
      log(`Downloading CIFAR-10 from ${archive.url} …`);
      await downloadFile(archive.url, file, { md5: archive.md5, onDownload, ...network });
      log(`Unpacking ${file} …`);
      await unpackArchive(file, folder, { provenance: archive, recordsPerFile });
      await Deno.remove(file); // its files are there and checked
      return true;
    },
  );
}

function addAdvice(error: unknown): unknown {
  if (!(error instanceof DownloadError) || error.failure === "disk" || error.failure === "interrupted") {
    return error;
  }
  return new DownloadError(
    `${error.message} Or give the data set's folder by --data or CIFAR10_DIR, or use --data synthetic.`,
    error.failure,
    { cause: error },
  );
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
