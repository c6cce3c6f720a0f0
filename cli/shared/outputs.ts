/**
 * Files that a command writes where the user says: figures, scores, exported networks.
 *
 * Nothing is replaced but what the same command wrote and nobody has changed since: `checkpoints/.outputs.json`
 * keeps the digest of each file. `--force` replaces everything.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
import { isRecord, readJsonOrNull, requireFolderOf, statOrNull } from "../../lib/support/files.ts";
import { boolean, type Option } from "../../lib/support/schema.ts";
import { type FileToWrite, writeFiles, writeText } from "../../lib/support/write_files.ts";
import { defaultRunsFolder } from "../../lib/training/run_folder.ts";

/** `--force`, of commands that write files. */
export const FORCE_OPTION = {
  schema: boolean(),
  default: false,
  group: "Output",
  help: "replace files that this command did not write",
} satisfies Option;

/** Options of {@linkcode requireOutputs} and {@linkcode writeOutputs}. */
export interface OutputOptions {
  /** Names the origin of the files: "a figure of deno task runs". Another origin's files are not replaced. */
  origin: string;
  /** `--force` */
  force: boolean;
}

/**
 * Checks before long work that files may be written: that their folders exist and nobody else's are replaced.
 *
 * @throws {InputError} If not.
 */
export function requireOutputs(paths: readonly (string | null)[], options: OutputOptions): void {
  for (const path of paths) {
    if (path === null || isStream(path)) continue;
    requireFolderOf(path);
    requireReplaceable(path, options);
  }
}

/** Writes files, all of them or none. @throws {InputError} As {@linkcode requireOutputs}. */
export function writeOutputs(files: readonly FileToWrite[], options: OutputOptions): void {
  for (const { path } of files) requireReplaceable(path, options);
  writeFiles(files);
  remember(files, options.origin);
}

function requireReplaceable(path: string, { origin, force }: OutputOptions): void {
  if (force || !isFile(path)) return;
  const known = readRecords()[Deno.realPathSync(path)];
  const isUnchanged = known?.sha256 === sha256(Deno.readFileSync(path));
  if (isUnchanged && known.origin === origin) return;
  const why = isUnchanged
    ? `it is ${known.origin}`
    : "there is already a file of that name, which this program did not write or which has changed since";
  throw new InputError({
    what: `replace ${path}`,
    why,
    next: [{ advice: "choose another name" }, { set: { force: true } }],
  });
}

interface OutputRecord {
  sha256: string;
  origin: string;
}

const recordsFile = () => join(defaultRunsFolder(), ".outputs.json");

function readRecords(): Record<string, OutputRecord | undefined> {
  const records = readJsonOrNull(recordsFile()) ?? {};
  return Object.fromEntries(Object.entries(records).filter(([, record]) => isRecord(record))) as Record<
    string,
    OutputRecord
  >;
}

/** Remembers digests; where that cannot be written, the next time asks for `--force`. */
function remember(files: readonly FileToWrite[], origin: string): void {
  const kept = Object.entries(readRecords()).filter(([path]) => isFile(path));
  const added = files.filter(({ path }) => isFile(path)).map(({ path, bytes }) =>
    [Deno.realPathSync(path), { sha256: sha256(bytes), origin }] as const
  );
  try {
    writeText(recordsFile(), JSON.stringify(Object.fromEntries([...kept, ...added]), null, 1) + "\n");
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
}

/** Tells `/dev/stdout` and `/dev/stderr`, which a task may use but not look at. */
function isStream(path: string): boolean {
  return path.startsWith("/dev/std");
}

function isFile(path: string): boolean {
  return !isStream(path) && (statOrNull(path)?.isFile ?? false);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
