import { join } from "node:path";
import { packagePath } from "../runtime/installation.ts";
import type { SetupContext } from "./context.ts";
import { explainFailure, runProgram, withProgress } from "./program.ts";

/** pip's command to fetch files only, independent of the system's Python. */
const DOWNLOAD =
  "download --progress-bar off --require-hashes --no-deps --only-binary=:all: --python-version 3.12 --implementation cp";

/** Platform tags of the packages' builds, newest first. */
const PLATFORMS = ["manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014"];

/** Path of the Python in an environment. */
export function venvPython(venv: string): string {
  return join(venv, "bin", "python");
}

const INSTALL_PYTHON =
  "install Python 3.8 or newer with pip (Debian, Ubuntu: apt install python3-venv; Fedora: dnf install python3-pip)";

/**
 * Creates the Python environment with a working pip, if it does not exist.
 *
 * @returns Its Python.
 * @throws {TensorFlowError} `install-failed`: no Python can make one.
 */
export async function ensureVenv(context: SetupContext): Promise<string> {
  const { venv, log } = context;
  const args = [packagePath("setup/venv.sh"), venv, log.path];
  const { outcome, output } = await runProgram({ command: "sh", args }, context);
  if (outcome === "done") return venvPython(venv);
  const failure = { what: `make a Python environment in ${venv}`, program: "Python", output };
  throw explainFailure({ ...failure, advice: INSTALL_PYTHON }, context);
}

/** Packages to fetch. */
export interface PackageRequest {
  /** Path of their requirements file. */
  requirements: string;
  /** Names the packages in messages: "PyTorch". */
  name: string;
  /** Install only files whose hashes the requirements file lists. @default true */
  hashes?: boolean;
  /** Advice if they cannot be fetched. @default chosen by pip's output */
  advice?: string;
}

/**
 * Puts files of packages into `folder`, without their dependencies and independent of the system's
 * Python: none of their code is run.
 *
 * @param wanted Selects files by their path in the package; Python reads the expression too.
 * @throws {TensorFlowError} `install-failed`.
 */
export async function fetchFiles(
  request: PackageRequest & { folder: string; wanted: RegExp },
  context: SetupContext,
): Promise<void> {
  const wheels = join(context.staging, "wheels");
  const platforms = PLATFORMS.flatMap((name) => ["--platform", `${name}_${Deno.build.arch}`]);
  await ensureVenv(context);
  const download = [...DOWNLOAD.split(" "), ...platforms, "--dest", wheels, "-r", request.requirements];
  await runPython("run_pip.py", download, request, context);
  await runPython("unpack.py", [wheels, request.folder, request.wanted.source], request, context);
}

/**
 * Installs packages and their dependencies into the environment of a set-up.
 *
 * @throws {TensorFlowError} `install-failed`.
 *
 * @example
 * ```ts ignore
 * await withSetup({ folder: ".tensorflow", venv: ".venv" }, async (context) => {
 *   const python = await ensureVenv(context);
 *   await installPackages({ requirements: "requirements.txt", name: "JupyterLab" }, context);
 * });
 * ```
 */
export async function installPackages(request: PackageRequest, context: SetupContext): Promise<void> {
  const { requirements, hashes = true } = request;
  const install = ["install", "--progress-bar", "off", "--only-binary=:all:", "-r", requirements];
  await runPython("run_pip.py", [...install, ...hashes ? ["--require-hashes"] : []], request, context);
}

/** Tells whether the packages of a requirements file are in the environment, with all their files. */
export async function hasPackages(venv: string, requirements: string): Promise<boolean> {
  const { execa } = await import("execa");
  const script = packagePath("setup/check_packages.py");
  const { failed } = await execa(venvPython(venv), ["-I", script, "-r", requirements], {
    stdin: "ignore",
    reject: false,
    cleanup: false,
  });
  return !failed;
}

async function runPython(
  script: string,
  args: string[],
  { name, advice }: PackageRequest,
  context: SetupContext,
): Promise<void> {
  // pip unpacks here: the system's temporary folder is often too small for several GB
  const temporary = join(context.staging, "pip");
  await Deno.mkdir(temporary, { recursive: true });
  const progress = createPipProgress(temporary);
  const command = venvPython(context.venv);
  const program = { command, args: [packagePath(`setup/${script}`), ...args], env: { TMPDIR: temporary } };
  const run = () => runProgram(program, context, progress.read);
  const { outcome, output } = await withProgress(context, progress.state, run);
  if (outcome !== "done") {
    throw explainFailure({ what: `install ${name}`, program: "pip", output, advice }, context);
  }
}

/** Follows the output of pip and unpack.py, and the size of a download in its temporary folder. */
export function createPipProgress(temporary: string): { read(line: string): void; state(): string } {
  let task = "asking the package index";
  let file = "";
  return {
    read(line) {
      const fetching = /^\s*(?:Downloading|Using cached) (\S+?)(?: \((.+)\))?$/.exec(line);
      if (fetching !== null) {
        file = decodeURIComponent(fetching[1].split("/").at(-1)!);
        const size = fetching[2] === undefined ? "" : ` of ${fetching[2]}`;
        task = `${file.split("-").slice(0, 2).join(" ")}:${size}`;
      } else if (/^unpacking /.test(line)) {
        [task, file] = [line, ""];
      } else if (/^Installing collected packages/.test(line)) {
        [task, file] = ["unpacking", ""];
      }
    },
    state() {
      if (file === "") return task;
      const megabytes = (sizeOfDownload(temporary, file) / 1e6).toFixed(1);
      return task.replace(": of", `: ${megabytes} of`);
    },
  };
}

function sizeOfDownload(temporary: string, file: string): number {
  for (const { name } of Deno.readDirSync(temporary)) {
    if (!name.startsWith("pip-unpack-")) continue;
    try {
      return Deno.statSync(join(temporary, name, file)).size;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return 0;
}
