/**
 * The backbone's pretrained weights: torchvision's ImageNet ResNet-18 up to `layer1`.
 *
 * @module
 */
import { basename, dirname, fromFileUrl } from "@std/path";
import { type DownloadCallback, DownloadError, type NetworkOptions } from "../support/download/download.ts";
import { formatBanner } from "../support/download/banner.ts";
import { withFolderLock } from "../support/download/lock.ts";
import { InputError } from "../support/errors.ts";
import { parseSafetensors, type StoredTensor, writeSafetensors } from "../support/safetensors.ts";
import { fetchTensors } from "./fetch_tensors.ts";
import { listTensors } from "./tensor_list.ts";

/** torchvision's `ResNet18_Weights.IMAGENET1K_V1`, as the timm project publishes them in safetensors. */
export const PUBLISHED_WEIGHTS =
  "https://huggingface.co/timm/resnet18.tv_in1k/resolve/main/model.safetensors";

/** Where they are kept once they were fetched. */
export const WEIGHTS_FILE = fromFileUrl(new URL("../../data/resnet18-layer1.safetensors", import.meta.url));

/** Options of {@linkcode loadPretrained}. */
export interface LoadPretrainedOptions {
  /** A safetensors file, or `random`; else looked for, else fetched. */
  weights?: string | null;
  /** Takes what the user must know, line by line or framed. @default {console.error} */
  log?: (text: string) => void;
  /** Told of each piece that is downloaded. */
  onDownload?: DownloadCallback;
  /** Where the fetched tensors are kept. @default {WEIGHTS_FILE} */
  file?: string;
  /** Where they are fetched from. @default {PUBLISHED_WEIGHTS} */
  url?: string;
  /** How patient the download is. */
  network?: NetworkOptions;
}

/** Weights to start from. */
export interface Pretrained {
  /** Tensors by torchvision's names (`conv1.weight`, `layer1.0.bn1.running_mean` …) in PyTorch's layout; null: start at random. */
  tensors: ReadonlyMap<string, { shape: number[]; data: Float32Array }> | null;
  /** What every output calls them. */
  name: string;
  /** `option` is `--weights`, `environment` is `RESNET18_WEIGHTS`, `local` was there, `download` has just been fetched. */
  source: "option" | "environment" | "local" | "download" | "random";
  /** Why it is a random start although nobody asked for it. */
  reason?: string;
}

/** How a random start is asked for and named. */
const RANDOM = "random";

/**
 * Loads the backbone's weights: `weights`, else the environment variable `RESNET18_WEIGHTS`, else `data/resnet18-layer1.safetensors`,
 * else the 25 tensors out of the published file by HTTP range, else, and only if the network cannot be reached, none: a random start,
 * said loudly.
 *
 * @throws {InputError} If the file that was named or found is missing or has other tensors, or the server refuses.
 *
 * @example
 * ```ts
 * import { loadPretrained } from "./pretrained.ts";
 * const { tensors, name } = await loadPretrained({ weights: "random" });
 * console.log(tensors === null, name);
 * ```
 */
export async function loadPretrained(options: LoadPretrainedOptions = {}): Promise<Pretrained> {
  const { weights, file = WEIGHTS_FILE, log = console.error } = options;
  if (weights === RANDOM) return { tensors: null, name: RANDOM, source: "random" };
  if (weights) return await readWeights(weights, "option");
  const variable = Deno.env.get("RESNET18_WEIGHTS");
  if (variable === RANDOM) return { tensors: null, name: RANDOM, source: "random" };
  if (variable) return await readWeights(variable, "environment");
  let source: Pretrained["source"] = "local";
  try {
    if (!await isThere(file)) source = await fetchWeights(file, options) ? "download" : "local";
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error;
    if (error.failure !== "unreachable") throw addAdvice(error);
    log(formatBanner([
      `THE PRETRAINED WEIGHTS ARE NOT HERE AND CANNOT BE FETCHED. ${error.message}`,
      "",
      "The backbone starts at RANDOM: it learns more slowly and ends with a lower accuracy.",
      "For torchvision's weights: connect to the network, or give a safetensors file by --weights or RESNET18_WEIGHTS.",
    ]));
    return { tensors: null, name: RANDOM, source: "random", reason: error.message };
  }
  return await readWeights(file, source);
}

/** Reads and checks a file, and names it: only what we fetched ourselves can be called torchvision's. */
async function readWeights(path: string, source: Pretrained["source"]): Promise<Pretrained> {
  const bytes = await Deno.readFile(path).catch((error) => {
    const why = error instanceof Deno.errors.NotFound ? "there is no such file" : error.message;
    throw new InputError(
      `Cannot read the pretrained weights ${path}: ${why}; give a safetensors file, or "random".`,
      { cause: error },
    );
  });
  const { tensors, metadata } = parseSafetensors(bytes, basename(path));
  const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex().slice(0, 8);
  const fetched = (source === "local" || source === "download") && metadata.source === PUBLISHED_WEIGHTS;
  const name = fetched
    ? `torchvision ResNet-18 IMAGENET1K_V1 (timm/resnet18.tv_in1k, sha256 ${sha256}…)`
    : `ResNet-18 layer1 (file ${basename(path)}, sha256 ${sha256}…)`;
  return { tensors: selectBackbone(tensors, path), name, source };
}

/** Names and shapes of the tensors up to `layer1`, by torchvision's names. */
function listWanted(): { name: string; shape: number[] }[] {
  const prefix = "backbone.";
  return listTensors({ variant: "dynamic", adapter: "none" })
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ name, shape }) => ({ name: name.slice(prefix.length), shape }));
}

/** Takes the wanted tensors out of those of a file and checks each. */
function selectBackbone(
  tensors: Map<string, StoredTensor>,
  label: string,
): Map<string, { shape: number[]; data: Float32Array }> {
  const selected = new Map<string, { shape: number[]; data: Float32Array }>();
  for (const { name, shape } of listWanted()) {
    const refuse = (why: string) =>
      new InputError(
        `Cannot use ${label} as pretrained weights: ${why}. Give a safetensors file of torchvision's ResNet-18, whole or up to layer1.`,
      );
    const tensor = tensors.get(name);
    if (!tensor) throw refuse(`it has no tensor ${name}`);
    const { data } = tensor;
    if (!(data instanceof Float32Array)) throw refuse(`${name} is not of type F32`);
    if (tensor.shape.join() !== shape.join()) {
      throw refuse(`${name} has the shape [${tensor.shape.join(", ")}], expected [${shape.join(", ")}]`);
    }
    const odd = data.findIndex((value) =>
      !Number.isFinite(value) || (name.endsWith("running_var") && value < 0)
    );
    if (odd >= 0) throw refuse(`value ${odd} of ${name} is ${data[odd]}`);
    selected.set(name, { shape, data });
  }
  return selected;
}

/** Fetches the wanted tensors into `file`. False if another process did so meanwhile. */
async function fetchWeights(file: string, options: LoadPretrainedOptions): Promise<boolean> {
  const { url = PUBLISHED_WEIGHTS, log = console.error, onDownload, network } = options;
  const folder = dirname(file);
  return await withFolderLock(
    folder,
    () => log(`Waiting for another process that uses ${folder} …`),
    async () => {
      if (await isThere(file)) return false;
      log(`Fetching ResNet-18's pretrained weights up to layer1 from ${url} …`);
      const names = listWanted().map(({ name }) => name);
      const tensors = await fetchTensors(url, names, { onDownload, ...network });
      writeSafetensors(file, selectBackbone(tensors, url), { source: url });
      return true;
    },
  );
}

function addAdvice(error: DownloadError): DownloadError {
  const message =
    `${error.message} Or give a safetensors file by --weights or RESNET18_WEIGHTS, or use --weights random.`;
  return error.failure === "disk" ? error : new DownloadError(message, error.failure, { cause: error });
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
