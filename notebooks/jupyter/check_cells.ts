import { basename, join } from "@std/path";
import { startProcess } from "../../lib/support/processes.ts";
import { projectFolder } from "../../lib/support/project.ts";
import { codeCells, readNotebook, sourceOf } from "./notebook_file.ts";

/**
 * Type-checks the code cells of notebooks with the project's settings, which Jupyter does not do: each
 * notebook's cells are concatenated into a module for `deno check`.
 *
 * @returns The type errors with notebook, cell and line; `""` if there are none.
 */
export async function checkCells(paths: readonly string[]): Promise<string> {
  // beside the notebooks, so that relative imports resolve; a folder of its own would not be
  const prefix = join(projectFolder(), "notebooks", `.cells-${crypto.randomUUID()}-`);
  const modules: string[] = [];
  try {
    const origins = new Map<string, string[]>();
    for (const path of paths) {
      const { code, origin } = toModule(path);
      const module = `${prefix}${basename(path, ".ipynb")}.ts`;
      modules.push(module);
      origins.set(basename(module), origin);
      await Deno.writeTextFile(module, code);
    }
    const check = await startProcess(Deno.execPath(), ["check", "--quiet", ...modules], {
      cwd: projectFolder(),
      env: { NO_COLOR: "1" },
    });
    const { code, stderr } = await check.ended;
    return code === 0 ? "" : nameCells(stderr, origins);
  } finally {
    for (const module of modules) await Deno.remove(module);
  }
}

/** A notebook's code as a module, and for each line of it the cell it is from. */
function toModule(path: string): { code: string; origin: string[] } {
  const lines = ["export {};"];
  const origin = [""];
  for (const { cell, number } of codeCells(readNotebook(path))) {
    for (const [index, line] of sourceOf(cell).split("\n").entries()) {
      lines.push(line);
      origin.push(`${basename(path)}, cell ${number} (${cell.id}), line ${index + 1}`);
    }
  }
  return { code: lines.join("\n") + "\n", origin };
}

/** Maps positions in the modules to positions in the notebooks. */
function nameCells(report: string, origins: ReadonlyMap<string, string[]>): string {
  return report.replace(
    /(?:file:\/\/)?[^\s()]*\/(\.cells-[^/:\s]+\.ts):(\d+):\d+/g,
    (place, name, line) => origins.get(name)?.[Number(line) - 1] ?? place,
  );
}
