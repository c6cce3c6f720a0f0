import { basename, join } from "@std/path";

/** Options of {@linkcode collectFiles}. */
export interface CollectOptions {
  /** Add the checkpoints of all runs, not the published one alone. @default {false} */
  checkpoints?: boolean;
}

/** The files of a project that make it: its code, tests, notebooks and results. */
export interface ProjectFiles {
  /** Relative to the project, sorted. */
  paths: string[];
  /** Files that git neither knows nor ignores: probably somebody's, so they are left out and named. */
  left: string[];
}

/**
 * Lists the files that git tracks, or, in a project without git, all but data, environments, checkpoints and what is made anew.
 *
 * @param project Its top folder.
 */
export async function collectFiles(
  project: string,
  { checkpoints = false }: CollectOptions = {},
): Promise<ProjectFiles> {
  const tracked = await listTracked(project);
  const { paths, left } = tracked ?? { paths: walk(project, "").filter(isOfProject), left: [] };
  const runs = checkpoints
    ? walk(project, "checkpoints").filter((path) => !paths.includes(path) && isOfRun(path))
    : [];
  return { paths: [...paths, ...runs].sort(), left };
}

async function listTracked(project: string): Promise<ProjectFiles | null> {
  // a project unpacked within somebody's repository is not what that one tracks
  const top = await askGit(project, "rev-parse", "--show-toplevel");
  if (top === null || await Deno.realPath(top.trim()) !== await Deno.realPath(project)) return null;
  const list = async (...options: string[]) =>
    ((await askGit(project, "ls-files", "-z", ...options)) ?? "").split("\0").filter((path) => path !== "");
  const paths = (await list("--cached")).filter((path) => isFile(join(project, path)));
  return { paths: [...new Set(paths)], left: (await list("--others", "--exclude-standard")).sort() };
}

/** What git answers; null where there is no git, or no repository. */
async function askGit(project: string, ...args: string[]): Promise<string | null> {
  try {
    const { success, stdout } = await new Deno.Command("git", { args, cwd: project, stderr: "null" })
      .output();
    return success ? new TextDecoder().decode(stdout) : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false; // deleted, and not yet committed
    throw error;
  }
}

const MADE_ANEW =
  /^(\.git|\.venv|\.tensorflow|node_modules|dist|__pycache__|\.ipynb_checkpoints|\.cells-.*|Lab_4_.*\.(pdf|zip))$/;

function walk(project: string, folder: string): string[] {
  return [...Deno.readDirSync(join(project, folder))].flatMap(({ name, isDirectory, isFile }) => {
    const path = join(folder, name);
    if (MADE_ANEW.test(name)) return [];
    return isDirectory ? walk(project, path) : isFile ? [path] : [];
  });
}

/** In `data` and `checkpoints` only what explains them is the project's, and the published model. */
function isOfProject(path: string): boolean {
  const [top, next] = path.split("/");
  return top === "checkpoints"
    ? next === "README.md" || next === "published"
    : top !== "data" || next === "README.md";
}

function isOfRun(path: string): boolean {
  return basename(path) !== ".lock" && !path.endsWith(".tmp");
}
