import { join } from "@std/path";
import { writeFileAtomically } from "../../lib/support/files.ts";
import { ensurePythonPackages, type EnsurePythonPackagesOptions } from "../../lib/setup/setup.ts";
import { projectFolder } from "../../lib/support/project.ts";

/** Jupyter in the project's own environment. */
export interface Jupyter {
  /** Its Python: programs are called as modules. */
  python: string;
  /** Environment variables that keep all that Jupyter reads and writes inside the project. */
  env: Record<string, string>;
}

/**
 * Makes sure that JupyterLab and the kernel `deno` are in `.venv`. Nothing goes to the user's home, and nothing is read from there: the
 * notebooks run alike for everybody.
 *
 * @throws {InputError} If the packages cannot be installed.
 */
export async function ensureJupyter(
  options: Omit<EnsurePythonPackagesOptions, "project"> = {},
): Promise<Jupyter> {
  const { python } = await ensurePythonPackages("lab", options);
  const home = join(projectFolder(), ".venv", "jupyter");
  await installKernel(join(home, "data"));
  await keepQuiet();
  return {
    python,
    env: {
      JUPYTER_DATA_DIR: join(home, "data"),
      JUPYTER_CONFIG_DIR: join(home, "config"),
      JUPYTER_RUNTIME_DIR: join(home, "runtime"),
      JUPYTER_PLATFORM_DIRS: "1",
      IPYTHONDIR: join(home, "ipython"),
    },
  };
}

/** As `deno jupyter --install` does it, which knows the user's home only. Written anew each time: the project may have been moved. */
async function installKernel(dataFolder: string): Promise<void> {
  const folder = join(dataFolder, "kernels", "deno");
  await Deno.mkdir(folder, { recursive: true });
  const kernel = {
    argv: [Deno.execPath(), "jupyter", "--kernel", "--conn", "{connection_file}"],
    display_name: "Deno",
    language: "typescript",
  };
  writeFileAtomically(
    join(folder, "kernel.json"),
    new TextEncoder().encode(JSON.stringify(kernel, null, 2) + "\n"),
  );
}

/** JupyterLab asks at its first start whether it may fetch news; the project works offline. */
async function keepQuiet(): Promise<void> {
  const folder = join(projectFolder(), ".venv", "share", "jupyter", "lab", "settings");
  await Deno.mkdir(folder, { recursive: true });
  const settings = {
    "@jupyterlab/apputils-extension:notification": { fetchNews: "false", checkForUpdates: false },
  };
  writeFileAtomically(
    join(folder, "overrides.json"),
    new TextEncoder().encode(JSON.stringify(settings, null, 2) + "\n"),
  );
}
