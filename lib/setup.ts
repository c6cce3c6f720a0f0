/**
 * Installs the project's native dependencies: TensorFlow into `.tensorflow`, Python packages into `.venv`.
 */
import { join } from "@std/path";
import { projectFolder } from "./support/project.ts";
import {
  ensureVenv,
  hasPackages,
  type Installation,
  type InstallOptions,
  installPackages,
  installTensorFlow,
  type SetupReporter,
  tensorflowFolder,
  venvPython,
  withSetup,
} from "./tensorflow/setup/mod.ts";

/** Makes sure that TensorFlow is installed in the project; see {@linkcode installTensorFlow}. */
export async function ensureTensorFlow(
  options: Pick<InstallOptions, "device" | "withoutGpu" | "reporter"> = {},
): Promise<Installation> {
  const project = projectFolder();
  return await installTensorFlow({
    ...options,
    folder: tensorflowFolder(project),
    venv: join(project, ".venv"),
  });
}

/** A set of Python packages, named as its file in `requirements/`. */
export type PackageSet = "lab" | "report" | "bench";

export interface EnsurePythonPackagesOptions {
  /** @default standard error, line by line */
  reporter?: SetupReporter;
  /** Top folder of the project. @default this one */
  project?: string;
}

/** A Python environment with the packages. */
export interface PythonPackages {
  /** Its Python. Call programs as modules, `python -m nbconvert`: its scripts break when it is moved. */
  python: string;
}

/** The packages' names, for messages. */
const NAMES: Record<PackageSet, string> = {
  lab: "JupyterLab and nbconvert",
  report: "pandoc and typst",
  bench: "PyTorch",
};

/**
 * Makes sure that the packages of `requirements/<name>.txt` are in `.venv`; creates it and installs them
 * if they are missing or have lost files.
 *
 * Takes a tenth of a second if they are installed.
 *
 * @throws {TensorFlowError} If they cannot be installed.
 * @throws {SetupInterrupted} If the user stops it.
 */
export async function ensurePythonPackages(
  name: PackageSet,
  options: EnsurePythonPackagesOptions = {},
): Promise<PythonPackages> {
  const { project = projectFolder(), reporter } = options;
  const requirements = join(project, "requirements", `${name}.txt`);
  const venv = join(project, ".venv");
  const python = venvPython(venv);
  if (await hasPackages(venv, requirements)) return { python };
  await withSetup({ folder: tensorflowFolder(project), venv, reporter }, async (context) => {
    if (await hasPackages(venv, requirements)) return; // installed by the other process meanwhile
    context.reporter.line(`Fetching ${NAMES[name]} (once) …`);
    await ensureVenv(context);
    await installPackages({ requirements, name: NAMES[name], hashes: name !== "bench" }, context);
  });
  return { python };
}
