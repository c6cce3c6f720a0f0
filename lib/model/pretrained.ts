/** The backbone's pretrained weights: torchvision's ImageNet ResNet-18 up to `layer1`. */
import { basename, dirname, join } from "@std/path";
import { fetchRange, type FetchRangeOptions, type FileVersion } from "../support/download/range.ts";
import { DownloadError, type LoadOptions } from "../support/download/request.ts";
import { InputError, type NextStep, type Problem } from "../support/errors.ts";
import { toPlainText } from "../support/format.ts";
import { exists, readFileBounded } from "../support/files.ts";
import { withFolderLock } from "../support/lock.ts";
import { projectFolder } from "../support/project.ts";
import {
  decodeTensor,
  parseHeader,
  parseSafetensors,
  type StoredTensor,
  writeSafetensors,
} from "../support/safetensors.ts";
import { findBackbone, refuseTensors, selectBackbone } from "./pretrained_tensors.ts";

/** torchvision's `ResNet18_Weights.IMAGENET1K_V1`, as the timm project publishes them in safetensors. */
export const PUBLISHED_WEIGHTS =
  "https://huggingface.co/timm/resnet18.tv_in1k/resolve/main/model.safetensors";

/** Options of {@linkcode loadPretrained}. */
export interface LoadPretrainedOptions extends LoadOptions {
  /** A safetensors file, or `random`. @default found on this machine, else downloaded */
  weights?: string | null;
  /** File that holds the fetched tensors. @default {data/resnet18-layer1.safetensors} */
  file?: string;
  /** Published file. @default {PUBLISHED_WEIGHTS} */
  url?: string;
}

/** Initial weights of the backbone. */
export interface Pretrained {
  /**
   * Tensors by torchvision's names (`conv1.weight` …) in PyTorch's layout; null for random initialisation.
   */
  tensors: ReadonlyMap<string, { shape: number[]; data: Float32Array }> | null;
  /** Name in every output that depends on them. */
  name: string;
  /** The setting, `RESNET18_WEIGHTS`, the project's file, a download just made, or none of them. */
  source: "option" | "environment" | "local" | "download" | "random";
}

const RANDOM = "random"; // setting and name of random initialisation

/**
 * Loads the backbone's weights: `weights`, else the environment variable `RESNET18_WEIGHTS`, else
 * `data/resnet18-layer1.safetensors`, else the 25 tensors out of the published file by HTTP range, else, and
 * only if the server cannot be reached, none: random initialisation, with a warning.
 *
 * @throws {InputError} If the file that was named or found is missing or has other tensors, or the server
 *   refuses.
 *
 * @example
 * ```ts
 * import { loadPretrained } from "./pretrained.ts";
 * const { tensors, name } = await loadPretrained({ weights: "random" });
 * console.log(tensors === null, name);
 * ```
 */
export async function loadPretrained(options: LoadPretrainedOptions = {}): Promise<Pretrained> {
  const { weights, log = console.error, warn = (message) => log(message) } = options;
  const file = options.file ?? join(projectFolder(), "data", "resnet18-layer1.safetensors");
  if (weights === RANDOM) return { tensors: null, name: RANDOM, source: "random" };
  if (weights) return await readWeights(weights, "option");
  const variable = Deno.env.get("RESNET18_WEIGHTS");
  if (variable === RANDOM) return { tensors: null, name: RANDOM, source: "random" };
  if (variable) return await readWeights(variable, "environment");
  let source: Pretrained["source"] = "local";
  try {
    if (!exists(file)) source = await fetchWeights(file, { ...options, log }) ? "download" : "local";
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    warn(
      `The pretrained weights are not here and cannot be downloaded. ${error.message} The backbone starts at ` +
        "RANDOM: it learns more slowly and ends with a lower accuracy. For torchvision's weights connect to the " +
        "network, or set RESNET18_WEIGHTS to a safetensors file.",
      [{ set: { weights: "FILE" } }],
    );
    return { tensors: null, name: RANDOM, source: "random" };
  }
  return await readWeights(file, source);
}

const MAXIMUM_BYTES = 1_000_000_000; // ResNet-18 has 47 MB, in training with Adam three times as many

/** Reads and checks a file, and names it: only a file downloaded here is called torchvision's. */
async function readWeights(path: string, source: Pretrained["source"]): Promise<Pretrained> {
  try {
    const bytes = readFileBounded(path, MAXIMUM_BYTES);
    const { tensors, metadata } = parseSafetensors(bytes, basename(path));
    const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex().slice(0, 8);
    const isFetched = (source === "local" || source === "download") && metadata.source === PUBLISHED_WEIGHTS;
    const name = isFetched
      ? `torchvision ResNet-18 IMAGENET1K_V1 (timm/resnet18.tv_in1k, sha256 ${sha256}…)`
      : `ResNet-18 layer1 (file ${toPlainText(basename(path))}, sha256 ${sha256}…)`;
    return { tensors: selectBackbone(tensors), name, source };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const [setting, environment] = [source === "option", source === "environment"];
    throw explain(error, path, {
      why: environment ? " (set by RESNET18_WEIGHTS)" : "",
      setting: setting ? "weights" : undefined,
      next: setting || environment ? [] : [{ advice: "delete it to have it downloaded again" }],
    });
  }
}

const GIVE_FILE: NextStep = {
  advice: "give a safetensors file of torchvision's ResNet-18, whole or up to layer1",
};

/** Words an error for the user: the file or URL, and other weights that would do. */
function explain(
  error: InputError,
  place: string,
  { why = "", setting, next = [] }: Partial<Problem> = {},
): InputError {
  const { problem } = error;
  return new InputError({
    what: error instanceof DownloadError ? error.problem.what : `use ${place} as pretrained weights`,
    why: `${problem?.why ?? error.message}${why}`,
    setting,
    next: [...error.next, ...next, GIVE_FILE, { set: { weights: RANDOM } }],
  }, { cause: error });
}

/** Fetches the wanted tensors into `file`. Returns false if another process did so meanwhile. */
async function fetchWeights(
  file: string,
  options: LoadPretrainedOptions & { log: (message: string) => void },
): Promise<boolean> {
  const { url = PUBLISHED_WEIGHTS, log, onDownload, network } = options;
  const folder = dirname(file);
  return await withFolderLock(folder, log, async () => {
    if (exists(file)) return false;
    log(`Downloading ResNet-18's pretrained weights up to layer1 from ${url} …`);
    const tensors = await fetchBackbone(url, { onDownload, ...network }).then(selectBackbone).catch(
      (error) => {
        throw error instanceof InputError && !isUnreachable(error) ? explain(error, url) : error;
      },
    );
    writeSafetensors(file, tensors, { source: url });
    return true;
  });
}

function isUnreachable(error: unknown): error is DownloadError {
  return error instanceof DownloadError && error.failure === "unreachable";
}

const SMALL_GAP = 65_536; // gaps up to this many bytes cost less than another request
const LARGEST_HEADER = 1_000_000; // ResNet-18's header has 12 KB
const LARGEST_VALUE = 8; // bytes of a float64

/**
 * Fetches the wanted tensors out of a safetensors file on a server: its header, then only the bytes needed,
 * neighbours together.
 *
 * @throws {DownloadError} If they cannot be downloaded.
 * @throws {InputError} If the file lacks one of the tensors, or is not a safetensors file.
 */
async function fetchBackbone(
  url: string,
  { onDownload, ...network }: FetchRangeOptions,
): Promise<Map<string, StoredTensor>> {
  const version: FileVersion = {};
  const fetchBytes = (start: number, end: number, onDownload?: (bytes: number) => void) =>
    fetchRange(url, start, end, { ...network, version, onDownload });
  const length = Number(new DataView((await fetchBytes(0, 8)).buffer).getBigUint64(0, true));
  if (length < 2 || length > LARGEST_HEADER) throw refuseTensors("it is not a safetensors file");
  const label = basename(url);
  const { entries, headerBytes } = parseHeader(await fetchBytes(0, 8 + length), label);
  const wanted = findBackbone(entries).map(({ key, shape }) => {
    const entry = entries.get(key)!;
    const [start, end] = entry.data_offsets;
    const count = shape.reduce((product, length) => product * length, 1);
    if (end - start > count * LARGEST_VALUE) throw refuseTensors(`${key} has ${end - start} bytes`);
    return { key, entry, start, end };
  });
  const ranges = mergeRanges(wanted.map(({ entry }) => entry.data_offsets));
  const total = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  let before = 0;
  const pieces: { start: number; bytes: Uint8Array }[] = [];
  for (const { start, end } of ranges) {
    const bytes = await fetchBytes(headerBytes + start, headerBytes + end, (bytes) => {
      onDownload?.(before + bytes, total);
    });
    pieces.push({ start, bytes });
    before += bytes.length;
  }
  return new Map(wanted.map(({ key, entry, start, end }) => {
    const piece = pieces.findLast((piece) => piece.start <= start)!;
    const bytes = piece.bytes.subarray(start - piece.start, end - piece.start);
    return [key, decodeTensor(entry, bytes, `${key} in ${label}`)];
  }));
}

/** Joins ranges that touch or nearly do. */
function mergeRanges(offsets: [number, number][]): { start: number; end: number }[] {
  const merged: { start: number; end: number }[] = [];
  for (const [start, end] of offsets.toSorted(([one], [other]) => one - other)) {
    const last = merged.at(-1);
    if (last && start - last.end <= SMALL_GAP) last.end = Math.max(last.end, end);
    else merged.push({ start, end });
  }
  return merged;
}
