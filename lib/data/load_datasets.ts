import { join } from "@std/path";
import { downloadFile } from "../support/download/download.ts";
import { DownloadError, type LoadOptions } from "../support/download/request.ts";
import { InputError, type NextStep } from "../support/errors.ts";
import { isLink, statOrNull } from "../support/files.ts";
import { withSystemErrors } from "../support/system_errors.ts";
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
    folder = join(projectFolder(), "data"),
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
      return loadSynthetic();
    }
  }
  const next = [{ advice: "delete that folder to have the data set downloaded again" }];
  const { files, ...datasets } = await readCifar10(path, { recordsPerFile, next });
  return { ...datasets, source: { kind, path, files } };
}

function loadSynthetic(): LoadedDatasets {
  return { ...createSynthetic(), source: { kind: "synthetic", path: null, files: [] } };
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
  const info = withSystemErrors(`use ${named} as the data set`, () => statOrNull(named));
  if (!info) throw refuse("there is no such folder", giveFolder, { set: { data: "synthetic" } });
  if (!info.isDirectory) {
    const unpack = info.isFile && !named.endsWith(".bin") ? "unpack it and " : "";
    throw refuse(info.isFile ? "it is a file" : "it is a device or a pipe", `${unpack}${giveFolder}`);
  }
  const names = withSystemErrors(
    `list ${named}`,
    () => new Set([...Deno.readDirSync(named)].map(({ name }) => name)),
  );
  if ([...TRAIN_FILES, TEST_FILE].some((file) => names.has(file))) return named;
  if (names.has(ARCHIVE_FOLDER)) return join(named, ARCHIVE_FOLDER);
  const other = OTHER_CONTENTS.find(([pattern]) => [...names].some((name) => pattern.test(name)));
  if (other) throw refuse(`it holds ${other[1]}`, other[2]);
  throw refuse(`it has no ${TEST_FILE}`, giveFolder);
}

const GET_BINARY = "get CIFAR-10's binary version (cifar-10-binary.tar.gz)";

/** Contents of folders that are taken for CIFAR-10's, by the names of their files. */
const OTHER_CONTENTS: readonly [pattern: RegExp, what: string, advice: string][] = [
  [/^(data_batch_1|cifar-10-batches-py)$/, "the Python version", GET_BINARY],
  [/^(data_batch_1\.mat|cifar-10-batches-mat)$/, "the MATLAB version", GET_BINARY],
  [/^(train\.bin|cifar-100-.*)$/, "CIFAR-100", GET_BINARY],
  [/^(cifar-10-binary\.tar\.gz|test_batch\.bin\.gz)$/, "a packed file", "unpack it first"],
];

const MAXIMUM_BYTES = 200_000_000; // the archive has 170 MB

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
    const { url, md5 } = archive;
    await downloadFile(url, file, { md5, maximumBytes: MAXIMUM_BYTES, onDownload, ...network });
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

/** @throws {InputError} If something else has the folder's name: a file, a dangling link. */
function isFolder(path: string): boolean {
  const info = withSystemErrors(`use ${path}`, () => statOrNull(path));
  if (info?.isDirectory) return true;
  if (info === null && !isLink(path)) return false;
  const why = "it is no folder, and no link to one";
  throw new InputError({ what: `use ${path}`, why, next: [{ advice: "move it away" }] });
}
