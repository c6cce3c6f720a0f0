/**
 * A small project to set up for real, without the network: packages of a few bytes in place of TensorFlow's.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { fromFileUrl, join } from "@std/path";
import { zipSync } from "fflate";
import { type ProcessEnd, startProcess } from "../../../lib/support/processes.ts";

export const ROOT = fromFileUrl(new URL("../../../", import.meta.url));

/** Deno's cache, for a Deno that is started with an environment of its own. */
export const DENO_DIR = Deno.env.get("DENO_DIR") ?? join(Deno.env.get("HOME") ?? "", ".cache", "deno");

/** What a shell script and pip call; a machine has little more. */
const TOOLS = "sh env cat chmod cp dirname ls mkdir mktemp mv readlink rm sleep sort touch uname wc".split(
  " ",
);

/** Creates a folder with the programs of {@linkcode TOOLS} and the given ones, to be the only one on PATH. */
export async function makeTools(folder: string, programs: Record<string, string> = {}): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  for (const name of TOOLS) {
    const path = findProgram(name);
    if (path !== null) await Deno.symlink(path, join(folder, name));
  }
  for (const [name, script] of Object.entries(programs)) await writeScript(join(folder, name), script);
  return folder;
}

/** Writes a shell script that can be run. */
export async function writeScript(path: string, script: string): Promise<void> {
  await Deno.mkdir(join(path, ".."), { recursive: true });
  await Deno.writeTextFile(path, `#!/bin/sh\n${script}\n`);
  await Deno.chmod(path, 0o755);
}

/** The place of a program on PATH, or `null`. */
export function findProgram(name: string): string | null {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    try {
      if (Deno.statSync(join(folder, name)).isFile) return join(folder, name);
    } catch { /* not in this one */ }
  }
  return null;
}

/** A Python on this machine that has pip, or `null`. */
export function findPython(): string | null {
  for (const python of [findProgram("python3"), join(ROOT, ".venv", "bin", "python")]) {
    if (python === null) continue;
    try {
      // the program itself: what lies on PATH may be a slow script that looks for it
      const args = ["-c", "import pip, sys; print(sys.executable)"];
      const { success, stdout } = new Deno.Command(python, { args, stdin: "null" }).outputSync();
      if (success) return new TextDecoder().decode(stdout).trim();
    } catch { /* not there */ }
  }
  return null;
}

/** The whole environment of a program: nothing of the tests' own. */
export interface Environment {
  env: Record<string, string>;
  cwd?: string;
}

/** Runs a program with exactly this environment to its end. */
export async function run(command: string, args: string[], environment: Environment): Promise<ProcessEnd> {
  return await (await startProcess(command, args, { ...environment, extendEnv: false })).ended;
}

/** Packages' files by the wheel's name. */
export type Wheels = Record<string, Record<string, string | Uint8Array>>;

/** Writes wheels that pip can install, named `name-version`, by default for TensorFlow's tags. */
export async function writeWheels(
  folder: string,
  wheels: Wheels,
  tag = `cp312-cp312-manylinux_2_27_${Deno.build.arch}`,
): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const encoder = new TextEncoder();
  for (const [id, files] of Object.entries(wheels)) {
    const [name, version] = id.split("-");
    const record = `${id}.dist-info`;
    const all: Record<string, string | Uint8Array> = {
      ...files,
      [`${record}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
      [`${record}/WHEEL`]: `Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: ${tag}\n`,
    };
    const lines = Object.entries(all).map(([path, data]) => `${path},,${data.length}\n`);
    all[`${record}/RECORD`] = `${lines.join("")}${record}/RECORD,,\n`;
    const entries = Object.entries(all).map((
      [path, data],
    ) => [path, typeof data === "string" ? encoder.encode(data) : data]);
    await Deno.writeFile(join(folder, `${id}-${tag}.whl`), zipSync(Object.fromEntries(entries)));
  }
}

/** A line of a requirements file, with the hash of the package's wheel in `folder`, or a wrong one. */
export function makePin(folder: string, name: string, version: string): string {
  const start = `${name.replaceAll("-", "_")}-${version}-`;
  const wheel = [...Deno.readDirSync(folder)].find((file) => file.name.startsWith(start))?.name;
  const bytes = wheel === undefined ? new Uint8Array() : Deno.readFileSync(join(folder, wheel));
  return `${name}==${version} --hash=sha256:${createHash("sha256").update(bytes).digest("hex")}\n`;
}
