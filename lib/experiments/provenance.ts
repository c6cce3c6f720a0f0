/**
 * What a result came from: the code, the data, the machine. Names and hashes, no paths and no host names, so that it can be published.
 *
 * @module
 */
import os from "node:os";
import { join } from "@std/path";
import type { Dataset, Datasets } from "../data/dataset.ts";
import { InputError } from "../support/errors.ts";
import { startProcess } from "../support/processes.ts";
import { projectFolder } from "../support/project.ts";
import { hashBytes, hashText } from "./hash.ts";

/** Hashes of the sources that results depend on, a part each. */
export type CodeVersion = Record<CodePart, string>;

/** A part of the code. */
export type CodePart = typeof CODE_PARTS[number];

/** Folders and files below `lib/` that results depend on. */
export const CODE_PARTS = ["data", "model", "random", "tensorflow", "training"] as const;

/** Which images. */
export interface DataIdentity {
  name: string;
  /** Hash of all images and labels. */
  fingerprint: string;
}

/** What computed. */
export interface Machine {
  cpu: string;
  cores: number;
  /** In GB. */
  memory: number;
  system: string;
  /** The GPU's name, where it computed. */
  gpu?: string;
}

/**
 * Hashes the sources: their content, not what git knows of them. Comments and layout do not count.
 *
 * @param folder Of the sources. @default {lib}
 */
export async function readCodeVersion(folder = join(projectFolder(), "lib")): Promise<CodeVersion> {
  const version: Partial<CodeVersion> = {};
  for (const part of CODE_PARTS) {
    const files = part === "random" ? ["support/random.ts"] : listSources(folder, part);
    const texts = files.map((file) => `${file}\n${stripLayout(Deno.readTextFileSync(join(folder, file)))}\n`);
    version[part] = await hashText(texts.join(""));
  }
  return version as CodeVersion;
}

/** Paths of the files in TypeScript and C++ below `folder/part`, relative to `folder`, sorted. */
function listSources(folder: string, part: string): string[] {
  return [...Deno.readDirSync(join(folder, part))].flatMap(({ name, isDirectory }) => {
    const path = `${part}/${name}`;
    if (isDirectory) return listSources(folder, path);
    return /\.(ts|cc|h)$/.test(name) ? [path] : [];
  }).sort();
}

/**
 * Takes comments that begin a line, comments at a line's end, white space and trailing commas away. What looks like these within a
 * text is lost too: that can hide a change of such a text, but never show one where there is none.
 */
export function stripLayout(source: string): string {
  return source
    .replace(/^\s*\/\*[^]*?\*\//gm, "")
    .replace(/(^|\s)\/\/( .*)?$/gm, "")
    .replace(/\s+/g, "")
    .replace(/,([)\]}>])/g, "$1");
}

/** Hashes all images and labels. */
export async function identifyData({ train, test }: Datasets): Promise<DataIdentity> {
  const bytes = ({ images, labels }: Dataset) => [images, labels] as Uint8Array<ArrayBuffer>[];
  const parts = [...bytes(train), ...bytes(test)];
  const hashes = await Promise.all(parts.map((part) => hashBytes(part)));
  return { name: train.name, fingerprint: await hashText(hashes.join()) };
}

/** Describes this machine. */
export async function describeMachine(device: "cpu" | "gpu"): Promise<Machine> {
  const processors = os.cpus();
  return {
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: navigator.hardwareConcurrency,
    memory: Math.round(os.totalmem() / 1e9),
    system: `${Deno.build.os} ${Deno.build.arch}`,
    ...(device === "gpu" ? { gpu: await nameGpu() } : {}),
  };
}

async function nameGpu(): Promise<string> {
  try {
    const { success, stdout } = await new Deno.Command("nvidia-smi", {
      args: ["--query-gpu=name", "--format=csv,noheader"],
      stderr: "null",
    }).output();
    const [name] = new TextDecoder().decode(stdout).split("\n");
    return success && name.trim() !== "" ? name.trim() : "unknown";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "unknown"; // a container may have the GPU without the program
    throw error;
  }
}

/** {@linkcode Machine} in a line. */
export function formatMachine({ cpu, cores, memory, system, gpu }: Machine): string {
  const processor = `${cpu}, ${cores} cores, ${memory} GB, ${system}`;
  return gpu === undefined ? processor : `${gpu}; ${processor}`;
}

/** Reads the git commit of this project's checkout; null where there is none, or no git. */
export async function readCommit(): Promise<string | null> {
  try {
    const { ended } = await startProcess("git", ["rev-parse", "HEAD"], { cwd: projectFolder() });
    const { code, stdout } = await ended;
    return code === 0 ? stdout.trim() : null;
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}
