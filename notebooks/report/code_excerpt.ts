import { join } from "@std/path";
import { projectFolder } from "../../lib/support/project.ts";

/**
 * The source of a module's functions as it stands there, without what documents them.
 *
 * @param file Relative to the project.
 * @throws {RangeError} If one is not there.
 */
export function readFunctions(file: string, names: readonly string[]): string {
  const source = Deno.readTextFileSync(join(projectFolder(), file));
  return names.map((name) => {
    const found = new RegExp(`^export (?:async )?function ${name}\\b[^]*?^}$`, "m").exec(source);
    if (found === null) throw new RangeError(`${file} has no function ${name}.`);
    return found[0].replace(/^export /, "");
  }).join("\n\n");
}
