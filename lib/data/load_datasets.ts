import { join } from "@std/path";
import { downloadFile } from "../support/download/download.ts";
import { DownloadError, type LoadOptions } from "../support/download/request.ts";
import { InputError, type NextStep } from "../support/errors.ts";
import { statOrNull } from "../support/files.ts";
import { withFolderLock } from "../support/lock.ts";
import { projectFolder } from "../support/project.ts";
import { ARCHIVE_FOLDER, removeLeftovers, unpackArchive } from "./archive.ts";
import { type FileCheck, readCifar10, TEST_FILE, TRAIN_FILES } from "./cifar10.ts";
import { OFFICIAL_ARCHIVE } from "./cifar10_copies.ts";
import type { Datasets } from "./dataset.ts";
import { createSynthetic } from "./synthetic.ts";

/** Options of {@linkcode loadDatasets}. */
export interface LoadDatasetsOptions extends LoadOptions {
  /** Folder with CIFAR-10's binary files, or `synthetic`. @default found on this machine, else downloaded */
  data?: string | null;
  /** Folder that holds the data set. @default {data} */
  folder?: string;
  /** The archive to download. @default {OFFICIAL_ARCHIVE} */
  archive?: { url: string; md5: string };
  /** Records per file. @default {10000} */
  recordsPerFile?: number;
}

/** Source of a data set. */
export interface DataSource {
  /** The setting, `CIFAR10_DIR`, the project's folder, or a download just made. */
  kind: "option" | "environment" | "local" | "download" | "synthetic";
  /** The folder; null for the synthetic set. */
  path: string | null;
  /** The files; none for the synthetic set. */
  files: FileCheck[];
  /** Reason for using the synthetic set instead of CIFAR-10. */
  reason?: string;
}

/** Training and test set, and their source. */
export interface LoadedDatasets extends Datasets {
  /** Source of both. */
  source: DataSource;
}

/**
 * Loads the data set: `data`, else the environment variable `CIFAR10_DIR`, else `data/cifar-10-batches-bin`,
 * else the official archive from the network, else, and only if the network cannot be reached, the synthetic
 * set, with a warning.
 *
 * @throws {InputError} If the data that was named or found is missing or damaged, or the server refuses, or
 *   the download is not CIFAR-10.
 *
 * @example
 * ```ts
 * import { loadDatasets } from "./load_datasets.ts";
 * const { train, test, source } = await loadDatasets({ data: "synthetic" });
 * console.log(train.name, train.labels.length, test.labels.length, source.kind);
 * ```
 */
export async function loadDatasets(options: LoadDatasetsOptions = {}): Promise<LoadedDatasets> {
  const {
    data,
    folder = defaultFolder(),
    recordsPerFile,
    log = console.error,
    warn = (message) => log(message),
  } = options;
  if (data === "synthetic") return loadSynthetic();
  if (data) return await loadNamed(data, "option", recordsPerFile);
  const variable = Deno.env.get("CIFAR10_DIR");
  if (variable) return await loadNamed(variable, "environment", recordsPerFile);

  const path = join(folder, ARCHIVE_FOLDER);
  let kind: DataSource["kind"] = "local";
  if (!isFolder(path)) {
    try {
      kind = await fetchArchive(path, { ...options, folder, log }) ? "download" : "local";
    } catch (error) {
      if (!(error instanceof DownloadError && error.failure === "unreachable")) throw addAdvice(error);
      warn(
        `CIFAR-10 is not here and cannot be downloaded. ${error.message} The built-in SYNTHETIC data set takes ` +
          "its place: synthetic images, not photographs. Its results say nothing about CIFAR-10. For the real " +
          "one connect to the network, or set CIFAR10_DIR to the folder of its binary version.",
        [{ set: { data: "FOLDER" } }],
      );
      return loadSynthetic(error.message);
    }
  }
  const next = [{ advice: "delete that folder to have the data set downloaded again" }];
  const { files, ...datasets } = await readCifar10(path, { recordsPerFile, next });
  return { ...datasets, source: { kind, path, files } };
}

function defaultFolder(): string {
  return join(projectFolder(), "data");
}

function loadSynthetic(reason?: string): LoadedDatasets {
  return {
    ...createSynthetic(),
    source: { kind: "synthetic", path: null, files: [], ...reason && { reason } },
  };
}

/** Reads the folder that the user named, or the data set's folder inside it. */
async function loadNamed(
  named: string,
  kind: "option" | "environment",
  recordsPerFile?: number,
): Promise<LoadedDatasets> {
  const path = findFolder(named, kind);
  const { files, ...datasets } = await readCifar10(path, { recordsPerFile });
  return { ...datasets, source: { kind, path, files } };
}

function findFolder(named: string, kind: "option" | "environment"): string {
  const refuse = (why: string, advice: string, ...next: NextStep[]) =>
    new InputError({
      what: `use ${named} as the data set`,
      why: kind === "environment" ? `${why} (set by CIFAR10_DIR)` : why,
      setting: kind === "option" ? "data" : undefined,
      next: [{ advice }, ...next],
    });
  const giveFolder = `give the folder that holds ${TEST_FILE}`;
  const info = statOrNull(named);
  if (!info) throw refuse("there is no such folder", giveFolder, { set: { data: "synthetic" } });
  if (!info.isDirectory) throw refuse("it is a file", `unpack it and ${giveFolder}`);
  const names = new Set([...Deno.readDirSync(named)].map(({ name }) => name));
  if ([...TRAIN_FILES, TEST_FILE].some((file) => names.has(file))) return named;
  if (names.has(ARCHIVE_FOLDER)) return join(named, ARCHIVE_FOLDER);
  if (names.has("data_batch_1") || names.has("cifar-10-batches-py")) {
    throw refuse("it holds the Python version", "get the binary version (cifar-10-binary.tar.gz)");
  }
  throw refuse(`it has no ${TEST_FILE}`, giveFolder);
}

/** Downloads and unpacks the archive. Returns false if another process did so meanwhile. */
async function fetchArchive(
  path: string,
  options: LoadDatasetsOptions & { folder: string; log: (message: string) => void },
): Promise<boolean> {
  const { folder, archive = OFFICIAL_ARCHIVE, recordsPerFile, network, onDownload, log } = options;
  return await withFolderLock(folder, log, async () => {
    if (isFolder(path)) return false;
    await removeLeftovers(folder);
    const file = join(folder, new URL(archive.url).pathname.split("/").at(-1)!);
    log(`Downloading CIFAR-10 from ${archive.url} …`);
    await downloadFile(archive.url, file, { md5: archive.md5, onDownload, ...network });
    log(`Unpacking ${file} …`);
    await unpackArchive(file, folder, { provenance: archive, recordsPerFile });
    await Deno.remove(file); // its files are there and checked
    return true;
  });
}

function addAdvice(error: unknown): unknown {
  if (!(error instanceof DownloadError) || error.failure === "disk" || error.failure === "interrupted") {
    return error;
  }
  const next: NextStep[] = [
    ...error.next,
    { advice: "set CIFAR10_DIR to the data set's folder" },
    { set: { data: "PATH" } },
    { set: { data: "synthetic" } },
  ];
  return new DownloadError({ ...error.problem, next }, error.failure, { cause: error });
}

function isFolder(path: string): boolean {
  return statOrNull(path)?.isDirectory ?? false;
}
