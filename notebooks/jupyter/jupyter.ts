import { join } from "@std/path";
import { writeText } from "../../lib/support/write_files.ts";
import { ensurePythonPackages, type EnsurePythonPackagesOptions } from "../../lib/setup.ts";
import { projectFolder } from "../../lib/support/project.ts";

/** Jupyter in the project's own environment. */
export interface Jupyter {
  /** Its Python interpreter; programs are called as modules. */
  python: string;
  /** The whole environment of its processes: Jupyter reads and writes inside the project alone. */
  env: Record<string, string>;
}

/** Environment variables of other installations that would change imports, packages or configuration. */
const FOREIGN = /^(JUPYTER|IPYTHON|PYTHON|PIP_|VIRTUAL_ENV)/;

/**
 * Installs JupyterLab and the kernel `deno` in `.venv` where they are missing. Nothing is written to the
 * user's home or read from there.
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
      ...Object.fromEntries(Object.entries(Deno.env.toObject()).filter(([name]) => !FOREIGN.test(name))),
      PYTHONNOUSERSITE: "1",
      JUPYTER_DATA_DIR: join(home, "data"),
      JUPYTER_CONFIG_DIR: join(home, "config"),
      JUPYTER_RUNTIME_DIR: join(home, "runtime"),
      JUPYTER_PLATFORM_DIRS: "1",
      IPYTHONDIR: join(home, "ipython"),
    },
  };
}

/**
 * Installs the kernel as `deno jupyter --install` does, but into the project instead of the user's home.
 * Rewritten each time, since the project may have been moved.
 *
 * The kernelspec does not set `"interrupt_mode": "message"`. Tried in Deno 2.9.8: on ■ the kernel then
 * terminates the running JavaScript, which is right for a loop without awaits (its state is kept); but a cell
 * that awaits, as every training does, is left with a promise that never resolves, saves nothing, and the
 * kernel no longer answers. By signal, the default, an unprepared kernel ends (denoland/deno#24491);
 * `openNotebook` therefore listens for it.
 */
async function installKernel(dataFolder: string): Promise<void> {
  const folder = join(dataFolder, "kernels", "deno");
  await Deno.mkdir(folder, { recursive: true });
  const argv = [Deno.execPath(), "jupyter", "--kernel", "--conn", "{connection_file}"];
  writeJson(join(folder, "kernel.json"), { argv, display_name: "Deno", language: "typescript" });
}

/** JupyterLab asks at its first start whether it may fetch news; the project works offline. */
async function keepQuiet(): Promise<void> {
  const folder = join(projectFolder(), ".venv", "share", "jupyter", "lab", "settings");
  await Deno.mkdir(folder, { recursive: true });
  const quiet = { fetchNews: "false", checkForUpdates: false };
  writeJson(join(folder, "overrides.json"), { "@jupyterlab/apputils-extension:notification": quiet });
}

function writeJson(path: string, value: unknown): void {
  writeText(path, JSON.stringify(value, null, 2) + "\n");
}
