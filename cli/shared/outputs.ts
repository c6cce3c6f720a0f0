/**
 * Files that a command writes where the user says: figures, scores, exported networks.
 *
 * Nothing is replaced but what the same command wrote and nobody has changed since:
 * `checkpoints/.outputs.jsonl` keeps the digest of each file. `--force` replaces everything.
 */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
import { readFileBounded, readTextOrNull, requireFolderOf, statOrNull } from "../../lib/support/files.ts";
import { flag } from "../../lib/support/schema.ts";
import {
  appendText,
  type FileToWrite,
  isStream,
  makeFolder,
  writeFiles,
} from "../../lib/support/write_files.ts";
import { defaultRunsFolder } from "../../lib/training/run_folder.ts";

/** `--force`, of commands that write files. */
export const FORCE_OPTION = flag("replace files that this command did not write", "Output");

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
  for (const { path, bytes } of files) requireReplaceable(path, options, bytes);
  writeFiles(files);
  remember(files, options.origin);
}

/** @param bytes The new content: a file that holds it already may be replaced. */
function requireReplaceable(path: string, { origin, force }: OutputOptions, bytes?: Uint8Array): void {
  if (force || !isFile(path)) return;
  const known = readRecords().get(Deno.realPathSync(path));
  const digest = sha256(readFileBounded(path, 2e9));
  if (bytes !== undefined && digest === sha256(bytes)) return;
  if (known?.sha256 !== digest) throw refuse(path, FOREIGN);
  if (known.origin !== origin) throw refuse(path, `it is ${known.origin}`);
}

const FOREIGN =
  "there is already a file of that name, which this program did not write or which has changed since";

function refuse(path: string, why: string): InputError {
  const next = [{ advice: "choose another name" }, { set: { force: true } }];
  return new InputError({ what: `replace ${path}`, why, next });
}

interface OutputRecord {
  path: string;
  sha256: string;
  origin: string;
}

const recordsFile = () => join(defaultRunsFolder(), ".outputs.jsonl");

/** Reads what was written last at each path; lines that a crash has cut are left out. */
function readRecords(): Map<string, OutputRecord> {
  const records = new Map<string, OutputRecord>();
  for (const line of (readTextOrNull(recordsFile()) ?? "").split("\n")) {
    try {
      const record: OutputRecord | null = JSON.parse(line);
      if (record?.path) records.set(record.path, record);
    } catch { /* cut */ }
  }
  return records;
}

/** Remembers digests; where that cannot be written, the next time asks for `--force`. */
function remember(files: readonly FileToWrite[], origin: string): void {
  const lines = files.filter(({ path }) => isFile(path)).map(({ path, bytes }) =>
    JSON.stringify({ path: Deno.realPathSync(path), sha256: sha256(bytes), origin }) + "\n"
  );
  try {
    makeFolder(defaultRunsFolder());
    appendText(recordsFile(), lines.join(""));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
}

function isFile(path: string): boolean {
  return !isStream(path) && (statOrNull(path)?.isFile ?? false);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
