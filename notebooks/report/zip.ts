import { join } from "@std/path";
import { type Zippable, zipSync } from "fflate";
import { InputError } from "../../lib/support/errors.ts";
import { statOrNull } from "../../lib/support/files.ts";
import { startProcess } from "../../lib/support/processes.ts";

/** Files that make up a project: code, tests, notebooks and results. */
export interface ProjectFiles {
  /** Relative to the project, sorted. */
  paths: string[];
  /** Files that git neither tracks nor ignores: left out of the zip, and named to the user. */
  untracked: string[];
}

/**
 * Lists the files that git tracks or, without a repository of the project's own, all but data, environments,
 * checkpoints and build products.
 *
 * @param project The top folder.
 * @param options With `checkpoints`, the checkpoints of all runs are added to the published one. @default
 * {{checkpoints: false}}
 */
export async function collectFiles(
  project: string,
  { checkpoints = false }: { checkpoints?: boolean } = {},
): Promise<ProjectFiles> {
  const { paths, untracked } = await listTracked(project) ??
    { paths: walk(project, "").filter(isPartOfProject), untracked: [] };
  const runs = checkpoints
    ? walk(project, "checkpoints").filter((path) =>
      !paths.includes(path) && !/(^|\/)\.lock$|\.tmp$/.test(path)
    )
    : [];
  return { paths: [...paths, ...runs].sort(), untracked };
}

async function listTracked(project: string): Promise<ProjectFiles | null> {
  // a project unpacked inside another repository is not tracked by that one
  const top = await git(project, "rev-parse", "--show-toplevel");
  if (top === null || await Deno.realPath(top.trim()) !== await Deno.realPath(project)) return null;
  const list = async (...options: string[]) =>
    ((await git(project, "ls-files", "-z", ...options)) ?? "").split("\0").filter((path) => path !== "");
  // a deleted file stays tracked until that is committed
  const paths = (await list("--cached")).filter((path) => statOrNull(join(project, path))?.isFile);
  return { paths: [...new Set(paths)], untracked: (await list("--others", "--exclude-standard")).sort() };
}

/** Runs git; null without git or without a repository. */
async function git(project: string, ...args: string[]): Promise<string | null> {
  try {
    const { code, stdout } = await (await startProcess("git", args, { cwd: project })).ended;
    return code === 0 ? stdout : null;
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

const BUILD_PRODUCTS =
  /^(\.git|\.venv|\.tensorflow|node_modules|dist|__pycache__|\.ipynb_checkpoints|\.cells-.*|Lab_4_.*\.(pdf|zip))$/;

function walk(project: string, folder: string): string[] {
  return [...Deno.readDirSync(join(project, folder))].flatMap(({ name, isDirectory, isFile }) => {
    const path = join(folder, name);
    if (BUILD_PRODUCTS.test(name)) return [];
    return isDirectory ? walk(project, path) : isFile ? [path] : [];
  });
}

/** Of `data` and `checkpoints` only the READMEs and the published model are the project's. */
function isPartOfProject(path: string): boolean {
  const [top, next] = path.split("/");
  return top === "checkpoints"
    ? next === "README.md" || next === "published"
    : top !== "data" || next === "README.md";
}

/** A file to zip: a path in the project, or its content. */
export type ZipEntry = { path: string; bytes?: Uint8Array };

const UNIX = 3;
const REGULAR_FILE = 0o100000;

/** The zip format's earliest date. */
const EARLIEST = new Date(1980, 0, 1);

/**
 * Zips files of a project below one folder, sorted and with one date, so that the same files give the same
 * bytes.
 *
 * @param top The folder in the zip.
 */
export async function zipFiles(
  project: string,
  top: string,
  entries: readonly ZipEntry[],
  date: Date | null,
): Promise<Uint8Array<ArrayBuffer>> {
  const tree: Zippable = {};
  // zip files know no time zone: local noon of the UTC day is the same everywhere
  const mtime = date === null
    ? EARLIEST
    : new Date(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate(), 12);
  for (const { path, bytes } of entries.toSorted((one, other) => one.path < other.path ? -1 : 1)) {
    const file = join(project, path);
    // ./deno must stay executable
    const mode = bytes === undefined && ((Deno.statSync(file).mode ?? 0) & 0o100) !== 0 ? 0o755 : 0o644;
    const content = bytes ?? await Deno.readFile(file);
    tree[`${top}/${path}`] = [content, { mtime, os: UNIX, attrs: (REGULAR_FILE | mode) << 16 >>> 0 }];
  }
  return zipSync(tree, { level: 9 }) as Uint8Array<ArrayBuffer>;
}
