import { join } from "node:path";
import { TensorFlowError } from "../errors.ts";
import {
  type Build,
  buildStamp,
  type DeviceChoice,
  findInstallation,
  hasBuild,
  type Installation,
  isAddonReady,
  isBuildReady,
  markFinished,
  requirementsFile,
  TENSORFLOW_VERSION,
  tensorflowFolder,
} from "../runtime/installation.ts";
import { buildAddon } from "./addon.ts";
import { replaceFolder, type SetupContext, type SetupOptions, withSetup } from "./context.ts";
import { fetchFiles } from "./python.ts";

/** Options of {@linkcode installTensorFlow}. */
export interface InstallOptions extends Partial<SetupOptions> {
  /** Device to install for. If nothing is installed, `auto` chooses the CUDA build if a GPU answers.
   * @default "auto" */
  device?: DeviceChoice;
  /** Install the CUDA build even where no GPU answers, as for a container made elsewhere. @default false */
  withoutGpu?: boolean;
}

/** Files to keep: libraries, headers of the C interface, all that NVIDIA's libraries use, licences. */
const WANTED = new RegExp(
  [
    String.raw`^tensorflow/libtensorflow_(cc|framework)\.so\.\d+$`,
    String.raw`^tensorflow/include/tensorflow/c/.*\.h$`,
    String.raw`^tensorflow/include/(tensorflow/core|tsl)/platform/ctstring[^/]*\.h$`,
    String.raw`^tensorflow/include/xla/tsl/c/.*\.h$`,
    String.raw`^tensorflow/(THIRD_PARTY_NOTICES\.txt|include/LICENSE)$`,
    String.raw`^nvidia/(?!.*/include/)(?!.*\.(a|py)$)`,
    String.raw`^[^/]+\.dist-info/(METADATA$|.*(LICEN[CS]E|License|NOTICE))`,
  ].join("|"),
);

/**
 * Makes sure that TensorFlow's libraries and the addon are installed and fit together; installs what is
 * missing. Needs Linux, a Python with pip, and a C++ compiler or the network to fetch one.
 *
 * Takes about a millisecond if everything is installed. Wheels come by pip, with its cache, mirrors and
 * proxies.
 *
 * @throws {TensorFlowError} `unsupported-platform`, `no-gpu` or `install-failed`.
 * @throws {SetupInterrupted} If the user stops it.
 */
export async function installTensorFlow(options: InstallOptions = {}): Promise<Installation> {
  const { device = "auto", withoutGpu = false, folder = tensorflowFolder(), ...setup } = options;
  const build = installedBuild(device, folder) ?? await chooseBuild(device, withoutGpu);
  if (isReady(build, folder)) return findInstallation(device, folder);
  if (Deno.build.os !== "linux") {
    throw new TensorFlowError({
      code: "unsupported-platform",
      what: "install TensorFlow",
      why: `it can be installed on Linux only, not on ${Deno.build.os}`,
      advice: "use a Linux machine or WSL",
    });
  }
  await withSetup({ ...setup, folder }, async (context) => {
    if (!isBuildReady(build, folder)) await installLibraries(build, context);
    await removeOther(build, context);
    if (!isAddonReady(folder)) await buildAddon(build, context);
  });
  return findInstallation(device, folder);
}

/** The installed build that serves the device, or `null`. The CUDA build serves the CPU too. */
function installedBuild(device: DeviceChoice, folder: string): Build | null {
  if (isBuildReady("gpu", folder)) return "gpu";
  return device !== "gpu" && isBuildReady("cpu", folder) ? "cpu" : null;
}

async function chooseBuild(device: DeviceChoice, withoutGpu: boolean): Promise<Build> {
  if (device === "cpu") return "cpu";
  if (device === "auto") return await findGpu() === null ? "cpu" : "gpu";
  if (Deno.build.arch !== "x86_64") {
    throw new TensorFlowError({
      code: "unsupported-platform",
      what: "install TensorFlow's CUDA build",
      why: `it is for x86-64 only, not for ${Deno.build.arch}`,
      advice: "compute on the CPU",
    });
  }
  if (!withoutGpu && await findGpu() === null) {
    throw new TensorFlowError({
      code: "no-gpu",
      what: "compute on a GPU",
      why: "no NVIDIA GPU answers here",
      advice: "check that `nvidia-smi` lists one",
    });
  }
  return "gpu";
}

function isReady(build: Build, folder: string): boolean {
  const isCovered = build === "cpu" && hasBuild("gpu", folder);
  return isBuildReady(build, folder) && !isCovered && isAddonReady(folder);
}

async function installLibraries(build: Build, context: SetupContext): Promise<void> {
  const { folder, reporter, staging } = context;
  const [variant, size] = build === "gpu"
    ? ["with CUDA", "3 GB, 5 on disk"]
    : ["for the CPU", "0.3 GB, 0.9 on disk"];
  const name = `TensorFlow ${TENSORFLOW_VERSION} ${variant}`;
  reporter.line(`Fetching ${name} (once; ${size}) …`);
  const unpacked = join(staging, build);
  const requirements = requirementsFile(build);
  await fetchFiles({ requirements, folder: unpacked, wanted: WANTED, name }, context);
  markFinished(unpacked, buildStamp(build));
  await replaceFolder(unpacked, join(folder, build), context);
}

/** Removes the other build: CUDA's computes on the CPU too, and the addon would load it first. */
async function removeOther(build: Build, { folder, staging }: SetupContext): Promise<void> {
  const other = build === "gpu" ? "cpu" : "gpu";
  if (hasBuild(other, folder)) await Deno.rename(join(folder, other), join(staging, `old-${other}`));
}

/** Asks NVIDIA's driver for its first GPU; returns its name, or null if there is no driver or no GPU. */
export async function findGpu(): Promise<string | null> {
  const { execa } = await import("execa");
  const timeout = 20_000; // a faulty driver may hang
  const options = { reject: false, stdin: "ignore", timeout, cleanup: false } as const;
  const { failed, stdout } = await execa("nvidia-smi", ["--list-gpus"], options);
  return failed ? null : /^GPU \d+: (.+?)(?: \(UUID.*)?$/m.exec(stdout)?.[1] ?? null;
}
