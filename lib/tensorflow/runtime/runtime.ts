/**
 * Where TensorFlow's shared libraries and the Node-API addon lie in this project: a look-up that changes nothing.
 *
 * `deno task setup` (lib/setup) puts them there:
 *
 * ```text
 * .tensorflow/cpu/tensorflow/libtensorflow_cc.so.2 …   from the wheel tensorflow-cpu
 * .tensorflow/gpu/tensorflow/…, .tensorflow/gpu/nvidia/…   from the wheel tensorflow and NVIDIA's
 * .tensorflow/addon/tfjs_binding.node   built for this machine, copied into the package under node_modules
 * .tensorflow/addon/kernels.so   this project's own operations, built with it
 * ```
 *
 * One build is installed at a time: the CUDA build computes on the CPU as well, so where it is installed it also serves
 * `--device cpu`. The addon is the same for both and looks in `.tensorflow/gpu` first, then in `.tensorflow/cpu`.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { fromFileUrl, join, relative } from "@std/path";
import { InputError } from "../../support/errors.ts";

/** The pinned TensorFlow release; requirements/tensorflow-*.txt say the same. */
export const TENSORFLOW_VERSION = "2.21.0";

/** The build of TensorFlow's libraries: for the CPU alone, or with CUDA (which computes on the CPU too). */
export type RuntimeBuild = "cpu" | "gpu";

/** A device as the user asks for it: `auto` is a GPU where there is one. */
export type DeviceChoice = "auto" | "cpu" | "gpu";

/** TensorFlow's libraries as they lie on this machine. */
export interface Runtime {
  /** Which build it is. `gpu` says what was installed, not that a GPU answers. */
  build: RuntimeBuild;
  /** The TensorFlow release, such as `2.21.0`. */
  version: string;
  /** Folder holding `tensorflow/` and, for `gpu`, `nvidia/`. */
  folder: string;
  /** Folder of `libtensorflow_cc.so.2`. */
  libraryFolder: string;
  /** The addon that the npm package loads. */
  addonPath: string;
}

/** The project's top folder. */
export function projectFolder(): string {
  return fromFileUrl(new URL("../../../", import.meta.url)).replace(/\/$/, "");
}

/** Where all that setup installs lies, kept out of git. */
export function tensorflowFolder(project: string = projectFolder()): string {
  return join(project, ".tensorflow");
}

/** The folder of one build of TensorFlow's libraries, whether it is there or not. */
export function runtimeFolder(build: RuntimeBuild, project: string = projectFolder()): string {
  return join(tensorflowFolder(project), build);
}

/** The requirements file that says what {@link runtimeFolder} holds. */
export function runtimeRequirements(build: RuntimeBuild, project: string = projectFolder()): string {
  return join(project, "lib", "tensorflow", "requirements", `tensorflow-${build}.txt`);
}

/** The npm package as a link in node_modules; deno keeps the real folder elsewhere. */
export function packageFolder(project: string = projectFolder()): string {
  return join(project, "node_modules", "@tensorflow", "tfjs-node-gpu");
}

/** This project's own operations, compiled. */
export function kernelsPath(project: string = projectFolder()): string {
  return join(tensorflowFolder(project), "addon", "kernels.so");
}

/** Paths of their sources: C++, with headers. */
export function kernelSources(project: string = projectFolder()): string[] {
  const list = (folder: string): string[] =>
    [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
      isDirectory ? list(join(folder, name)) : [join(folder, name)]
    );
  return list(join(project, "lib", "tensorflow", "kernels")).sort();
}

/** Where the npm package looks for its addon. */
export function addonPath(project: string = projectFolder()): string {
  return join(packageFolder(project), "lib", "napi-v8", "tfjs_binding.node");
}

/**
 * Whether this build is installed with the pins of today's requirements file, and nothing is half done.
 *
 * A few milliseconds at most: it reads two small files.
 */
export function isRuntimeReady(build: RuntimeBuild, project: string = projectFolder()): boolean {
  const stamp = readTextOrNull(join(runtimeFolder(build, project), "stamp.txt"));
  return stamp !== null && stamp === runtimeStamp(build, project);
}

/** The text that marks a finished install of `build`: its pins and the machine's architecture. */
export function runtimeStamp(build: RuntimeBuild, project: string = projectFolder()): string {
  const pins = (readTextOrNull(runtimeRequirements(build, project)) ?? "")
    .split("\n").map((line) => line.replace(/#.*/, "").trim()).filter((line) => line !== "");
  return [Deno.build.target, ...pins, ""].join("\n");
}

/** Whether there is a folder of this build, finished with today's pins or not. */
export function isInstalled(build: RuntimeBuild, project: string = projectFolder()): boolean {
  return sizeOrNull(runtimeFolder(build, project)) !== null;
}

/**
 * Whether the addon is built for this TensorFlow and this npm package, from where they lie relative to each other (so a moved
 * project stays ready), and the operations from today's sources.
 */
export function isAddonBuilt(project: string = projectFolder()): boolean {
  const stamp = readTextOrNull(join(tensorflowFolder(project), "addon", "stamp.txt"));
  return stamp !== null && stamp === addonStamp(project);
}

/** Whether the addon is built and lies where the npm package looks. */
export function isAddonReady(project: string = projectFolder()): boolean {
  if (!isAddonBuilt(project)) return false;
  const size = sizeOrNull(join(tensorflowFolder(project), "addon", "tfjs_binding.node"));
  return size !== null && size === sizeOrNull(addonPath(project)) &&
    sizeOrNull(kernelsPath(project)) !== null;
}

/** The text that marks a finished addon, or `""` when the npm package is not installed. */
export function addonStamp(project: string = projectFolder()): string {
  try {
    // the real path holds the package's version: …/.deno/@tensorflow+tfjs-node-gpu@4.22.0/…
    const place = relative(Deno.realPathSync(project), Deno.realPathSync(packageFolder(project)));
    const sources = createHash("sha256");
    for (const path of kernelSources(project)) sources.update(Deno.readFileSync(path));
    return [Deno.build.target, TENSORFLOW_VERSION, place, sources.digest("hex"), ""].join("\n");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/**
 * Finds TensorFlow's libraries and the addon for the wanted device.
 *
 * The addon takes the CUDA build wherever it is installed, so that is what is returned for `cpu` too.
 *
 * @param device `gpu` demands the CUDA build; `auto` and `cpu` take either.
 * @throws {InputError} If setup has not been run, or its pins have changed since.
 *
 * @example
 * ```ts ignore
 * const { version, build } = findRuntime("auto");
 * ```
 */
export function findRuntime(device: DeviceChoice, project: string = projectFolder()): Runtime {
  // the addon takes whatever lies in .tensorflow/gpu, so an outdated CUDA build must not pass for a good CPU one
  const build: RuntimeBuild = isInstalled("gpu", project) ? "gpu" : "cpu";
  const command = device === "gpu" ? "deno task setup --device gpu" : "deno task setup";
  if (!isRuntimeReady(build, project) || !isAddonReady(project) || (device === "gpu" && build === "cpu")) {
    const what = device === "gpu" ? "TensorFlow's CUDA runtime" : "TensorFlow's runtime";
    throw new InputError(`${what} is not set up here: run \`${command}\`.`);
  }
  const folder = runtimeFolder(build, project);
  return {
    build,
    version: TENSORFLOW_VERSION,
    folder,
    libraryFolder: join(folder, "tensorflow"),
    addonPath: addonPath(project),
  };
}

function readTextOrNull(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw error;
  }
}

function sizeOrNull(path: string): number | null {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw error;
  }
}
