import { basename, join } from "@std/path";
import { projectFolder } from "../tensorflow/runtime.ts";
import { codeCells, readNotebook, sourceOf } from "./notebook_file.ts";

/**
 * Type-checks the code cells of notebooks with the project's settings, which Jupyter does not do: each notebook's cells are put together
 * as a module for `deno check`.
 *
 * @returns What is wrong, with notebook, cell and line; `""` where nothing is.
 */
export async function checkCells(paths: readonly string[]): Promise<string> {
  // a neighbour of the notebooks' folder, so that relative imports mean the same
  const folder = await Deno.makeTempDir({ dir: projectFolder(), prefix: ".cells-" });
  try {
    const modules: string[] = [];
    const origins = new Map<string, string[]>();
    for (const path of paths) {
      const { code, origin } = await toModule(path);
      const name = `${basename(path, ".ipynb")}.ts`;
      modules.push(join(folder, name));
      origins.set(name, origin);
      await Deno.writeTextFile(join(folder, name), code);
    }
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", ...modules],
      cwd: projectFolder(),
      env: { NO_COLOR: "1" },
      stdout: "null",
      stderr: "piped",
    }).output();
    return success ? "" : nameCells(new TextDecoder().decode(stderr), origins);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A notebook's code as a module, and for each line of it the cell it is from. */
async function toModule(path: string): Promise<{ code: string; origin: string[] }> {
  const lines = ["export {};"];
  const origin = [""];
  for (const { cell, number } of codeCells(await readNotebook(path))) {
    for (const [index, line] of sourceOf(cell).split("\n").entries()) {
      lines.push(line);
      origin.push(`${basename(path)}, cell ${number} (${cell.id}), line ${index + 1}`);
    }
  }
  return { code: lines.join("\n") + "\n", origin };
}

/** Turns places in the modules into places in the notebooks. */
function nameCells(report: string, origins: ReadonlyMap<string, string[]>): string {
  return report.replace(
    /(?:file:\/\/)?[^\s()]*\.cells-[^/]+\/([^/:\s]+\.ts):(\d+):\d+/g,
    (place, name, line) => origins.get(name)?.[Number(line) - 1] ?? place,
  );
}
