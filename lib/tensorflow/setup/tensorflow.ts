import { join } from "@std/path";
import { InputError } from "../../support/errors.ts";
import {
  type DeviceChoice,
  findRuntime,
  isAddonBuilt,
  isAddonReady,
  isInstalled,
  isRuntimeReady,
  projectFolder,
  type Runtime,
  type RuntimeBuild,
  runtimeFolder,
} from "../runtime/runtime.ts";
import { buildAddon, placeAddon } from "./addon.ts";
import { findGpu } from "./gpu.ts";
import { installLibraries } from "./libraries.ts";
import { ensureNodeModules } from "./node_modules.ts";
import type { SetupReporter } from "./reporter.ts";
import { type SetupOptions, withWorkplace, type Workplace } from "./workplace.ts";

/** Options of {@linkcode ensureTensorFlow}. */
export interface EnsureTensorFlowOptions {
  /** What is to compute. `auto` takes what is installed; where nothing is, the CUDA build if a GPU answers. @default "auto" */
  device?: DeviceChoice;
  /** Install the CUDA build even where no GPU answers, as for a container made elsewhere. @default false */
  withoutGpu?: boolean;
  /** @default standard error, line by line */
  reporter?: SetupReporter;
  /** The project's top folder. @default this one */
  project?: string;
}

/**
 * Makes sure that TensorFlow's libraries and the addon are installed and fit together; installs what is missing.
 *
 * Where all is there it takes about a millisecond.
 *
 * @throws {InputError} If something cannot be installed, or `gpu` is wanted and there is none.
 * @throws {Interrupted} If the user stops it.
 *
 * @example
 * ```ts ignore
 * const { build, version } = await ensureTensorFlow({ device: "auto" });
 * ```
 */
export async function ensureTensorFlow(options: EnsureTensorFlowOptions = {}): Promise<Runtime> {
  const { device = "auto", withoutGpu = false, project = projectFolder(), reporter } = options;
  const build = installedBuild(device, project) ?? await chooseBuild(device, withoutGpu);
  if (isReady(build, project)) return findRuntime(device, project);
  if (Deno.build.os !== "linux") {
    throw new InputError(
      `TensorFlow can be set up on Linux only, not on ${Deno.build.os}: use a Linux machine or WSL.`,
    );
  }
  await setUp(build, { project, reporter });
  return findRuntime(device, project);
}

/** The installed build that serves the device, or `null`. The CUDA build serves the CPU too. */
function installedBuild(device: DeviceChoice, project: string): RuntimeBuild | null {
  if (isRuntimeReady("gpu", project)) return "gpu";
  return device !== "gpu" && isRuntimeReady("cpu", project) ? "cpu" : null;
}

async function chooseBuild(device: DeviceChoice, withoutGpu: boolean): Promise<RuntimeBuild> {
  if (device === "cpu") return "cpu";
  if (device === "auto") return await findGpu() === null ? "cpu" : "gpu";
  if (Deno.build.arch !== "x86_64") {
    throw new InputError(
      `TensorFlow's CUDA build is for x86-64 only, not for ${Deno.build.arch}: use --device cpu.`,
    );
  }
  if (!withoutGpu && await findGpu() === null) {
    throw new InputError(
      "No NVIDIA GPU answers here, so --device gpu cannot be used: check that `nvidia-smi` lists one, or use --device cpu.",
    );
  }
  return "gpu";
}

function isReady(build: RuntimeBuild, project: string): boolean {
  const isCovered = build === "cpu" && isInstalled("gpu", project);
  return isRuntimeReady(build, project) && !isCovered && isAddonReady(project);
}

async function setUp(build: RuntimeBuild, options: SetupOptions): Promise<void> {
  const { project } = options;
  await withWorkplace(options, async (place) => {
    if (!isRuntimeReady(build, project)) await installLibraries(build, place);
    await removeOther(build, place);
    await ensureNodeModules(place);
    if (isAddonReady(project)) return;
    if (isAddonBuilt(project)) await placeAddon(project);
    else await buildAddon(build, place);
  });
}

/** One build is enough: the CUDA build computes on the CPU too, and the addon would take an outdated one before a good CPU build. */
async function removeOther(build: RuntimeBuild, { project, staging }: Workplace): Promise<void> {
  const other = build === "gpu" ? "cpu" : "gpu";
  if (isInstalled(other, project)) {
    await Deno.rename(runtimeFolder(other, project), join(staging, `old-${other}`));
  }
}
