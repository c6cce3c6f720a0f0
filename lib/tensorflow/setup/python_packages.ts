import { join } from "@std/path";
import { projectFolder } from "../runtime/runtime.ts";
import { ensureVenv, installPackages } from "./pip.ts";
import type { SetupReporter } from "./reporter.ts";
import { withWorkplace } from "./workplace.ts";

/** A set of Python packages: JupyterLab and nbconvert, pandoc and typst, or what the bench compares with. */
export type PackageSet = "lab" | "report" | "bench";

/** Options of {@linkcode ensurePythonPackages}. */
export interface EnsurePythonPackagesOptions {
  /** @default standard error, line by line */
  reporter?: SetupReporter;
  /** The project's top folder. @default this one */
  project?: string;
}

/** Where the packages are. */
export interface PythonPackages {
  /**
   * The Python that has them. Call programs as modules, `python -m nbconvert`: the scripts in its folder hold the path they were made
   * at, and a moved project breaks them.
   */
  python: string;
}

/** What is fetched, for messages. */
const NAMES: Record<PackageSet, string> = {
  lab: "JupyterLab and nbconvert",
  report: "pandoc and typst",
  bench: "PyTorch",
};

/**
 * Makes sure that the packages of `requirements/<name>.txt` are in `.venv`; makes it, and installs them, where they are missing.
 *
 * Where all is there it takes about a millisecond.
 *
 * @throws {InputError} If they cannot be installed.
 * @throws {Interrupted} If the user stops it.
 *
 * @example
 * ```ts ignore
 * const { python } = await ensurePythonPackages("lab");
 * await new Deno.Command(python, { args: ["-m", "nbconvert", "--version"] }).spawn().status;
 * ```
 */
export async function ensurePythonPackages(
  name: PackageSet,
  options: EnsurePythonPackagesOptions = {},
): Promise<PythonPackages> {
  const { project = projectFolder(), reporter } = options;
  const requirements = join(project, "requirements", `${name}.txt`);
  const stampPath = join(project, ".venv", `.${name}.txt`);
  const python = join(project, ".venv", "bin", "python");
  const isReady = async () => {
    const stamp = await makeStamp(python, requirements);
    return stamp !== null && stamp === await readOrNull(stampPath);
  };
  if (await isReady()) return { python };
  await withWorkplace({ project, reporter }, async (place) => {
    if (await isReady()) return; // by the set-up that was waited for
    place.reporter.line(`Fetching ${NAMES[name]} (once) …`);
    await ensureVenv(place);
    await installPackages({ python, requirements, what: NAMES[name] }, place);
    await Deno.writeTextFile(stampPath, (await makeStamp(python, requirements))!);
  });
  return { python };
}

/** What the packages were installed for: the pins, and the machine's own Python, whose upgrade leaves an environment empty. */
async function makeStamp(python: string, requirements: string): Promise<string | null> {
  try {
    return `${await Deno.realPath(python)}\n${await Deno.readTextFile(requirements)}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null; // no environment yet
    throw error;
  }
}

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
