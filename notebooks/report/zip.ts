import { join } from "@std/path";
import { type Zippable, zipSync } from "fflate";
import { InputError } from "../../lib/support/errors.ts";
import { readFileBounded, statOrNull } from "../../lib/support/files.ts";
import { startProcess } from "../../lib/support/processes.ts";

/**
 * Lists the files that git tracks, as they are now: what else lies in the folder (`.env`, notes) is nobody's
 * business. Links are not followed.
 *
 * @param project The top folder.
 * @param options With `checkpoints`, the checkpoints of all runs are added to the published one. @default
 * {{checkpoints: false}}
 * @throws {InputError} If git is missing, refuses, or does not track the project.
 */
export async function collectFiles(
  project: string,
  { checkpoints = false }: { checkpoints?: boolean } = {},
) {
  const top = Deno.realPathSync(project);
  const tracked = new Set(await listByGit(top, "--cached"));
  // a repository around a folder that was unpacked in it does not track that folder
  if (!tracked.has("deno.json")) throw refuse("git does not track it", ADD);
  const runs = checkpoints ? listRunFiles(top, "checkpoints").filter((path) => !tracked.has(path)) : [];
  const byKind = Object.groupBy([...tracked, ...runs], (path) => isOwnFile(top, path) ? "own" : "other");
  return {
    paths: (byKind.own ?? []).sort(),
    /** Left out of the zip, and named to the user. */
    untracked: (await listByGit(top, "--others", "--exclude-standard")).sort(),
    /** Links, submodules, deleted files. */
    leftOut: (byKind.other ?? []).sort(),
  };
}

const ADD = "run `git init && git add .` in the project's folder first: it leaves out what .gitignore names";

function refuse(why: string, advice: string): InputError {
  return new InputError({ what: "zip the project", why, next: [{ advice }] });
}

async function listByGit(top: string, ...options: string[]): Promise<string[]> {
  // variables such as GIT_DIR, which git sets for its hooks, would name another repository
  const env = Object.fromEntries(Object.entries(Deno.env.toObject()).filter(([name]) => !/^GIT_/.test(name)));
  const child = await startProcess("git", ["ls-files", "-z", ...options], { cwd: top, env, extendEnv: false })
    .catch((error) => {
      throw error instanceof InputError ? refuse("git is not installed", "install it") : error;
    });
  const { code, stdout, stderr } = await child.ended;
  if (code === 0) return stdout.split("\0").filter((path) => path !== "");
  const why = stderr.split("\n")[0].replace(/^fatal: /, "") || "git failed";
  throw refuse(why, /dubious/.test(why) ? `run \`git config --global --add safe.directory ${top}\`` : ADD);
}

/** Tells whether a path leads to a file of the project itself, through no link. */
function isOwnFile(top: string, path: string): boolean {
  const file = join(top, path);
  return (statOrNull(file)?.isFile ?? false) && Deno.realPathSync(file) === file;
}

const RUN_FILE =
  /^((best|last)\.safetensors|config\.json|history\.jsonl|provenance\.json|events\.out\.tfevents\..*)$/;

function listRunFiles(top: string, folder: string): string[] {
  return [...Deno.readDirSync(join(top, folder))].flatMap(({ name, isDirectory, isFile }) => {
    const path = join(folder, name);
    return isDirectory ? listRunFiles(top, path) : isFile && RUN_FILE.test(name) ? [path] : [];
  });
}

/** A file to zip: a path in the project, or its content. */
export type ZipEntry = { path: string; bytes?: Uint8Array };

const UNIX = 3;
const REGULAR_FILE = 0o100000;

/** More fits neither the memory nor the format. */
const MAXIMUM_BYTES = 1_000_000_000;

/** The zip format's dates. */
const [EARLIEST, LATEST] = [new Date(1980, 0, 1), new Date(2099, 11, 31)];

/**
 * Zips files of a project below one folder, sorted and with one date, so that the same files give the same
 * bytes.
 *
 * @param top The folder in the zip.
 * @throws {InputError} If a file cannot be read, or all are too large.
 */
export function zipFiles(
  project: string,
  top: string,
  entries: readonly ZipEntry[],
  date: Date | null,
): Uint8Array<ArrayBuffer> {
  const tree: Zippable = {};
  // zip files know no time zone: local noon of the UTC day is the same everywhere
  const noon = date && new Date(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate(), 12);
  const mtime = noon === null || noon < EARLIEST ? EARLIEST : noon > LATEST ? LATEST : noon;
  let left = MAXIMUM_BYTES;
  for (const { path, bytes } of entries.toSorted((one, other) => one.path < other.path ? -1 : 1)) {
    const file = join(project, path);
    // ./deno must stay executable
    const mode = bytes === undefined && ((Deno.statSync(file).mode ?? 0) & 0o100) !== 0 ? 0o755 : 0o644;
    const content = bytes ?? readFileBounded(file, left);
    left -= content.length;
    tree[`${top}/${path}`] = [content, { mtime, os: UNIX, attrs: (REGULAR_FILE | mode) << 16 >>> 0 }];
  }
  return zipSync(tree, { level: 9 }) as Uint8Array<ArrayBuffer>;
}
