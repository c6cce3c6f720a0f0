import { basename, join } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
import { projectFolder } from "../../lib/support/project.ts";

/**
 * Finds notebooks by what their names begin with, in their order: `02`, `2` or `02_train`.
 *
 * @param wanted None means all.
 * @throws {InputError} If there is none of a name.
 */
export function listNotebooks(
  wanted: readonly string[] = [],
  folder: string = join(projectFolder(), "notebooks"),
): string[] {
  const all = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
    /^\d\d_.*\.ipynb$/.test(name)
  )
    .sort();
  if (wanted.length === 0) return all.map((name) => join(folder, name));
  const chosen = wanted.map((text) => {
    const start = basename(text).replace(/^(\d)(?=_|$)/, "0$1");
    const found = all.find((name) => name.startsWith(start));
    if (found !== undefined) return found;
    throw new InputError(`Cannot find a notebook ${text}: there are ${all.join(", ")}.`);
  });
  return all.filter((name) => chosen.includes(name)).map((name) => join(folder, name));
}
