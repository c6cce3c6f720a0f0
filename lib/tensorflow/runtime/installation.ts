/**
 * Locates TensorFlow's shared libraries and the Node-API addon: a look-up that changes nothing.
 *
 * ```text
 * <folder>/cpu/tensorflow/libtensorflow_cc.so.2 …              from the wheel tensorflow-cpu
 * <folder>/gpu/tensorflow/…, <folder>/gpu/nvidia/…             from the wheel tensorflow and NVIDIA's
 * <folder>/addon/tfjs_binding.node, <folder>/addon/kernels.so  compiled on this machine
 * ```
 *
 * One build is installed at a time: the CUDA build computes on the CPU as well. The addon is the same for
 * both; it looks for the libraries beside its own folder, in `gpu` first, so the whole folder may be moved
 * and shared.
 */
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../deno.json" with { type: "json" };
import { TensorFlowError } from "../errors.ts";

/** The pinned TensorFlow release; requirements/tensorflow-*.txt say the same. */
export const TENSORFLOW_VERSION = "2.21.0";

/** A build of TensorFlow's libraries: for the CPU alone, or with CUDA (which computes on the CPU too). */
export type Build = "cpu" | "gpu";

/** A device to compute on: `auto` is a GPU if available. */
export type DeviceChoice = "auto" | "cpu" | "gpu";

/** A complete installation. */
export interface Installation {
  /** Its folder, as `.tensorflow`. */
  folder: string;
  /** The installed build. `gpu` does not imply that a GPU answers. */
  build: Build;
  /** The TensorFlow release, such as `2.21.0`. */
  version: string;
  /** Folder of `libtensorflow_cc.so.2`. */
  libraryFolder: string;
  /** The addon for TensorFlow.js. */
  addon: string;
  /** This package's own operations, compiled. */
  kernels: string;
}

/**
 * Chooses the folder of an installation: the environment variable `TENSORFLOW_FOLDER`, else the nearest
 * `.tensorflow` at or above this package's files, like `node_modules`, else `.tensorflow` in `base`.
 *
 * @param base Parent folder of a new one. @default the working directory
 */
export function tensorflowFolder(base: string = Deno.cwd()): string {
  const named = Deno.env.get("TENSORFLOW_FOLDER");
  if (named) return named;
  for (let folder = packagePath("."); folder !== dirname(folder); folder = dirname(folder)) {
    const found = join(folder, ".tensorflow");
    if (exists(found)) return found;
  }
  return join(base, ".tensorflow");
}

/** Locates a file of this package. */
export function packagePath(path: string): string {
  return join(fileURLToPath(new URL("..", import.meta.url)), path);
}

/** The requirements file that pins a build. */
export function requirementsFile(build: Build): string {
  return packagePath(`requirements/tensorflow-${build}.txt`);
}

/** Lists the C++ sources and headers of this package's own operations. */
export function kernelSources(folder: string = packagePath("kernels")): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? kernelSources(join(folder, name)) : [join(folder, name)]
  ).sort();
}

/** Tells whether this build is completely installed with today's pins, and all its files have their sizes. */
export function isBuildReady(build: Build, folder: string): boolean {
  return isWhole(join(folder, build), buildStamp(build));
}

/** The text that marks a finished install of `build`: its pins and the machine's architecture. */
export function buildStamp(build: Build): string {
  const pins = Deno.readTextFileSync(requirementsFile(build))
    .split("\n").map((line) => line.replace(/#.*/, "").trim()).filter((line) => line !== "");
  return [Deno.build.target, ...pins, ""].join("\n");
}

/** Marks a folder as finished: by its stamp, and the size of each file in it. */
export function markFinished(folder: string, stamp: string): void {
  const list = (path: string): string[] =>
    [...Deno.readDirSync(join(folder, path))].sort((a, b) => a.name < b.name ? -1 : 1).flatMap((entry) =>
      entry.isDirectory ? list(join(path, entry.name)) : [join(path, entry.name)]
    );
  const sizes = list(".").map((path) => `${Deno.statSync(join(folder, path)).size} ${path}\n`);
  Deno.writeTextFileSync(join(folder, STAMP), [stamp, ...sizes].join(""));
}

const STAMP = "stamp.txt";

/** Tells whether a folder was finished with this stamp, and no file of it was lost or cut since. */
function isWhole(folder: string, stamp: string): boolean {
  const text = orNull(() => Deno.readTextFileSync(join(folder, STAMP)));
  if (!text?.startsWith(stamp)) return false;
  const files = text.slice(stamp.length).matchAll(/^(\d+) (.+)$/gm).toArray();
  return files.length > 0 &&
    files.every(([, size, path]) => orNull(() => Deno.statSync(join(folder, path)))?.size === Number(size));
}

/** Tells whether there is a folder of this build, finished with today's pins or not. */
export function hasBuild(build: Build, folder: string): boolean {
  return exists(join(folder, build));
}

/** Tells whether the addon and the operations are compiled from today's sources for this TensorFlow. */
export function isAddonReady(folder: string): boolean {
  return isWhole(join(folder, "addon"), addonStamp());
}

/** The text that marks a finished addon. */
export function addonStamp(): string {
  const sources = createHash("sha256");
  for (const path of [packagePath("addon/addon.cc"), ...kernelSources()]) {
    sources.update(Deno.readFileSync(path));
  }
  const npm = config.imports["@tensorflow/tfjs-node-gpu"];
  return [Deno.build.target, TENSORFLOW_VERSION, npm, sources.digest("hex"), ""].join("\n");
}

/**
 * Finds an installation.
 *
 * @param device `gpu` demands the CUDA build; `auto` and `cpu` take either.
 * @throws {TensorFlowError} `not-installed` or `cuda-not-installed`, also where the pins have changed since.
 */
export function findInstallation(device: DeviceChoice, folder: string = tensorflowFolder()): Installation {
  // the addon loads whatever is in `gpu`, so an outdated CUDA build must not count as a usable CPU build
  const build: Build = hasBuild("gpu", folder) ? "gpu" : "cpu";
  const isCuda = device === "gpu";
  if (!isBuildReady(build, folder) || !isAddonReady(folder) || (isCuda && build === "cpu")) {
    throw new TensorFlowError({
      code: isCuda ? "cuda-not-installed" : "not-installed",
      what: "use TensorFlow",
      why: `${isCuda ? "its CUDA build" : "it"} is not installed in ${folder}`,
      advice: `call installTensorFlow(${isCuda ? '{ device: "gpu" }' : ""}) first`,
    });
  }
  return {
    folder,
    build,
    version: TENSORFLOW_VERSION,
    libraryFolder: join(join(folder, build), "tensorflow"),
    addon: join(folder, "addon", "tfjs_binding.node"),
    kernels: join(folder, "addon", "kernels.so"),
  };
}

function exists(path: string): boolean {
  return orNull(() => Deno.statSync(path)) !== null;
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw error;
  }
}
